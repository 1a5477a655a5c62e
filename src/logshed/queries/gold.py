"""Gold tables: what a day's records come to, as a file of SQL whose header names the columns."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast, get_args

from logshed.plugins import data_files
from logshed.queries import parts
from logshed.queries.header import PARAMETER, names, split, words, wrong
from logshed.queries.parameters import SCOPE
from logshed.schema import Column, Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime
    from pathlib import Path

    from logshed.queries.parts import Part

GOLD = "gold_"
"""What the names of their files begin with; the tables' names do not have it."""

_KEYS = frozenset({"title", "description", "columns", "uses"})
_NAME = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True, slots=True)
class GoldTable:
    """A gold table.

    Attributes:
        name: What SQL calls it; ``gold.<name>`` in the catalog.
        title: A few words.
        description: What its rows are, and what they count.
        columns: Its columns, in order; ``timestamp`` (a moment of the day) and ``collection`` are among them.
        sql: The statement with ``$since`` and ``$until``, the bounds of whole days in UTC.
        values: Its other parameters, which parts bring, with their defaults.
    """

    name: str
    title: str
    description: str
    columns: tuple[Column, ...]
    sql: str
    values: dict[str, object] = field(default_factory=dict)

    def bind(self, since: datetime, until: datetime) -> dict[str, object]:
        """The statement's parameters: the days from one moment to another, of every collection."""
        bound = {**dict.fromkeys(SCOPE), **self.values, "since": since, "until": until, "before": since}
        return {name: bound[name] for name in sorted(set(PARAMETER.findall(self.sql)))}


def load(extra: Iterable[Path] = ()) -> dict[str, GoldTable]:
    """Every gold table by name: ours, installed packages', the user's.

    Raises:
        QueryError: A header is wrong; the text names the file and the key.
    """
    files = data_files("queries", ".sql", extra)
    known = parts.load(extra)
    return {
        name.removeprefix(GOLD): parse(name.removeprefix(GOLD), file.read_text("utf-8"), known)
        for name, file in files.items()
        if name.startswith(GOLD)
    }


def parse(name: str, text: str, known: Mapping[str, Part] | None = None) -> GoldTable:
    """A gold table from its file's text; parameters of parts take their defaults.

    Args:
        name: What SQL calls it.
        text: Its file's text.
        known: The parts that it may use, by name.

    Raises:
        QueryError: The header is wrong; the text names the table and the key.
    """
    what = f"the gold table {name}"
    header, own = split(what, text, _KEYS)
    if not _NAME.fullmatch(name):
        raise wrong(what, "its name is none for a table", "use small letters, digits and _")
    said = header.get("columns")
    if not isinstance(said, dict):
        raise wrong(what, "columns is missing or no table", "write [columns] in its header")
    columns = tuple(_column(what, key, value) for key, value in said.items())
    kinds = {column.name: column.kind for column in columns}
    if kinds.get("timestamp") != "timestamptz" or kinds.get("collection") != "string":
        raise wrong(what, "columns has no timestamp (timestamptz) or no collection (string)", "add them")
    sql, brought = parts.assembled(what, own, names(what, header, "uses"), known or {})
    used = set(PARAMETER.findall(sql))
    if "until" not in used or used.isdisjoint({"since", "before"}):
        raise wrong(what, "its statement does not use $since and $until", "take the records between them")
    values = {key: parameter.default for key, parameter in brought.items()}
    return GoldTable(name, words(what, header, "title"), words(what, header, "description"), columns, sql, values)


def _column(what: str, key: str, said: Any) -> Column:
    kind, _, meaning = str(said).partition(": ")
    if kind not in get_args(Kind) or kind == "map" or not meaning:
        kinds = ", ".join(one for one in get_args(Kind) if one != "map")
        raise wrong(what, f"columns.{key} is {said!r}", f"write 'kind: meaning'; the kinds are {kinds}")
    return Column(key, cast("Kind", kind), meaning, required=key in {"timestamp", "collection"})
