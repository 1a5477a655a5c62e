"""Answers the tools' questions on a lake, as rows that are short enough to be read."""

from __future__ import annotations

import base64
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import orjson

from logshed.errors import UsageError
from logshed.pipeline.search import WINDOW, understood
from logshed.schema import AUDIT, BRONZE, FINDINGS, INCIDENTS, SILVER
from logshed.search import statements

if TYPE_CHECKING:
    from logshed.api import Lake
    from logshed.assistants import tools
    from logshed.search.scope import Scope
    from logshed.sql.result import Result

LONGEST = 2_000
"""Characters of a value; the rest is cut off."""
MOST_CHARACTERS = 100_000
"""Of all rows of an answer."""
_KNOWN = {"logs": SILVER, "lines": BRONZE, "findings": FINDINGS, "incidents": INCIDENTS, "audit": AUDIT}
_COLLECTIONS = (
    "SELECT collection, count(*) AS records, min(timestamp) AS first, max(timestamp) AS last "
    "FROM logs GROUP BY 1 ORDER BY 1"
)
_COLUMNS = (
    "SELECT table_name, column_name, data_type FROM information_schema.columns "
    "WHERE table_schema = 'main' ORDER BY table_name, ordinal_position"
)
_INCIDENTS = """
SELECT incident_id, timestamp AS first, end_timestamp AS last, threat_level, threat_score, severity_level, actor_type,
    actor, finding_count, event_count, status, collection, rules
FROM incidents
WHERE end_timestamp >= $since AND timestamp < $until AND ($collection IS NULL OR collection = $collection)
    AND ($every OR status = 'open' OR (status = 'muted' AND muted_until < now()))
ORDER BY threat_score DESC, end_timestamp DESC
"""
_INCIDENT = "SELECT * EXCLUDE (batch) FROM incidents WHERE starts_with(incident_id, $id) ORDER BY incident_id LIMIT 2"


def collections(lake: Lake, asked: tools.Nothing) -> dict[str, Any]:
    """The collections."""
    del asked
    return _rows(lake.ask(_COLLECTIONS), None)


def tables(lake: Lake, asked: tools.Nothing) -> dict[str, Any]:
    """The tables with their columns."""
    del asked
    found: dict[str, dict[str, str]] = {}
    for table, column, kind in lake.ask(_COLUMNS).rows():
        meanings = {one.name: one.meaning for one in _KNOWN.get(table, ())}
        meaning = meanings.get(column)
        found.setdefault(table, {})[column] = f"{kind}: {meaning}" if meaning else str(kind)
    return {"tables": found}


def search(lake: Lake, asked: tools.Search) -> dict[str, Any]:
    """Records."""
    result = lake.search(
        asked.text,
        since=asked.since,
        until=asked.until,
        collection=asked.collection,
        fields=asked.fields,
        limit=asked.limit + 1,
        oldest_first=asked.oldest_first,
    )
    return _rows(result, asked.limit, sparse=not asked.fields)


def count(lake: Lake, asked: tools.Count) -> dict[str, Any]:
    """Counts by fields."""
    return _rows(lake.ask(statements.grouped(_scope(lake, asked), asked.by, limit=asked.limit + 1)), asked.limit)


def over_time(lake: Lake, asked: tools.OverTime) -> dict[str, Any]:
    """Counts by steps of time; where no step is given, one that gives about a screen of them."""
    scope = _scope(lake, asked)
    if asked.every:
        step = statements.step_of(asked.every)
    else:
        first, last, _ = lake.ask(statements.extent(scope)).rows()[0]
        step = statements.step_for((last - first).total_seconds() if first else 0)
    return {"seconds_of_a_step": step} | _rows(lake.ask(statements.histogram(scope, step)), asked.limit)


def query(lake: Lake, asked: tools.Statement) -> dict[str, Any]:
    """A statement's rows."""
    return _rows(lake.query(asked.sql, sandbox=True), asked.limit)


def questions(lake: Lake, asked: tools.Nothing) -> dict[str, Any]:
    """The named questions."""
    del asked
    found = {
        name: {
            "title": one.title,
            "answers": " ".join(one.description.split()),
            "parameters": {key: parameter.meaning for key, parameter in one.parameters.items()},
        }
        for name, one in lake.questions().items()
    }
    return {"questions": found}


