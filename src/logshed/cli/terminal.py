"""What the terminal can do, and the pager."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


def width() -> int | None:
    """Columns of the terminal that standard output is, or None where it is none."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def colours() -> bool:
    """Whether standard output takes colours: a terminal, and nobody said NO_COLOR."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def bold(text: str) -> str:
    """The text in bold where that is possible."""
    return f"\x1b[1m{text}\x1b[0m" if colours() else text


def page(lines: Iterable[str]) -> int:
    """Print lines, by the pager when they fill more than the screen of a terminal; returns their number.

    Nothing is held back: beyond the first screen, lines go to the pager as they come.
    """
    numbered = _counted(lines, counter := [0])
    if not sys.stdout.isatty():
        _print(numbered)
        return counter[0]
    first = [line for _, line in zip(range(shutil.get_terminal_size().lines - 1), numbered, strict=False)]
    rest = next(numbered, None)
    if rest is None:
        _print(first)
    else:
        _to_pager([*first, rest], numbered)
    return counter[0]


def _counted(lines: Iterable[str], counter: list[int]) -> Iterator[str]:
    for line in lines:
        counter[0] += 1
        yield line


def _print(lines: Iterable[str]) -> None:
    for line in lines:
        sys.stdout.write(line + "\n")


def _to_pager(first: list[str], rest: Iterator[str]) -> None:
    words = os.environ.get("PAGER", "less").split() or ["cat"]
    program = shutil.which(words[0])
    if program is None:
        _print(first)
        _print(rest)
        return
    # -S scrolls wide tables sideways instead of wrapping them, -R keeps the bold header, -F -X leave short ones alone.
    environment = {"LESS": "SRFX", **os.environ}
    with subprocess.Popen([program, *words[1:]], stdin=subprocess.PIPE, text=True, env=environment) as pager:  # noqa: S603 - the user's own choice
        stdin = pager.stdin
        if stdin is None:
            raise AssertionError("a pipe was asked for")
        # Whoever leaves the pager early has seen enough.
        with contextlib.suppress(BrokenPipeError):
            for line in (*first, *rest):
                stdin.write(line + "\n")
            stdin.close()
