"""The people of the demo, and the lines that a newcomer copies."""

import json
import os
import subprocess

import pytest
from django.core.management import CommandError, call_command

from accounts import demo
from accounts.models import User
from accounts.roles import default_grants_of, role_named, role_of, tenant_permissions_of
from tenants.models import Tenant


@pytest.fixture
def in_demo(settings):
    """Start as ``make run`` does."""
    settings.USHER = settings.USHER.model_copy(update={"demo": True})


@pytest.fixture
def people(in_demo, db):
    """Everybody, by name."""
    call_command("load_demo")
    return {user.username: user for user in User.objects.select_related("tenant")}


def test_everybody_is_where_and_what_the_name_says(people):
    roles = {name: (str(user.tenant), getattr(role_of(user), "name", None)) for name, user in people.items()}

    assert roles == {
        "alice": ("acme", "owner"),
        "bob": ("acme", "viewer"),
        "trent": ("acme", "trainee"),
        "carol": ("acme", None),
        "mallory": ("globex", "owner"),
        "olga": ("None", None),
    }
    assert all(user.check_password("usher-demo") for user in people.values())
    assert people["olga"].is_staff
    assert set(Tenant.objects.values_list("slug", "signup_policy")) == {("acme", "open"), ("globex", "open")}


def test_a_trainee_may_watch_and_receives_nothing(people):
    trainee = role_named(people["trent"].tenant_id, "trainee")

    assert role_of(people["trent"]) == trainee
    assert tenant_permissions_of(trainee) == {"watch_signups"}
    assert default_grants_of([trainee]) == set()


def test_loading_again_changes_nothing(people, django_assert_max_num_queries, capsys):
    people["bob"].full_name = "Robert Baker"
    people["bob"].save()
    before = sorted(User.objects.values_list("pk", "full_name", "password"))

    with django_assert_max_num_queries(5):
        call_command("load_demo")

    assert sorted(User.objects.values_list("pk", "full_name", "password")) == before
    assert "The demo's people are there." in capsys.readouterr().out


def test_who_went_missing_comes_back(people):
    people["carol"].delete()

    call_command("load_demo")

    assert User.objects.filter(username="carol").exists()


def test_without_the_demo_nobody_with_a_known_password_is_made(db):
    with pytest.raises(CommandError, match="USHER_DEMO is 0; expected 1"):
        call_command("load_demo")

    assert not User.objects.exists()


def test_the_banner_names_the_address_and_everybody():
    banner = demo.banner("127.0.0.1", 8123)

    assert "http://127.0.0.1:8123 " in banner
    assert all(f" {name} " in banner for name in ("alice", "bob", "trent", "carol", "mallory", "olga"))
    assert demo.signup_line("http://127.0.0.1:8123") in banner
    assert demo.watch_line("http://127.0.0.1:8123") in banner


@pytest.mark.parametrize(
    ("host", "address"),
    [("localhost", "http://localhost:80"), ("::1", "http://[::1]:80"), ("0.0.0.0", "http://127.0.0.1:80")],
)
def test_an_address_is_one_that_this_machine_can_open(host, address):
    assert demo.address_of(host, 80) == address


@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_the_line_that_signs_up_sends_another_name_each_time(tmp_path, shell):
    curl = tmp_path / "curl"
    curl.write_text('#!/bin/sh\nfor last; do :; done\nprintf "%s" "$last"\n')
    curl.chmod(0o755)
    line = demo.signup_line("http://127.0.0.1:8123")

    sent = subprocess.check_output([shell, "-c", line], env={"PATH": f"{tmp_path}:{os.environ['PATH']}"}, text=True)

    body = json.loads(sent)
    assert set(body) == {"username", "password", "email"}
    assert body["username"].removeprefix("dave-").isdigit()
