"""A creation that is asked for again under its ``Idempotency-Key`` is answered again, and made once."""

import json
import threading
from contextlib import contextmanager
from datetime import timedelta

import pytest
from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator
from django.core.asgi import get_asgi_application
from django.db import OperationalError, connection, transaction
from django.test import AsyncRequestFactory
from django.utils import timezone

from accounts import idempotency, roles
from accounts.grants import take_grant
from accounts.log_check import violations
from accounts.models import KeyedCreation, User, UserGrantToGroup
from accounts.provisioning import change_tenant
from accounts.users import change_user, create_user
from realtime.housekeeping import Housekeeper
from realtime.models import Event
from tenants.models import SignupPolicy, Tenant
from tests.accounts.api_calls import assert_problem
from tests.accounts.house import PASSWORD, Caller

pytestmark = pytest.mark.each_database

KEY = "0b9f4c1e-8d0c-4a55-9d51-6f4d3f0b7c11"
ERIN = {"username": "erin", "email": "erin@acme.test", "role": "viewer"}
DAVE = {"username": "dave", "password": "correct-horse", "email": "dave@acme.test"}


def create(house, by="alice", body=ERIN, key=KEY):
    return house.caller(by)("POST", "users", body, **{"Idempotency-Key": key})


def sign_up(body=DAVE, key=KEY, tenant="acme"):
    return Caller()("POST", f"tenants/{tenant}/signup", body, **{"Idempotency-Key": key})


def is_replay(answer):
    return answer.headers.get("Idempotency-Replayed") == "true"


def assert_made_once(name):
    (user,) = User.objects.filter(username=name)
    assert Event.objects.filter(subject_id=user.pk, kind="user.created").count() == 1
    assert violations() == []


def test_the_same_request_again_gets_the_same_answer_and_makes_nothing(house):
    first, again = create(house), create(house)

    assert (first.status, is_replay(first)) == (201, False)
    assert (again.status, is_replay(again), again.bytes) == (201, True, first.bytes)
    assert_made_once("erin")


def test_what_is_the_same_request_is_told_by_its_meaning_not_by_its_bytes(house):
    create(house)

    assert is_replay(create(house, body=dict(reversed(ERIN.items()))))


def test_whoever_signs_up_gets_the_same_answer_again(house):
    first, again = sign_up(), sign_up()

    assert (first.status, again.status, again.bytes, is_replay(again)) == (201, 201, first.bytes, True)
    assert_made_once("dave")


def test_an_operator_gets_his_tenant_once(house):
    body = {"slug": "initech", "name": "Initech"}

    def ask(**changes):
        return house.caller("olga")("POST", "platform/tenants", body | changes, **{"Idempotency-Key": KEY})

    first, again, other = ask(), ask(), ask(name="Intertrode")

    assert (first.status, again.status, again.bytes, is_replay(again)) == (201, 201, first.bytes, True)
    assert_problem(other, 422, "idempotency_key_reused")
    Tenant.objects.get(slug="initech").delete()
    assert_problem(ask(), 410, "erased")


def test_another_request_under_the_key_is_refused(house):
    create(house)

    for body in (ERIN | {"username": "frank"}, ERIN | {"email": "e@acme.test"}, ERIN | {"phone": None}):
        problem = assert_problem(create(house, body=body), 422, "idempotency_key_reused", body)

    assert problem["detail"] == "This Idempotency-Key stands for another request of yours; use a new key for each."
    assert not User.objects.filter(username="frank").exists()


def test_without_a_key_nothing_is_remembered(house):
    assert house.caller("alice")("POST", "users", ERIN).status == 201

    assert_problem(house.caller("alice")("POST", "users", ERIN), 409, "username_taken")
    assert not KeyedCreation.objects.exists()


def test_a_key_is_its_callers_alone(house):
    create(house)

    # Peggy of the same tenant, Mallory of another one, and whoever signs up: to each the key is a new one.
    assert_problem(create(house, by="peggy"), 409, "username_taken")
    others = [
        create(house, by="peggy", body=ERIN | {"username": "frank"}),
        create(house, by="mallory"),
        sign_up(),
        sign_up(tenant="globex"),
    ]

    assert [(answer.status, is_replay(answer)) for answer in others] == [(201, False)] * 4
    assert User.objects.filter(username="erin").count() == 2


def test_a_guessed_key_tells_a_stranger_no_more_than_that_a_name_is_taken(house):
    sign_up()

    told = {
        (is_known, name): sign_up(DAVE | {"username": name, "password": "another-horse"}, key=KEY if is_known else "no")
        for is_known in (True, False)
        for name in ("dave", "grace")
    }

    assert_problem(told[True, "dave"], 422, "idempotency_key_reused")
    assert_problem(told[False, "dave"], 409, "username_taken")
    assert told[True, "grace"].status == 201, "the key means nothing for another name"
    assert_problem(told[False, "grace"], 409, "username_taken")


