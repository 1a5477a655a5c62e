"""Saved queries that alert: a statement and a condition, asked of the newest whole window of time."""

from __future__ import annotations

import hashlib
import logging
import re
import tomllib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol, get_args
from uuid import NAMESPACE_URL, uuid5

import orjson
import polars as pl

from logshed.alert_settings import Level
from logshed.errors import AlertError, LogshedError, UsageError
from logshed.lake.batch import new_batch
from logshed.lake.folder import write_atomically
from logshed.lake.held import held
from logshed.pipeline.alert_choice import QUERY, TO
from logshed.pipeline.alert_state import FOLDER
from logshed.pipeline.findings import score
from logshed.schema import FINDINGS, polars_schema
from logshed.sizes import seconds

if TYPE_CHECKING:
    from pathlib import Path

    from logshed.sql.result import Result

QUERIES = "queries"
EVERYWHERE = "*"
"""The collection of a finding whose records belong to several: nobody who may see only some of them sees it."""

ACTORS = ("client_address", "user_id", "service_name", "host_name")
ROW_EVIDENCE = 100
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_WHEN = re.compile(
    r"\s*([A-Za-z_][A-Za-z0-9_]*)\s*(>=|<=|!=|==?|>|<)\s*(-?[0-9]+(?:\.[0-9]+)?)\s+in\s+([0-9]+\s*[smhdw])\s*"
)
_OWN_WINDOW = re.compile(r"\$(?:since|until)\b")

log = logging.getLogger(__name__)


class Asked(Protocol):
    """What is asked: a lake."""

    def query(self, sql: str, *, params: dict[str, object] | None = None) -> Result:
        """Run a statement that reads."""
        ...


@dataclass(frozen=True, slots=True)
class Condition:
    """When a query alerts.

    Attributes:
        column: ``count`` for the number of rows, else a column of the answer; one row that fits is enough.
        operator: The comparison, as SQL has it.
        number: What is compared with.
        seconds: Length of the window.
        text: As it was written.
    """

    column: str
    operator: str
    number: float
    seconds: int
    text: str

    def holds(self, value: float) -> bool:
        """Whether a number fits."""
        found: bool = {
            ">": value > self.number, ">=": value >= self.number, "<": value < self.number,
            "<=": value <= self.number, "=": value == self.number, "<>": value != self.number,
        }[self.operator]  # fmt: skip
        return found


@dataclass(frozen=True, slots=True)
class AlertQuery:
    """A saved query.

    Attributes:
        name: Its name, the file's stem.
        sql: One statement that reads. It has ``timestamp``, or uses ``$since`` and ``$until``.
        when: When it alerts.
        level: Level of its findings.
        to: Names of the destinations; none are all that want its level.
        author: Who wrote it.
        version: When it was saved, and a hash of it.
    """

    name: str
    sql: str
    when: Condition
    level: str = "medium"
    to: tuple[str, ...] = ()
    author: str | None = None
    version: str = ""


def condition(text: str) -> Condition:
    """A condition such as ``count > 50 in 5m``.

    Raises:
        logshed.errors.UsageError: It is none.
    """
    found = _WHEN.fullmatch(text)
    if found is None:
        raise UsageError(f"cannot read the condition {text!r}: it is none; write count > 50 in 5m")
    try:
        span = int(str(seconds(found[4])))
    except ValueError as error:
        raise UsageError(f"cannot read the condition {text!r}: {error}") from None
    operator = {"==": "=", "!=": "<>"}.get(found[2], found[2])
    return Condition(found[1], operator, float(found[3]), span, " ".join(text.split()))


def load(folder: Path) -> list[AlertQuery]:
    """The queries saved in a lake's folder.

    Raises:
        logshed.errors.AlertError: A file is wrong; the text names it.
    """
    return [_read(path) for path in _paths(folder)]


