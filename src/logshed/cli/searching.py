"""Answers a search in the way that was asked for, to people or to programs."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from logshed.cli import output, search_bars, search_lines, terminal
from logshed.cli.commands import let_interrupts_through
from logshed.cli.output import Format
from logshed.errors import UsageError

if TYPE_CHECKING:
    from datetime import tzinfo
    from pathlib import Path

    from logshed.api import EngineName, Lake
    from logshed.pipeline.search import Search
    from logshed.sql.result import Result

GROUPS = 50
"""Groups that people are shown where nothing says how many."""
LATEST_FIRST = 10
"""Records that ``--follow`` begins with, as ``tail -f`` does."""
_STREAMED = {Format.TABLE, Format.NDJSON}


@dataclass(frozen=True, slots=True)
class Form:
    """How an answer is written.

    Attributes:
        kind: In which format; ``TABLE`` is for people.
        to: The file, or None.
    """

    kind: Format
    to: Path | None

    @property
    def for_people(self) -> bool:
        """Whether it is printed to be read."""
        return self.kind is Format.TABLE and self.to is None

    def write(self, result: Result) -> int:
        """Write a result; of wide rows JSON lines leave out what is null."""
        return output.write(result, self.kind, self.to, sparse=True)


@dataclass(frozen=True, slots=True)
class Asked:
    """A search, and how it is to be answered.

    Attributes:
        search: The search.
        lake: Where to look.
        engine: What runs the SQL.
        zone: The zone of the times that people are shown.
        form: How the answer is written.
        explain: Print the SQL instead of running it.
    """

    search: Search
    lake: Lake
    engine: EngineName
    zone: str
    form: Form
    explain: bool

    def listed(self) -> None:
        """The records themselves."""
        from logshed.pipeline.search import found  # noqa: PLC0415 - heavy

        search = self._for_reader()
        if not self._explained(search.sql):
            self._told(self._records(found(search, self._query)))

    def around(self, records: int) -> None:
        """The records with so many around each."""
        from logshed.search import statements  # noqa: PLC0415 - not for `--help`

        search = self._for_reader()
        sql = statements.around(search.scope, search.fields, before_and_after=records, limit=search.limit)
        if not self._explained(sql):
            self._told(self._records(self._query(sql)))

    def counted(self, by: tuple[str, ...]) -> None:
        """Counts by fields."""
        from logshed.search import statements  # noqa: PLC0415 - not for `--help`

        if not by:
            raise UsageError("cannot group by nothing: --group-by has no field; write --group-by service,level")
        limit = self.search.limit or (GROUPS if self.form.for_people else None)
        self._table(statements.grouped(self.search.scope, by, limit=limit))

    def percentiles(self, which: tuple[float, str], by: tuple[str, ...]) -> None:
        """A percentile, of each value of some fields."""
        from logshed.search import statements  # noqa: PLC0415 - not for `--help`

        self._table(statements.percentile(self.search.scope, *which, by))

    def over_time(self, every: str | None, by: tuple[str, ...], *, rate: bool) -> None:
        """Counts or rates by steps of time."""
        from logshed.search import statements  # noqa: PLC0415 - not for `--help`

        scope = self.search.scope
        step = statements.step_of(every) if every else self._step()
        sql = statements.rates(scope, step, by) if rate else statements.histogram(scope, step)
        if by or not self.form.for_people:
            self._table(sql)
        elif not self._explained(sql):
            rows = self._query(sql).rows()
            terminal.page(search_bars.lines(rows, step, _zone(self.zone), terminal.width() or 80, rate=rate))
            self._told(sum(int(row[1]) for row in rows))

    def follow(self) -> None:
        """The latest records, and those that arrive from now on."""
        from logshed.pipeline.search import arriving, found  # noqa: PLC0415 - heavy

        if self.form.kind not in _STREAMED or self.form.to is not None:
            raise UsageError("cannot follow into this form: it has an end; take --json, or lines without --output")
        let_interrupts_through()
        search = self._for_reader()
        if self._explained(search.sql):
            return
        # The batches that are there are listed before the latest records are shown: nothing can fall between the two.
        arrivals = arriving(search, self._query)
        latest = found(replace(search, limit=search.limit or LATEST_FIRST, oldest_first=False), self._query)
        self._print(reversed_rows(latest))
        for result in arrivals:
            self._print(result)

    def _print(self, result: Result) -> None:
        """Print at once, without a pager: nobody may be waiting at its end."""
        if self.form.for_people:
            for line in search_lines.lines(result, _zone(self.zone), [0], own=self.search.fields):
                print(line)
        else:
            self.form.write(result)
        sys.stdout.flush()

    def _for_reader(self) -> Search:
        """With the fields that lines for people are made of, where none were asked for."""
        if self.form.for_people and not self.search.fields:
            return replace(self.search, fields=search_lines.FIELDS)
        return self.search

    def _records(self, result: Result) -> int:
        if not self.form.for_people:
            return self.form.write(result)
        counter = [0]
        lines = search_lines.lines(result, _zone(self.zone), counter, own=self.search.fields)
        terminal.page(lines)
        return counter[0]

    def _table(self, sql: str) -> None:
        if not self._explained(sql):
            self._told(self.form.write(self._query(sql)))

    def _query(self, sql: str) -> Result:
        return self.lake.query(sql, engine=self.engine)

    def _explained(self, sql: str) -> bool:
        if self.explain:
            print(sql)
        return self.explain

    def _step(self) -> int:
        """A step that gives about a screen of bars: of the window, or of the time that matches lie in."""
        from logshed.search import statements  # noqa: PLC0415 - not for `--help`

        first, last = self.search.scope.since, self.search.scope.until
        if first is None and not self.explain:
            first, last, _ = self._query(statements.extent(self.search.scope)).rows()[0]
        end = last or datetime.now(UTC)
        return statements.step_for((end - (first or end)).total_seconds())

    def _told(self, rows: int) -> None:
        """Say why there is nothing: old logs lie before the default window."""
        if rows or self.form.to is not None:
            return
        first, last = self._query("SELECT min(timestamp), max(timestamp) FROM logs").rows()[0]
        if first is None:
            told = "Nothing found: the lake is empty; fill it with `logshed ingest`."
        else:
            told = (
                f"Nothing found. The lake holds {first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M} UTC: "
                f"try --since {first:%Y-%m-%d}, or --since all."
            )
        print(told, file=sys.stderr)


def reversed_rows(result: Result) -> Result:
    """Few rows, the last one first."""
    from logshed.sql.result import of_frame  # noqa: PLC0415 - heavy

    return of_frame(result.pl().reverse())


def _zone(name: str) -> tzinfo:
    return UTC if name.upper() == "UTC" else ZoneInfo(name)
