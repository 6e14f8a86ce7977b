"""Logging in over HTTP: who gets a pair, and how every refusal looks the same."""

from typing import Any

import pytest
from django.contrib.auth.hashers import make_password

from accounts import provisioning
from accounts.models import Session, User
from accounts.refusals import BadCredentials
from config.values import proxies
from tests.accounts.api_calls import assert_problem, holder_of, log_in, renew
from tests.accounts.house import PASSWORD
from tests.hashing import QuickArgon2

pytestmark = pytest.mark.each_database

WRONG: dict[str, dict[str, Any]] = {
    "unknown tenant": {"tenant": "nowhere"},
    "tenant that is no slug": {"tenant": "No Slug!"},
    "tenant of others": {"tenant": "globex"},
    "unknown user": {"username": "nobody"},
    "name that nobody can have": {"username": "ali\u200bce"},
    "wrong password": {"password": "guess"},
    "deactivated user": {"username": "dave"},
    "user without a password": {"username": "erin"},
    "operator with a tenant": {"username": "olga"},
    "user of a tenant without it": {"tenant": None},
}


def test_a_log_in_gives_a_pair_that_opens_the_api(house):
    answer = log_in()

    assert answer.status == 200
    assert set(answer.body) == {"access", "refresh", "expires_in"}
    assert answer.body["expires_in"] == 300
    assert holder_of(answer.body)("GET", "me").body["username"] == "alice"


def test_a_username_is_found_by_any_spelling_that_is_the_same_name(house):
    assert log_in("  ＡＬＩＣＥ ").status == 200


def test_of_two_people_with_one_name_the_tenant_tells_which(house):
    house.add("alice", tenant=house.globex, password="another-password")

    of_acme, of_globex = log_in(), log_in(tenant="globex", password="another-password")

    assert holder_of(of_acme.body)("GET", "me").body["tenant"]["slug"] == "acme"
    assert holder_of(of_globex.body)("GET", "me").body["tenant"]["slug"] == "globex"
    assert_problem(log_in(tenant="globex"), 401, "bad_credentials")


def test_an_operator_logs_in_without_a_tenant(house):
    assert log_in("olga", tenant=None).status == 200


def test_whatever_is_wrong_with_credentials_answer_and_work_are_the_same(house, monkeypatch):
    house.add("dave", password=PASSWORD)
    User.objects.filter(username="dave").update(is_active=False)
    house.add("erin")
    hashes: list[str] = []
    encode, verify = QuickArgon2.encode, QuickArgon2.verify
    monkeypatch.setattr(QuickArgon2, "encode", lambda *args: hashes.append("encode") or encode(*args))
    monkeypatch.setattr(QuickArgon2, "verify", lambda *args: hashes.append("verify") or verify(*args))

    for about, credentials in WRONG.items():
        hashes.clear()
        body = assert_problem(log_in(**credentials), 401, "bad_credentials", about)
        assert body["detail"] == BadCredentials.sentence, about
        assert len(hashes) == 1, f"{about}: as much work as for a wrong password"
    assert not Session.objects.exists()


def test_a_suspended_tenant_is_told_to_those_who_know_the_password_only(house):
    pair = log_in().body
    provisioning.change_tenant(house.acme, is_active=False)

    for refused in (log_in(), holder_of(pair)("GET", "me"), renew(pair["refresh"])):
        assert_problem(refused, 503, "tenant_suspended")
        assert refused.headers["Retry-After"] == "60"
    assert_problem(log_in(password="guess"), 401, "bad_credentials")


def test_address_and_agent_of_a_log_in_are_noted(house):
    log_in(**{"User-Agent": "curl/8\x07 " + "x" * 500, "X-Forwarded-For": "203.0.113.9"})

    session = Session.objects.get()
    assert session.address == "127.0.0.1"
    assert session.agent.startswith("curl/8 xxx")
    assert len(session.agent) == 400


def test_behind_a_trusted_proxy_the_address_is_the_one_it_has_put_last(house, settings):
    settings.USHER = settings.USHER.model_copy(update={"trusted_proxies": proxies("127.0.0.1")})
    log_in(**{"X-Forwarded-For": "203.0.113.9, 198.51.100.5:4711"})
    log_in(**{"X-Forwarded-For": "\x00garbage"})

    addresses = Session.objects.order_by("created_at").values_list("address", flat=True)
    assert list(addresses) == ["198.51.100.5", "127.0.0.1"]


def test_a_stale_token_in_the_header_does_not_keep_anybody_from_logging_in(house):
    assert log_in(Authorization="Bearer stale").status == 200


def test_the_hash_of_a_password_is_brought_up_to_date(house, settings):
    settings.PASSWORD_HASHERS = ["tests.hashing.QuickArgon2", "django.contrib.auth.hashers.MD5PasswordHasher"]
    User.objects.filter(username="alice").update(password=make_password(PASSWORD, hasher="md5"))

    assert log_in().status == 200

    assert house.user("alice").password.startswith("argon2")
