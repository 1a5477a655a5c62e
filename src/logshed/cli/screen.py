"""Draws the viewer with curses and hands it the keys."""

from __future__ import annotations

import curses
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from logshed.cli.viewer import Line, Viewer

KEYS = {
    curses.KEY_DOWN: "down", ord("j"): "down", 10: "down", curses.KEY_UP: "up", ord("k"): "up",
    curses.KEY_NPAGE: "page down", ord(" "): "page down", curses.KEY_PPAGE: "page up", ord("b"): "page up",
    ord("d"): "half", curses.KEY_LEFT: "left", curses.KEY_RIGHT: "right", curses.KEY_HOME: "g", curses.KEY_END: "G",
}  # fmt: skip
COLOURS = ((17, curses.COLOR_RED), (13, curses.COLOR_YELLOW), (9, -1), (1, curses.COLOR_CYAN))
FATAL = 21


def run(viewer: Viewer) -> None:
    """Show the viewer until its user quits."""
    curses.wrapper(_loop, viewer)


def _loop(window: curses.window, viewer: Viewer) -> None:
    if curses.has_colors():
        curses.use_default_colors()
        for number, (_, colour) in enumerate(COLOURS, 1):
            curses.init_pair(number, colour, -1)
    while True:
        height = max(window.getmaxyx()[0] - 1, 1)
        _draw(window, viewer, height)
        key = window.getch()
        if key in (ord("/"), ord("&")):
            viewer.ask(chr(key), _asked(window, chr(key)))
        elif not viewer.press(KEYS.get(key) or (chr(key) if 0 < key < 256 else ""), height):  # noqa: PLR2004 - a byte
            return


def _draw(window: curses.window, viewer: Viewer, height: int) -> None:
    window.erase()
    width = window.getmaxyx()[1] - 1
    for row, line in enumerate(viewer.screen(height)):
        text = line.text.expandtabs()[viewer.left :]
        window.addnstr(row, 0, text, width, _style(line))
        if viewer.search:
            for found in viewer.search.finditer(text[:width]):
                window.addnstr(row, found.start(), found[0], width - found.start(), curses.A_REVERSE)
    window.addnstr(height, 0, viewer.status().ljust(width), width, curses.A_REVERSE)
    window.refresh()


def _style(line: Line) -> int:
    if not curses.has_colors():
        return curses.A_BOLD if line.severity >= COLOURS[0][0] else curses.A_NORMAL
    number = next((number for number, (least, _) in enumerate(COLOURS, 1) if line.severity >= least), 0)
    return curses.color_pair(number) | (curses.A_BOLD if line.severity >= FATAL else 0)


def _asked(window: curses.window, before: str) -> str:
    """A line that the user types at the bottom."""
    row = window.getmaxyx()[0] - 1
    window.move(row, 0)
    window.clrtoeol()
    window.addstr(row, 0, before)
    curses.echo()
    try:
        return window.getstr(row, 1).decode("utf-8", "replace")
    finally:
        curses.noecho()
