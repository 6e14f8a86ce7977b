"""A new password ends all sessions of its user, whichever path it comes by; the same one, hashed anew, ends none."""

from collections.abc import Callable

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.forms import AdminPasswordChangeForm
from django.contrib.auth.hashers import make_password
from django.core.management import call_command
from django.db import transaction
from django.test import Client

from accounts import sessions
from accounts.models import User
from accounts.refusals import BadCredentials, SessionEnded
from tests.accounts.api_calls import assert_problem, holder_of
from tests.accounts.api_calls import log_in as log_in_by_rest
from tests.accounts.house import PASSWORD
from tests.accounts.signing_in import log_in, session_of
from tests.hashing import QuickArgon2

pytestmark = pytest.mark.each_database

BETTER = "correct horse battery"


class OlderArgon2(QuickArgon2):
    """As passwords were hashed before the cost was changed."""

    time_cost = 2


def with_new_password(user: User) -> User:
    user.set_password(BETTER)
    return user


def with_another_hash(user: User) -> User:
    user.password = make_password(BETTER)
    return user


def without_password(user: User) -> User:
    user.set_unusable_password()
    return user


def by_form(user: User) -> None:
    form = AdminPasswordChangeForm(user, {"password1": BETTER, "password2": BETTER})
    assert form.is_valid(), form.errors
    form.save()


def by_command(user: User) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("getpass.getpass", lambda prompt: BETTER)
        call_command("changepassword", user.username, verbosity=0)


PATHS: dict[str, Callable[[User], object]] = {
    "save": lambda user: with_new_password(user).save(),
    "asave": lambda user: async_to_sync(with_new_password(user).asave)(),
    "save of one field": lambda user: with_new_password(user).save(update_fields=["password"]),
    "save of another hash": lambda user: with_another_hash(user).save(),
    "save without a password": lambda user: without_password(user).save(),
    "update": lambda user: User.objects.filter(username=user.username).update(password=make_password(BETTER)),
    "aupdate": lambda user: async_to_sync(User.objects.filter(pk=user.pk).aupdate)(password=make_password(BETTER)),
    "update by the tenant": lambda user: user.tenant.users.filter(pk=user.pk).update(password=make_password(BETTER)),
    "update across a join": lambda user: (
        User.objects.filter(groups__role__name="owner").distinct().update(password=make_password(BETTER))
    ),
    "bulk_update": lambda user: User.objects.bulk_update([with_another_hash(user)], ["password"]),
    "update_or_create": lambda user: User.objects.update_or_create(
        pk=user.pk, defaults={"password": make_password(BETTER)}
    ),
    "a form of the admin": by_form,
    "manage.py changepassword": by_command,
}


def test_a_new_password_ends_all_sessions_by_every_path(alice, bob, bells):
    of_bob = log_in(bob)
    for path, change in PATHS.items():
        alice = User.objects.get(pk=alice.pk)
        pairs = [log_in(alice) for _ in range(2)]
        bells.clear()

        with transaction.atomic():
            change(alice)
            assert bells == [], f"{path}: it rings after the commit"

        assert bells == [alice.tenant_id], path
        assert [session_of(pair).end_reason for pair in pairs] == ["password_changed"] * 2, path
        assert_problem(holder_of({"access": pairs[0].access})("GET", "me"), 401, "session_ended", about=path)
        with pytest.raises(SessionEnded):
            sessions.refresh(pairs[0].refresh)
    assert sessions.refresh(of_bob.refresh), "another's session goes on"


def test_a_new_password_that_is_rolled_back_ends_nothing(alice):
    pair = log_in(alice)

    for change in PATHS.values():
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            change(User.objects.get(pk=alice.pk))
            raise ZeroDivisionError

    assert sessions.refresh(pair.refresh)
    assert User.objects.get(pk=alice.pk).check_password(PASSWORD)


def test_what_is_no_new_password_ends_nothing(alice):
    pair = log_in(alice)

    alice.full_name = "Alice A."
    alice.save()
    User.objects.filter(pk=alice.pk).update(full_name="Alice B.")
    User.objects.filter(pk=alice.pk).update(password=alice.password)

    assert sessions.refresh(pair.refresh)


