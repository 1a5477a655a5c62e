"""``logshed alert``: the destinations of findings, what they were sent, and saved queries that alert."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from logshed.cli import tables, terminal
from logshed.cli.cells import shown
from logshed.cli.commands import FAILED, JsonOption, LakeOption, add
from logshed.errors import AlertError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from logshed.alert_settings import Alert
    from logshed.pipeline.alert_report import DeliveryReport
    from logshed.pipeline.alerting import Alerting
    from logshed.settings import Settings

Names = Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="Only these.", show_default=False)]
COLUMNS = ("name", "to", "level", "confidence", "rules", "group", "rate", "quiet", "last alert", "waiting", "dead")
LIST_EXAMPLES = ("logshed alert list", "logshed alert list --json")
TEST_EXAMPLES = ("logshed alert test", "logshed alert test ops")
REPLAY_EXAMPLES = ("logshed alert replay", "logshed alert replay ops")
ADD_EXAMPLES = (
    "logshed alert add errors --sql 'SELECT * FROM logs WHERE http_response_status_code >= 500' \\",
    "    --when 'count > 50 in 5m' --level high --to ops",
    "logshed alert add silence --sql 'SELECT timestamp FROM logs' --when 'count = 0 in 1h'",
)


class Level(StrEnum):
    """Sigma's levels."""

    INFORMATIONAL = "informational"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


def register(app: typer.Typer) -> None:
    """Add the group of commands."""
    group = typer.Typer(help="Where findings are sent.", no_args_is_help=True, rich_markup_mode=None)
    add(group, "list", list_alerts, examples=LIST_EXAMPLES)
    add(group, "test", send_test, examples=TEST_EXAMPLES)
    add(group, "replay", replay, examples=REPLAY_EXAMPLES)
    add(group, "add", add_query, examples=ADD_EXAMPLES)
    add(group, "remove", remove_query, examples=("logshed alert remove errors",))
    app.add_typer(group, name="alert")


def list_alerts(*, lake: LakeOption = None, as_json: JsonOption = False) -> None:
    """List the destinations with what they get and were sent, and the saved queries. No secret is shown."""
    from logshed.pipeline import alert_queries  # noqa: PLC0415 - heavy

    settings = _settings()
    folder = _folder(settings, lake)
    alerting = _alerting(settings, folder)
    dead = [one.alert for one in alerting.dead_letters.all()]
    found = [_described(one, alerting, dead.count(one.name)) for one in alerting.alerts]
    queries = [
        {"name": one.name, "when": one.when.text, "level": one.level, "to": list(one.to), "sql": one.sql}
        for one in alert_queries.load(folder)
    ]
    if as_json:
        _print_json({"destinations": found, "queries": queries})
        return
    if not found:
        print("No destination is set: add [[alert]] to logshed.toml, see docs/alerts.md.")
    else:
        rows = [[one[name.replace(" ", "_")] for name in COLUMNS] for one in found]
        terminal.page(tables.table(COLUMNS, [[_cell(value) for value in row] for row in rows], terminal.width()))
    if queries:
        header = ("query", "when", "level", "to", "sql")
        rows = [[one["name"], one["when"], one["level"], _cell(one["to"]), one["sql"]] for one in queries]
        terminal.page(["", *tables.table(header, rows, terminal.width())])


def send_test(names: Names = None, *, as_json: JsonOption = False) -> None:
    """Send a test alert, marked as one, to the destinations named or to all. Exits with 1 if one does not take it."""
    settings = _settings()
    report = _alerting(settings, settings.lake).test(names or ())
    _tell(report, "took the test alert", as_json=as_json)


def replay(names: Names = None, *, lake: LakeOption = None, as_json: JsonOption = False) -> None:
    """Send again what could not be delivered; what is taken now leaves the dead letters.

    Rate and quiet hours do not hold for it. Exits with 1 if one is not taken, which stays where it is.
    """
    settings = _settings()
    alerting = _alerting(settings, _folder(settings, lake))
    report = alerting.replay(names or ())
    _tell(report, "sent", as_json=as_json)
    left = alerting.dead_letters.all()
    if left and not as_json:
        print(f"{len(left)} left in {alerting.dead_letters.path}")


