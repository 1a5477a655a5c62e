"""The keys of the hot store; those without `logshed:` before them are an interface for other tools."""

from __future__ import annotations

from hashlib import blake2b

KNOWN = "known:"
"""HASH: ``hits:<collection>`` to records that came."""
HITS = "hits:"
LINES = "logs:collid:"
"""ZSET per collection: each line with the second since 1970 of its own time, milliseconds as fraction."""
PLACES = "location:collid:"
"""ZSET per collection: ``CC-RR-City`` with the records from there; parts may be empty."""
COUNTRIES = "requests:country:"
"""Counter per country, ``requests:country:<CC>``, and of a collection, ``requests:country:<CC>:<collection>``."""

OWN = "logshed:"
"""What keys begin with that are for Logshed alone."""
CURSOR = f"{OWN}cursor:"
"""How far a batch or an imported source is counted."""
BATCHES = f"{OWN}batches:"
"""HASH per lake: batches that are counted."""
SINCE = f"{OWN}since:"
"""Per lake: the batch from which on batches are counted."""
REBUILDING = f"{OWN}rebuilding"
"""Since when the store is being rebuilt; it is there still where that was ended before its end."""
EMPTYING = b"emptying"
"""Stands there while the store is emptied: nobody may write it then."""
REPEATS = f"{OWN}repeats"
"""Counts the lines that had to be told from equal ones."""
COUNTRY_CODES = f"{OWN}countries"
"""SET of the countries that there are counters of: they are never looked for."""
CHANNEL = f"{OWN}live"
"""What is published of all collections; of one ``logshed:live:<collection>``."""

MARK = b"\xff"
"""Stands before what tells a line from an equal one: no text in UTF-8 has this byte."""


def cursor(*parts: str) -> str:
    """The key of a source's cursor."""
    return CURSOR + blake2b("\0".join(parts).encode(), digest_size=12).hexdigest()


def imported(source: str, generation: str) -> str:
    """The cursor of a source that is imported."""
    return cursor("import", source, generation)


def followed(source: str, generation: str) -> str:
    """The cursor of a source that comes by a lake."""
    return cursor("lake", source, generation)


def bare(member: bytes) -> str:
    """The line that a member of ``LINES`` is."""
    return member.partition(MARK)[0].decode("utf-8", "replace")