def ask(lake: Lake, asked: tools.Named) -> dict[str, Any]:
    """A named question's rows."""
    times = {"since": asked.since, "until": asked.until, "collection": asked.collection}
    if taken := sorted(set(asked.parameters) & {*times, "engine", "now", "compare", "timezone", "name"}):
        raise UsageError(f"cannot set {taken[0]} as a parameter: it is none; give it beside the name")
    return _rows(lake.run(asked.name, **times, **asked.parameters), asked.limit)  # type: ignore[arg-type]


def patterns(lake: Lake, asked: tools.Templates) -> dict[str, Any]:
    """Templates of messages."""
    found = lake.patterns(since=asked.since, until=asked.until, collection=asked.collection, change=asked.change)
    rows = found.frame.head(asked.limit).to_dicts()
    return _bounded(rows, len(rows) < found.frame.height)


def incidents(lake: Lake, asked: tools.Incidents) -> dict[str, Any]:
    """Incidents."""
    since = lake.moment(asked.since or WINDOW)
    until = lake.moment(asked.until) if asked.until else datetime.max.replace(tzinfo=since.tzinfo)
    params: dict[str, object] = {"since": since, "until": until, "collection": asked.collection, "every": asked.every}
    return _rows(lake.ask(_INCIDENTS, params), asked.limit)


def incident(lake: Lake, asked: tools.Incident) -> dict[str, Any]:
    """One incident."""
    result = lake.ask(_INCIDENT, {"id": asked.id})
    rows = [dict(zip(result.columns, row, strict=True)) for row in result.rows()]
    if len(rows) != 1:
        told = "several begin so" if rows else "there is none that begins so"
        raise UsageError(f"cannot show the incident {asked.id}: {told}; `incidents` lists them")
    row = rows[0]
    parsed = {name: orjson.loads(row[name] or "[]")[: MOST_CHARACTERS // 1000] for name in ("timeline", "notes")}
    return {name: _plain(value) for name, value in (row | parsed).items()}


def _scope(lake: Lake, asked: tools.Count | tools.OverTime) -> Scope:
    zone = lake.settings.timezone or "UTC"
    return understood(asked.text, since=asked.since, until=asked.until, collection=asked.collection, timezone=zone)


def _rows(result: Result, limit: int | None, *, sparse: bool = False) -> dict[str, Any]:
    """The first rows; what is beyond them is not read."""
    rows: list[dict[str, Any]] = []
    more = False
    with result:
        for batch in result.batches():
            rows += batch.to_pylist(maps_as_pydicts="lossy")
            if limit is not None and len(rows) > limit:
                more, rows = True, rows[:limit]
                break
    if sparse:
        rows = [{name: value for name, value in row.items() if value not in (None, {}, "")} for row in rows]
    return _bounded(rows, more)


def _bounded(rows: list[dict[str, Any]], more: bool) -> dict[str, Any]:
    """Rows as JSON takes them, until they are too long together."""
    found: list[dict[str, Any]] = []
    length = 0
    for row in rows:
        plain = _plain(row)
        length += len(orjson.dumps(plain))
        if length > MOST_CHARACTERS:
            more = True
            break
        found.append(plain)
    return {"rows": found, "more": more}


def _plain(value: Any) -> Any:  # noqa: PLR0911 - one branch a kind of value
    """A value as JSON has it; long texts are cut."""
    match value:
        case str() if len(value) > LONGEST:
            return f"{value[:LONGEST]}… ({len(value):,} characters)"
        case dict():
            return {str(name): _plain(one) for name, one in value.items()}
        case list() | tuple():
            return [_plain(one) for one in value]
        case datetime():
            return value.isoformat().replace("+00:00", "Z")
        case date() | time():
            return value.isoformat()
        case timedelta():
            return value.total_seconds()
        case Decimal():
            return float(value)
        case bytes():
            return base64.b64encode(value).decode()
        case float() if value != value or abs(value) == float("inf"):  # noqa: PLR0124 - NaN
            return None
    return value
