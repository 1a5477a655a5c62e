"""Keeps memory of the C library from being torn to pieces by the many threads of a server."""

from __future__ import annotations

import ctypes
import os
import sys

_M_ARENA_MAX = -8
"""What ``malloc.h`` calls the setting."""
FEWEST, MOST = 2, 8


def few_arenas(processors: int | None = None) -> int | None:
    """Let threads share a few heaps of glibc's ``malloc``, as many as there are processors, between 2 and 8.

    glibc gives threads up to eight heaps a processor. A server starts threads for each statement, each is handed a
    heap by turns, and what little stays of every statement keeps pages of all of them: they grow for as long as new
    heaps get their share, and ``malloc_trim`` gives nothing back, since hardly a page is wholly free. Rows are not
    there: DuckDB, Polars, Arrow and Python have allocators of their own.

    It has to be called before there are threads, and does nothing where ``MALLOC_ARENA_MAX`` or ``GLIBC_TUNABLES``
    say how many, or the C library is another.

    Args:
        processors: How many there are; None asks the system.

    Returns:
        How many heaps there are at most from now on; None where nothing was changed.
    """
    said = "MALLOC_ARENA_MAX" in os.environ or "malloc.arena_max" in os.environ.get("GLIBC_TUNABLES", "")
    if said or sys.platform != "linux":
        return None
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # musl has none
    count = min(max(FEWEST, processors or os.cpu_count() or 1), MOST)
    return count if mallopt is not None and mallopt(_M_ARENA_MAX, count) == 1 else None
