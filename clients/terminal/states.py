"""The states of the client: one union, and the sentence for each."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Connecting:
    """A socket is being opened."""

    def __str__(self) -> str:
        return "connecting"


@dataclass(frozen=True, slots=True)
class CatchingUp:
    """The server has let us in, and sends what was missed."""

    tenant: str
    username: str

    def __str__(self) -> str:
        return f"catching up with {self.tenant} as {self.username}"


@dataclass(frozen=True, slots=True)
class Live:
    """Nothing was missed, and what happens from now on comes at once."""

    def __str__(self) -> str:
        return "live"


@dataclass(frozen=True, slots=True)
class Reconnecting:
    """The connection has ended; the client comes back after ``seconds``."""

    why: str
    seconds: float

    def __str__(self) -> str:
        return f"reconnecting in {self.seconds:.1f} s: {self.why}"


@dataclass(frozen=True, slots=True)
class Closed:
    """The end: either what was asked for has been done, or coming back cannot help."""

    why: str
    is_failure: bool

    def __str__(self) -> str:
        return f"closed: {self.why}"


State = Connecting | CatchingUp | Live | Reconnecting | Closed
