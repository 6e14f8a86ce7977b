"""What RFC 6455 puts around a server's text."""

from functools import lru_cache


@lru_cache(maxsize=1024)
def header_of(size: int) -> bytes:
    """Return what goes before a text of so many bytes (5.2): final, neither compressed nor masked."""
    if size < 126:  # noqa: PLR2004  126 and 127 say that the length follows, in 2 or in 8 bytes
        return bytes((0x81, size))
    return b"\x81\x7e" + size.to_bytes(2, "big") if size < 1 << 16 else b"\x81\x7f" + size.to_bytes(8, "big")
