"""Lets the system itself refuse to flush files, as it does when a disk fails, for the rest of a thread."""

from __future__ import annotations

import ctypes
import errno
import platform
import struct

CALLS = {"x86_64": (74, 75), "aarch64": (82, 83)}
"""Numbers of fsync and fdatasync by machine."""
NO_NEW_PRIVILEGES, SECCOMP, FILTER = 38, 22, 2
LOAD, EQUAL, RETURN = 0x20, 0x15, 0x06
ALLOW, REFUSE = 0x7FFF0000, 0x00050000


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("code", ctypes.c_void_p))


def fail_to_flush() -> None:
    """Every fsync of this thread fails with an I/O error from now on (seccomp, Linux 3.17)."""
    fsync, fdatasync = CALLS[platform.machine()]
    steps = [
        (LOAD, 0, 0, 0),  # the call's number
        (EQUAL, 1, 0, fsync),
        (EQUAL, 0, 1, fdatasync),
        (RETURN, 0, 0, REFUSE | errno.EIO),
        (RETURN, 0, 0, ALLOW),
    ]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
    program = _Program(len(steps), ctypes.cast(code, ctypes.c_void_p))
    libc = ctypes.CDLL(None, use_errno=True)
    for option, values in ((NO_NEW_PRIVILEGES, (1, 0, 0, 0)), (SECCOMP, (FILTER, ctypes.byref(program), 0, 0))):
        if libc.prctl(option, *values):
            raise OSError(ctypes.get_errno(), "cannot filter calls")
