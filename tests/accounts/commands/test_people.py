"""The commands that make operators, tenants and users."""

import io
import re

import pytest
from django.core.management import CommandError, call_command

from accounts import sessions
from accounts.models import Role, User
from accounts.roles import role_of
from realtime.models import Event
from tenants.models import Tenant

pytestmark = pytest.mark.django_db

PASSWORD = "three blind mice"


@pytest.fixture(autouse=True)
def password(monkeypatch):
    """The password is in the environment, and there is no terminal to ask at."""
    monkeypatch.setenv("USHER_PASSWORD", PASSWORD)
    monkeypatch.setattr("sys.stdin", io.StringIO())


@pytest.fixture
def acme():
    """Acme, made by the command, with its owner Alice."""
    call_command("create_tenant", "acme", "--name", "Acme", "--owner", "alice", "--signup", "open")
    return Tenant.objects.get(slug="acme")


def test_an_operator_is_of_no_tenant_and_may_use_the_admin():
    call_command("create_operator", "olga", "--email", "olga@usher.test")

    olga = User.objects.get(username="olga")
    assert (olga.tenant, olga.is_staff, olga.email) == (None, True, "olga@usher.test")
    assert olga.check_password(PASSWORD)
    assert not Event.objects.exists()


def test_a_tenant_comes_with_its_roles_and_its_owner(acme):
    alice = User.objects.get(tenant=acme, username="alice")

    assert (acme.name, acme.signup_policy) == ("Acme", "open")
    assert role_of(alice).name == "owner"
    assert alice.joined_via == "command"
    assert set(Role.objects.values_list("name", flat=True)) == {"owner", "admin", "viewer"}


def test_a_tenant_is_closed_and_named_by_its_slug_unless_told_otherwise():
    call_command("create_tenant", "globex", "--owner", "mallory")

    assert Tenant.objects.filter(slug="globex", name="globex", signup_policy="closed").exists()


def test_without_a_password_the_owner_gets_one_that_is_shown_once(monkeypatch, capsys):
    monkeypatch.delenv("USHER_PASSWORD")

    call_command("create_tenant", "acme", "--owner", "alice")

    shown = capsys.readouterr().out.strip().rsplit(" ", 1)[1]
    assert User.objects.get(username="alice").check_password(shown)


def test_the_owners_password_is_hashed_before_the_transaction(hashed_inside):
    call_command("create_tenant", "acme", "--owner", "alice")

    assert hashed_inside == [False]


def test_a_tenant_whose_owner_cannot_be_made_is_not_made_either():
    with pytest.raises(CommandError, match="username"):
        call_command("create_tenant", "acme", "--owner", "ali\u202ece")

    assert not Tenant.objects.exists()


def test_a_user_has_its_role_its_event_and_what_was_said_of_it(acme, capsys):
    call_command(
        "create_user", "acme", "bob", "--role", "viewer", "--email", "bob@acme.test", "--full-name", "Bob Baker"
    )

    bob = User.objects.get(tenant=acme, username="bob")
    assert (role_of(bob).name, bob.email, bob.full_name, bob.joined_via) == (
        "viewer",
        "bob@acme.test",
        "Bob Baker",
        "command",
    )
    assert bob.check_password(PASSWORD)
    assert Event.objects.filter(subject_id=bob.pk).count() == 1
    assert "Created bob of acme with role viewer." in capsys.readouterr().out


def test_a_user_may_be_made_without_a_password(acme):
    call_command("create_user", "acme", "carol", "--no-password")

    assert not User.objects.get(username="carol").has_usable_password()


def test_a_password_can_come_from_standard_input(acme, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("four blind mice\n"))

    call_command("create_user", "acme", "bob", "--password-stdin")

    assert User.objects.get(username="bob").check_password("four blind mice")