@pytest.mark.parametrize("refused", [{"email": "nowhere"}, {"role": "boss"}, {"username": "bob"}])
def test_what_was_refused_leaves_the_key_free(house, refused):
    assert create(house, body=ERIN | refused).status in {400, 409}

    assert not KeyedCreation.objects.exists()
    assert (create(house).status, is_replay(create(house))) == (201, True)


def test_what_is_rolled_back_leaves_the_key_free(house, monkeypatch):
    def give_up(*_args, **_kwargs):
        raise OperationalError("the database goes away")

    with monkeypatch.context() as broken:
        broken.setattr("accounts.creation.log.append_to_each", give_up)
        assert_problem(create(house), 503, "unavailable")

    assert (create(house).status, is_replay(create(house))) == (201, True)
    assert_made_once("erin")


def test_the_answer_that_was_lost_after_the_commit_is_given_to_the_retry(house, monkeypatch):
    def make_and_give_up(**asked):
        create_user(**asked)
        raise OperationalError("the database goes away")

    with monkeypatch.context() as broken:
        broken.setattr("accounts.api.users.create_user", make_and_give_up)
        assert_problem(create(house), 503, "unavailable")

    retry = create(house)

    assert (retry.status, is_replay(retry), retry.body["username"]) == (201, True, "erin")
    assert_made_once("erin")


def test_the_answer_is_judged_by_the_callers_rights_of_now(house):
    first = create(house, by="peggy")
    assert first.body["email"] == "erin@acme.test"
    for grant in UserGrantToGroup.objects.filter(
        content_object=house.id("erin"), permission__codename="view_user_contact"
    ):
        take_grant(grant)

    again = create(house, by="peggy")

    assert (again.status, is_replay(again)) == (201, True)
    assert "email" not in again.body
    assert again.body["redacted"] == ["email", "phone", "address", "agent"]


def test_who_may_not_create_any_more_gets_no_answer_either(house):
    create(house, by="peggy")
    roles.set_role(house.user("peggy"), None)

    assert_problem(create(house, by="peggy"), 403, "not_authorised")


def test_a_key_outlives_the_session_but_not_a_log_out_without_a_new_log_in(house):
    create(house)
    house.caller("alice")("POST", "auth/logout")

    assert_problem(create(house), 401, "session_ended")
    anew = Caller(house.token("alice"))("POST", "users", ERIN, **{"Idempotency-Key": KEY})
    assert (anew.status, is_replay(anew)) == (201, True)


def test_the_answer_shows_what_became_of_it(house):
    create(house)
    change_user(user=house.user("erin"), is_active=False, role=None)

    again = create(house)

    assert (again.body["is_active"], again.body["role"], is_replay(again)) == (False, None, True)


def test_who_was_erased_is_not_made_again_nor_shown(house):
    created, joined = create(house), sign_up()
    assert (created.status, joined.status) == (201, 201)
    User.objects.filter(username__in=["erin", "dave"]).delete()

    for answer in (create(house), sign_up()):
        problem = assert_problem(answer, 410, "erased")
        assert "use a new key" in problem["detail"]
        assert b"erin" not in answer.bytes
        assert b"dave" not in answer.bytes
    assert (create(house, key="new").status, sign_up(key="new").status) == (201, 201)


def test_who_was_let_in_before_the_doors_closed_learns_so(house):
    first = sign_up()
    change_tenant(house.acme, signup_policy=SignupPolicy.CLOSED)

    assert sign_up().bytes == first.bytes
    assert_problem(sign_up(DAVE | {"username": "grace"}), 403, "signup_closed")
    change_tenant(house.acme, is_active=False)
    assert_problem(sign_up(), 503, "tenant_suspended")


@pytest.mark.parametrize("key", ["", " ", "a b", "k" * 256, "schlüssel", "tab\there", "\x7f", "aa,bb", ","])
def test_a_key_that_is_none_is_refused(house, key):
    for answer in (create(house, key=key), sign_up(key=key)):
        problem = assert_problem(answer, 400, "bad_idempotency_key", key)
        assert (
            "expected it once, 1 to 255 visible ASCII characters without a comma, such as a UUID" in problem["detail"]
        )


