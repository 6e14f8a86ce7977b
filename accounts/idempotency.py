"""
Creations that can safely be asked for again: what was made under an ``Idempotency-Key`` is not made a second time.

The row that remembers is written in the very transaction that makes the thing, under a lock that ends with it. So a
process that is killed before its commit leaves neither, one that is killed after it leaves both, and there is no state
in between that somebody would have to wait out or tidy up.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.crypto import salted_hmac

from accounts.models import KeyedCreation
from accounts.refusals import KeyInUse, KeyReused

KEPT = timedelta(hours=24)
FORGOTTEN_AT_ONCE = 500


class MadeAlready(Exception):
    """What was to be made under a key has been made; ``reference`` says what it is."""

    def __init__(self, reference: str) -> None:
        super().__init__(f"{reference} was made under this key already")
        self.reference = reference


@dataclass(frozen=True, slots=True)
class Once:
    """A key in the mouth of one caller, and what he asks for under it. Neither can be read out of the digests."""

    digest: str
    fingerprint: str

    def made(self) -> str | None:
        """Return the reference of what was made under this key, or None; raises ``KeyReused`` for another request."""
        row = KeyedCreation.objects.filter(pk=self.digest, made_at__gt=timezone.now() - KEPT).first()
        if row is not None and row.fingerprint != self.fingerprint:
            raise KeyReused
        return None if row is None else row.reference

    def claim(self, reference: str) -> None:
        """
        Note what the current transaction is about to make. Call it first in that transaction.

        Raises ``KeyInUse`` while another transaction does the same, ``MadeAlready`` and ``KeyReused`` when one has.
        """
        if not self._locked():
            raise KeyInUse
        earlier = self.made()
        if earlier is not None:
            raise MadeAlready(earlier)
        KeyedCreation.objects.filter(pk=self.digest).delete()  # older than a day, and not swept up yet
        KeyedCreation.objects.create(digest=self.digest, fingerprint=self.fingerprint, reference=reference)

    def _locked(self) -> bool:
        connection = connections[DEFAULT_DB_ALIAS]
        if connection.vendor != "postgresql":
            return True  # SQLite has one writer, and this transaction is it since its BEGIN IMMEDIATE
        # An insert would wait for the other transaction's end; this lock is there or is not, and dies with its holder.
        number = int.from_bytes(bytes.fromhex(self.digest)[:8], signed=True)
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [number])
            (is_ours,) = cursor.fetchone()
        return bool(is_ours)


def once_of(key: str, *, tenant_id: int | None, caller: str, request: Any) -> Once:
    """
    Return the key of one caller (a tenant None: an operator) with what he asks for: ``request``, JSON-ready.

    A request may hold a password, and a key an e-mail address, so both are kept as digests with a key of this server.
    """
    return Once(
        digest=_digest("usher.idempotency.key", [tenant_id, caller, key]),
        fingerprint=_digest("usher.idempotency.request", request),
    )


def forget_old() -> Iterator[int]:
    """
    Delete what is older than a day, a bounded number of rows at a time; yields how many they were.

    By the database's clock: that of whichever server does it might be a day ahead, and forget for all of them.
    """
    old = KeyedCreation.objects.filter(made_at__lte=Now() - KEPT)
    while batch := list(old.values_list("pk", flat=True)[:FORGOTTEN_AT_ONCE]):
        yield old.filter(pk__in=batch).delete()[0]


def _digest(salt: str, value: Any) -> str:
    canonical = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return salted_hmac(salt, canonical, algorithm="sha256").hexdigest()
