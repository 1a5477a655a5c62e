"""Gives one record, the ones around it in its source, its raw line; and which columns pages have."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from logshed.pipeline.explore_places import Place
from logshed.schema import UNMAPPED
from logshed.search import sql, statements
from logshed.search.fields import RECORD_ID
from logshed.search.scope import Scope
from logshed.search.statements import EVERY_FIELD, ORDER

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from logshed.pipeline.explore import Query
    from logshed.search.fields import Field
    from logshed.sql.result import Result

AROUND = 10
"""Records before a record and behind it."""


def one(query: Query, record_id: str, time: datetime | None = None) -> dict[str, Any] | None:
    """A record with all of its columns; None where it is not there.

    Args:
        query: Runs a statement.
        record_id: Its ``record_id``.
        time: Its time, by which it is found at once; None reads the sources of all records.
    """
    scope = Scope(f"{RECORD_ID} = {sql.literal(record_id)}")
    if time is not None:
        scope = scope.within(time, time + timedelta(milliseconds=1))
    found = query(f"SELECT {columns(())} FROM logs WHERE {scope.where} LIMIT 1").arrow()
    return found.to_pylist(maps_as_pydicts="lossy")[0] if found.num_rows else None


def around(query: Query, record: dict[str, Any], count: int = AROUND, fields: Sequence[str] = ()) -> list[Result]:
    """The records before a record in its source, and those behind it, both in the source's order.

    Args:
        query: Runs a statement.
        record: The record, with its source, generation, offset and item.
        count: How many on either side.
        fields: Their fields; none are all columns.
    """
    source = f"source = {sql.literal(record['source'])} AND generation = {sql.literal(record['generation'])}"
    own = f"{source} AND collection = {sql.literal(record['collection'])}"
    place = f"{int(record['offset'])}, {int(record['item'])}"
    found = []
    for sign, order in (("<", " DESC"), (">", "")):
        offset = f'"offset" {sign}= {int(record["offset"])} AND ("offset", item) {sign} ({place})'
        inner = f'SELECT * FROM logs WHERE {own} AND {offset} ORDER BY "offset"{order}, item{order} LIMIT {count}'
        found.append(query(f'SELECT {columns(fields)} FROM ({inner}) ORDER BY "offset", item'))
    return found


def own(record: dict[str, Any]) -> str:
    """The statement that gives a record itself, with the columns that pages have."""
    place = Place(*(record[name] for name in ORDER))
    near = Scope(f"{place.beyond('<', itself=True)} AND {place.beyond('>', itself=True)}")
    return f"SELECT {columns(())} FROM logs WHERE {near.where} LIMIT 1"


def raw(query: Query, record: dict[str, Any]) -> str | None:
    """The line that a record was read from, as it was received after redaction; None where it is no longer kept."""
    read, day = record["observed_timestamp"], timedelta(days=1)  # the table's files are one of a day
    where = (
        f"source = {sql.literal(record['source'])} AND generation = {sql.literal(record['generation'])}"
        f' AND "offset" = {int(record["offset"])} AND observed_timestamp >= {sql.time(read - day)}'
        f" AND observed_timestamp <= {sql.time(read + day)}"
    )
    rows = query(f"SELECT text FROM lines WHERE {where} LIMIT 1").rows()
    return str(rows[0][0]) if rows else None


def columns(fields: Sequence[str]) -> str:
    """What is selected: the fields that are asked for, and always what a record is found by and coloured by."""
    always = ("record_id", *ORDER)
    asked = [field for field in statements.fields(fields) if field.label not in always]
    named = list(map(_shown, dict.fromkeys(asked))) if fields else list(map(sql.quoted, EVERY_FIELD))
    fixed = [RECORD_ID, *map(sql.quoted, ORDER)] if fields else [RECORD_ID]
    level = [] if any(field.kind == "level" for field in asked) else [f"{statements.level_name()} AS level"]
    severity = f"{statements.level_name(statements.severity_number())} AS severity"
    return ", ".join([*fixed, *level, severity, *named])


def _shown(field: Field) -> str:
    """A field under its name; an attribute that is called as a column is under one that tells it from that."""
    if field.kind == "attribute" and field.label in {*EVERY_FIELD, RECORD_ID, "level", "severity"}:
        return f"{field.sql} AS {sql.name(f'{UNMAPPED}.{field.label}')}"
    return statements.shown(field)
