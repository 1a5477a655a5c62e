"""The statements that a search runs, in DuckDB's dialect: records, records around them, counts, percentiles."""

from __future__ import annotations

from typing import TYPE_CHECKING

from logshed.errors import UsageError
from logshed.schema import SILVER, UNMAPPED
from logshed.search import sql
from logshed.search.compiler import WITH_NAN
from logshed.search.fields import LEVEL, Field, field
from logshed.search.model import Mistake
from logshed.search.values import LEVELS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from logshed.search.scope import Scope

EVERY_FIELD = tuple(column.name for column in SILVER)
ORDER = ("timestamp", "source", "generation", "offset", "item")
"""What puts records in one order only."""
_STEPS = (1, 5, 10, 30, 60, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400)
STEPS_AT_MOST = 80
"""Bars of a histogram, about a screen of them."""
_DAY, HOUR = 86_400, 3600
_OF_CLIENT, _OF_SERVER = 400, 500


def fields(names: Sequence[str]) -> list[Field]:
    """The fields of names that an option gives.

    Raises:
        UsageError: There is no such field.
    """
    found = []
    for name in names:
        try:
            found.append(Field(UNMAPPED, UNMAPPED, "text") if name == UNMAPPED else field(name))
        except Mistake as mistake:
            raise UsageError(f"cannot take the field {name!r}: {mistake.cause}; {mistake.advice}") from None
    return found


def shown(one: Field) -> str:
    """A field in a SELECT, under its own name; a level by its name."""
    return f"{level_name()} AS level" if one.kind == LEVEL else f"{one.sql} AS {sql.name(one.label)}"


def level_name(number: str = "severity_number") -> str:
    """The level's name in small letters, whatever the log calls it."""
    cases = " ".join(f"WHEN {number} >= {least} THEN '{name}'" for name, least in reversed(LEVELS.items()))
    return f"CASE {cases} END"


def severity_number() -> str:
    """The severity's number; a request without one counts by its status, what has neither is 0."""
    return (
        f"coalesce(severity_number, CASE WHEN http_response_status_code >= {_OF_SERVER} THEN {LEVELS['error']} "
        f"WHEN http_response_status_code >= {_OF_CLIENT} THEN {LEVELS['warn']} END, 0)"
    )


def records(scope: Scope, names: Sequence[str] = (), *, limit: int | None = None, oldest_first: bool = False) -> str:
    """Records in the order of their times.

    Args:
        scope: Which.
        names: Their fields, in order; none are all columns.
        limit: At most so many.
        oldest_first: Oldest first instead of newest.
    """
    chosen = ", ".join(map(shown, fields(names))) if names else ", ".join(map(sql.quoted, EVERY_FIELD))
    down = "" if oldest_first else " DESC"
    order = ", ".join(f"{sql.quoted(name)}{down}" for name in ORDER)
    most = "" if limit is None else f"\nLIMIT {limit}"
    return f"SELECT {chosen}\nFROM logs\nWHERE {scope.where}\nORDER BY {order}{most}"


def hours(scope: Scope) -> str:
    """How many records each hour of the window has, whether they match or not; latest first.

    Hours are whole ones since 1970: numbers take half of the time that moments do.
    """
    window = " AND ".join(scope.window) or "true"
    bucket = f'epoch_us("timestamp") // {HOUR * 1_000_000}'
    return f"SELECT {bucket} AS hour, count(*) AS n FROM logs WHERE {window} GROUP BY 1 ORDER BY 1 DESC"


def around(scope: Scope, names: Sequence[str], *, before_and_after: int, limit: int | None) -> str:
    """Records and the ones around them, as their source had them.

    The column ``match`` is true for those that were looked for; ``block`` is the same number for records that follow
    each other. The block with the newest record comes first, inside it the order is the source's.

    Args:
        scope: Which records are looked for; those around them may lie outside its time, not outside its collection.
        names: Their fields; none are all columns.
        before_and_after: How many on either side.
        limit: At most so many matches.
    """
    chosen = ", ".join(map(shown, fields(names or EVERY_FIELD)))
    most = "" if limit is None else f" LIMIT {limit}"
    own = "true" if scope.collection is None else f"collection = {sql.literal(scope.collection)}"
    key = 'source AS s, generation AS g, "offset" AS o, item AS i'
    near = f"ROWS BETWEEN {before_and_after} PRECEDING AND {before_and_after} FOLLOWING"
    return f"""WITH hits AS (
  SELECT {key}, "timestamp" AS hit FROM logs WHERE {scope.where} ORDER BY "timestamp" DESC, s, g, o, i{most}
), sources AS (
  SELECT DISTINCT s, g FROM hits
), places AS (
  SELECT s, g, o, i, hit FROM (SELECT {key} FROM logs WHERE {own}) AS every JOIN sources USING (s, g)
  LEFT JOIN hits USING (s, g, o, i)
), close AS (
  SELECT s, g, o, i, hit, max(hit) OVER (PARTITION BY s, g ORDER BY o, i {near}) AS near_hit,
    row_number() OVER (PARTITION BY s, g ORDER BY o, i) AS place
  FROM places
), kept AS (
  SELECT s, g, o, i, hit, near_hit, place, place - row_number() OVER (PARTITION BY s, g ORDER BY o, i) AS gap
  FROM close WHERE near_hit IS NOT NULL
), timed AS (
  SELECT s, g, o, i, hit, place, gap, max(near_hit) OVER (PARTITION BY s, g, gap) AS newest FROM kept
), blocks AS (
  SELECT s, g, o, i, hit, place, dense_rank() OVER (ORDER BY newest DESC, s, g, gap) AS nr FROM timed
)
SELECT {chosen}, CAST(hit IS NOT NULL AS BOOLEAN) AS "match", CAST(nr AS BIGINT) AS block
FROM logs JOIN blocks ON source = s AND generation = g AND "offset" = o AND item = i
WHERE {own}
ORDER BY nr, place"""


