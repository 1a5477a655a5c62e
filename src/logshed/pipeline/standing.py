"""Says on this machine how a long run stands: a small file, written anew every few seconds, which a page can show."""

from __future__ import annotations

import logging
import os
import socket
import time
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

FOLDER = "running"
ENDING = ".json"
EVERY_S = 5.0
SILENT_S = 30.0
"""What has told nothing for so long has ended without a word, is busy with much at once, or hangs."""
FORGOTTEN_S = 86_400.0
"""What has told nothing for so long is forgotten."""
LARGEST = 2**18
"""Bytes of a file that is read; ours have a hundredth of it."""
log = logging.getLogger(__name__)


class Standing:
    """Tells how one run stands.

    Args:
        root: The spool's folder or the lake's, in which the file is.
        verb: What runs.
        safe: Makes a text such that it may rest.
        name: The file's name; a run of the same name takes its place.
    """

    def __init__(self, root: Path, verb: str, safe: Callable[[str], str], *, name: str = "") -> None:
        self._path = root / FOLDER / f"{name or verb}{ENDING}"
        self._safe = safe
        self._head = {"verb": verb, "pid": os.getpid(), "host": socket.gethostname(), "begun": _now(), "every": EVERY_S}
        self._then = float("-inf")
        self._before: Mapping[str, float] = {}
        self._broken = False
        for one in self._path.parent.glob(f"*{ENDING}"):
            with suppress(FileNotFoundError):  # another run has just taken it away
                if time.time() - one.stat().st_mtime > FORGOTTEN_S:
                    one.unlink()

    def due(self) -> bool:
        """Whether it is time to tell again."""
        return time.monotonic() - self._then >= EVERY_S

    def tell(
        self, totals: Mapping[str, float], now: Mapping[str, float | None], problem: str = "", **more: object
    ) -> None:
        """Tell how it stands; where that cannot be written, the run goes on.

        Args:
            totals: What only grows: how fast is told too.
            now: What is as it is.
            problem: Why something waits, or empty.
            more: What else there is to tell; no texts of logs.
        """
        at = time.monotonic()
        seconds = at - self._then
        rates = {name: round((value - self._before.get(name, 0)) / seconds, 3) for name, value in totals.items()}
        told = {
            **self._head,
            "told": _now(),
            "totals": dict(totals),
            "rates": rates if self._before else {},
            "now": dict(now),
            "problem": self._safe(problem) if problem else "",
            **more,
        }
        self._then, self._before = at, dict(totals)
        self._write(orjson.dumps(told, default=str))

    def end(self) -> None:
        """Nothing runs any more: nothing is told."""
        self._path.unlink(missing_ok=True)

    def _write(self, text: bytes) -> None:
        part = self._path.with_name(f".{self._path.name}.part")
        try:
            self._path.parent.mkdir(mode=0o700, exist_ok=True)
            with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:  # noqa: PTH123
                file.write(text)
            part.replace(self._path)
        except OSError as error:
            if not self._broken:
                log.warning("cannot write %s: %s; pages do not show how it stands", self._path, error.strerror)
            self._broken = True
        else:
            self._broken = False


def read(roots: Sequence[Path]) -> list[dict[str, Any]]:
    """What the runs of some folders told last.

    Args:
        roots: Folders of spools and lakes.

    Returns:
        Each with its ``state``: ``running``, ``silent`` for long, ``gone`` where its process is not there any more, or
        ``unreadable``.
    """
    found = [_read(path) for root in dict.fromkeys(roots) for path in sorted((root / FOLDER).glob(f"*{ENDING}"))]
    return [one for one in found if one is not None]


def _read(path: Path) -> dict[str, Any] | None:
    try:
        if (age := time.time() - path.stat().st_mtime) > FORGOTTEN_S:
            return None
        with path.open("rb") as file:
            told: dict[str, Any] = orjson.loads(file.read(LARGEST))
        late = age > max(SILENT_S, 4 * float(told["every"]))
        state = "running" if not late else "gone" if _gone(told) else "silent"
        return {**told, "where": str(path.parent.parent.name), "state": state}
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError) as error:
        problem = f"cannot read {path.name}: {type(error).__name__}; it is written anew while its run lasts"
        return {"verb": path.stem, "where": str(path.parent.parent.name), "state": "unreadable", "problem": problem}


def _gone(told: dict[str, Any]) -> bool:
    """Whether a process of this machine is not there any more."""
    if told["host"] != socket.gethostname():
        return False
    try:
        os.kill(int(told["pid"]), 0)
    except ProcessLookupError:
        return True
    except PermissionError:  # it is another user's
        return False
    return False


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
