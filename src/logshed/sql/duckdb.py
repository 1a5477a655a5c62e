"""Runs statements on DuckDB, embedded: ours in this process, people's in one beside it that can do nothing else."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, TypedDict

from logshed.sql.data_files import Files
from logshed.sql.session import Session
from logshed.sql.shared import Elsewhere, SharedSession, suits
from logshed.sql.sight import Seen

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Unpack

    from logshed.sql.result import Result
    from logshed.sql.sight import Sight
    from logshed.sql.tables import Tables


class Limits(TypedDict, total=False):
    """What a statement may take; all of the machine where it is not said.

    Attributes:
        memory_limit: Memory as ``2GB``; above it DuckDB spills to the temporary folder.
        threads: Cores.
        temp_limit: Bytes that it may spill, as ``2GB``.
        seconds: How long it may compute; the time that a reader takes over its rows does not count.
    """

    memory_limit: str
    threads: int
    temp_limit: str
    seconds: float


def connect(
    tables: Tables,
    *,
    timezone: str = "UTC",
    sight: Sight | None = None,
    sandbox: bool = False,
    home: str | None = None,
    **limits: Unpack[Limits],
) -> DuckDB:
    """An engine over a lake's tables.

    Args:
        tables: The lake's tables.
        timezone: The zone of days, hours and times that name none.
        sight: What the one who asks may see; None is all.
        sandbox: Whether statements are people's: they then run in a process of their own, and only what is allowed to
            them. Else their texts are ours, and what people say is bound to them or written as literals.
        home: The folder on this machine in which all data files lie, where our statements may share a database with
            others that read there; None gives each its own.
        limits: What a statement may take; seconds are counted in a sandbox alone.
    """
    return DuckDB(tables, timezone=timezone, sight=sight, sandbox=sandbox, home=home, **limits)


class DuckDB:
    """Answers statements; each one gets a connection of its own, so that one engine serves many threads."""

    def __init__(
        self,
        tables: Tables,
        *,
        timezone: str = "UTC",
        sight: Sight | None = None,
        sandbox: bool = False,
        home: str | None = None,
        **limits: Unpack[Limits],
    ) -> None:
        self._tables = tables if sight is None else Seen(tables, sight)
        self._sight = sight
        self._zone = timezone
        self._sandbox = sandbox
        self._home = home
        self._limits = limits

    def query(self, sql: str, params: Mapping[str, object] | None = None) -> Result:
        """Run one statement that reads.

        Args:
            sql: The statement; ``$name`` stands for a value.
            params: The values by name; ones that the statement does not use are ignored.

        Raises:
            logshed.errors.QueryError: The statement is wrong, or it does more than read.
        """
        if self._sandbox:
            from logshed.sql.workers import answer  # noqa: PLC0415 - starts processes, for people's statements alone

            return answer(self._tables, self._sight, sql, params or {}, self._zone, self._limits, self._home)
        if self._home is not None and not self._limits and suits(sql):
            with suppress(Elsewhere):
                return SharedSession(self._tables, sql, self._zone, self._sight, self._home).answer(params or {})
        return self._session(sql).answer(params or {})

    def filters(self, sql: str, params: Mapping[str, object] | None = None) -> dict[str, str | None]:
        """The tables that a statement reads, each with a row filter that all rows it needs pass, or None.

        Nothing is run and no data file is read.

        Raises:
            logshed.errors.QueryError: The statement is wrong, or it does more than read.
        """
        session = self._session(sql)
        try:
            with session.mistakes_explained():
                return session.plan(params or {})[1]
        finally:
            session.close()

    def _session(self, sql: str) -> Session:
        return Session(self._tables, sql, self._zone, self._limits, Files(self._tables, self._sight))