def add_query(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Its name.")],
    *,
    sql: Annotated[str, typer.Option("--sql", metavar="SQL", help="A statement whose answer has `timestamp`.")],
    when: Annotated[str, typer.Option("--when", metavar="CONDITION", help="Such as 'count > 50 in 5m'.")],
    level: Annotated[Level, typer.Option("--level", help="Level of its findings.")] = Level.MEDIUM,
    to: Annotated[
        list[str] | None,
        typer.Option("--to", metavar="NAME", help="Only this destination; may be repeated.", show_default=False),
    ] = None,
    author: Annotated[str | None, typer.Option("--author", metavar="NAME", help="Who wrote it.")] = None,
    lake: LakeOption = None,
) -> None:
    """Save a query that alerts when its condition holds in the newest whole window of time.

    The condition is COLUMN, a comparison, a number and a window. COLUMN is `count` for the number of rows, else a
    column of the answer, of which one row that fits is enough. A statement may use $since and $until itself; else its
    rows are taken by `timestamp`. It is asked once now, so that a mistake shows, and by every detection from then on.
    """
    from logshed.api import Lake  # noqa: PLC0415 - heavy
    from logshed.pipeline import alert_queries  # noqa: PLC0415 - heavy

    opened = Lake.open(lake)
    known = [one.name for one in opened.settings.alert]
    for one in to or ():
        if one not in known:
            advice = f"the names are {', '.join(known)}" if known else "add [[alert]] to logshed.toml first"
            raise UsageError(f"cannot alert {one}: there is no such destination; {advice}")
    query = alert_queries.AlertQuery(name, sql, alert_queries.condition(when), level.value, tuple(to or ()), author)
    found = alert_queries.ask(opened, query, datetime.now(UTC))
    path = alert_queries.add(opened.root, query)
    print(f"Saved {path}. In the newest whole window it {'alerts' if found else 'does not alert'}.")


def remove_query(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Its name.")], *, lake: LakeOption = None
) -> None:
    """Remove a saved query; its findings stay in the lake."""
    from logshed.pipeline import alert_queries  # noqa: PLC0415 - heavy

    print(f"Removed {alert_queries.remove(_folder(_settings(), lake), name)}.")


def _described(alert: Alert, alerting: Alerting, dead: int) -> dict[str, Any]:
    problem, sent, waiting = "", [], 0
    try:
        state, waiting = alerting.state(alert.name)
        sent = state.sent
    except AlertError as error:
        problem = str(error)
    return {
        "name": alert.name, "to": alert.to, "level": alert.level, "confidence": alert.confidence,
        "rules": list(alert.rules), "collections": list(alert.collections),
        "group": f"{alert.group}s" if alert.group else None, "rate": alert.rate.text if alert.rate else None,
        "quiet": alert.quiet.text if alert.quiet else None,
        "secrets": {key: str(one) for key, one in alert.secrets().items()},
        "last_alert": max(sent).strftime("%Y-%m-%dT%H:%M:%SZ") if sent else None, "waiting": waiting, "dead": dead,
        "problem": problem or None,
    }  # fmt: skip


def _tell(report: DeliveryReport, done: str, *, as_json: bool) -> None:
    if as_json:
        _print_json([asdict(one) for one in report.destinations])
    elif not report.destinations:
        print("No destination is set: add [[alert]] to logshed.toml, see docs/alerts.md.")
    else:
        for one in report.destinations:
            if one.failed:
                print(f"{one.name}: {shown(one.cause)}")
            elif done == "sent":
                print(f"{one.name}: {one.sent} sent")
            else:
                print(f"{one.name}: {done}")
    if report.failed:
        raise typer.Exit(FAILED)


def _alerting(settings: Settings, folder: Path) -> Alerting:
    from logshed.pipeline.alerting import Alerting  # noqa: PLC0415 - heavy

    return Alerting(settings.alert, folder, settings.plugins)


def _folder(settings: Settings, lake: Path | None) -> Path:
    return settings.lake if lake is None else lake


def _settings() -> Settings:
    from logshed.settings import Settings  # noqa: PLC0415 - heavy

    return Settings.load()


def _cell(value: Any) -> Any:
    return " ".join(value) if isinstance(value, list) else "" if value is None else value


def _print_json(value: object) -> None:
    import orjson  # noqa: PLC0415 - only for --json

    print(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode())
