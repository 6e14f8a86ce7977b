"""
What realtime/ must ask of the app that knows the people: small protocols, filled by that app when it is ready.

So realtime/ never imports upward, and a test, or another house, can put something else in their place.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal, Protocol
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token says, once its signature, times, issuer, audience and type have been checked."""

    user_id: UUID
    session_id: UUID
    expires_at: float
    """Seconds since the epoch."""


class TokenRefused(Exception):
    """A token that opens nothing: ``expired`` (renewing it may help) or ``forged`` (anything else)."""

    def __init__(self, reason: Literal["expired", "forged"]) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Standing:
    """How a session and its user stand at one moment."""

    session_id: UUID
    user_id: UUID
    username: str
    tenant_id: int | None
    tenant_slug: str | None
    is_user_active: bool
    is_tenant_active: bool
    session_ended: bool
    session_expires_at: float
    """Seconds since the epoch."""
    group_ids: frozenset[int]
    permissions: frozenset[str]
    """Codenames of those that he holds on his tenant, as ``rights.held_on_own_tenant`` finds them."""


class Tokens(Protocol):
    """Checks tokens without asking the database."""

    def read(self, token: str) -> Claims:
        """Return what an access token says; raises ``TokenRefused`` and nothing else."""


class People(Protocol):
    """Answers, from the database, who stands behind a session."""

    def standings(self, session_ids: Collection[UUID]) -> dict[UUID, Standing]:
        """Return the standing of each session that exists, in one query however many are asked for."""


_tokens: Tokens | None = None
_people: People | None = None


def fill(*, tokens: Tokens, people: People) -> None:
    """Put in place who answers; called once, when the apps are ready."""
    global _tokens, _people
    _tokens, _people = tokens, people


def tokens() -> Tokens:
    """Return who checks tokens; raises ``RuntimeError`` before ``fill``."""
    if _tokens is None:
        raise RuntimeError("nobody checks tokens: an installed app must call realtime.ports.fill() when it is ready")
    return _tokens


def people() -> People:
    """Return who knows the people; raises ``RuntimeError`` before ``fill``."""
    if _people is None:
        raise RuntimeError("nobody knows the people: an installed app must call realtime.ports.fill() when it is ready")
    return _people
