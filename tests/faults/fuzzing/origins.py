"""Which pages may open a socket: those that an independent reading of the header finds to be of the allow-list."""

import re

from realtime import origin

ALLOWED = ("https://app.example.com", "http://127.0.0.1:8000", "http://[::1]:8000")
PLAIN = re.compile(r"(https?)://([a-z0-9.-]+|\[[0-9a-f:]+\])(?::([0-9]+))?", re.IGNORECASE | re.ASCII)
PLACES = {("https", "app.example.com", 443), ("http", "127.0.0.1", 8000), ("http", "[::1]", 8000)}

SEEDS = [
    *(allowed.encode() for allowed in ALLOWED),
    b"https://app.example.com:443",
    b"HTTPS://APP.EXAMPLE.COM",
    b"https://app.example.com.evil.test",
    b"https://app.example.com@evil.test",
    b"https://evil.test#https://app.example.com",
    b"http://[::1",
    b"http://127.0.0.1:99999",
    b"null",
    b"https://app.example.com\nhttps://evil.test",
]
WORDS = [
    *(b"http://", b"https://", b"app.example.com", b"127.0.0.1", b"[::1]", b":443", b":8000", b":080", b"@", b"#"),
    *(b"?", b"/", b"\\", b"%2e", b"\t", b"\x00", b" ", b".", b"\xc2\xad", b"\xe3\x80\x82", b"[", b"]", b"javascript:"),
]


def check(data: bytes) -> None:
    """Show each line as an Origin header, and all of them at once."""
    headers = [line.decode("latin-1") for line in data.split(b"\n")]
    for header in {*headers, data.decode(errors="replace"), data.decode("latin-1")}:
        if origin.is_allowed([header], ALLOWED):
            found = PLAIN.fullmatch(header)
            assert found is not None, f"{header!r} is no origin and was taken"
            scheme, host, port = (found[1] or "").lower(), (found[2] or "").lower(), found[3]
            place = (scheme, host, int(port) if port else {"http": 80, "https": 443}[scheme])
            assert place in PLACES, f"{header!r} was taken"
    assert len(headers) == 1 or not origin.is_allowed(headers, ALLOWED), "two headers were taken"
