"""The keys that sign tokens, each under an id of its own, so that a new key can come before the old one goes."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class KeyRing:
    """Keys by id (``kid``). ``current`` signs; all of them verify; a token of any other id is refused."""

    current: str
    keys: Mapping[str, str]


def ring_of(key: str, others: Iterable[str] = ()) -> KeyRing:
    """Return the ring in which ``key`` signs, and ``others`` (the one before it, the one to come) verify as well."""
    return KeyRing(current=kid_of(key), keys={kid_of(one): one for one in (*others, key)})


def kid_of(key: str) -> str:
    """
    Return the id of a key: the same on every node that has it, another one for every other key.

    32 bits of a digest tell nobody anything of a key of 32 random bytes.
    """
    return hashlib.sha256(b"usher key id:" + key.encode()).hexdigest()[:8]
