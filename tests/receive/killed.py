"""A process of Logshed that is killed at a named step, as the kernel or an operator would; run by test_crashes.py.

Steps of the spool are calls to the system on files of a kind, whatever code makes them; those of the lake have names of
their own, and those of the doors are what a client waits for.
"""

from __future__ import annotations

import os
import signal
import sys
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

from logshed.cli import main
from logshed.doors.receive_counts import Counts
from logshed.lake import steps
from logshed.pipeline.receiving import Receiving

if TYPE_CHECKING:
    from collections.abc import Callable

CALLS = {
    "append": ("pwritev", ".seg"),
    "fsync": ("fdatasync", ".seg"),
    "segment begins": ("open", ".seg"),
    "segment goes": ("unlink", ".seg"),
    "ids are kept": ("replace", ".ids"),
    "done is noted": ("replace", "done.json"),
}
"""Steps, by the system's call and the end of the name of the file that it is for."""
WITHIN = "within append"
SPOOL_STEPS = (*(f"{when} {name}" for name in CALLS for when in ("before", "after")), WITHIN)
DOOR_STEPS = ("before acknowledgement", "after acknowledgement")
RECEIVER_STEPS = tuple(one for one in (*SPOOL_STEPS, *DOOR_STEPS) if "done is noted" not in one)
"""Those that a process passes that only receives."""
INGEST_STEPS = (*steps.STEPS, "before done is noted", "after done is noted")
"""Those that a process passes that empties a spool."""


class Killer:
    """Kills this process when it passes a step for a given time.

    Args:
        step: The step; empty never does.
        times: The time.
    """

    def __init__(self, step: str, times: int) -> None:
        self._step, self._left = step, times

    def passed(self, name: str) -> None:
        """Die, if it is this one's turn."""
        if name == self._step:
            self._left -= 1
            if self._left <= 0:
                os.kill(os.getpid(), signal.SIGKILL)

    def hook(self) -> None:
        """Watch for the steps."""
        steps.passed = self.passed
        for name, (call, ending) in CALLS.items():
            _replace(call, self._watched(name, getattr(os, call), ending))
        take, request = Receiving.take, Counts.request

        async def taken(*given: Any) -> None:
            await take(*given)
            self.passed("before acknowledgement")

        def requested(*given: Any) -> None:
            request(*given)
            self.passed("after acknowledgement")

        Receiving.take, Counts.request = taken, requested  # type: ignore[method-assign] # steps of theirs

    def _watched(self, name: str, call: Callable[..., Any], ending: str) -> Callable[..., Any]:
        @wraps(call)
        def watched(*given: Any, **named: Any) -> Any:
            if not _told(call, *given).endswith(ending):
                return call(*given, **named)
            self.passed(f"before {name}")
            if f"within {name}" == self._step and self._left == 1:
                handle, buffers, at = given
                data = b"".join(buffers)
                call(handle, [data[: len(data) // 2]], at)
            self.passed(f"within {name}")
            done = call(*given, **named)
            self.passed(f"after {name}")
            return done

        return watched


def _told(call: Callable[..., Any], *given: Any) -> str:
    """The file that a call is for."""
    if isinstance(given[0], int):
        return str(Path(f"/proc/self/fd/{given[0]}").readlink())
    return str(given[1] if call.__name__ == "replace" else given[0])


def _replace(call: str, new: Callable[..., Any]) -> None:
    """Let all of Logshed call something else, where it has been imported by its name, too."""
    old = getattr(os, call)
    setattr(os, call, new)
    for name, module in list(sys.modules.items()):
        if name.startswith("logshed.spool"):
            for key, value in list(vars(module).items()):
                if value is old:
                    setattr(module, key, new)


if __name__ == "__main__":
    folder, step, times, *words = sys.argv[1:]
    os.chdir(folder)
    Killer(step, int(times)).hook()
    sys.argv[1:] = words
    main()
