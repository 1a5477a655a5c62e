"""The verb that makes a report: asks the questions of the pages, and writes pages, a summary and the figures."""

from __future__ import annotations

import difflib
import time
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from logshed import dashboards, queries
from logshed.alerts.common.version import VERSION
from logshed.dashboards.model import Asked
from logshed.errors import ReportError, UsageError
from logshed.pages import page
from logshed.pipeline.report_answers import Answers
from logshed.pipeline.report_files import FIGURES, as_json, holding, replaced, summary
from logshed.pipeline.report_pages import page_data
from logshed.pipeline.report_printing import browser, printed
from logshed.queries.times import EARLIEST, moment

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from logshed.dashboards import Dashboard
    from logshed.pipeline.report_answers import Query

WINDOW = "30d"
FOLDER = "log_analytics_results"
OVERVIEW, BY_DAY, TYPES = Asked("overview"), Asked("overview_by_day"), Asked("event_types", {"limit": 5})
"""What the summary is made of, and which days have records."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a report is to be about.

    Attributes:
        since: First moment; None takes 30 days.
        until: First moment that no longer counts; None takes all.
        collection: The only collection to look at.
        zone: The zone of days, and of times that name none.
        pages: Names of pages; empty takes all.
        pdf: Print each page to a PDF file too.
        now: The present.
    """

    since: str | datetime | None = None
    until: str | datetime | None = None
    collection: str | None = None
    zone: str = "UTC"
    pages: Sequence[str] = ()
    pdf: bool = False
    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    def scope(self) -> dict[str, Any]:
        """What every question is asked with.

        Raises:
            logshed.errors.UsageError: A time or the zone is none.
        """
        moment("now", now=self.now, timezone=self.zone)
        since = self.since or WINDOW
        if isinstance(since, str):
            since = moment(since, now=self.now, timezone=self.zone)
        until = self.until
        if isinstance(until, str):
            until = moment(until, now=self.now, timezone=self.zone)
        if until is not None and until <= since:
            raise UsageError("cannot make the report: it would end before it begins; give an --until after --since")
        return {
            "since": since,
            "until": until,
            "collection": self.collection,
            "now": self.now,
            "timezone": self.zone,
        }


@dataclass(frozen=True, slots=True)
class Report:
    """A report that is made.

    Attributes:
        folder: Where it lies.
        files: Its files, in order of the pages.
        summary: Its summary as text.
        window: The time that it is about, as text.
        events: Records in its window.
        seconds: How long it took.
    """

    folder: Path
    files: tuple[Path, ...]
    summary: str
    window: str
    events: int
    seconds: float

    @property
    def pages(self) -> tuple[Path, ...]:
        """Its pages."""
        return tuple(file for file in self.files if file.suffix == ".html")

    def as_dict(self) -> dict[str, Any]:
        """For machines."""
        return {
            "folder": str(self.folder),
            "window": self.window,
            "files": [{"name": file.name, "bytes": file.stat().st_size} for file in self.files],
            "events": self.events,
            "seconds": self.seconds,
        }


def report(
    query: Query,
    snapshot: tuple[int, int] | None,
    folder: Path,
    wanted: Wanted,
    plugins: Sequence[Path] = (),
    progress: Callable[[str], None] | None = None,
) -> Report:
    """Make a report in a folder, all of it or nothing.

    Args:
        query: Runs a statement in the zone of ``wanted``; all statements must see the same snapshot.
        snapshot: That snapshot's id and moment in milliseconds; None for a lake without rows.
        folder: Where to write it; an older report there is replaced.
        wanted: What it is about.
        plugins: More roots of questions and dashboards.
        progress: Is told what is being done.

    Raises:
        logshed.errors.DashboardError: A dashboard is wrong, or there is none of a name.
        logshed.errors.QueryError: A question failed.
        logshed.errors.ReportError: The folder holds something else, or cannot be written.
        logshed.errors.UsageError: A time or the zone is none.
    """
    begun = time.monotonic()
    program = browser() if wanted.pdf else None
    holding(folder)
    questions = queries.load(plugins)
    known = {one.name: one for one in dashboards.load(plugins, questions).values() if one.shown != "web"}
    chosen = _chosen(known, wanted.pages)
    scope = wanted.scope()
    asked = len({(one.question, str(one.params)) for board in chosen for one in board.questions()})
    told = _counted(progress, asked)
    answers = Answers(query, questions, scope, told=told)
    meta = _meta(answers, wanted, scope, snapshot)
    made = [{"meta": meta, **page_data(board, answers)} for board in chosen]
    text = summary(meta, answers.frame(OVERVIEW), answers.frame(TYPES))
    links = [{"name": one.name, "title": one.title, "file": f"{one.name}.html"} for one in chosen]
    files = {f"{data['page']['name']}.html": page(data, links).encode() for data in made}
    if program is not None:
        if progress is not None:
            progress("printing")
        files |= printed(files, program)
    files["log_summary.txt"] = text.encode()
    files[FIGURES] = as_json(meta, text, made, [*files, FIGURES])
    written = replaced(folder, files)
    return Report(folder, written, text, meta["window_text"], meta["events"], round(time.monotonic() - begun, 3))


def _chosen(known: Mapping[str, Dashboard], names: Sequence[str]) -> list[Dashboard]:
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
            advice = f"did you mean {near[0]}?" if near else f"take {', '.join(known)}"
            raise ReportError(f"cannot make the page {name!r}: there is none; {advice}")
    return [one for name, one in known.items() if not names or name in names]


def _counted(progress: Callable[[str], None] | None, asked: int) -> Callable[[str], None] | None:
    if progress is None:
        return None
    done = 0

    def told(question: str) -> None:
        nonlocal done
        done += 1
        progress(f"question {done} of about {max(done, asked)}: {question}")

    return told


def _meta(
    answers: Answers, wanted: Wanted, scope: Mapping[str, Any], snapshot: tuple[int, int] | None
) -> dict[str, Any]:
    """What the pages say of themselves; days are in the report's zone, each with its beginning in milliseconds."""
    zone = ZoneInfo(wanted.zone)
    overview, days = answers.frame(OVERVIEW), answers.frame(BY_DAY)["day"].to_list()
    first, last = (overview["first_event"][0], overview["last_event"][0]) if overview.height else (None, None)
    since = scope["since"] if scope["since"] > EARLIEST or first is None else first
    until = scope["until"] or max(wanted.now, last or wanted.now)
    since_text, until_text = _clock(since, zone), _clock(until, zone)
    return {
        "version": VERSION,
        "zone": wanted.zone,
        "collection": wanted.collection,
        "since": since.isoformat(),
        "until": until.isoformat(),
        "since_text": since_text,
        "until_text": until_text,
        "window_text": f"{since_text} to {until_text}",
        "made": wanted.now.isoformat(),
        "made_text": f"{_clock(wanted.now, zone)} {wanted.zone}",
        "snapshot": None if snapshot is None else str(snapshot[0]),
        "snapshot_text": None if snapshot is None else _clock(datetime.fromtimestamp(snapshot[1] / 1000, UTC), zone),
        "events": int(overview["events"][0]) if overview.height else 0,
        "days": [[day.isoformat(), _begins(day, zone)] for day in days],
        "first_day": days[0].isoformat() if days else None,
        "last_day": days[-1].isoformat() if days else None,
    }


def _clock(when: datetime, zone: ZoneInfo) -> str:
    return f"{when.astimezone(zone):%Y-%m-%d %H:%M}"


def _begins(day: date, zone: ZoneInfo) -> int:
    """The first moment of a day; where the clock jumps over midnight, that is the moment of the jump."""
    return int(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp() * 1000)