@pytest.mark.parametrize(
    ("command", "complaint"),
    [
        (("create_tenant", "acme", "--owner", "alice"), "there already is a tenant acme"),
        (("create_tenant", "No Slug", "--owner", "alice"), "slug"),
        (("create_user", "acme", "Alice"), "acme already has a user named alice; choose another name"),
        (("create_user", "acme", "bob", "--role", "boss"), "role is 'boss'; expected one of "),
        (("create_user", "acme", "bob", "--email", "nowhere"), "email"),
        (
            ("create_user", "initech", "bob"),
            r"the tenant is 'initech'; expected one of: acme \(create_tenant makes one",
        ),
    ],
)
def test_what_cannot_be_done_is_one_line(acme, command, complaint):
    with pytest.raises(CommandError, match=complaint):
        call_command(*command)


@pytest.mark.parametrize("command", [("create_operator", "olga"), ("create_user", "acme", "bob")])
def test_nobody_is_made_without_a_password_to_be_had(acme, monkeypatch, command):
    monkeypatch.delenv("USHER_PASSWORD")

    with pytest.raises(CommandError, match="has no password; expected one in USHER_PASSWORD or by --password-stdin"):
        call_command(*command)


def test_an_empty_standard_input_is_no_password(acme):
    with pytest.raises(CommandError, match="standard input is empty"):
        call_command("create_user", "acme", "bob", "--password-stdin")


class Terminal(io.StringIO):
    """A standard input with a person behind it."""

    def isatty(self) -> bool:
        """Say that there is one."""
        return True


def test_a_person_at_a_terminal_is_asked_twice(acme, monkeypatch):
    answers = iter(["five blind mice", "five blind mice", "five blind mice", "six blind mice"])
    monkeypatch.delenv("USHER_PASSWORD")
    monkeypatch.setattr("sys.stdin", Terminal())
    monkeypatch.setattr("getpass.getpass", lambda _prompt: next(answers))

    call_command("create_user", "acme", "bob")
    with pytest.raises(CommandError, match="the two passwords differ"):
        call_command("create_user", "acme", "carol")

    assert User.objects.get(username="bob").check_password("five blind mice")
    assert not User.objects.filter(username="carol").exists()


@pytest.fixture
def two_alices(acme):
    """Alice of Acme and an operator of that name, each logged in."""
    call_command("create_operator", "alice")
    alices = User.objects.filter(username="alice")
    for alice in alices:
        sessions.log_in(alice, address=None, agent="")
    return {alice.tenant_id and "acme": alice for alice in alices}


@pytest.mark.parametrize(("where", "options"), [("acme", ["--tenant", "acme"]), (None, [])])
def test_a_password_is_set_for_the_one_who_is_meant_and_ends_his_sessions(two_alices, monkeypatch, where, options):
    monkeypatch.setenv("USHER_PASSWORD", "four blind mice")

    call_command("set_password", "alice", *options)

    for tenant, alice in two_alices.items():
        alice.refresh_from_db()
        assert alice.check_password("four blind mice") == (tenant == where)
        assert sessions.live_sessions(alice).exists() == (tenant != where)


def test_a_name_is_spelt_as_it_may_be_at_a_log_in(acme, monkeypatch, capsys):
    monkeypatch.setenv("USHER_PASSWORD", "four blind mice")

    call_command("set_password", " ＡLICE ", "--tenant", "acme")

    assert User.objects.get(tenant=acme, username="alice").check_password("four blind mice")
    assert capsys.readouterr().out.endswith("alice has a new password; all sessions have ended.\n")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["bob", "--tenant", "acme"], "the username is 'bob'; expected one that is there at acme"),
        (["\0"], "the username is '\\x00'; expected one that is there among the operators (--tenant names a tenant)"),
        (["bob"], "the username is 'bob'; expected one that is there among the operators (--tenant names a tenant)"),
        (
            ["alice", "--tenant", "umbrella"],
            "the tenant is 'umbrella'; expected one of: acme (create_tenant makes one)",
        ),
    ],
)
def test_a_password_of_nobody_is_not_set(acme, arguments, complaint):
    with pytest.raises(CommandError, match=f"^{re.escape(complaint)}$"):
        call_command("set_password", *arguments)


def test_a_weak_password_is_not_set(acme, monkeypatch):
    monkeypatch.setenv("USHER_PASSWORD", "123")

    with pytest.raises(CommandError, match="too short"):
        call_command("set_password", "alice", "--tenant", "acme")

    assert User.objects.get(username="alice").check_password(PASSWORD)