async def test_a_key_that_comes_twice_is_refused(house):
    """Django joins headers of one name, so that two good keys look like a third."""
    alice = {"Authorization": f"Bearer {await sync_to_async(house.token)('alice')}"}
    scope = AsyncRequestFactory().post("/api/v1/users", ERIN, content_type="application/json", headers=alice).scope
    statuses = {}
    for keys in (["aa"], ["aa", "bb"], ["aa", "aa"]):
        named = [(b"idempotency-key", key.encode()) for key in keys]
        application = ApplicationCommunicator(get_asgi_application(), scope | {"headers": [*scope["headers"], *named]})
        await application.send_input({"type": "http.request", "body": json.dumps(ERIN).encode()})
        statuses[tuple(keys)] = (await application.receive_output(timeout=20))["status"]
        await application.wait()

    assert statuses == {("aa",): 201, ("aa", "bb"): 400, ("aa", "aa"): 400}


def test_the_longest_and_the_oddest_key_are_good(house):
    for key in ("k" * 255, "!", '"quoted"', "{};--%00~"):
        assert create(house, key=key, body={"username": f"user{len(key)}"}).status == 201


def test_neither_key_nor_body_can_be_read_in_the_table(house):
    sign_up(key="dave@acme.test")

    (row,) = KeyedCreation.objects.values_list("digest", "fingerprint", "reference")

    assert row[2] == str(house.id("dave"))
    assert all(secret not in "".join(row) for secret in ("dave@acme.test", "correct-horse"))


def test_a_key_is_forgotten_after_a_day(house):
    create(house)
    sign_up()
    day = idempotency.KEPT + timedelta(seconds=1)
    KeyedCreation.objects.filter(reference=house.id("erin")).update(made_at=timezone.now() - day)

    assert create(house, body=ERIN | {"username": "frank"}).status == 201, "too old, whether swept up or not"
    assert is_replay(sign_up())
    KeyedCreation.objects.update(made_at=timezone.now() - day)
    Housekeeper(every_seconds=3600).do_what_is_due()
    assert not KeyedCreation.objects.exists()
    assert_problem(sign_up(), 409, "username_taken")


def test_forgetting_goes_in_steps_and_keeps_what_is_young(house, monkeypatch):
    monkeypatch.setattr(idempotency, "FORGOTTEN_AT_ONCE", 2)
    old = timezone.now() - idempotency.KEPT
    KeyedCreation.objects.bulk_create(
        KeyedCreation(digest=str(n), reference="x", made_at=old if n < 5 else timezone.now()) for n in range(6)
    )

    assert (list(idempotency.forget_old()), KeyedCreation.objects.count()) == ([2, 2, 1], 1)


def test_a_server_whose_clock_is_ahead_forgets_nothing(house, monkeypatch):
    KeyedCreation.objects.create(digest="1", fingerprint="1", reference="x")
    now = timezone.now
    monkeypatch.setattr("accounts.idempotency.timezone.now", lambda: now() + timedelta(days=2))

    assert sum(idempotency.forget_old()) == 0
    assert KeyedCreation.objects.exists()


@contextmanager
def under_way(house, once):
    """Have another thread be in the middle of creating Erin under a key while the body runs; it commits at the end."""
    begun, go_on, faults = threading.Event(), threading.Event(), []

    def create_and_wait():
        try:
            with transaction.atomic():
                create_user(tenant=house.acme, joined_via="api", once=once, **ERIN)
                begun.set()
                assert go_on.wait(20)
        except BaseException as fault:  # noqa: BLE001
            faults.append(fault)
            begun.set()
        finally:
            connection.close()

    thread = threading.Thread(target=create_and_wait)
    thread.start()
    try:
        assert begun.wait(20)
        yield
    finally:
        go_on.set()
        thread.join()
    assert faults == []


def once_of_alice(house):
    request = ["POST", "/api/v1/users", ERIN]
    return idempotency.once_of(KEY, tenant_id=house.acme.pk, caller=str(house.id("alice")), request=request)


def test_the_same_request_meanwhile_is_refused_at_once_or_waits_for_the_answer(house):
    house.caller("alice")  # has logged in before
    if connection.vendor == "postgresql":
        with under_way(house, once_of_alice(house)):
            answer = create(house)
        problem = assert_problem(answer, 409, "idempotency_in_progress")
        assert problem["detail"].startswith("A request with this Idempotency-Key is under way; ask again")
        assert answer.headers["Retry-After"] == "1"
    else:
        answers = []
        with under_way(house, once_of_alice(house)):
            thread = threading.Thread(target=lambda: (answers.append(create(house)), connection.close()))
            thread.start()
        thread.join()
        assert [(answer.status, is_replay(answer)) for answer in answers] == [(201, True)]

    assert is_replay(create(house))
    assert_made_once("erin")


def test_alices_password_is_not_needed_to_tell_requests_apart(house):
    body = ERIN | {"password": PASSWORD}
    create(house, body=body)

    assert_problem(create(house, body=body | {"password": "another-horse"}), 422, "idempotency_key_reused")
