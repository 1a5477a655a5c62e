"""Tells by names which files of a folder may be one log over time, and their order: access.log, access.log.1.gz."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from logshed.sources.codecs import CODECS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from logshed.sources.machines import Entry

_SUFFIXES = tuple(suffix for codec in CODECS.values() for suffix in codec.suffixes)

# What rotation adds: a date with or without a time, seconds since the epoch, or a small number; behind the name or
# before its ending (app-2026-11-01.log, app.1.log).
_MARK = re.compile(
    r"""[.\-_]
    (?: (?:19|20)\d\d [\-_.]? (?:0[1-9]|1[0-2]) (?: [\-_.]? (?:0[1-9]|[12]\d|3[01]) )?
        (?: [T\-_.]? \d\d (?: [\-_.:]? \d\d ){0,2} )?
      | 1\d{9}
      | \d{1,4} )
    (?= $ | [.\-_] )""",
    re.VERBOSE,
)

_NUMBER_DIGITS = 4
"""What has more of them is a time."""


def family(name: str) -> str:
    """What stays the same in a log's name when it is rotated and compressed: ``access.log`` for ``access.log.2.gz``."""
    for suffix in _SUFFIXES:
        name = name.removesuffix(suffix)
    while (shorter := _MARK.sub("", name.removesuffix(".old").removesuffix(".bak"))) != name:
        name = shorter
    return name


def oldest_first(entries: Iterable[Entry]) -> list[Entry]:
    """Files of one log by when they were last written; those of one second by what rotation added to their names."""
    return sorted(entries, key=lambda one: (one.changed, *_turn(one.path.rpartition("/")[2])))


def _turn(name: str) -> tuple[str, int]:
    """Dates, the later the greater, and a number, which rotation counts up as a file ages."""
    marks = [re.sub(r"\D", "", one[0]) for one in _MARK.finditer(name)]
    numbers = [one for one in marks if len(one) <= _NUMBER_DIGITS]
    return "".join(one for one in marks if one not in numbers), -int("".join(numbers) or 0)
