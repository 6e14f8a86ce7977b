"""How a server's process gives memory back to the system."""

import ctypes

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # mallopt(3)
LARGE_BYTES = 512 * 1024
"""From here on a buffer has pages of its own. Twice what asyncio reads from a socket at once, which must stay cheap."""
KEPT_BYTES = 2 * 1024 * 1024
"""So much that is free at the end of the heap is kept there for the next buffer."""


def return_large_buffers() -> bool:
    """
    Have the C library return large buffers to the system when they are freed; tell whether it can be told.

    By itself glibc raises its bound to the largest buffer that was freed so far. After one body of some megabytes the
    next ones are cut from the heap; small things that live longer come to lie between them, and what is free below
    those stays with the process.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # other C libraries have no such bound
    if mallopt is None:
        return False
    return bool(mallopt(M_MMAP_THRESHOLD, LARGE_BYTES) and mallopt(M_TRIM_THRESHOLD, KEPT_BYTES))
