"""Heaps of the C library: threads share a few, unless who runs the server says how many."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the C library is not glibc")
THREADS = 24
COUNT = f"""
import ctypes, threading
from logshed.web.memory import few_arenas

few_arenas(2)
library = ctypes.CDLL(None)
library.malloc.restype = library.fdopen.restype = ctypes.c_void_p
together = threading.Barrier({THREADS})


def take():
    together.wait()
    library.malloc(1_000)
    together.wait()


threads = [threading.Thread(target=take) for _ in range({THREADS})]
for one in threads:
    one.start()
for one in threads:
    one.join()
out = ctypes.c_void_p(library.fdopen(1, b"w"))
library.malloc_info(0, out)
library.fflush(out)
"""


def heaps(environment: dict[str, str], **said: str) -> int:
    """How many a process with many threads has."""
    without = {name: value for name, value in environment.items() if not name.startswith(("MALLOC_", "GLIBC_"))}
    words = [sys.executable, "-c", COUNT]
    told = subprocess.run(words, env=without | said, capture_output=True, text=True, check=True)
    return told.stdout.count("<heap nr=")


def test_many_threads_share_two_heaps_on_a_small_machine() -> None:
    assert heaps(dict(os.environ)) == 2


@pytest.mark.parametrize("said", [{"MALLOC_ARENA_MAX": "5"}, {"GLIBC_TUNABLES": "glibc.malloc.arena_max=5"}])
def test_who_says_how_many_heaps_there_are_is_heeded(said: dict[str, str]) -> None:
    assert heaps(dict(os.environ), **said) == 5
