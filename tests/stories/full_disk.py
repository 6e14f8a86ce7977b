"""
A disk that is full for SQLite alone: while a file is there, its writes fail with ENOSPC, as the kernel's would.

SQLite lets its system calls be replaced, which is how its own tests have them fail
(https://sqlite.org/c3ref/vfs.html, xSetSystemCall). The settings of the stories do that in a server that has the
variable; a real disk that fills up would take a file system of its own, and so root.
"""

import _sqlite3
import ctypes
import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

VARIABLE = "FULL_DISK"
"""In the environment of a server: the file whose being there fills the disk."""
POINTERS_BEFORE = 13
"""Of the structure's functions, those before xSetSystemCall."""
ENDURING: list[Any] = []
"""What SQLite calls must stay."""


class _Vfs(ctypes.Structure):
    _fields_ = (
        *((name, ctypes.c_int) for name in ("version", "size_of_file", "longest_path")),
        *((name, ctypes.c_void_p) for name in ("next", "name", "data")),
        ("functions", ctypes.c_void_p * POINTERS_BEFORE),
        ("set_system_call", ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p)),
    )


WRITING = {
    "write": (ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t),
    "pwrite": (ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int64),
    "pwrite64": (ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int64),
}


def install(full: Path) -> None:
    """Have all writes of SQLite in this process fail while ``full`` is there."""
    find = ctypes.CDLL(_sqlite3.__file__).sqlite3_vfs_find
    find.restype = ctypes.POINTER(_Vfs)
    vfs = find(None)
    libc = ctypes.CDLL(None, use_errno=True)
    for name, arguments in WRITING.items():
        real = getattr(libc, name)
        real.argtypes, real.restype = arguments, ctypes.c_ssize_t
        replacement = ctypes.CFUNCTYPE(ctypes.c_ssize_t, *arguments, use_errno=True)(_failing(real, full))
        ENDURING.append(replacement)
        code = vfs.contents.set_system_call(vfs, name.encode(), ctypes.cast(replacement, ctypes.c_void_p))
        assert code == 0, f"SQLite would not replace {name}: {code}"


def _failing(real: Callable[..., int], full: Path) -> Callable[..., int]:
    # Bound here: SQLite still writes when the interpreter ends, and a module's names are gone by then.
    path, there, fail_with, no_space = os.fsencode(full), ctypes.CDLL(None).access, ctypes.set_errno, errno.ENOSPC

    def write(*arguments: Any) -> int:
        if there(path, 0) != 0:
            return real(*arguments)
        fail_with(no_space)
        return -1

    return write


def install_if_asked() -> None:
    """Do so where the environment names a file."""
    if VARIABLE in os.environ:
        install(Path(os.environ[VARIABLE]))
