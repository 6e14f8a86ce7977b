"""How often one may ask: each address, each user, and what is created in a tenant."""

from itertools import count

import pytest

from accounts.api import throttles
from tests.accounts.api_calls import assert_problem, log_in
from tests.accounts.house import Caller


class Clock:
    """A clock that a test sets."""

    now = 1_000_000_010.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(throttles.frequency, "_clock", clock)
    return clock


@pytest.fixture
def limit(settings):
    """Set limits: ``limit(signup_rate="2/h")``."""

    def limit(**limits):
        settings.USHER = settings.USHER.model_copy(update=limits)

    return limit


_numbers = count()


def create(caller):
    return caller("POST", "users", {"username": f"dave-{next(_numbers)}"})


def sign_up(slug="acme"):
    return Caller()(
        "POST", f"tenants/{slug}/signup", {"username": f"erin-{next(_numbers)}", "password": "hunter-two-2"}
    )


def test_requests_of_an_address_are_counted_before_anything_is_looked_at(house, limit, clock):
    alice = house.caller("alice")
    limit(requests_per_address="3/min")
    throttles.frequency.forget()

    assert alice("GET", "me").status == 200
    assert Caller("nonsense")("GET", "me").status == 401
    assert Caller()("GET", "nowhere").status == 404
    for refused in (alice("GET", "me"), Caller()("GET", "nowhere"), log_in()):
        assert assert_problem(refused, 429, "throttled")
        assert refused.headers["Retry-After"] == "20", "a third of a minute"

    clock.now += 20
    assert [alice("GET", "me").status for _ in range(2)] == [200, 429]


def test_what_is_no_api_is_refused_in_plain_words_or_not_counted(house, limit, clock, client):
    limit(requests_per_address="1/min")
    throttles.frequency.forget()

    statuses = [client.get("/admin/login/").status_code for _ in range(2)]

    assert statuses == [200, 429]
    refused = client.get("/admin/login/")
    assert (refused["Retry-After"], refused["Content-Type"]) == ("60", "text/plain; charset=utf-8")
    assert client.get("/livez").status_code == 200
    assert client.get("/static/usher/home.css").status_code == 200


def test_a_page_of_another_origin_can_read_that_it_asks_too_often(house, limit, clock, client, settings):
    settings.CORS_ALLOWED_ORIGINS = ["https://app.example.com"]
    limit(requests_per_address="1/min")
    throttles.frequency.forget()

    for _ in range(2):
        answer = client.get("/api/v1/me", headers={"Origin": "https://app.example.com"})

    assert answer.status_code == 429
    assert answer["Access-Control-Allow-Origin"] == "https://app.example.com"
    assert "retry-after" in answer["Access-Control-Expose-Headers"].lower()


def test_requests_of_a_user_are_counted_from_wherever(house, limit, clock):
    alice, again, bob = house.caller("alice"), Caller(house.token("alice")), house.caller("bob")
    limit(requests_per_user="3/min")
    throttles.frequency.forget()

    assert [caller("GET", "me").status for caller in (alice, again, alice)] == [200, 200, 200]
    for caller in (alice, again):
        refused = caller("GET", "me")
        assert_problem(refused, 429, "throttled")
        assert refused.headers["Retry-After"] == "20"
    assert bob("GET", "me").status == 200


def test_each_view_counts_the_requests_of_its_user(house, limit, clock):
    alice = house.caller("alice")
    limit(requests_per_user="1/min")

    for method, path in [("GET", "me"), ("GET", "users"), ("POST", "users"), ("POST", "auth/password")]:
        throttles.frequency.forget()
        assert alice(method, path, {} if method == "POST" else None).status != 429
        assert alice(method, path, {} if method == "POST" else None).status == 429, path


def test_creations_are_counted_per_tenant(house, limit, clock):
    limit(creations_per_tenant="3/min")
    alice, peggy, mallory = (house.caller(name) for name in ("alice", "peggy", "mallory"))

    assert [create(caller).status for caller in (alice, peggy, alice)] == [201, 201, 201]
    assert_problem(create(peggy), 429, "throttled")
    assert alice("GET", "users").status == 200, "reading is not creating"
    assert create(mallory).status == 201


REFUSED = [
    ({"username": ""}, "invalid"),
    ({"username": "frank", "email": "nowhere"}, "invalid"),
    ({"username": "frank", "password": "short"}, "invalid"),
    ({"username": "frank", "tenant": "globex"}, "invalid"),
    ({"username": "frank", "role": "king"}, "unknown_role"),
    ({"username": "frank", "role": "owner"}, "not_held"),
    ({"username": "bob"}, "username_taken"),
]


def test_what_is_refused_takes_nothing_from_the_colleagues(house, limit, clock):
    limit(creations_per_tenant="2/min")
    alice, peggy, carol = (house.caller(name) for name in ("alice", "peggy", "carol"))

    for body, code in REFUSED:
        assert peggy("POST", "users", body).body["code"] == code
    assert [create(carol).status for _ in range(3)] == [403] * 3

    assert [create(caller).status for caller in (alice, peggy, alice)] == [201, 201, 429]
    assert [create(caller).status for caller in (peggy, alice)] == [429, 429], (
        "who is refused waits, and counts no more"
    )


def test_an_answer_that_is_given_again_is_no_creation(house, limit, clock):
    limit(creations_per_tenant="2/min")
    alice = house.caller("alice")

    again = [alice("POST", "users", {"username": "erin"}, **{"Idempotency-Key": "k"}).status for _ in range(4)]

    assert again == [201] * 4
    assert [create(alice).status for _ in range(2)] == [201, 429]
    assert alice("POST", "users", {"username": "erin"}, **{"Idempotency-Key": "k"}).status == 201


def test_refused_sign_ups_keep_nobody_out(house, limit, clock):
    limit(creations_per_tenant="1/min")

    for body in ({}, {"username": "bob", "password": "hunter-two-2"}, {"username": "erin", "password": "short"}):
        assert Caller()("POST", "tenants/acme/signup", body).status in {400, 409}

    assert [sign_up().status for _ in range(2)] == [201, 429]


def test_a_crowd_that_signs_up_does_not_hold_up_the_staff(house, limit, clock):
    limit(creations_per_tenant="3/min")

    assert [sign_up().status for _ in range(4)] == [201, 201, 201, 429]
    assert sign_up("globex").status == 201
    assert create(house.caller("alice")).status == 201


def test_an_address_that_signs_up_too_often_takes_nothing_from_the_tenant(house, limit, clock):
    limit(signup_rate="2/h", creations_per_tenant="3/h")
    assert [sign_up().status for _ in range(9)] == [201, 201] + [429] * 7

    limit(signup_rate="100/h")

    assert [sign_up().status for _ in range(2)] == [201, 429]


def test_a_refused_sign_up_waits_for_its_own_window(house, limit, clock):
    limit(signup_rate="1/h")
    sign_up()

    assert int(sign_up().headers["Retry-After"]) > 60