def add(folder: Path, query: AlertQuery) -> Path:
    """Save a query in a lake's folder.

    Raises:
        logshed.errors.UsageError: The name is malformed or taken.
        logshed.errors.AlertError: The file cannot be written.
    """
    if not _NAME.fullmatch(query.name):
        raise UsageError(
            f"cannot save the alert {query.name!r}: a name has at most 64 letters, digits, - and _; give one"
        )
    path = folder / FOLDER / QUERIES / f"{query.name}.toml"
    lines = [f"sql = {_toml(query.sql)}", f"when = {_toml(query.when.text)}", f"level = {_toml(query.level)}"]
    lines += [f"to = [{', '.join(map(_toml, query.to))}]"] if query.to else []
    lines += [f"author = {_toml(query.author)}"] if query.author else []
    lines += [f"saved = {datetime.now(UTC):%Y-%m-%d}"]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with held(path.parent):  # of two that save one of this name at once neither writes over the other's
            if path.exists():
                raise UsageError(
                    f"cannot save the alert {query.name}: there is one; `logshed alert remove {query.name}` first"
                )
            write_atomically(path, "\n".join(lines) + "\n")
    except OSError as error:
        raise AlertError(f"cannot write {path}: {error.strerror}; correct its permissions") from None
    return path


def remove(folder: Path, name: str) -> Path:
    """Remove a saved query.

    Raises:
        logshed.errors.UsageError: There is none of that name.
    """
    found = {path.stem: path for path in _paths(folder)}
    try:
        found[name].unlink()
    except (KeyError, FileNotFoundError):  # there is none, or another has just removed it
        known = ", ".join(one for one in found if one != name) or "there are none"
        told = f"cannot remove the alert {name}: no query has that name; `logshed alert list` tells: {known}"
        raise UsageError(told) from None
    return found[name]


def evaluate(lake: Asked, now: datetime, *, folder: Path | None = None) -> pl.DataFrame:
    """Findings of the saved queries whose condition holds in the newest whole window.

    Windows begin at whole multiples of their length since 1970, so that the same window gives the same ``finding_id``.

    Args:
        lake: The lake; its attribute ``root`` is its folder.
        now: The present, with a zone.
        folder: The lake's folder, where the lake has no ``root``.

    Returns:
        Rows of ``findings``. A query that fails is told in the log and stops no other.
    """
    rows, batch = [], new_batch()
    for path in _paths(folder or lake.root):  # type: ignore[attr-defined]
        try:
            row = ask(lake, _read(path), now)
        except LogshedError as error:
            log.warning("alert query %s: %s", path.stem, error)
            continue
        if row is not None:
            rows.append({**row, "batch": batch})
    return pl.DataFrame(rows, schema=polars_schema(FINDINGS))


