"""What cannot work is refused before it starts, in words that say what would."""

import pytest
from django.core.checks import run_checks

from accounts.models import User
from config.layers import channel_layer_of
from realtime import checks, kinds
from realtime.kinds import EventKind, Field

REDIS = "redis://localhost:6379/0"


@pytest.fixture
def declares(monkeypatch):
    """Declare just this kind."""

    def declares(**fields):
        kind = EventKind(
            **({"name": "x.y", "subject": "accounts.User", "hear": "view_user", "fields": (), "message": ""} | fields)
        )
        monkeypatch.setattr(kinds, "_kinds", {kind.name: kind})

    monkeypatch.setattr(kinds, "_kinds", {})
    return declares


def complaints():
    return [(error.id, error.msg) for error in (*checks.check_channel_layer(None), *checks.check_kinds(None))]


@pytest.mark.parametrize("kind", ["memory", "pubsub", "core"])
def test_nothing_is_wrong_with_our_own_layers_and_kinds(settings, kind):
    settings.CHANNEL_LAYERS = {"default": channel_layer_of(kind, REDIS)}

    assert complaints() == []


def test_they_are_among_the_systems_checks(settings):
    settings.CHANNEL_LAYERS = {}

    assert "usher.E001" in [error.id for error in run_checks()]


def test_a_missing_layer(settings):
    settings.CHANNEL_LAYERS = {}

    assert complaints() == [("usher.E001", "CHANNEL_LAYERS has no 'default'; expected one, since bells go through it")]


@pytest.mark.parametrize("timeout", [5, 2, 0.5])
def test_a_core_layer_whose_sockets_time_out_while_they_wait(settings, timeout):
    settings.CHANNEL_LAYERS = {"default": channel_layer_of("core", REDIS)}
    settings.CHANNEL_LAYERS["default"]["CONFIG"]["hosts"][0]["socket_timeout"] = timeout

    assert complaints() == [
        (
            "usher.E002",
            f"socket_timeout of the core channel layer is {timeout}; expected None or more than 5: it blocks for 5 s "
            "in Redis, and each time-out ends what listens",
        )
    ]


@pytest.mark.parametrize(("version", "ids"), [("7.4.1", []), ("8.0.0", ["usher.E002"]), ("10.1", ["usher.E002"])])
def test_a_redis_client_that_times_out_unless_told_otherwise(settings, monkeypatch, version, ids):
    settings.CHANNEL_LAYERS = {"default": channel_layer_of("core", REDIS)}
    del settings.CHANNEL_LAYERS["default"]["CONFIG"]["hosts"][0]["socket_timeout"]
    monkeypatch.setattr(checks, "version", lambda package: version)

    assert [identity for identity, _ in complaints()] == ids


def test_the_pubsub_layer_polls_and_may_time_out(settings):
    settings.CHANNEL_LAYERS = {"default": channel_layer_of("pubsub", REDIS)}
    settings.CHANNEL_LAYERS["default"]["CONFIG"]["hosts"][0]["socket_timeout"] = 1

    assert complaints() == []


def test_a_subject_that_is_no_model(declares):
    declares(subject="accounts.Parcel")

    assert complaints() == [("usher.E003", "x.y: subject is 'accounts.Parcel'; expected a model")]


def test_a_subject_without_permission_models_of_its_own(declares):
    declares(subject="accounts.Session", hear="view_session")

    assert complaints() == [
        (
            "usher.E004",
            "x.y: accounts.Session has no permission models of its own; expected subclasses of "
            "UserObjectPermissionBase and GroupObjectPermissionBase with a foreign key to it",
        ),
        ("usher.E005", "x.y: accounts.Session declares no permission ['view_session']"),
    ]


def test_permissions_that_its_subject_does_not_declare(declares):
    declares(hear="see_user", fields=(Field("email", "view_user_contact"), Field("iban", "view_user_bank")))

    assert complaints() == [("usher.E005", "x.y: accounts.User declares no permission ['see_user', 'view_user_bank']")]
    assert "view_user_contact" in dict(User._meta.permissions)
