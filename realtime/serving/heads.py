"""
The head of a request, judged for both servers before either makes something of it.

Servers differ in what they find fault with, and in how they say so: one drops what another answers, a third waits.
Two readings of one request are also how requests are smuggled past a proxy. So what is not plain is refused here.
"""

import base64
import binascii
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from realtime.serving.limits import Limits

Headers = Sequence[tuple[bytes, bytes]]
VERSIONS = ("1.0", "1.1")
TARGET = re.compile(rb"/[\x21\x22\x24-\x7e]*")  # origin-form (RFC 9112 §3.2.1); a fragment is no part of it
TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110 §5.6.2
VALUE = re.compile(rb"[\t\x20-\x7e\x80-\xff]*")
ONCE = frozenset(
    b"authorization content-length content-type host origin sec-websocket-key sec-websocket-version upgrade".split()
)
"""Headers that mean something else to whoever takes the first than to whoever takes the last."""
HEAD_END = re.compile(rb"\n\r?\n")
LENGTH = re.compile(rb"(?im)^content-length[ \t]*:([^\n]*)")
CHARSET = re.compile(r"charset\s*=\s*\"?([^\s;\"]*)", re.IGNORECASE)
CHARSETS = frozenset(("utf-8", "utf8"))
KEY_BYTES = 16


class BadHead(Exception):
    """A request that is refused for its head alone; ``headers`` go with the answer."""

    def __init__(self, status: int, code: str, detail: str, headers: Headers = ()) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.headers = headers


@dataclass(frozen=True, slots=True)
class Head:
    """A request's head: the target as sent, the version such as ``1.1``, the headers with names in lower case."""

    method: str
    target: bytes
    version: str
    headers: Headers

    def all(self, name: bytes) -> list[bytes]:
        """Return the values of a header."""
        return [value for found, value in self.headers if found == name]

    def listed(self, name: bytes) -> list[bytes]:
        """Return the members of a header that is a list (RFC 9110 §5.6.1)."""
        members = (member.strip(b" \t") for value in self.all(name) for member in value.split(b","))
        return [member for member in members if member]

    @property
    def asks_for_websocket(self) -> bool:
        """Whether this is a handshake, well-formed or not."""
        upgrades = [value.strip().lower() for value in self.all(b"upgrade")]
        return b"websocket" in upgrades and b"upgrade" in [token.lower() for token in self.listed(b"connection")]

    @property
    def known_headers(self) -> list[tuple[bytes, bytes]]:
        """
        The headers that an application is given.

        A name with an underscore becomes another header's name where hyphens become underscores. Extensions are not
        offered here, and need not be understood to be declined.
        """
        return [
            (name, value) for name, value in self.headers if b"_" not in name and name != b"sec-websocket-extensions"
        ]


def check(head: Head, limits: Limits) -> None:
    """Raise ``BadHead`` for a request that is too large or not plain."""
    if head.version not in VERSIONS:
        raise BadHead(505, "version_not_supported", "The version of HTTP is not known here; expected HTTP/1.1.")
    sizes = [len(head.target), *(len(name) + len(value) for name, value in head.headers)]
    if len(head.headers) > limits.headers or max(sizes) > limits.line_bytes or sum(sizes) > limits.head_bytes:
        raise BadHead(
            431,
            "head_too_large",
            f"The head of this request is too large; expected at most {limits.headers} headers, {limits.line_bytes} "
            f"bytes for each and for the address, and {limits.head_bytes} in all.",
        )
    if not TARGET.fullmatch(head.target):
        raise BadHead(400, "bad_request", "The address cannot be read; expected a path that begins with a slash.")
    if not all(TOKEN.fullmatch(name) and VALUE.fullmatch(value) for name, value in head.headers):
        raise BadHead(400, "bad_request", "A header cannot be read; expected a name, a colon and printable characters.")
    times = Counter(name for name, _ in head.headers)
    if twice := sorted(name.decode() for name in ONCE if times[name] > 1):
        raise BadHead(400, "bad_request", f"The header {twice[0]} is there twice; expected it once.")
    if not times[b"host"] and head.version != "1.0":
        raise BadHead(400, "bad_request", "The header host is missing.")
    if times[b"transfer-encoding"] and (times[b"content-length"] or head.version == "1.0"):
        # RFC 9112 §6.1: whoever takes the length, or does not know chunks, ends the body elsewhere.
        raise BadHead(400, "bad_request", "The body's length is told twice; expected Content-Length or, alone, chunks.")
    _check_content_type(head)
    announced = b"".join(head.all(b"content-length")).lstrip(b"0")
    most = b"%d" % limits.body_bytes
    if announced.isdigit() and (len(announced), announced) > (len(most), most):
        raise BadHead(413, "content_too_large", too_large(limits))


def tells_two_lengths(began: bytes) -> bool:
    """
    Whether a head, as sent and with what came behind it, has a second Content-Length, or a list of them.

    For a parser that makes one of those that are equal; another refuses them. A head that has not come whole has none.
    """
    if (end := HEAD_END.search(began)) is None:
        return False
    lengths = LENGTH.findall(began, 0, end.start())
    return len(lengths) > 1 or any(b"," in length for length in lengths)


def _check_content_type(head: Head) -> None:
    """
    Raise ``BadHead`` for a type in more than plain words.

    A parameter in the encoding of RFC 2231 (``name*=``) and the charset choose a codec by its name, and some codecs are
    none for text: what a parser makes of them is an error that no application expects from a header.
    """
    for value in head.all(b"content-type"):
        text = value.decode("latin-1")
        if "*" in text:
            raise BadHead(
                400, "bad_request", "The Content-Type cannot be read; expected parameters without an asterisk."
            )
        if not all(charset.lower() in CHARSETS for charset in CHARSET.findall(text)):
            raise BadHead(415, "unsupported_media_type", "The charset is not known here; expected utf-8.")


def check_handshake(head: Head) -> None:
    """Raise ``BadHead`` for what is no handshake as RFC 6455 §4.2.1 has it."""
    if head.method != "GET" or head.version != "1.1":
        raise BadHead(400, "bad_request", "This is no WebSocket handshake; expected GET and HTTP/1.1.")
    if head.all(b"transfer-encoding") or b"".join(head.all(b"content-length")).strip(b"0"):
        raise BadHead(400, "bad_request", "A WebSocket handshake has no body.")
    if head.all(b"sec-websocket-version") != [b"13"]:
        known = [(b"sec-websocket-version", b"13")]
        raise BadHead(426, "unknown_websocket_version", "Expected Sec-WebSocket-Version: 13.", known)
    if len(_decoded(b"".join(head.all(b"sec-websocket-key")))) != KEY_BYTES:
        raise BadHead(400, "bad_request", "Expected a Sec-WebSocket-Key of 16 bytes in base64.")
    offered = head.listed(b"sec-websocket-protocol")
    is_list = bool(offered) == bool(head.all(b"sec-websocket-protocol")) and all(map(TOKEN.fullmatch, offered))
    if not is_list or len(set(offered)) != len(offered):
        raise BadHead(400, "bad_request", "A subprotocol is offered twice, or is none; expected each once.")


def too_large(limits: Limits) -> str:
    return f"The body of this request is too large; expected at most {limits.body_bytes} bytes."


def _decoded(key: bytes) -> bytes:
    try:
        return base64.b64decode(key, validate=True)
    except binascii.Error:
        return b""