def ask(lake: Asked, query: AlertQuery, now: datetime) -> dict[str, Any] | None:
    """The finding of a query in the newest whole window, or None where its condition does not hold.

    Raises:
        logshed.errors.QueryError: The statement is wrong.
        logshed.errors.AlertError: Its answer lacks a column that is needed.
    """
    when = query.when
    end = datetime.fromtimestamp(int(now.timestamp()) // when.seconds * when.seconds, UTC)
    start = end - timedelta(seconds=when.seconds)
    params: dict[str, object] = {"since": start, "until": end}
    source = f"({query.sql.strip().rstrip(';')}\n) AS answer"
    with lake.query(f"SELECT * FROM {source} LIMIT 0", params=params) as empty:
        columns = list(empty.columns)
    with lake.query(_statement(query, source, columns), params=params) as result:
        answer = dict(zip(result.columns, result.rows()[0], strict=True))
    value = answer["n"] if when.column == "count" else answer["value"]
    if not (when.holds(float(value)) if when.column == "count" else answer["fitting"]):
        return None
    return _finding(query, answer, float(value), start, end) | {"observed_timestamp": now}


def _statement(query: AlertQuery, source: str, columns: list[str]) -> str:
    """What is asked in one go: how many rows, which of them fit, and whom they are about."""
    when, asked = query.when, ["count(*) AS n"]
    if "timestamp" not in columns and not _OWN_WINDOW.search(query.sql):
        raise AlertError(
            f"cannot ask {query.name}: its answer has no column timestamp; select it, or use $since and $until"
        )
    if when.column != "count":
        if when.column not in columns:
            raise AlertError(f"cannot ask {query.name}: its answer has no column {when.column}; select it")
        best = "min" if when.operator.startswith("<") and when.operator != "<>" else "max"
        asked.append(f'{best}("{when.column}") AS value')
        asked.append(f'count_if("{when.column}" {when.operator} {when.number!r}) AS fitting')
    if "timestamp" in columns:
        asked += ['min("timestamp") AS first', 'max("timestamp") AS last']
    for name in ("collection", *ACTORS):
        if name in columns:
            asked.append(f'CASE WHEN min("{name}") = max("{name}") AND count("{name}") = count(*) '
                         f'THEN min("{name}") END AS "{name}"')  # fmt: skip
    if "record_id" in columns:
        asked.append(f'min("record_id", {ROW_EVIDENCE}) AS evidence')
    window = "" if _OWN_WINDOW.search(query.sql) else ' WHERE "timestamp" >= $since AND "timestamp" < $until'
    return f"SELECT {', '.join(asked)} FROM {source}{window}"


def _finding(query: AlertQuery, answer: dict[str, Any], value: float, start: datetime, end: datetime) -> dict[str, Any]:
    name, when = query.name, query.when
    actor = next((column for column in ACTORS if answer.get(column)), None)
    shown = f"{value:g}" if not value.is_integer() else f"{value:.0f}"
    attributes = {"sql": query.sql, "when": when.text, "value": shown, "window_start": start.isoformat()}
    attributes |= {TO: " ".join(query.to)} if query.to else {}
    key = f"{name}|{start.isoformat()}"
    return {
        "finding_id": hashlib.md5(key.encode(), usedforsecurity=False).hexdigest(),
        "timestamp": answer.get("first") or start,
        "end_timestamp": answer.get("last") or end,
        "collection": answer.get("collection") or EVERYWHERE,
        "rule_id": str(uuid5(NAMESPACE_URL, f"logshed:alert-query:{name}")),
        "rule_name": name, "rule_title": f"Query {name}: {when.text}", "rule_version": query.version,
        "rule_author": query.author, "rule_kind": QUERY, "level": query.level, "confidence": "high",
        "technique": None, "actor_type": actor, "actor": answer.get(actor) if actor else None,
        "client_address": answer.get("client_address"), "user_id": answer.get("user_id"),
        "service_name": answer.get("service_name"), "event_count": answer["n"],
        "score": score(query.level, "high", answer["n"]),
        "explanation": f"{when.column} was {shown} from {start:%Y-%m-%d %H:%M:%S} to {end:%H:%M:%S} UTC; "
        f"the condition is {when.text}.",
        "evidence": orjson.dumps(answer.get("evidence") or []).decode(),
        "attributes": [{"key": name, "value": text} for name, text in attributes.items()],
    }  # fmt: skip


def _paths(folder: Path) -> list[Path]:
    return sorted(path for path in (folder / FOLDER / QUERIES).glob("*.toml") if not path.name.startswith("."))


def _read(path: Path) -> AlertQuery:
    try:
        text = path.read_text("utf-8")
        found = tomllib.loads(text)
        sql, when, level = (str(found[key]) for key in ("sql", "when", "level"))
        if level not in get_args(Level):
            raise AlertError(f"cannot use {path}: level: {level!r} is none; write {', '.join(get_args(Level))}")
        digest = hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()[:8]
        version, to = f"{found.get('saved', '')} {digest}".strip(), tuple(map(str, found.get("to", ())))
        return AlertQuery(path.stem, sql, condition(when), level, to, found.get("author"), version)
    except KeyError as error:
        raise AlertError(f"cannot use {path}: the key {error.args[0]} is missing; write sql, when and level") from None
    except (OSError, ValueError) as error:
        raise AlertError(f"cannot read {path}: {error}; correct or remove it") from None
    except UsageError as error:
        raise AlertError(f"cannot use {path}: when: {error}") from None


def _toml(text: str) -> str:
    """A text as TOML has it: on lines of its own as it is, or in JSON's escapes, which TOML shares."""
    if "\n" in text and "'''" not in text and not re.search(r"[\x00-\x08\x0b-\x1f\x7f]|'$", text):
        return f"'''\n{text}'''"
    return orjson.dumps(text).decode().replace("\x7f", "\\u007f")
