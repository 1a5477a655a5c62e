"""What goes wrong in the workers of the test clusters, by the name of the file that they read.

Python imports this when a worker begins, because the clusters are started with this folder on their path. It is no part
of Logshed: a process is killed as the kernel or a machine that goes would kill it.

==================  =================================================================
``poison.log``      whoever reads it is killed, each time
``large.log``       whoever reads more than a mebibyte of it at a time is killed
``once-*.log``      the first to read it is killed
``slow-*.log``      takes a second; the first to read it says so in a file beside it
==================  =================================================================
"""

from __future__ import annotations

import os
import signal
import sys
import time
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

HOOKED = "logshed.sources.files"
MOST = 2**20


def _first(path: str) -> bool:
    try:
        os.close(os.open(f"{path}.begun", os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return False
    return True


def _wrong(path: str, size: int) -> None:
    name = path.rpartition("/")[2]
    killed = (
        name == "poison.log" or (name == "large.log" and size > MOST) or (name.startswith("once-") and _first(path))
    )
    if killed:
        os.kill(os.getpid(), signal.SIGKILL)
    if name.startswith("slow-"):
        _first(path)
        time.sleep(1)


class _Hooking(Loader):
    def __init__(self, own: Loader) -> None:
        self._own = own

    def create_module(self, spec: ModuleSpec) -> Any:
        return self._own.create_module(spec)

    def exec_module(self, module: Any) -> None:
        self._own.exec_module(module)
        read = module.read

        def hooked(split: Any, **named: int) -> Any:
            _wrong(split.locator, named.get("chunk_bytes", 0))
            return read(split, **named)

        module.read = hooked


class _Finder(MetaPathFinder):
    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        if name != HOOKED:
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None:
            spec.loader = _Hooking(spec.loader)
        return spec


sys.meta_path.insert(0, _Finder())
