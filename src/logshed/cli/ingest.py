"""``logshed ingest``: logs into the lake, and what became of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from logshed.cli import following, progress, terminal
from logshed.cli.cells import shown
from logshed.cli.commands import (
    FAILED,
    TOO_MANY_REJECTS,
    EngineOptions,
    JsonOption,
    LakeOption,
    add,
    let_interrupts_through,
)
from logshed.cli.reading import FormatNameOption, GrokOption, LogFormatOption, RegexOption, chosen, named
from logshed.errors import UsageError

if TYPE_CHECKING:
    from logshed.pipeline.outcome import FileReport, IngestReport
    from logshed.work import Counts

EXAMPLES = (
    "logshed ingest /var/log/nginx/access.log",
    "logshed ingest /var/log/app '/srv/*/logs/*.log.gz' --collection shop",
    "logshed ingest access.log --log-format '%h %l %u %t \"%r\" %>s %b %D'",
    "journalctl -o cat -u app | logshed ingest - --service app",
    "logshed ingest --follow '/var/log/nginx/*.log'",
    "logshed ingest --follow kafka://broker:9092/orders",
)
GeoipOption = Annotated[
    list[Path] | None,
    typer.Option(metavar="FILE", help="Database in MaxMind's format; may be repeated.", show_default=False),
]
ThreatListOption = Annotated[
    list[Path] | None, typer.Option(metavar="FILE", help="Threat list; may be repeated.", show_default=False)
]
MOST_FILES = 40
"""Files that are told of one by one; beyond them only those with something wrong, unless -v or --json is given."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    add(app, "ingest", ingest, examples=EXAMPLES, logs=True)


def ingest(
    paths: Annotated[
        list[str], typer.Argument(metavar="PATH", help="Files, folders, globs, - for standard input, or addresses.")
    ],
    *,
    format: FormatNameOption = "auto",  # noqa: A002 - the option's name
    log_format: LogFormatOption = None,
    regex: RegexOption = None,
    grok: GrokOption = None,
    collection: Annotated[
        str | None, typer.Option(metavar="ID", help="Collection to put them into.", show_default=False)
    ] = None,
    service: Annotated[
        str | None, typer.Option(metavar="NAME", help="Service that wrote them.", show_default=False)
    ] = None,
    lake: LakeOption = None,
    policy: Annotated[
        str | None,
        typer.Option(metavar="NAME|FILE", help="What to redact; `logshed policy list` names them.", show_default=False),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Threads; one per processor unless set.", show_default=False)
    ] = None,
    max_rejects: Annotated[
        float | None,
        typer.Option(
            metavar="PCT", min=0, max=100, help="Exit with 3 above this share of rejected lines.", show_default=False
        ),
    ] = None,
    encoding: Annotated[str, typer.Option(metavar="auto|NAME", help="Text encoding, such as cp1252.")] = "auto",
    timezone: Annotated[
        str | None, typer.Option(metavar="ZONE", help="Zone of timestamps that name none.", show_default=False)
    ] = None,
    geoip: GeoipOption = None,
    threat_list: ThreatListOption = None,
    final: Annotated[bool, typer.Option("--final", help="Take a last line that has no newline yet.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read, redact and parse, but write nothing.")] = False,
    follow: Annotated[
        bool, typer.Option("--follow", help="Go on with what comes, through rotation, until Ctrl-C.")
    ] = False,
    every: Annotated[
        float, typer.Option(metavar="SECONDS", min=0.1, help="With --follow: least time from one batch to the next.")
    ] = 1.0,
    run_by: EngineOptions,
    as_json: JsonOption = False,
) -> None:
    """Take logs into the lake. Running it again takes only what was appended since."""
    from logshed.api import Lake  # noqa: PLC0415 - heavy

    let_interrupts_through()
    given: dict[str, Any] = {"collection": collection, "policy": policy, "workers": workers, "timezone": timezone}
    given |= {"geoip": geoip or None, "threat_lists": threat_list or None}
    given |= {"format": chosen(format, log_format, regex, grok), "service": service, "encoding": encoding}
    given = {name: value for name, value in given.items() if value is not None}
    if follow:
        if final or dry_run or max_rejects is not None or "-" in paths or run_by:
            raise UsageError(
                "cannot follow: --follow goes with files, folders, globs and topics alone, and runs here; leave out "
                "--final, --dry-run, --max-rejects, --engine and -, or leave out --follow"
            )
        following.run(Lake.open(lake, create=True), paths, {**given, "every": every}, as_json=as_json)
        return
    with progress.shown() as update:
        report = Lake.open(lake, create=not dry_run, check=not dry_run, engine=run_by).ingest(
            paths, dry_run=dry_run, final=final, progress=update, **given
        )
    _tell(report, as_json=as_json)
    if report.failed:
        raise typer.Exit(FAILED)
    if max_rejects is not None and report.exceeds(max_rejects):
        typer.echo(f"error: more than {max_rejects:g} % of the lines were rejected; see `logshed rejects`", err=True)
        raise typer.Exit(TOO_MANY_REJECTS)


