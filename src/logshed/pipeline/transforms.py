"""Transforms: changes to parsed records that logshed.toml asks for, in SQL expressions, with tests beside them."""

from __future__ import annotations

import fnmatch
from datetime import datetime
from typing import TYPE_CHECKING, Any

import polars as pl

from logshed.errors import SettingsError
from logshed.pipeline.fields import PREFIX, SCHEMA, attributes_in, is_field, put, with_fields

if TYPE_CHECKING:
    from collections.abc import Iterable

    from logshed.settings import Transform

KEPT = frozenset(
    {
        *("source", "generation", "offset", "item", "batch", "collection", "observed_timestamp", "attributes"),
        *("redaction_count", "parse_error", "log_format", "timestamp_source", "timestamp"),
    }
)
"""Columns that tell where a record is from and when; no transform writes them."""

MOST_SEEN = 1_000_000
"""Records that ``dedupe`` remembers of a piece of a file; it forgets the oldest beyond them."""


def check(rules: Iterable[Transform]) -> None:
    """Try every transform on no records, so that a wrong one is refused before any work.

    Raises:
        SettingsError: A name is no column, or an expression does not fit the columns.
    """
    for rule in rules:
        for name in (*rule.set, *rule.rename, *rule.rename.values()):
            if not is_field(name) or name in KEPT:
                raise _wrong(rule, f"{name} is no column that a transform may write; see docs/reference/columns.md")
        for name in filter(None, (*rule.dedupe, rule.by)):
            if not is_field(name):
                raise _wrong(rule, f"there is no column {name}; see docs/reference/columns.md")
        applied = Applied(rule)
        empty = pl.DataFrame(schema=SCHEMA)
        applied.stays(empty)
        applied.change(empty)


def applies(rule: Transform, source: str) -> bool:
    """Whether the transform looks at this source."""
    return rule.source is None or fnmatch.fnmatchcase(source, rule.source)


