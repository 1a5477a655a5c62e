"""Gold tables: what a day's records come to, as a file of SQL whose header names the columns."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast, get_args

from logshed.errors import QueryError
from logshed.plugins import data_files
from logshed.schema import Column, Kind

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

GOLD = "gold_"
"""What the names of their files begin with; the tables' names do not have it."""

_HEADER = re.compile(r"\s*/\*(.*?)\*/(.*)", re.DOTALL)
_KEYS = {"title", "description", "columns"}
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
    """

    name: str
    title: str
    description: str
    columns: tuple[Column, ...]
    sql: str


def load(extra: Iterable[Path] = ()) -> dict[str, GoldTable]:
    """Every gold table by name: ours, installed packages', the user's.

    Raises:
        QueryError: A header is wrong; the text names the file and the key.
    """
    files = data_files("queries", ".sql", extra)
    return {
        name.removeprefix(GOLD): parse(name.removeprefix(GOLD), file.read_text("utf-8"))
        for name, file in files.items()
        if name.startswith(GOLD)
    }


def parse(name: str, text: str) -> GoldTable:
    """A gold table from its file's text.

    Raises:
        QueryError: The header is wrong; the text names the table and the key.
    """
    match = _HEADER.fullmatch(text)
    if match is None:
        raise _wrong(name, "it begins with no /* header */", "begin it with its title, description and columns")
    try:
        header = tomllib.loads(match[1])
    except tomllib.TOMLDecodeError as error:
        raise _wrong(name, f"its header is no TOML ({error})", "mend it") from error
    if missing := sorted(_KEYS - set(header)) or sorted(set(header) - _KEYS):
        raise _wrong(name, f"the key {missing[0]} is missing or unknown", f"write {', '.join(sorted(_KEYS))}")
    if not _NAME.fullmatch(name):
        raise _wrong(name, "its name is none for a table", "use small letters, digits and _")
    columns = tuple(_column(name, key, value) for key, value in header["columns"].items())
    kinds = {column.name: column.kind for column in columns}
    if kinds.get("timestamp") != "timestamptz" or kinds.get("collection") != "string":
        raise _wrong(name, "columns has no timestamp (timestamptz) or no collection (string)", "add them")
    sql = match[2].strip().removesuffix(";")
    if not {"$since", "$until"} <= set(re.findall(r"\$[a-z]+", sql)):
        raise _wrong(name, "its statement does not use $since and $until", "take the records between them")
    return GoldTable(name, str(header["title"]), " ".join(str(header["description"]).split()), columns, sql)


def _column(name: str, key: str, said: Any) -> Column:
    kind, _, meaning = str(said).partition(": ")
    if kind not in get_args(Kind) or kind == "map" or not meaning:
        kinds = ", ".join(one for one in get_args(Kind) if one != "map")
        raise _wrong(name, f"columns.{key} is {said!r}", f"write 'kind: meaning'; the kinds are {kinds}")
    return Column(key, cast("Kind", kind), meaning, required=key in {"timestamp", "collection"})


def _wrong(name: str, cause: str, advice: str) -> QueryError:
    return QueryError(f"cannot load the gold table {name}: {cause}; {advice}")
