"""``logshed detect``: looks for rules in what is new; ``logshed findings`` shows what was found."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from logshed.cli import asked, output, tables, terminal
from logshed.cli.commands import FAILED, EngineOptions, JsonOption, LakeOption, add
from logshed.cli.output import Format, FormatOption, OutputOption
from logshed.errors import UsageError

if TYPE_CHECKING:
    from logshed.pipeline.detect_report import DetectReport

EVERY_S = 5.0
"""Seconds between two looks with --follow."""
FINDINGS = """
SELECT timestamp, end_timestamp, level, confidence, rule_name AS rule, actor, event_count AS count, score,
    explanation, rule_author AS author, technique, collection, finding_id
FROM findings
WHERE end_timestamp >= $since AND ($collection IS NULL OR collection = $collection)
    AND ($rule IS NULL OR rule_name GLOB $rule) AND ($confidence IS NULL OR confidence = $confidence)
ORDER BY end_timestamp DESC, finding_id
"""
DETECT_EXAMPLES = (
    "logshed detect                      # all that is new since the last time",
    "logshed detect --rules 'web_*' --rules 'aws_*'",
    "logshed detect --since 30d --rules my_rule      # a new rule over what was looked at before",
    "logshed detect --follow             # every few seconds, until Ctrl-C",
)
FINDINGS_EXAMPLES = ("logshed findings --since 24h", "logshed findings --rule 'web_*' --format json")

RulesOption = Annotated[
    list[str] | None,
    typer.Option("--rules", metavar="GLOB", help="Only rules of such names; again for more.", show_default=False),
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    add(app, "detect", detect, examples=DETECT_EXAMPLES, logs=True)
    add(app, "findings", findings, examples=FINDINGS_EXAMPLES, served=True)


def detect(
    *,
    rules: RulesOption = None,
    since: Annotated[
        str | None,
        typer.Option(
            metavar="TIME", help="Look again at all records from then on: 7d, 2026-01-01, all.", show_default=False
        ),
    ] = None,
    follow: Annotated[bool, typer.Option("--follow", help="Look again and again, until Ctrl-C.")] = False,
    lake: LakeOption = None,
    run_by: EngineOptions,
    as_json: JsonOption = False,
) -> None:
    """Look for what rules describe in every record that was not looked at yet, and keep what is found.

    Each record is looked at once; a series that began earlier, or whose records came late, is found all the same.
    """
    from logshed.api import Lake  # noqa: PLC0415 - heavy

    if follow and since is not None:
        raise UsageError("cannot follow and look back at once: --since looks one time; give one of them")
    security = Lake.open(lake, engine=run_by).security
    while True:
        report = security.detect(rules or (), since=since, progress=_progress if sys.stderr.isatty() else None)
        if sys.stderr.isatty():
            sys.stderr.write("\r\x1b[K")
        _tell(report, as_json=as_json, quiet=follow and report.findings.is_empty())
        if not follow:
            break
        time.sleep(EVERY_S)
    if report.broken:
        raise typer.Exit(FAILED)


def findings(
    *,
    since: Annotated[str, typer.Option(help="How far back: 24h, 7d, 2026-01-01, all.")] = "7d",
    rule: Annotated[str | None, typer.Option(metavar="GLOB", help="Only of such rules.", show_default=False)] = None,
    collection: Annotated[str | None, typer.Option(help="Only in this collection.", show_default=False)] = None,
    confidence: Annotated[
        str | None, typer.Option(help="high: what alerts; low: what only counts.", show_default=False)
    ] = None,
    lake: LakeOption = None,
    form: FormatOption = Format.TABLE,
    as_json: JsonOption = False,
    to: OutputOption = None,
) -> None:
    """Show what was found, the latest first, with a sentence on each."""
    opened = asked.opened(lake)
    params: dict[str, object] = {
        "since": opened.moment(since),
        "rule": rule,
        "collection": collection,
        "confidence": confidence,
    }
    with opened.query(FINDINGS, params=params) as result:
        wanted = Format.JSON if as_json else form
        if wanted is not Format.TABLE or to is not None:
            output.write(result, wanted, to)
            return
        rows = result.pl()
    if not terminal.page(line for row in rows.iter_rows(named=True) for line in finding_lines(row)):
        print(f"Nothing was found since {since}. `logshed detect` looks at what is new; --since all shows everything.")


def finding_lines(row: dict[str, Any]) -> list[str]:
    """A finding for people: what, how bad, by which rule and whose."""
    from logshed.cli.cells import shown  # noqa: PLC0415 - rich, only for people

    by = f" by {row['author']}" if row["author"] else ""
    rule = f"{row['rule']}{by}" + (f" · {row['technique']}" if row["technique"] else "")
    head = f"{shown(row['timestamp'])}  {row['level']:<13} {row['score']:>5.1f}"
    return [f"{terminal.bold(head)}  {shown(row['explanation'])}", f"    {shown(rule)} · {row['finding_id'][:12]}"]


def _progress(done: int, total: int) -> None:
    del total
    sys.stderr.write(f"\r{done:,} records looked at")
    sys.stderr.flush()


def _tell(report: DetectReport, *, as_json: bool, quiet: bool) -> None:
    if as_json:
        import orjson  # noqa: PLC0415 - only for --json

        if not quiet:
            print(orjson.dumps(report.as_dict()).decode())
        return
    for reason in report.broken.values():
        print(f"warning: {reason}", file=sys.stderr)
    if quiet:
        return
    shown = report.findings.sort("score", descending=True)
    columns = ("level", "score", "rule", "count", "explanation")
    rows = shown.select("level", "score", "rule_name", "event_count", "explanation").head(50).iter_rows()
    if not shown.is_empty():
        terminal.page(tables.table(columns, rows, terminal.width()))
        if shown.height > 50:  # noqa: PLR2004 - as many as were shown above
            print(f"… {shown.height - 50:,} more; see `logshed findings`.")
    kept_back = "".join(f"; {count:,} kept back by {name}" for name, count in report.suppressed.items())
    print(
        f"Looked for {report.rules:,} rules in {report.rows:,} new records in {report.seconds:.1f} s: "
        f"{shown.height:,} findings, {report.incidents['incident_id'].n_unique():,} incidents{kept_back}."
    )
    _told(report)


def _told(report: DetectReport) -> None:
    """Who is to be blocked, and who was told."""
    if report.decisions:
        print(f"To be blocked: {', '.join(one.address for one in report.decisions)}; see `logshed decisions list`.")
    for one in report.alerts.destinations:
        if one.failed:
            print(f"warning: alert {one.name}: {one.cause}", file=sys.stderr)
        elif one.sent:
            print(f"Told {one.name}: {one.sent:,} alerts.")
