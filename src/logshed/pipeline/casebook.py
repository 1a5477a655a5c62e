"""Lists of findings and incidents for those who watch: filtered, in pages, each with where the next one begins."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import orjson

from logshed.pipeline import cursors
from logshed.queries.times import EARLIEST
from logshed.queries.times import LATEST as FUTURE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from logshed.sql.result import Result

STATUS = "CASE WHEN status = 'muted' AND muted_until < now() THEN 'open' ELSE status END"
"""A mute that is over mutes nothing."""
INCIDENTS = f"""
SELECT * EXCLUDE (batch, timeline, notes, status), {STATUS} AS status,
    coalesce(json_array_length(CAST(notes AS JSON)), 0) AS note_count
FROM incidents
WHERE end_timestamp >= $since AND timestamp < $until
"""
FINDINGS = """
SELECT * EXCLUDE (batch, attributes, evidence),
    coalesce(json_array_length(CAST(evidence AS JSON)), 0) AS evidence_count
FROM findings
WHERE end_timestamp >= $since AND timestamp < $until
"""
COUNTS = f"""
SELECT {STATUS} AS status, threat_level, count(*) AS incidents
FROM incidents
WHERE end_timestamp >= $since AND timestamp < $until
GROUP BY ALL ORDER BY ALL
"""
BY_RULE = """
SELECT rule_name, count(*) AS findings, max(end_timestamp) AS last
FROM findings WHERE end_timestamp >= $since GROUP BY 1
"""
NEWEST = "SELECT max(observed_timestamp) AS newest FROM findings"


class Ask(Protocol):
    """Runs a statement over the part of a lake that somebody sees."""

    def __call__(self, sql: str, *, params: dict[str, object] | None = None) -> Result:
        """Its result."""


class Page(NamedTuple):
    """Some rows of a list.

    Attributes:
        items: The rows.
        next: Where the next page begins; None where there is none.
    """

    items: list[dict[str, Any]]
    next: str | None


class Order(NamedTuple):
    """An order of a list, the greatest first: its columns with their types; the last one tells rows apart."""

    columns: dict[str, type]

    def sql(self) -> str:
        """What follows ORDER BY."""
        return ", ".join(f"{name} DESC" for name in self.columns)

    def after(self) -> str:
        """Whether a row comes after ``$after_…``."""
        return f"({', '.join(self.columns)}) < ({', '.join(f'$after_{name}' for name in self.columns)})"


WORST = Order({"threat_score": float, "end_timestamp": datetime, "incident_id": str})
LATEST = Order({"end_timestamp": datetime, "incident_id": str})
LATEST_FINDINGS = Order({"end_timestamp": datetime, "finding_id": str})
FOUND_LATEST = Order({"observed_timestamp": datetime, "finding_id": str})
ORDERS = {"worst": WORST, "latest": LATEST}


@dataclass(frozen=True, slots=True)
class Filter:
    """Which rows are wanted; what is empty is any.

    Attributes:
        since: Those that end then or later.
        until: Those that begin before.
        one_of: Values of columns, any of which will do.
        globs: Globs on columns.
        rule: Glob on the name of a rule, of several in an incident.
        text: A part of the actor, of a rule's name or of the sentence, whatever the letter case.
    """

    since: datetime
    until: datetime
    one_of: dict[str, Sequence[str]] = field(default_factory=dict)
    globs: dict[str, str] = field(default_factory=dict)
    rule: str = ""
    text: str = ""

    def sql(self, rules: str, texts: Sequence[str]) -> tuple[str, dict[str, object]]:
        """Conditions, each after AND, and their parameters.

        Args:
            rules: Expression of the list of rules' names.
            texts: Columns in which ``text`` is looked for.
        """
        parts: list[str] = []
        params: dict[str, object] = {"since": self.since, "until": self.until}
        for name, values in self.one_of.items():
            if values:
                parts.append(f"AND list_contains($in_{name}, {name})")
                params[f"in_{name}"] = list(values)
        for name, glob in self.globs.items():
            if glob:
                parts.append(f"AND {name} GLOB $glob_{name}")
                params[f"glob_{name}"] = glob
        if self.rule:
            parts.append(f"AND list_bool_or(list_transform({rules}, lambda one: one GLOB $rule))")
            params["rule"] = self.rule
        if self.text:
            joined = f"lower(concat_ws(' ', {', '.join(texts)}))"
            parts.append(f"AND contains({joined}, lower($text))")
            params["text"] = self.text
        return "\n".join(parts), params


def incidents(ask: Ask, wanted: Filter, order: Order = WORST, *, limit: int = 50, cursor: str | None = None) -> Page:
    """Incidents.

    Args:
        ask: Runs statements.
        wanted: Which.
        order: In which order.
        limit: At most so many.
        cursor: Where the page before ended.

    Raises:
        UsageError: The cursor is of another list.
    """
    where, params = wanted.sql("string_split(rules, ' ')", ("actor", "rules", "assignee"))
    return _page(ask, f"SELECT * FROM ({INCIDENTS}) WHERE true {where}", params, order, limit, cursor)


def findings(
    ask: Ask, wanted: Filter, order: Order = LATEST_FINDINGS, *, limit: int = 50, cursor: str | None = None
) -> Page:
    """Findings, as ``incidents``."""
    where, params = wanted.sql("[rule_name]", ("actor", "rule_name", "rule_title", "explanation"))
    return _page(ask, f"SELECT * FROM ({FINDINGS}) WHERE true {where}", params, order, limit, cursor)


def _page(ask: Ask, sql: str, params: dict[str, object], order: Order, limit: int, cursor: str | None) -> Page:
    if cursor is not None:
        sql += f" AND {order.after()}"
        params = params | {f"after_{name}": value for name, value in cursors.read(cursor, order.columns).items()}
    found = ask(f"{sql} ORDER BY {order.sql()} LIMIT {limit + 1}", params=params).pl()
    items = found.head(limit).to_dicts()
    more = found.height > limit
    return Page(items, cursors.written([items[-1][name] for name in order.columns]) if more else None)


def counts(ask: Ask, since: datetime, until: datetime) -> list[dict[str, Any]]:
    """How many incidents there are, by status and threat level."""
    return ask(COUNTS, params={"since": since, "until": until}).pl().to_dicts()


def by_rule(ask: Ask, since: datetime) -> dict[str, dict[str, Any]]:
    """How many findings each rule made since a time, and when the last of their records happened."""
    rows = ask(BY_RULE, params={"since": since}).pl().iter_rows(named=True)
    return {row["rule_name"]: {"findings": row["findings"], "last": row["last"]} for row in rows}


def newest(ask: Ask) -> datetime | None:
    """When the newest finding was found, or went on."""
    found: datetime | None = ask(NEWEST).pl().item()
    return found


def found_after(ask: Ask, moment: datetime, limit: int) -> list[dict[str, Any]]:
    """Findings that were found, or went on, after a moment: the oldest of them first.

    Args:
        ask: Runs statements.
        moment: The moment.
        limit: At most so many, the newest ones.
    """
    sql = f"SELECT * FROM ({FINDINGS}) WHERE observed_timestamp > $moment ORDER BY {FOUND_LATEST.sql()} LIMIT {limit}"
    params: dict[str, object] = {"since": EARLIEST, "until": FUTURE, "moment": moment}
    return ask(sql, params=params).pl().reverse().to_dicts()


def told(row: dict[str, Any]) -> dict[str, Any]:
    """An incident for people: its timeline, and what was written on it parted from how it was changed."""
    notes = orjson.loads(row["notes"] or "[]")
    changes = [one for one in notes if "status" in one or "assignee" in one]
    return {
        **{name: value for name, value in row.items() if name not in {"batch", "timeline", "notes"}},
        "assignee": row.get("assignee"),
        "timeline": orjson.loads(row["timeline"] or "[]"),
        "notes": [one for one in notes if one not in changes],
        "changes": changes,
    }
