"""What accounts refuses to do: each fact has a class, a code for programs and a sentence for people."""

from collections.abc import Mapping, Sequence
from math import ceil
from typing import ClassVar


class Refused(Exception):
    """Something that will not be done. Raised by services, which know nothing of HTTP; the API gives it a status."""

    code: ClassVar[str] = "refused"
    sentence: ClassVar[str] = "This cannot be done."

    def __init__(self, sentence: str | None = None) -> None:
        super().__init__(sentence or self.sentence)


class BadCredentials(Refused):
    """No such tenant, no such user, a wrong password or a deactivated user: nobody is told which."""

    code = "bad_credentials"
    sentence = "No active user has this tenant, username and password; check all three (operators give no tenant)."


class SessionEnded(Refused):
    """The session behind a token is over."""

    code = "session_ended"
    sentence = "This session has ended; log in again."


class NotAuthorised(Refused):
    """The caller is known, and may not do this."""

    code = "not_authorised"
    sentence = "You may not do this."


class Hidden(Refused):
    """The caller may not see whom this is about: told in the words for what never was."""

    code = "not_found"
    sentence = "There is nothing here that you may see."


class TenantSuspended(Refused):
    """The tenant's doors are closed for now."""

    code = "tenant_suspended"
    sentence = "This tenant is suspended; try again later."
    retry_after_seconds = 60


class TokenInUrl(Refused):
    """A token in a URL, where logs, proxies and referrers keep it."""

    code = "token_in_url"
    sentence = "A token does not belong in a URL; send it as 'Authorization: Bearer <token>', and log out this one."


class WrongPassword(Refused):
    """Whoever wants to change a password does not know the current one."""

    code = "wrong_password"
    sentence = "current is not this user's password; nothing was changed."


class WeakPassword(Refused):
    """A new password that the password rules do not take."""

    code = "weak_password"

    def __init__(self, reasons: Sequence[str]) -> None:
        super().__init__(" ".join(reasons))
        self.errors = {"new": list(reasons)}


class TooManyFailures(Refused):
    """So many passwords were wrong that no more are looked at for now, right or wrong."""

    code = "too_many_failures"

    def __init__(self, seconds: float) -> None:
        self.retry_after_seconds = ceil(seconds)
        super().__init__(f"Too many wrong passwords; try again in {self.retry_after_seconds} seconds.")


class TooManyLogIns(Refused):
    """So many came to log in, right or wrong, that no more are looked at for now."""

    code = "throttled"

    def __init__(self, seconds: float) -> None:
        self.retry_after_seconds = ceil(seconds)
        super().__init__(f"Too many log-ins; try again in {self.retry_after_seconds} seconds.")


class Busy(Refused):
    """As many passwords are being hashed as may be, and as many wait."""

    code = "busy"
    sentence = "Too many passwords are being checked just now; try again in a few seconds."
    retry_after_seconds = 5


class NotHeld(Refused):
    """Somebody wants to give what he does not hold himself."""

    code = "not_held"
    sentence = "You cannot give what you do not hold yourself; ask somebody who does, such as an owner."


class LastOwner(Refused):
    """The last active owner of a tenant would go."""

    code = "last_owner"

    def __init__(self, *, tenant: str, username: str) -> None:
        super().__init__(f"{username} is the last active owner of {tenant}; make somebody else an owner first.")


class UnknownRole(Refused):
    """The tenant has no role of that name."""

    code = "unknown_role"

    def __init__(self, *, role: str, known: Sequence[str]) -> None:
        super().__init__(f"role is {role!r}; expected one of {', '.join(known)}.")


class UsernameTaken(Refused):
    """The tenant has a user of that name already."""

    code = "username_taken"

    def __init__(self, *, tenant: str | None, username: str) -> None:
        whose = tenant or "the platform"
        super().__init__(f"{whose} already has a user named {username}; choose another name.")


class SlugTaken(Refused):
    """There is a tenant of that slug already."""

    code = "slug_taken"

    def __init__(self, slug: str) -> None:
        super().__init__(f"there already is a tenant {slug}; choose another slug.")


class KeyReused(Refused):
    """Another request was made under the same ``Idempotency-Key``."""

    code = "idempotency_key_reused"
    sentence = "This Idempotency-Key stands for another request of yours; use a new key for each."


class KeyInUse(Refused):
    """The same ``Idempotency-Key`` is at work just now."""

    code = "idempotency_in_progress"
    sentence = "A request with this Idempotency-Key is under way; ask again with the same key for its answer."
    retry_after_seconds = 1


class FieldsRefused(Refused):
    """Values that no row may have; ``errors`` maps each field to its sentences."""

    code = "invalid"

    def __init__(self, errors: Mapping[str, Sequence[str]]) -> None:
        super().__init__(" ".join(sentence for sentences in errors.values() for sentence in sentences))
        self.errors = {name: list(sentences) for name, sentences in errors.items()}


class SignupClosed(NotAuthorised):
    """The tenant does not let people join by themselves."""

    code = "signup_closed"

    def __init__(self, *, tenant: str, policy: str) -> None:
        super().__init__(f"sign-up to {tenant} is {policy}, not open; ask its staff for an account.")