def grouped(scope: Scope, by: Sequence[str], *, limit: int | None = None) -> str:
    """How many records each value of some fields has, most first.

    Args:
        scope: Which records are counted.
        by: The fields.
        limit: At most so many groups.
    """
    places = ", ".join(str(place + 1) for place in range(len(by)))
    chosen = ", ".join(map(shown, fields(by)))
    most = "" if limit is None else f"\nLIMIT {limit}"
    return (
        f'SELECT {chosen}, count(*) AS "count"\nFROM logs\nWHERE {scope.where}\nGROUP BY {places}\n'
        f'ORDER BY "count" DESC, {places}{most}'
    )


def extent(scope: Scope) -> str:
    """The first and the last moment of what matches, and how many there are."""
    return f'SELECT min("timestamp") AS first, max("timestamp") AS last, count(*) AS n FROM logs WHERE {scope.where}'


def histogram(scope: Scope, step: int) -> str:
    """How many records each step of time has that has any, by severity: a request counts by its status.

    Args:
        scope: Which records are counted.
        step: Seconds of a step, one that divides a day.
    """
    severity = severity_number()
    return (
        f'SELECT time_bucket(to_seconds({step}), "timestamp") AS "time", count(*) AS "count",\n'
        f"  count(*) FILTER (WHERE {severity} >= {LEVELS['error']}) AS errors,\n"
        f"  count(*) FILTER (WHERE {severity} >= {LEVELS['warn']} AND {severity} < {LEVELS['error']}) AS warnings\n"
        f"FROM logs\nWHERE {scope.where}\nGROUP BY 1\nORDER BY 1"
    )


def rates(scope: Scope, step: int, by: Sequence[str] = ()) -> str:
    """How many records a second each step of time has that has any.

    Args:
        scope: Which records are counted.
        step: Seconds of a step, one that divides a day.
        by: Fields by whose values they are counted apart.
    """
    groups = "".join(f", {shown(one)}" for one in fields(by))
    places = ", ".join(str(place + 1) for place in range(1 + len(by)))
    return (
        f'SELECT time_bucket(to_seconds({step}), "timestamp") AS "time"{groups}, count(*) AS "count",\n'
        f"  count(*) / {step}.0 AS per_second\nFROM logs\nWHERE {scope.where}\nGROUP BY {places}\nORDER BY {places}"
    )


def percentile(scope: Scope, percent: float, name: str, by: Sequence[str] = ()) -> str:
    """A percentile of a field with numbers, interpolated.

    Args:
        scope: Which records are looked at; those without the field are left out.
        percent: 0 to 100.
        name: The field.
        by: Fields by whose values it is computed apart; the greatest comes first.

    Raises:
        UsageError: The field has no numbers, or the percentile is none.
    """
    (found,) = fields([name])
    if not 0 <= percent <= 100:  # noqa: PLR2004 - percent
        raise UsageError(f"cannot compute the percentile {percent:g}: it is not from 0 to 100; give one that is")
    if found.kind not in {"integer", "number", "size", "duration", "attribute"}:
        raise UsageError(f"cannot compute a percentile of {name}: it holds no numbers; take duration or size")
    side = f"TRY_CAST({found.sql} AS DOUBLE)" if found.kind == "attribute" else found.sql
    usable = f"{side} IS NOT NULL" + (f" AND NOT isnan({side})" if found.kind in WITH_NAN else "")
    groups = "".join(f"{shown(one)}, " for one in fields(by))
    label = f"p{percent:g}".replace(".", "_")
    own = f'quantile_cont({side}, {percent / 100!r}) AS {label}, count(*) AS "count"'
    places = ", ".join(str(place + 1) for place in range(len(by)))
    tail = f"\nGROUP BY {places}\nORDER BY {label} DESC, {places}" if by else ""
    return f"SELECT {groups}{own}\nFROM logs\nWHERE {scope.where} AND {usable}{tail}"


def step_for(seconds: float) -> int:
    """Seconds of a step by which so long a time has about a screen of them."""
    return next((step for step in _STEPS if seconds / step <= STEPS_AT_MOST), _DAY)


def step_of(text: str) -> int:
    """Seconds of a step that a user writes: ``30s``, ``5m``, ``1h``, ``1d``.

    Raises:
        UsageError: It is none, or it does not divide a day.
    """
    units = {"s": 1, "m": 60, "h": 3600, "d": _DAY}
    number, unit = text[:-1], text[-1:]
    step = int(number) * units[unit] if number.isascii() and number.isdigit() and unit in units else 0
    if not step or _DAY % step:
        raise UsageError(f"cannot count by {text!r}: a step divides a day; write 10s, 5m, 1h, 6h or 1d")
    return step
