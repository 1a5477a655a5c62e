"""Reads the records that a replay emits from the lake, in the order of their times, in bounded memory."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal, Protocol

import polars as pl

from logshed.errors import ReplayError
from logshed.pipeline.ndjson import documents
from logshed.pipeline.replay_slices import TELLS_TIME, slices
from logshed.search import sql
from logshed.search.statements import EVERY_FIELD, ORDER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from logshed.pipeline.replay_slices import Slice, Wanted
    from logshed.sql.result import Result

    Query = Callable[[str], Result]

Form = Literal["line", "json"]
ABOUT = {
    "host": "host_name",
    "service": "service_name",
    "process": "process_pid",
    "severity": "severity_number",
    "country": "client_geo_country_iso_code",
    "region": "client_geo_region",
    "city": "client_geo_locality",
    "latitude": "client_geo_lat",
    "longitude": "client_geo_lon",
}
"""What goes with the text of a record, and the columns that it is from."""
TEXTS: dict[str, pl.DataType] = {"at": pl.Int64(), "collection": pl.String(), "text": pl.String()}
_KINDS = {"process": pl.Int64(), "severity": pl.Int64(), "latitude": pl.Float64(), "longitude": pl.Float64()}
FRAME = pl.Schema(TEXTS | {name: _KINDS.get(name, pl.String()) for name in ABOUT})
"""A record on its way: ``at`` is its time in microseconds since 1970, ``text`` what is emitted."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_KEY = ["source", "generation", "offset"]


class Records(Protocol):
    """Where records come from."""

    def extent(self) -> tuple[int, int]:
        """The window: its first moment and the first moment after it, in microseconds since 1970.

        Raises:
            logshed.errors.ReplayError: There is no record.
        """
        ...

    def frames(self, since: int) -> Iterator[pl.DataFrame]:
        """The records from a time on, in the order of their times, in the form of ``FRAME``.

        Args:
            since: In microseconds since 1970.
        """
        ...