def _tell(report: IngestReport, *, as_json: bool) -> None:
    if as_json:
        import orjson  # noqa: PLC0415 - only for --json

        print(orjson.dumps(report.as_dict(), option=orjson.OPT_INDENT_2).decode())
        return
    files = (
        report.files
        if len(report.files) <= MOST_FILES
        else [one for one in report.files if one.error or one.lost or one.drift]
    )
    for one in files:
        print("\n".join(file_lines(one)))
    if len(files) < len(report.files):
        print(f"… and {len(report.files) - len(files):,} more files; --json tells of each")
    print("\n".join(total_lines(report)))


def file_lines(report: FileReport) -> list[str]:
    """What is told of one file."""
    lines = [f"{shown(report.path)}: {_outcome(report)}"]
    if report.status == "ingested":
        if report.why:
            lines.append(f"  {shown(report.why)}")
        if report.first_timestamp:
            lines.append(f"  from {_moment(report.first_timestamp)} to {_moment(report.last_timestamp)}")
    if report.drift:
        lines.append(f"  {terminal.bold('drift')}: {report.drift}:")
        lines += [f"    {shown(line)}" for line in report.reject_samples]
    lines += [f"  {shown(text)}" for text in (report.note, report.lost, report.error) if text]
    return lines


def total_lines(report: IngestReport) -> list[str]:
    """What is told of all files together."""
    counts, seconds = report.totals, max(report.seconds, 1e-3)
    amount = sum(one.bytes for one in report.files)
    files = "1 file" if len(report.files) == 1 else f"{len(report.files):,} files"
    speed = f"{counts.read / seconds:,.0f} lines/s, {progress.size(amount / seconds)}/s"
    verb = "Would take" if report.dry_run else "Took"
    lines = [f"{verb} {_fates(counts)} from {files} in {report.seconds:.1f} s ({speed})."]
    if counts.redacted:
        lines.append(f"Redacted: {_listed(counts.redacted)}.")
    if counts.dropped:
        lines.append(f"Dropped: {_listed(counts.dropped)}.")
    if counts.cut:
        lines.append(f"Cut, because they were longer than max_line_bytes: {counts.cut:,} lines.")
    if report.caught_up:
        lines.append(f"Completed {report.caught_up:,} records that an interrupted run had left half way.")
    if report.live:
        lines.append(f"Not in the hot store yet: {report.live}.")
    if counts.rejected and not report.dry_run:
        lines.append("No format took the rejected lines; see `logshed rejects`.")
    return lines


def _outcome(report: FileReport) -> str:
    if report.status != "ingested":
        return {"unchanged": "nothing new", "failed": "failed", "skipped": "skipped"}[report.status]
    return f"{named(report.format) or 'no format'}, {_fates(report.counts)}"


def _moment(text: str) -> str:
    """An ISO 8601 time without what says nothing."""
    return text.replace("T", " ").replace(".000000", "").replace("000Z", "Z")


def _fates(counts: Counts) -> str:
    fates = f"{counts.read:,} lines: {counts.stored:,} stored, {counts.rejected:,} rejected"
    return fates + f", {counts.dropped_lines:,} dropped"


def _listed(named: dict[str, int]) -> str:
    ordered = sorted(named.items(), key=lambda pair: (-pair[1], pair[0]))
    return ", ".join(f"{count:,} {name}" for name, count in ordered)
