"""What the tests of accounts share."""

from collections.abc import Iterator

import pytest
from django.contrib.auth import hashers
from django.db import connection

from accounts.models import User
from realtime import bell, ports
from tests.accounts.house import House


@pytest.fixture
def house(database) -> House:
    """Acme with Alice, Peggy, Bob, Trent and Carol, globex with Mallory, and Olga."""
    return House()


@pytest.fixture
def alice(house: House) -> User:
    """Alice, the owner of acme."""
    return house.user("alice")


@pytest.fixture
def bob(house: House) -> User:
    """Bob, a viewer of acme."""
    return house.user("bob")


@pytest.fixture
def olga(house: House) -> User:
    """Olga, an operator."""
    return house.user("olga")


@pytest.fixture
def bells() -> Iterator[list[int]]:
    """The tenants whose bells have rung, in order."""
    heard: list[int] = []

    def listener(tenant_id: int, _head: int) -> None:
        heard.append(tenant_id)

    bell.listen(listener)
    yield heard
    bell.stop_listening(listener)


@pytest.fixture
def standing_of(house):
    """How somebody stands who has just logged in."""

    def standing(name):
        claims = ports.tokens().read(house.token(name))
        return ports.people().standings([claims.session_id])[claims.session_id]

    return standing


@pytest.fixture
def hashed_inside(monkeypatch) -> list[bool]:
    """Whether a transaction was open, for each password that was hashed for somebody since."""
    inside: list[bool] = []
    encode = hashers.make_password

    def noting(*args, **kwargs):
        inside.append(connection.in_atomic_block)
        return encode(*args, **kwargs)

    monkeypatch.setattr("django.contrib.auth.base_user.make_password", noting)
    return inside