class Applied:
    """A transform as it works on the records of one piece of a source, which it sees frame by frame.

    Args:
        rule: The transform.
    """

    def __init__(self, rule: Transform) -> None:
        self.rule = rule
        self._seen = pl.Series("key", [], dtype=pl.UInt64)
        self._names = attributes_in((rule.where, rule.filter, *rule.set.values()))
        self._names |= {name for name in (*rule.dedupe, rule.by or "", *rule.rename) if name.startswith(PREFIX)}

    def stays(self, logs: pl.DataFrame, *, again: bool = False) -> pl.Series | None:
        """Which rows of ``logs`` it keeps; None where it drops none.

        Args:
            logs: Rows of ``logs``.
            again: Whether they come from ``lines``: then sampling and deduplication have been done.
        """
        rule = self.rule
        stateful = (rule.dedupe or rule.sample is not None) and not again
        if not (rule.filter or stateful):
            return None
        rows = with_fields(logs, self._names)
        hit = self._hit(rows) & logs["parse_error"].is_null()
        stays = pl.Series("stays", [True]).new_from_index(0, logs.height)
        if rule.filter:
            stays &= self._sql(rows, rule.filter).cast(pl.Boolean).fill_null(value=False)
        if rule.dedupe and not again:
            stays = _whole(rows, self._first_seen(rows, hit & stays, stays))
        if rule.sample is not None and not again:
            stays &= _whole(rows, sampled(rows, rule.sample, rule.by))
        return stays | ~hit

    def change(self, logs: pl.DataFrame) -> pl.DataFrame:
        """The rows of ``logs`` with what the transform renames and sets; rejected ones stay as they are."""
        rule = self.rule
        if not (rule.set or rule.rename):
            return logs
        rows = with_fields(logs, {*self._names, *(name for name in (*rule.set, *rule.rename.values()))})
        hit = self._hit(rows) & logs["parse_error"].is_null()
        moved: dict[str, pl.Series] = {}
        for old, new in rule.rename.items():
            value = rows[old]
            moves = hit & value.is_not_null()
            moved[new] = _chosen(value, moves, moved.get(new, rows[new]))
            moved[old] = _chosen(pl.Series(old, [None], dtype=value.dtype).new_from_index(0, rows.height), moves, value)
        rows = rows.with_columns(series.alias(name) for name, series in moved.items())
        for name, expression in rule.set.items():
            moved[name] = _chosen(self._sql(rows, expression), hit, rows[name])
        return put(logs, moved)

    def routed(self, logs: pl.DataFrame) -> pl.Series | None:
        """Which rows go into another collection, rejected ones too; None where the transform routes nothing."""
        return self._hit(with_fields(logs, self._names)) if self.rule.route else None

    def _hit(self, rows: pl.DataFrame) -> pl.Series:
        if self.rule.where is None:
            return pl.Series("hit", [True]).new_from_index(0, rows.height)
        return self._sql(rows, self.rule.where).cast(pl.Boolean).fill_null(value=False)

    def _sql(self, rows: pl.DataFrame, expression: str) -> pl.Series:
        try:
            found = rows.select(pl.sql_expr(expression).alias("value"))["value"]
        except (pl.exceptions.PolarsError, ValueError) as error:
            cause = str(error).splitlines()[0]
            raise _wrong(self.rule, f"{expression!r} does not fit the columns of logs ({cause}); correct it") from error
        return found.new_from_index(0, rows.height) if found.len() == 1 != rows.height else found

    def _first_seen(self, rows: pl.DataFrame, looked_at: pl.Series, stays: pl.Series) -> pl.Series:
        """Of rows with the same key the first, also over the frames before."""
        columns = [pl.col(name) for name in self.rule.dedupe]
        if self.rule.within:
            columns.append(pl.col("timestamp").dt.epoch("s") // self.rule.within)
        keys = rows.select(pl.struct(columns).hash().alias("key"))["key"]
        own = keys.filter(looked_at)
        first = own.is_first_distinct() & ~own.is_in(self._seen.implode())
        self._seen = pl.concat([self._seen, own.filter(first)]).tail(MOST_SEEN)
        return stays.scatter(looked_at.arg_true(), first)


def _whole(rows: pl.DataFrame, stays: pl.Series) -> pl.Series:
    """All rows of a record where one of them stays: ``lines`` has the record whole, and ``logs`` may be made of it."""
    if not (rows["item"].max() or 0):
        return stays
    return rows.select("offset", stays.alias("stays")).select(pl.col("stays").any().over("offset"))["stays"]


def sampled(rows: pl.DataFrame, share: float, by: str | None, seed: int = 0) -> pl.Series:
    """Which rows are in a sample: told by a hash, so that the same rows are chosen again and equal keys stay together.

    Args:
        rows: Rows of ``logs``.
        share: From 0 to 1.
        by: The column whose equal values stay together; a row without one stands for itself.
        seed: Another number chooses other rows.
    """
    own = pl.struct("source", "generation", "offset").hash(seed)
    key = (
        own if by is None else pl.when(pl.col(by).is_null()).then(own).otherwise(pl.col(by).cast(pl.String).hash(seed))
    )
    if share >= 1:
        return pl.Series("sampled", [True]).new_from_index(0, rows.height)
    return rows.select((key < pl.lit(int(share * 2**64), pl.UInt64)).alias("sampled"))["sampled"]


def failures(rule: Transform) -> list[str]:
    """What is wrong with a transform's own tests: one sentence for each difference, none if all hold.

    Raises:
        SettingsError: A test names a column that there is not, or a value that does not fit it.
    """
    found = []
    for number, test in enumerate(rule.test, 1):
        out = _run(rule, _rows(rule, test.given))
        if len(out) != len(test.expect):
            found.append(f"test {number}: {len(out)} records come out, expected {len(test.expect)}")
            continue
        for row, wanted in zip(out, test.expect, strict=True):
            found += [f"test {number}: {text}" for text in _differences(row, wanted)]
    return found


def _rows(rule: Transform, given: Iterable[dict[str, Any]]) -> pl.DataFrame:
    records = list(given)
    for name in (name for record in records for name in record):
        if not is_field(name):
            raise _wrong(rule, f"its test names {name}, which is no column of logs; correct it")
    columns = {
        name: [record.get(name) for record in records]
        for name in SCHEMA
        if name not in KEPT or name in {key for record in records for key in record}
    }
    columns |= {"offset": list(range(len(records))), "source": ["test:"] * len(records)}
    try:
        rows = pl.DataFrame({name: _column(name, values) for name, values in columns.items()})
    except (pl.exceptions.PolarsError, TypeError, OverflowError) as error:
        raise _wrong(
            rule, f"its test has a value that fits no column ({str(error).splitlines()[0]}); mend it"
        ) from None
    rows = rows.select(
        pl.col(name) if name in rows.columns else pl.lit(None, kind).alias(name) for name, kind in SCHEMA.items()
    )
    keys = {name for record in records for name in record if name.startswith(PREFIX)}
    return put(rows, {key: pl.Series([record.get(key) for record in records], dtype=pl.String) for key in sorted(keys)})


def _column(name: str, values: list[Any]) -> pl.Series:
    kind = SCHEMA[name]
    if isinstance(kind, pl.Datetime) and any(isinstance(value, str) for value in values):
        return pl.Series(name, values, dtype=pl.String).str.to_datetime(time_unit="us", time_zone="UTC")
    return pl.Series(name, values, dtype=kind)


def _run(rule: Transform, rows: pl.DataFrame) -> list[dict[str, Any]]:
    applied = Applied(rule)
    stays = applied.stays(rows)
    rows = applied.change(rows if stays is None else rows.filter(stays))
    routed = applied.routed(rows)
    if routed is not None:
        rows = rows.with_columns(collection=pl.when(routed).then(pl.lit(rule.route)).otherwise(pl.col("collection")))
    return list(rows.iter_rows(named=True))


def _differences(row: dict[str, Any], wanted: dict[str, Any]) -> list[str]:
    attributes = row["attributes"] or {}
    found = []
    for name, value in wanted.items():
        own = attributes.get(name.removeprefix(PREFIX)) if name.startswith(PREFIX) else row.get(name)
        told = own.isoformat() if isinstance(own, datetime) and isinstance(value, str) else own
        if told != (None if value == "" and own is None else value):
            found.append(f"{name} is {own!r}, expected {value!r}")
    return found


def _chosen(new: pl.Series, hit: pl.Series, old: pl.Series) -> pl.Series:
    """The new value where it is a hit, else the old one; text where the two are of different types."""
    if new.dtype != old.dtype and new.null_count() == new.len():
        new = new.cast(old.dtype)
    elif new.dtype != old.dtype:
        both = (new.dtype, old.dtype)
        kind = (
            pl.String if not all(one.is_numeric() for one in both)
            else pl.Float64 if any(one.is_float() for one in both)
            else pl.Int64
        )  # fmt: skip
        new, old = new.cast(kind, strict=False), old.cast(kind, strict=False)
    return new.zip_with(hit, old)


def _wrong(rule: Transform, cause: str) -> SettingsError:
    return SettingsError(f"cannot use transform {rule.name}: {cause}")