@pytest.mark.parametrize("check", [User.check_password, async_to_sync(User.acheck_password)], ids=["check", "acheck"])
def test_a_password_that_is_hashed_anew_ends_nothing(alice, check):
    older = make_password(PASSWORD, hasher=OlderArgon2())
    User.objects.filter(pk=alice.pk).update(password=older)
    alice = User.objects.get(pk=alice.pk)
    pair = log_in(alice)

    assert check(alice, PASSWORD)

    assert alice.password == User.objects.get(pk=alice.pk).password != older
    assert sessions.refresh(pair.refresh)


def test_who_logs_in_with_an_older_hash_gets_in_and_ends_nobodys_session(alice):
    older = make_password(PASSWORD, hasher=OlderArgon2())
    User.objects.filter(pk=alice.pk).update(password=older)
    pair = log_in(User.objects.get(pk=alice.pk))

    assert log_in_by_rest().status == 200

    assert User.objects.get(pk=alice.pk).password != older
    assert sessions.refresh(pair.refresh)


def test_a_hash_made_anew_does_not_take_back_a_password_that_came_meanwhile(alice):
    User.objects.filter(pk=alice.pk).update(password=make_password(PASSWORD, hasher=OlderArgon2()))
    checking = User.objects.get(pk=alice.pk)
    with_new_password(User.objects.get(pk=alice.pk)).save()

    assert checking.check_password(PASSWORD), "it was right when it was read"

    assert User.objects.get(pk=alice.pk).check_password(BETTER)


def test_an_operator_changes_his_password_in_the_admin(olga):
    here, elsewhere = Client(), Client()
    for browser in (here, elsewhere):
        browser.force_login(olga, backend="accounts.authentication.OperatorBackend")
    pair = log_in(olga)

    def post(current, new=BETTER):
        form = {"old_password": current, "new_password1": new, "new_password2": new}
        return here.post("/admin/password_change/", form)

    assert "Old password" in here.get("/admin/password_change/").content.decode()
    for refused, said in (
        (post("guess"), "Your old password was entered incorrectly"),
        (post(PASSWORD, "12345678"), "This password is too common"),
    ):
        assert refused.status_code == 200
        assert said in refused.content.decode()
    assert session_of(pair).ended_at is None
    assert User.objects.get(pk=olga.pk).check_password(PASSWORD)

    assert post(PASSWORD)["Location"] == "/admin/password_change/done/"

    assert session_of(pair).end_reason == "password_changed"
    assert User.objects.get(pk=olga.pk).check_password(BETTER)
    assert here.get("/admin/").status_code == 200, "the cookie at hand stays"
    assert elsewhere.get("/admin/").status_code == 302


def test_nobody_else_gets_to_the_admins_page(alice):
    browser = Client()
    assert browser.get("/admin/password_change/")["Location"].startswith("/admin/login/")
    browser.force_login(alice, backend="accounts.authentication.TenantBackend")
    assert browser.post("/admin/password_change/", {})["Location"].startswith("/admin/login/")


def test_two_log_ins_that_hash_the_same_password_anew_both_succeed(alice):
    """Each has read the old hash; the second finds that of the first in its place."""
    _hashed_as_before(alice)
    first, second = (User.objects.get(pk=alice.pk) for _ in range(2))

    for one in (first, second):
        assert one.check_password(PASSWORD)
        sessions.log_in(one, address=None, agent="")

    assert sessions.live_sessions(alice).count() == 2


def test_a_log_in_that_hashes_anew_what_was_changed_meanwhile_is_refused(alice):
    _hashed_as_before(alice)
    late = User.objects.get(pk=alice.pk)
    sessions.reset_password(alice, new=BETTER)

    late.check_password(PASSWORD)

    with pytest.raises(BadCredentials):
        sessions.log_in(late, address=None, agent="")
    assert User.objects.get(pk=alice.pk).check_password(BETTER)


def _hashed_as_before(alice):
    User.objects.filter(pk=alice.pk).update(password=make_password(PASSWORD, hasher=OlderArgon2()))
