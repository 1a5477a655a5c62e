"""Keeps the corpus small: ``python -m tests.fuzz.keep [--work .fuzz] [elastic ...]`` after fuzzing.

Of the inputs that fuzzing found, those stay that run the most ways through a decoder which no other that stays has run:
few and short ones. What clients send and what once failed stays in any case.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.fuzz.targets import BY_NAME

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = Path(__file__).parent
MOST, LARGEST = 40, 4096
"""Inputs of a decoder, and bytes of one."""
FOUND = "found-"
_PLACES = ("/logshed/receivers/", "/logshed/doors/bodies")


def main() -> None:
    """Choose for each decoder that is asked for."""
    reader = argparse.ArgumentParser(description=__doc__)
    reader.add_argument("names", nargs="*")
    reader.add_argument("--work", type=Path, default=HERE.parents[1] / ".fuzz")
    asked = reader.parse_args()
    for name in asked.names or BY_NAME:
        folder = HERE / "corpus" / name
        stay = [one.read_bytes() for one in folder.iterdir() if not one.name.startswith(FOUND)]
        others = [*folder.glob(FOUND + "*"), *(asked.work / "corpus" / name).iterdir()]
        some = {data for one in others if len(data := one.read_bytes()) <= LARGEST}
        chosen = choose(BY_NAME[name].run, stay, some)
        for one in folder.glob(FOUND + "*"):
            one.unlink()
        for data in chosen:
            (folder / (FOUND + hashlib.sha256(data).hexdigest()[:8])).write_bytes(data)
        sys.stdout.write(f"{name}: {len(chosen)} of {len(some)} inputs stay beside {len(stay)}\n")


def choose(run: Callable[[bytes], None], stay: list[bytes], some: set[bytes]) -> list[bytes]:
    """Those of some inputs that add most to what stays."""
    known = {way for data in stay for way in ways(run, data)}
    left = {data: ways(run, data) - known for data in sorted(some, key=lambda data: (len(data), data))}
    chosen: list[bytes] = []
    while left and len(chosen) + len(stay) < MOST:
        best = max(left, key=lambda data: (len(left[data]), -len(data)))
        found = left.pop(best)
        if not found:
            break
        chosen.append(best)
        left = {data: rest for data, of in left.items() if (rest := of - found)}
    return chosen


def ways(run: Callable[[bytes], None], data: bytes) -> set[tuple[Any, int, int]]:
    """The steps from line to line that an input makes in a decoder."""
    found: set[tuple[Any, int, int]] = set()
    last = 0

    def step(frame: Any, event: str, _: Any) -> Any:
        nonlocal last
        if event == "call" and not any(place in frame.f_code.co_filename for place in _PLACES):
            return None
        found.add((frame.f_code, last, frame.f_lineno))
        last = frame.f_lineno
        return step

    sys.settrace(step)
    try:
        run(data)
    finally:
        sys.settrace(None)
    return found


if __name__ == "__main__":
    main()
