"""``logshed convert`` and ``logshed sample``: files in, structured records or fewer lines out, without a lake."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path  # noqa: TC003 - typer reads the annotations
from typing import TYPE_CHECKING, Annotated

import typer

from logshed.cli import output
from logshed.cli.commands import JsonOption, add, let_interrupts_through
from logshed.cli.output import Format
from logshed.cli.reading import (
    EncodingOption,
    FormatNameOption,
    GrokOption,
    LogFormatOption,
    PathsArgument,
    PolicyOption,
    RegexOption,
    TimezoneOption,
    chosen,
    given,
)
from logshed.errors import UsageError

if TYPE_CHECKING:
    from logshed.pipeline.sampling import SampleReport

ENDINGS = {
    ".jsonl": Format.NDJSON,
    ".ndjson": Format.NDJSON,
    ".json": Format.JSON,
    ".parquet": Format.PARQUET,
    ".csv": Format.CSV,
}
CONVERT_EXAMPLES = (
    "logshed convert /var/log/nginx/access.log -o access.parquet",
    "logshed convert app.log.gz -o app.csv --columns timestamp,severity_text,body",
    "journalctl | logshed convert - | head",
)
SAMPLE_EXAMPLES = (
    "logshed sample app.jsonl -o small.jsonl --rate 0.1",
    "logshed sample access.log -o small.log --rate 0.01 --by client_address --errors sample",
)


class Errors(StrEnum):
    """What a sample does with errors."""

    KEEP = "keep"
    SAMPLE = "sample"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    add(app, "convert", convert, examples=CONVERT_EXAMPLES, logs=True)
    add(app, "sample", sample, examples=SAMPLE_EXAMPLES, logs=True)


def convert(
    paths: PathsArgument,
    *,
    to: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FILE", help="A .jsonl, .parquet, .csv or .json file; else standard output."
        ),
    ] = None,
    columns: Annotated[
        str | None, typer.Option(metavar="A,B,…", help="Only these columns, in this order.", show_default=False)
    ] = None,
    format: FormatNameOption = "auto",  # noqa: A002 - the option's name
    log_format: LogFormatOption = None,
    regex: RegexOption = None,
    grok: GrokOption = None,
    policy: PolicyOption = None,
    encoding: EncodingOption = "auto",
    timezone: TimezoneOption = None,
) -> None:
    """Turn logs of any known format into structured records.

    The records are those that an ingest would put into logs: redacted by the policy, with the rules of logshed.toml.
    Lines that no format took are among them, with parse_error. Memory stays bounded however large the files are.
    """
    from logshed import files  # noqa: PLC0415 - heavy

    let_interrupts_through()
    form = ENDINGS.get(to.suffix.lower()) if to else Format.NDJSON
    if form is None:
        raise UsageError(f"cannot write {to}: its ending tells no format; end it in {', '.join(ENDINGS)}")
    wanted = [name.strip() for name in columns.split(",")] if columns else []
    options = given(format=chosen(format, log_format, regex, grok), policy=policy, encoding=encoding, timezone=timezone)
    reader = files.reader(**options)
    with files.convert(paths, columns=wanted, passing=reader) as result:
        output.write(result, form, to, sparse=not wanted)
    reader.check()


def sample(
    paths: PathsArgument,
    *,
    to: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Where to write the lines; else standard output."),
    ] = None,
    rate: Annotated[float, typer.Option(min=0, max=1, help="Share of the records to keep.")] = 0.1,
    errors: Annotated[Errors, typer.Option(help="Keep every error, or sample them like the rest.")] = Errors.KEEP,
    by: Annotated[
        str, typer.Option(metavar="COLUMN", help="Records with the same value are kept or left out together.")
    ] = "trace_id",
    seed: Annotated[int, typer.Option(min=0, help="Another number chooses other records.")] = 0,
    format: FormatNameOption = "auto",  # noqa: A002 - the option's name
    log_format: LogFormatOption = None,
    regex: RegexOption = None,
    grok: GrokOption = None,
    policy: PolicyOption = None,
    encoding: EncodingOption = "auto",
    as_json: JsonOption = False,
) -> None:
    """Keep a share of the records, as the lines they were, redacted by the policy.

    Errors are severity ERROR and above, HTTP status 500 and above, and exceptions. Of a trace with an error every
    record is kept, for which files are read twice. The same seed chooses the same records.
    """
    from logshed import files  # noqa: PLC0415 - heavy

    let_interrupts_through()
    if to is not None and to.suffix.lower() in (".parquet", ".csv"):
        raise UsageError(f"cannot write {to}: a sample is lines as they were; use `logshed convert` on what comes out")
    options = given(format=chosen(format, log_format, regex, grok), policy=policy, encoding=encoding)
    keep = errors is Errors.KEEP
    if keep and "-" in paths:
        print("Standard input is read once: errors are kept without the rest of their traces.", file=sys.stderr)
    reader = files.reader(**options)
    sampler = files.sampler(rate, keep_errors=keep, by=by, seed=seed, passing=reader)
    with output.opened(to) as file:
        for lines in sampler.lines(paths):
            file.write(lines)
    _tell(sampler.report, as_json=as_json)
    reader.check()


def _tell(report: SampleReport, *, as_json: bool) -> None:
    """On standard error, since standard output may be the sample."""
    if as_json:
        import orjson  # noqa: PLC0415 - only for --json

        print(orjson.dumps(report.as_dict()).decode(), file=sys.stderr)
        return
    share = f" ({report.kept / report.read:.1%})" if report.read else ""
    print(
        f"Kept {report.kept:,} of {report.read:,} records{share}, "
        f"{report.errors_kept:,} of {report.errors:,} errors among them.",
        file=sys.stderr,
    )
