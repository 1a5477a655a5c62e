"""Reads threat lists as they are published: plain text, CSV, STIX 2.1 bundles, MISP events and feeds."""

from __future__ import annotations

import csv
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from logshed.enrichment import threat_json
from logshed.errors import EnrichmentError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_DOT4 = r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}"
KINDS = {
    "address": rf"^(?:{_DOT4}(?:/[0-9]{{1,2}}|:[0-9]{{1,5}}|\s*-\s*{_DOT4})?"
    r"|[0-9A-Fa-f.]*:[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*(?:/[0-9]{1,3})?)$",
    "hash": r"^(?:[0-9A-Fa-f]{32}|[0-9A-Fa-f]{40}|[0-9A-Fa-f]{64}|[0-9A-Fa-f]{128})$",
    "domain": r"^(?:\*?\.)?(?:[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\.)+[A-Za-z][A-Za-z0-9-]{1,62}\.?$",
}
"""How entries that no format names are told apart; what is none of these is told by what else the list holds."""

_COMMENT = r"^(?:#|;|//)"
_REMARK = r"\s+[#;].*$"
_HOSTS = r"^(?:0\.0\.0\.0|127\.0\.0\.1|::1?)\s+(\S+).*$"
"""A line of a hosts file that sends a name nowhere."""
_URL = r"^[A-Za-z][A-Za-z0-9+.-]*://"
_OWN_NAMES = ("localhost", "localhost.localdomain", "local", "broadcasthost")
_SAMPLE = 1000
_AGENT = re.compile(r"user[ _-]?agent", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Listed:
    """What a file lists.

    Attributes:
        form: ``plain``, ``csv``, ``stix`` or ``misp``.
        entries: Columns ``kind`` (``address``, ``domain``, ``hash``, ``user_agent``) and ``value``.
        strange: Entries that were not understood and are left out.
    """

    form: str
    entries: pl.DataFrame
    strange: int = 0


def read(path: Path, *, column: str = "", kind: str = "") -> Listed:
    """What a threat list holds.

    Args:
        path: The file.
        column: Of a CSV file the column that holds the entries, by its name or its number from 1; empty finds it.
        kind: ``user_agent`` where all entries of a plain or CSV list are; empty where each tells its own.

    Raises:
        EnrichmentError: The file cannot be read, or is none of the known forms.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig", "replace")
    except OSError as error:
        raise EnrichmentError(f"cannot read {path}: {error.strerror or error}; check the path and its rights") from None
    if text.lstrip()[:1] in ("{", "["):
        return _json(path, text)
    if column or path.suffix.lower() in (".csv", ".tsv"):
        values, agents = _csv(path, text, column)
        return _told("csv", values, agents=agents or kind == "user_agent")
    return _told("plain", _plain(text), agents=kind == "user_agent")


def _json(path: Path, text: str) -> Listed:
    try:
        data = json.loads(text)
    except ValueError as error:
        raise EnrichmentError(f"cannot read {path}: it is no whole JSON ({error}); download it again") from None
    found = threat_json.found(data)
    if found is None:
        raise EnrichmentError(
            f"cannot read {path}: its JSON is neither a STIX 2.1 bundle nor a MISP event or feed; "
            "write the entries into a text file, one a line"
        )
    form, pairs, strange = found
    schema = {"kind": pl.String, "value": pl.String}
    return Listed(form, pl.DataFrame(pairs, schema=schema, orient="row").unique(maintain_order=True), strange)


def _plain(text: str) -> pl.Series:
    lines = pl.Series(text.splitlines(), dtype=pl.String).str.strip_chars()
    lines = lines.filter((lines != "") & ~lines.str.contains(_COMMENT)).str.replace(_REMARK, "")
    names = lines.str.replace(_HOSTS, "$1")
    return names.filter(~names.is_in(_OWN_NAMES))


def _told(form: str, values: pl.Series, *, agents: bool = False) -> Listed:
    """Entries with their kinds. A list without any address, domain or hash is one of user agents.

    A stray word must not become a part of user agents that half the world has, so elsewhere it counts as strange.
    """
    values = values.unique(maintain_order=True).alias("value")
    kind = pl.lit("user_agent") if agents else pl.lit(None, pl.String)
    for name, pattern in reversed(KINDS.items() if not agents else ()):
        kind = pl.when(pl.col("value").str.contains(pattern)).then(pl.lit(name)).otherwise(kind)
    entries = values.to_frame().select(kind.alias("kind"), "value")
    if entries["kind"].null_count() == entries.height:
        url = pl.col("value").str.contains(_URL)  # their hosts serve others too, and no client calls itself so
        entries = entries.with_columns(kind=pl.when(~url).then(pl.lit("user_agent")))
    known = entries.filter(pl.col("kind").is_not_null())
    return Listed(form, known, entries.height - known.height)


def _csv(path: Path, text: str, column: str) -> tuple[pl.Series, bool]:
    """The values of the column with the entries, and whether they are user agents."""
    header, rows = _rows(text)
    width = max((len(row) for row in rows), default=0)
    place = _named(path, header, width, column) if column else _found(header, rows[:_SAMPLE], width)
    if rows and place is None:
        raise EnrichmentError(
            f"cannot read {path}: no column holds addresses, domains, hashes or user agents; "
            f'name one with column = "..." in [enrichment] ({", ".join(header) or "or give its number"})'
        )
    if place is None:
        return pl.Series([], dtype=pl.String), False
    values = pl.Series([row[place].strip() for row in rows if len(row) > place], dtype=pl.String)
    return values.filter(values != ""), len(header) > place and bool(_AGENT.search(header[place]))


def _rows(text: str) -> tuple[list[str], list[list[str]]]:
    """The header, empty where there is none, and the rows; some lists hide their header in a comment."""
    lines = [line for line in text.splitlines() if line.strip()]
    marked = [line.lstrip().startswith(("#", '"#')) for line in lines]
    data = [line for line, comment in zip(lines, marked, strict=True) if not comment]
    if not data:
        return [], []
    delimiter = max(",;\t|", key=data[0].count)
    rows = list(csv.reader(data, delimiter=delimiter, skipinitialspace=True))
    before = lines[max(marked.index(False) - 1, 0)] if any(marked) and marked[0] else ""
    hidden = next(csv.reader([before.replace("#", "", 1)], delimiter=delimiter, skipinitialspace=True), [])
    if before and len(hidden) == len(rows[0]) > 1:
        return [name.strip() for name in hidden], rows
    if not any(_kind(field) for field in rows[0]):
        return [name.strip() for name in rows[0]], rows[1:]
    return [], rows


def _named(path: Path, header: Sequence[str], width: int, column: str) -> int:
    names = [name.lower() for name in header]
    if column.lower() in names:
        return names.index(column.lower())
    if column.isdecimal() and 0 < int(column) <= width:
        return int(column) - 1
    shown = ", ".join(header) or f"{width} without names"
    raise EnrichmentError(f"cannot read {path}: it has no column {column}; its columns are {shown}")


def _found(header: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> int | None:
    """The column in which most values are addresses; else hashes, else domains, else one named after user agents."""
    for kind in KINDS:
        counts = [sum(_kind(row[place]) == kind for row in rows if len(row) > place) for place in range(width)]
        if counts and max(counts) * 2 > len(rows):
            return counts.index(max(counts))
    return next((place for place, name in enumerate(header) if _AGENT.search(name)), None)


def _kind(field: str) -> str | None:
    return next((name for name, pattern in KINDS.items() if re.search(pattern, field.strip())), None)


def kinds_of(entries: pl.DataFrame) -> dict[str, Any]:
    """How many entries of each kind there are."""
    counted = entries.group_by("kind", maintain_order=True).len()
    return dict(counted.iter_rows())
