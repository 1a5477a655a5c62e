"""The verb that turns a frequent attribute into a typed column of ``logs``, and tells which attributes are frequent."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from logshed.errors import UsageError
from logshed.lake.names import LOGS
from logshed.lake.promoted import Promoted, promoted
from logshed.lake.promoting import promote
from logshed.pipeline.tables import LakeTables
from logshed.pipeline.trail import FILE, Trail
from logshed.redaction.engine import Redactor
from logshed.redaction.naming import of_everything
from logshed.redaction.policy_files import load_policy
from logshed.schema import PROMOTED_TEXTS, UNMAPPED
from logshed.sql.duckdb import DuckDB
from logshed.sql.views import literal, views

if TYPE_CHECKING:
    from datetime import datetime

    from logshed.lake.store import Store
    from logshed.schema import Kind
    from logshed.settings import Settings

KINDS: dict[str, Kind] = {
    "string": "string",
    "int": "long",
    "double": "double",
    "bool": "boolean",
    "timestamp": "timestamptz",
}
"""The types by what users call them."""
NARROW: tuple[Kind, ...] = ("boolean", "long", "double", "timestamptz")
"""Those that not every text is, the narrowest first."""
MOST = 50
"""Attributes that are listed."""
_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")


@dataclass(frozen=True, slots=True)
class Attribute:
    """An attribute of the records, or a column that was one.

    Attributes:
        key: The attribute.
        records: Records that have it.
        type: The narrowest type that all its values fit, or the type of the column.
        column: The column that it is, or empty.
        fit: Records whose value fits the type.
    """

    key: str
    records: int
    type: str
    column: str = ""
    fit: int = 0

    def as_dict(self) -> dict[str, Any]:
        """For machines."""
        return asdict(self)


class Promote:
    """Attributes and columns of one lake.

    Args:
        store: The lake.
        settings: Settings.
    """

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._settings = settings

    def list(self, since: datetime | None = None) -> list[Attribute]:
        """The most frequent attributes, and those that are columns."""
        known = {one.key: one for one in promoted(self._store.table(LOGS))}
        where = f"timestamp >= TIMESTAMPTZ {literal(since.isoformat())}" if since else "true"
        fits = ", ".join(
            f"count(*) FILTER (WHERE regexp_matches(e.value, {literal(PROMOTED_TEXTS[kind])})) AS {kind}"
            for kind in NARROW
        )
        entries = f"SELECT unnest(map_entries({UNMAPPED})) AS e FROM logs WHERE {where}"
        rows = self._ask(f"SELECT e.key AS key, count(e.value) AS string, {fits} FROM ({entries}) GROUP BY 1")
        found = {row["key"]: row for row in rows.iter_rows(named=True)}
        frequent = sorted(found.keys() - known.keys(), key=lambda key: (-found[key]["string"], key))[:MOST]
        return [_told(key, found.get(key, {}), known.get(key)) for key in (*known, *frequent)]

    def run(self, key: str, kind: str = "string", name: str | None = None, *, dry: bool = False) -> Attribute:
        """Make an attribute a column; one that is this column already stays it.

        Args:
            key: The attribute.
            kind: One of ``KINDS``.
            name: The column's name; None makes one of the key.
            dry: Only count what would be in it.

        Raises:
            UsageError: There is no such type, or the name is taken or none.
            CommitConflictError: Others changed the table each time.
        """
        if kind not in KINDS:
            raise UsageError(f"cannot promote {key} to {kind}: there is no such type; take {', '.join(KINDS)}")
        column = name or _column(key)
        one = Promoted(key, column, KINDS[kind])
        table = self._store.to_write(LOGS) if not dry else self._store.table(LOGS)
        if one not in promoted(table):
            self._check(one, {field.name for field in table.schema().fields})
        counted = self._counted(one)
        if not dry:
            promote(self._store, one)
            self._note(counted)
        return counted

    def _check(self, one: Promoted, taken: set[str]) -> None:
        known = {known.key: known for known in promoted(self._store.table(LOGS))}
        if one.key in known:
            column = known[one.key].column
            raise UsageError(f"cannot promote {one.key}: it is the column {column} already; use that one")
        if not _NAME.fullmatch(one.column):
            raise UsageError(
                f"cannot name a column {one.column!r}: names are of a to z, 0 to 9 and _, a letter first; give --name"
            )
        shown = {name for view in views(LOGS.short) for name, _ in view.extra} | {
            column.name for column in LOGS.columns
        }
        if one.column in taken | shown:
            raise UsageError(f"cannot name a column {one.column}: logs has one of that name; give another --name")

    def _counted(self, one: Promoted) -> Attribute:
        value = f"{UNMAPPED}[{literal(one.key)}]"
        fits = "true" if one.kind == "string" else f"regexp_matches({value}, {literal(PROMOTED_TEXTS[one.kind])})"
        sql = f"SELECT count({value}), count(*) FILTER (WHERE {value} IS NOT NULL AND {fits}) FROM logs"
        records, fit = self._ask(sql).row(0)
        return Attribute(one.key, records, _named(one.kind), one.column, fit)

    def _ask(self, sql: str) -> pl.DataFrame:
        return DuckDB(LakeTables(lambda: self._store)).query(sql).pl()

    def _note(self, one: Attribute) -> None:
        policy = load_policy(self._settings.policy, self._settings.plugins, keys=self._settings.keys)
        redactor = Redactor(of_everything(policy))
        trail = Trail(self._store.root / FILE, lambda text: str(redactor.redact(pl.Series([text])).text[0]))
        trail.note("promote", one.key, "ok", one.as_dict())
        trail.ship(self._store)


def _told(key: str, counts: dict[str, Any], known: Promoted | None) -> Attribute:
    records = counts.get("string", 0)
    kind = known.kind if known else next((kind for kind in NARROW if counts[kind] == records > 0), "string")
    return Attribute(key, records, _named(kind), known.column if known else "", counts.get(kind, 0))


def _column(key: str) -> str:
    """A column's name made of a key: ``tenant_id`` of ``tenant.id``, ``read_only`` of ``readOnly``."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", key).lower()
    return re.sub(r"[^a-z0-9_]+", "_", words).strip("_")


def _named(kind: str) -> str:
    return next(name for name, own in KINDS.items() if own == kind)
