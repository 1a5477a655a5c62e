"""Tells by names which files of a folder may be one log over time: access.log, access.log.1, access.log-2026.gz."""

from __future__ import annotations

import re

from logshed.sources.codecs import CODECS

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


def family(name: str) -> str:
    """What stays the same in a log's name when it is rotated and compressed: ``access.log`` for ``access.log.2.gz``."""
    for suffix in _SUFFIXES:
        name = name.removesuffix(suffix)
    while (shorter := _MARK.sub("", name.removesuffix(".old").removesuffix(".bak"))) != name:
        name = shorter
    return name