class LakeRecords:
    """Records of a lake.

    A record's line is the one that was received, redacted. One line that holds several records is given once, with the
    first of them. Where the line rests no more, the record comes as JSON.

    Args:
        query: Runs a statement.
        wanted: Which records.
        form: ``line``, or ``json`` for their columns.
    """

    def __init__(self, query: Query, wanted: Wanted, form: Form = "line") -> None:
        self.without_line = 0
        self._query = query
        self._wanted = wanted
        self._scope = wanted.scope
        self._form = form
        self._slices: list[Slice] | None = None

    @property
    def slices(self) -> list[Slice]:
        """The window in slices."""
        if self._slices is None:
            self._slices = slices(self._query, self._scope)
        return self._slices

    def extent(self) -> tuple[int, int]:
        """As in ``Records``."""
        if not self.slices:
            raise ReplayError(self._nothing())
        told = [when for one in self.slices for when in one.told if when] or [
            self.slices[0].first,
            self.slices[-1].last,
        ]
        since, until = self._wanted.since, self._wanted.until
        return microseconds(since or told[0]), microseconds(until) if until else microseconds(told[-1]) + 1

    def outside(self) -> int:
        """How many records lie outside of a window that nobody has asked for: their lines tell no time."""
        begin, end = (sql.time(_EPOCH + timedelta(microseconds=at)) for at in self.extent())
        away = f'NOT ({TELLS_TIME}) AND ("timestamp" < {begin} OR "timestamp" >= {end})'
        ((found,),) = self._query(f"SELECT count(*) FROM logs WHERE {self._scope.and_(away).where}").rows()
        return int(found)

    def _nothing(self) -> str:
        ((first, last),) = self._query('SELECT min("timestamp"), max("timestamp") FROM logs').rows()
        if first is None:
            return "cannot replay: the lake is empty; fill it with `logshed ingest`"
        return (
            f"cannot replay: no record is in the window; the lake holds {first:%Y-%m-%d %H:%M} to "
            f"{last:%Y-%m-%d %H:%M} UTC: give another --since, --until, --collection or --where"
        )

    def frames(self, since: int) -> Iterator[pl.DataFrame]:
        """As in ``Records``."""
        _, until = self.extent()
        once = _Once() if any(one.inside for one in self.slices) else None
        for one in self.slices:
            if microseconds(one.last) >= since and microseconds(one.first) < until:
                for rows in self._lines(one, since, once) if self._form == "line" else self._documents(one.where):
                    yield rows.filter(pl.col("at") >= since).select(list(FRAME)).cast(FRAME)

    def _lines(self, part: Slice, since: int, once: _Once | None) -> Iterator[pl.DataFrame]:
        about = ", ".join(f"r.{column} AS {name}" for name, column in ABOUT.items())
        begin, end = map(sql.time, part.observed)
        statement = f"""SELECT epoch_us(r."timestamp") AS "at", r.collection, l.text, {about},
  r.source, r.generation, r."offset", r.item
FROM (SELECT * FROM logs WHERE {self._scope.and_(part.where).where}) AS r
LEFT JOIN (
  SELECT source, generation, "offset", text FROM lines WHERE observed_timestamp BETWEEN {begin} AND {end}
) AS l ON l.source = r.source AND l.generation = r.generation AND l."offset" = r."offset"
ORDER BY {", ".join(f'r."{name}"' for name in ORDER)}"""
        for read in _frames(self._query(statement)):
            rows = read.filter(pl.col("at") >= since)
            rows = once.of(rows) if once else rows
            yield self._filled(rows) if rows["text"].null_count() else rows

    def _filled(self, rows: pl.DataFrame) -> pl.DataFrame:
        """With JSON in the place of lines that rest no more."""
        without = rows.filter(pl.col("text").is_null())
        self.without_line += without.height
        begin, end = (sql.time(_EPOCH + timedelta(microseconds=without["at"][place])) for place in (0, -1))
        key = [*_KEY, "item"]
        found = (
            one.select(*key, pl.col("text").alias("document"))
            for one in self._documents(f'"timestamp" BETWEEN {begin} AND {end}')
        )
        found_documents = pl.concat(one.join(without, on=key, how="semi") for one in found)
        filled = rows.join(found_documents, on=key, how="left", maintain_order="left")
        return filled.with_columns(pl.coalesce("text", "document").alias("text"))

    def _documents(self, where: str) -> Iterator[pl.DataFrame]:
        columns, order = (", ".join(f'"{name}"' for name in names) for names in (EVERY_FIELD, ORDER))
        scope = self._scope.and_(where)
        for rows in _frames(self._query(f"SELECT {columns} FROM logs WHERE {scope.where} ORDER BY {order}")):
            yield rows.select(
                pl.col("timestamp").dt.epoch("us").alias("at"),
                "collection",
                documents(rows.select(EVERY_FIELD)).alias("text"),
                *(pl.col(column).alias(name) for name, column in ABOUT.items()),
                *_KEY,
                "item",
            )


class _Once:
    """Leaves out records of lines that were given: those that hold several records are remembered."""

    def __init__(self) -> None:
        self._given = pl.DataFrame(schema={"source": pl.String, "generation": pl.String, "offset": pl.Int64})

    def of(self, rows: pl.DataFrame) -> pl.DataFrame:
        """The rows without those whose line was given; rows without a line all stay."""
        first = rows.select(pl.struct(_KEY).is_first_distinct()).to_series()
        known = rows.select(_KEY).with_row_index().join(self._given, on=_KEY, how="semi")["index"]
        fresh = first & ~pl.Series(range(rows.height), dtype=known.dtype).is_in(known.implode())
        self._given = pl.concat([self._given, rows.filter(fresh & rows["text"].is_not_null()).select(_KEY)])
        return rows.filter(fresh | rows["text"].is_null())


def microseconds(when: datetime) -> int:
    """A moment in microseconds since 1970."""
    return (when - _EPOCH) // timedelta(microseconds=1)


def _frames(result: Result) -> Iterator[pl.DataFrame]:
    with result:
        for batch in result.batches():
            rows = pl.DataFrame(batch)
            if rows.height:
                yield rows
