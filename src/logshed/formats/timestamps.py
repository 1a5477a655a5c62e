"""Times by columns: text in any common form to microseconds in UTC, and how sure that is.

A form is a strptime pattern, or one of ``iso`` (ISO 8601 and its kin), ``epoch`` (seconds to nanoseconds, told by size)
and ``any`` (all that the generic pattern knows, month names in four languages). A missing year is the one that puts the
time nearest before the observation; a missing zone is the caller's, else UTC.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import polars as pl

from logshed.formats.columns import constant, nothing, where
from logshed.formats.dates import ZONES, take_apart

if TYPE_CHECKING:
    from collections.abc import Sequence

EVENT, INFERRED_YEAR, INFERRED_ZONE, OBSERVED = "event", "inferred_year", "inferred_zone", "observed"
EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
LATENESS = timedelta(days=1)
"""How far in the future of the observation a time may lie: clocks differ, zones are missing."""

_ISO = (
    "%Y-%m-%dT%H:%M:%S%.f%#z", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f%#z",
    "%Y-%m-%d %H:%M:%S%.f %#z",
)  # fmt: skip
_ZONES = {
    name: f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"
    for name, minutes in ZONES.items()
}
_SAMPLE = 30
"""Values that decide which of the ISO forms are tried at all."""


def parse_times(
    text: pl.Series,
    forms: Sequence[str],
    *,
    observed: datetime,
    timezone: str | None = None,
    alone: bool = False,
) -> tuple[pl.Series, pl.Series]:
    """Read times.

    Args:
        text: Times as text; null where there is none.
        forms: The forms to try, in order; each on the rows that none before it read.
        observed: When the lines were read, with a zone.
        timezone: The IANA zone of times that name none.
        alone: Whether a date of three numbers is read without a look at the others.

    Returns:
        ``Datetime(us, UTC)``, null where nothing fits or the time is before 1990 or more than a day after ``observed``;
        and where each is from: ``event``, ``inferred_year``, ``inferred_zone``, ``observed`` where the time was read
        but lies outside those bounds, null where it could not be read.
    """
    moments, sources = _nothing(text.len())
    rows: pl.Series | None = None
    for form in _expand(forms, text):
        part = text if rows is None else text.gather(rows)
        found, how = _read(part, form, observed, timezone, alone=alone)
        if rows is None:
            moments, sources = found, how
        else:
            moments, sources = moments.scatter(rows, found), sources.scatter(rows, how)
        if moments.null_count() == text.null_count():
            break
        rows = (moments.is_null() & text.is_not_null()).arg_true()
    if _inside(moments, observed):
        return moments.alias("timestamp"), sources.alias("timestamp_source")
    keep = (moments >= EARLIEST) & (moments <= observed + LATENESS)
    none, _ = _nothing(text.len())
    outside = constant(OBSERVED, text.len())
    sources = sources.zip_with(keep.fill_null(value=True), outside)
    return moments.zip_with(keep, none).alias("timestamp"), sources.alias("timestamp_source")


def _nothing(size: int) -> tuple[pl.Series, pl.Series]:
    return nothing(size, "timestamp", pl.Datetime("us", "UTC")), nothing(size, "timestamp_source")


def _inside(moments: pl.Series, observed: datetime) -> bool:
    first, last = moments.min(), moments.max()
    if first is None or last is None:
        return True
    return bool(first >= EARLIEST and last <= observed + LATENESS)  # type: ignore[operator]


def _expand(forms: Sequence[str], text: pl.Series) -> list[str]:
    """The forms with ``iso`` replaced by those of its forms that a few values have; ``any`` comes after ``iso``."""
    expanded: list[str] = []
    for form in forms:
        if form != "iso":
            expanded.append(form)
            continue
        few = text.drop_nulls().head(_SAMPLE).str.replace(",", ".", literal=True)
        hits = {one: _strptime(few, one).is_not_null().sum() for one in _ISO}
        expanded.extend(sorted((one for one in _ISO if hits[one]), key=lambda one: -hits[one]))
        expanded.append("any")
    return expanded


def _read(
    text: pl.Series, form: str, observed: datetime, timezone: str | None, *, alone: bool
) -> tuple[pl.Series, pl.Series]:
    if form == "epoch":
        moments = _epoch(text)
        return moments, _marked(moments, EVENT)
    if form == "any":
        return _generic(text, observed, timezone, alone=alone)
    if "%Y" not in form and "%y" not in form:
        moments = _nearest_year(
            [_zoned(_strptime(f"{year} " + text, f"%Y {form}"), timezone) for year in _years(observed)], observed
        )
        return moments, _marked(moments, INFERRED_YEAR)
    if form in _ISO and text.str.contains(",", literal=True).any():
        text = text.str.replace(",", ".", literal=True)
    parsed = _strptime(text, form)
    if parsed.dtype == pl.Datetime("us", "UTC"):
        return parsed, _marked(parsed, EVENT)
    moments = _zoned(parsed, timezone)
    return moments, _marked(moments, EVENT if timezone or form.endswith("Z") else INFERRED_ZONE)


def _strptime(text: pl.Series, form: str) -> pl.Series:
    return text.str.to_datetime(form, strict=False, time_unit="us")


def _marked(moments: pl.Series, how: str) -> pl.Series:
    marks = constant(how, moments.len(), "timestamp_source")
    return marks if not moments.null_count() else where(moments.is_not_null(), marks)


def _zoned(moments: pl.Series, timezone: str | None) -> pl.Series:
    """Local times to UTC: the earlier of two in an overlap, an hour later where a clock skipped them."""
    if timezone is None or timezone == "UTC":
        return moments.dt.replace_time_zone("UTC")
    local = moments.dt.replace_time_zone(timezone, ambiguous="earliest", non_existent="null")
    if local.null_count() != moments.null_count():
        later = moments.dt.offset_by("1h").dt.replace_time_zone(timezone, ambiguous="earliest", non_existent="null")
        local = local.zip_with(local.is_not_null(), later)
    return local.dt.convert_time_zone("UTC")


def _years(observed: datetime) -> list[int]:
    """Years to try for a date without one: next (it may have begun elsewhere), this, those down to a leap year."""
    return [observed.year + 1, *range(observed.year, observed.year - 9, -1)]


def _nearest_year(candidates: list[pl.Series], observed: datetime) -> pl.Series:
    """The latest candidate of each row that is not in the future of the observation."""
    limit = observed + LATENESS
    found = where(candidates[0] <= limit, candidates[0])
    for candidate in candidates[1:]:
        if not (found.is_null() & candidate.is_not_null()).any():
            continue
        later = found.is_not_null() | (candidate > limit)
        found = found.zip_with(later, candidate)
    return found


def _epoch(text: pl.Series) -> pl.Series:
    """Seconds, milliseconds, microseconds or nanoseconds since 1970, told apart by size; decimals are kept to 1 µs."""
    parts = text.str.extract_groups(r"^([0-9]{9,19})(?:\.([0-9]{1,9})[0-9]*)?(?:[eE][+]?0?9)?$").struct.unnest()
    digits, fraction = parts.get_columns()
    whole = digits.cast(pl.Int64, strict=False)
    size = digits.str.len_bytes()
    micro = (fraction.fill_null("") + "000000").str.slice(0, 6).cast(pl.Int64, strict=False)
    milli = micro // 1000
    frame = pl.DataFrame({"w": whole, "n": size, "u": micro, "m": milli})
    value = frame.select(
        pl.when(pl.col("n") <= 11).then(pl.col("w") * 1_000_000 + pl.col("u"))  # noqa: PLR2004 - digits of seconds
        .when(pl.col("n").is_in([14, 17])).then(None)  # a date without marks between its parts
        .when(pl.col("n") <= 13).then(pl.col("w") * 1_000 + pl.col("m"))  # noqa: PLR2004 - of milliseconds
        .when(pl.col("n") <= 16).then(pl.col("w"))  # noqa: PLR2004 - of microseconds
        .otherwise(pl.col("w") // 1_000)
    ).to_series()  # fmt: skip
    return value.cast(pl.Datetime("us")).dt.replace_time_zone("UTC")


def _generic(text: pl.Series, observed: datetime, timezone: str | None, *, alone: bool) -> tuple[pl.Series, pl.Series]:
    """Any common form, distinct values first: this is the slow road."""
    distinct = text.unique().drop_nulls()
    parts = take_apart(distinct, alone=alone)
    moments, how = _assemble(parts, observed, timezone)
    table = pl.DataFrame({"text": distinct, "timestamp": moments, "timestamp_source": how})
    joined = pl.DataFrame({"text": text}).join(table, on="text", how="left", maintain_order="left")
    return joined["timestamp"], joined["timestamp_source"]


def _assemble(parts: pl.DataFrame, observed: datetime, timezone: str | None) -> tuple[pl.Series, pl.Series]:
    """Put a time together by arithmetic, so that 24:00 and a leap second are the next day's or minute's first."""
    numbers = parts.select(
        year=pl.col("Y").cast(pl.Int32, strict=False),
        month=pl.col("m").cast(pl.Int32, strict=False),
        day=pl.col("d").cast(pl.Int32, strict=False),
        hour=pl.col("H").cast(pl.Int64, strict=False),
        half=pl.col("p").str.to_lowercase().str.head(1),
        minute=pl.col("M").cast(pl.Int64, strict=False),
        second=pl.col("S").cast(pl.Int64, strict=False).fill_null(0),
        micro=(pl.col("f").fill_null("") + "000000").str.slice(0, 6).cast(pl.Int64, strict=False),
        zone=pl.col("z").fill_null(
            pl.col("n").str.to_lowercase().replace_strict(_ZONES, default=None, return_dtype=pl.String)
        ),
    ).with_columns(
        hour=pl.when(pl.col("half") == "p").then(pl.col("hour") % 12 + 12)
        .when(pl.col("half") == "a").then(pl.col("hour") % 12).otherwise(pl.col("hour")),
    )  # fmt: skip
    valid = (pl.col("hour") <= 24) & (pl.col("minute") < 60) & (pl.col("second") <= 60)  # noqa: PLR2004 - 24:00:60 at most
    clock = pl.duration(
        hours=pl.col("hour"), minutes=pl.col("minute"), seconds=pl.col("second"), microseconds=pl.col("micro")
    )
    years = _years(observed)
    offset = _offset()

    def moment(year: pl.Expr) -> pl.Series:
        date = pl.concat_str([part.cast(pl.String) for part in (year, pl.col("month"), pl.col("day"))], separator="-")
        day = date.str.to_date("%Y-%m-%d", strict=False).cast(pl.Datetime("us"))
        local = numbers.select(pl.when(valid).then(day + clock)).to_series()
        named = local.dt.replace_time_zone("UTC") - numbers.select(offset).to_series()
        return named.zip_with(numbers["zone"].is_not_null(), _zoned(local, timezone))

    dated = moment(pl.col("year"))
    undated = numbers["year"].is_null()
    how = numbers.select(
        pl.when(pl.col("year").is_null()).then(pl.lit(INFERRED_YEAR))
        .when(pl.col("zone").is_null() & pl.lit(timezone is None)).then(pl.lit(INFERRED_ZONE)).otherwise(pl.lit(EVENT))
    ).to_series()  # fmt: skip
    if undated.any():
        dated = _nearest_year([moment(pl.lit(year)) for year in years], observed).zip_with(undated, dated)
    return dated, where(dated.is_not_null(), how)


def _offset() -> pl.Expr:
    """The zone's offset from UTC; zero for Z, UTC and GMT. Three digits are minutes, as CIM and Db2 write them."""
    digits = pl.col("zone").str.replace_all(":", "", literal=True)
    sign = pl.when(digits.str.starts_with("-")).then(-1).otherwise(1)
    only_minutes = digits.str.len_bytes() == 4  # noqa: PLR2004 - a sign and three digits
    hours = pl.when(only_minutes).then(0).otherwise(digits.str.slice(1, 2).cast(pl.Int64, strict=False).fill_null(0))
    minutes = pl.when(only_minutes).then(digits.str.slice(1, 3)).otherwise(digits.str.slice(3, 2))
    minutes = minutes.cast(pl.Int64, strict=False).fill_null(0)
    return pl.duration(hours=hours * sign, minutes=minutes * sign)
