"""What every group of verbs stands on: the lake's folder, its settings, its tables."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Any, Literal, Self

from logshed.errors import AccessError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime
    from pathlib import Path

    import polars as pl

    from logshed.lake.store import Store
    from logshed.pipeline.away import Runner
    from logshed.pipeline.job import Job
    from logshed.pipeline.tables import Kept, LakeTables
    from logshed.settings import Settings
    from logshed.sql import Engine
    from logshed.sql.duckdb import Limits
    from logshed.sql.result import Result
    from logshed.sql.sight import Sight

EngineName = Literal["duckdb", "clickhouse"]


class Opened:
    """A lake: its tables, and what can be done with them.

    Use ``Lake.open`` or ``logshed.open``.

    Attributes:
        root: The lake's folder.
        settings: The settings that hold for its verbs.
    """

    def __init__(self, root: Path, settings: Settings) -> None:
        self.root = root
        self.settings = settings
        self._store: Store | None = None
        self._kept: Kept | None = None
        self._sight: Sight | None = None
        self._found = self._find  # the whole lake's, for whomever it is shown to in part too

    def seen_by(self, scopes: Iterable[str] | None) -> Self:
        """The same lake as somebody sees it who may not see all: every answer is made of their collections alone.

        Tables whose rows belong to no collection, and what was done to the lake, are not there for them. Verbs that do
        more than ask, which would read past this, are refused.

        Args:
            scopes: Globs on names of collections, as tokens have them; None, or one that is ``*``, shows all.

        Raises:
            logshed.errors.AccessError: More than this lake shows already was asked for.
        """
        from logshed.sql.sight import Sight  # noqa: PLC0415 - heavy

        sight = Sight.of(scopes)
        if self._sight is not None and sight != self._sight:
            raise AccessError("cannot show more of the lake: it shows some collections alone; begin with the whole one")
        self._tables()  # so that both keep what is found out about them in one place
        found = copy(self)
        vars(found).update(_sight=sight)
        return found

    def query(
        self,
        sql: str,
        *,
        engine: EngineName = "duckdb",
        params: dict[str, object] | None = None,
        timezone: str | None = None,
        sandbox: bool | None = None,
        limits: Limits | None = None,
    ) -> Result:
        """Run a statement over ``logs`` and ``lines``.

        Args:
            sql: A statement in DuckDB's dialect; parameters as ``$name``.
            engine: ``duckdb`` (embedded) or ``clickhouse``.
            params: Values of the parameters.
            timezone: The zone of days, hours and times that name none; None takes UTC.
            sandbox: Whether the text is of people who are not trusted with the machine: it runs in a process of its
                own, with what ``docs/sql.md`` allows. False is for texts of ours alone; None is a sandbox where not
                all may be seen.
            limits: What the statement may take.

        Raises:
            logshed.errors.QueryError: The statement is wrong; the text shows the place.
            logshed.errors.UsageError: There is no such zone.
        """
        from logshed.queries.times import zone_of  # noqa: PLC0415 - reads files

        zone = timezone or "UTC"
        zone_of(zone)
        options: dict[str, Any] = {**(limits or {})}
        alone = self._sight is not None if sandbox is None else sandbox
        if engine == "duckdb" and (alone or sandbox is False) and not self.settings.backing.storage.remote:
            options["home"] = self._found().warehouse
        return self._engine(self._tables(), zone, engine, sandbox=alone, **options).query(sql, params)

    def snapshot(self, table: str = "logs") -> tuple[int, int] | None:
        """What a table is read as now: the snapshot's id and its moment in milliseconds; None where it has no rows.

        As long as it is the same, the same question has the same answer.

        Args:
            table: The table's short name.
        """
        return self._tables().snapshot(table)

    def ask(self, sql: str, params: dict[str, object] | None = None, *, timezone: str | None = None) -> Result:
        """Run a statement whose text is ours: what people say is bound to it, or written as literals.

        It runs without a sandbox, in a database that such statements share.

        Args:
            sql: The statement.
            params: Values of its parameters.
            timezone: The zone of days, hours and times that name none; None takes UTC.

        Raises:
            logshed.errors.QueryError: The statement is wrong.
            logshed.errors.UsageError: There is no such zone.
        """
        return self.query(sql, params=params, timezone=timezone, sandbox=False)

    def moment(self, text: str) -> datetime:
        """A time such as ``24h``, ``7d``, ``2026-01-01`` or ``all``, in UTC.

        Raises:
            logshed.errors.UsageError: It is none.
        """
        from datetime import UTC, datetime  # noqa: PLC0415 - light, and wanted here only

        from logshed.queries.times import moment  # noqa: PLC0415 - reads files

        return moment(text, now=datetime.now(UTC), timezone=self.settings.timezone or "UTC")

    def later(self, text: str) -> datetime:
        """A time that lies ahead, such as ``12h``, ``7d`` or a date, in UTC.

        Raises:
            logshed.errors.UsageError: It is none.
        """
        from datetime import UTC, datetime  # noqa: PLC0415 - light, and wanted here only

        now, then = datetime.now(UTC), self.moment(text)
        return then if then > now else now + (now - then)

    def _job(self, *, dry_run: bool = False) -> Job:
        from logshed.engines.local import LocalEngine  # noqa: PLC0415 - heavy
        from logshed.pipeline.ingest import Ingest  # noqa: PLC0415 - heavy
        from logshed.pipeline.planning import Options  # noqa: PLC0415 - heavy

        return Ingest(self._opened(), self.settings, Options(dry_run=dry_run), LocalEngine(1)).job("")

    def _runner(self) -> Runner:
        from logshed.pipeline.away import Runner  # noqa: PLC0415 - heavy

        return Runner.of(self.settings)

    def _ask(self, sql: str, params: Mapping[str, object]) -> pl.DataFrame:
        return self.query(sql, params=dict(params), sandbox=False).pl()

    def _engine(self, tables: LakeTables, zone: str, engine: EngineName = "duckdb", **options: Any) -> Engine:
        from logshed.sql import connect  # noqa: PLC0415 - heavy

        return connect(engine, tables, timezone=zone, sight=self._sight, **options)

    def _tables(self) -> LakeTables:
        from logshed.pipeline.tables import Kept, LakeTables  # noqa: PLC0415 - heavy

        self._kept = self._kept or Kept()
        return LakeTables(self._found, self._kept)

    def _opened(self, *, create: bool = False) -> Store:
        if self._sight is not None:
            raise AccessError(
                "cannot open the lake's tables: only some collections may be seen here, and this would read them all; "
                "ask who may see all"
            )
        return self._found(create=create)

    def _find(self, *, create: bool = False) -> Store:
        if self._store is None:
            from logshed.lake.store import Store  # noqa: PLC0415 - PyIceberg takes a second

            self._store = Store.open(self.root, create=create, backing=self.settings.backing)
        return self._store
