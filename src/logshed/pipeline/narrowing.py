"""Asks a question of some records alone: those that a search finds.

The statement gets a WITH in front that stands in the place of ``logs``, so that all that it does is done with those
records. A question that reads other tables too cannot be narrowed so: what they hold was made of all records.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from logshed.errors import QueryError, UsageError
from logshed.lake.names import TABLES
from logshed.pipeline.search import understood
from logshed.queries.times import EARLIEST, LATEST

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

LOGS = "logs"
_PLAIN = re.compile(r"/\*.*?\*/|--[^\n]*|'(?:[^']|'')*'", re.DOTALL)
_WITH = re.compile(r"\s*with\s+(?!recursive\b)", re.IGNORECASE)
_GIVEN = re.compile(
    r'(?:\bwith|,)\s+(?:recursive\s+)?"?(\w+)"?\s+as\s+(?:(?:not\s+)?materialized\s*)?\(', re.IGNORECASE
)
_WORD = re.compile(r"\w+")


def reaches(sql: str, gold: Iterable[str] = ()) -> bool:
    """Whether a search can narrow a statement: it reads ``logs`` and no other table.

    Args:
        sql: The statement.
        gold: Short names of the gold tables.
    """
    return _reaches(sql, tuple(sorted(gold)))


@lru_cache(maxsize=1024)
def _reaches(sql: str, gold: tuple[str, ...]) -> bool:
    text = _PLAIN.sub(" ", sql)
    given = {name.lower() for name in _GIVEN.findall(text)}
    words = {word.lower() for word in _WORD.findall(text)}
    if LOGS not in words or LOGS in given or "iceberg" in words or "analytics" in words:
        return False
    return words.isdisjoint({*TABLES, *gold} - given - {LOGS}) or _read_by(sql) == {LOGS}


def _read_by(sql: str) -> set[str]:
    """The tables that a statement reads: a column may be called as a table is. It takes a while, so words are first."""
    from logshed.sql.dialect import parsed, tables_of  # noqa: PLC0415 - heavy, and few statements need it

    try:
        return tables_of(parsed(sql))
    except QueryError:
        return set()  # whoever asks it is told


def narrowed(sql: str, text: str, *, now: datetime, timezone: str = "UTC") -> str:
    """A statement over the records that a search finds.

    Args:
        sql: A statement that ``reaches``.
        text: The search.
        now: The present, from which times in the search look back.
        timezone: The zone of times that name none.

    Raises:
        logshed.errors.QueryError: The search is wrong; the error points at the place.
        logshed.errors.UsageError: The statement cannot be narrowed.
    """
    where = understood(text, since=EARLIEST, until=LATEST, now=now, timezone=timezone).where
    if where == "true":
        return sql
    if re.match(r"\s*with\s+recursive\b", sql, re.IGNORECASE):
        raise UsageError("cannot narrow the question: it begins with WITH RECURSIVE; ask it of all records")
    entry = f"{LOGS} AS NOT MATERIALIZED (SELECT * FROM iceberg.main.{LOGS} WHERE {where})"
    own = _WITH.match(sql)
    return f"WITH {entry},\n{sql[own.end() :]}" if own else f"WITH {entry}\n{sql}"
