"""``logshed sanitize`` and ``logshed scan``: files as they are without what a policy forbids, and what that is."""

from __future__ import annotations

import sys
from pathlib import Path  # noqa: TC003 - typer reads the annotations
from typing import TYPE_CHECKING, Annotated, Any

import typer

from logshed.cli import progress
from logshed.cli.commands import FAILED, JsonOption, add, let_interrupts_through
from logshed.cli.reading import EncodingOption, FormatNameOption, PolicyOption, chosen
from logshed.errors import LogshedError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from logshed.pipeline.sanitizing import Outcome
    from logshed.pipeline.scanning import Find, Findings

SANITIZE_EXAMPLES = (
    "logshed sanitize app.log -o app.clean.log",
    "logshed sanitize /var/log/app -o ./clean --policy gdpr --report clean.json --sign",
    "logshed sanitize access.log.gz -o access.clean.log.gz",
    "journalctl -f | logshed sanitize - | nc logs.example.com 5140",
    "logshed sanitize --verify clean.json",
)
SCAN_EXAMPLES = (
    "logshed scan app.log",
    "logshed scan ./logs --fail-on secret --fail-on email",
    "git diff | logshed scan - --fail-on secret",
)

_Inputs = Annotated[
    list[str] | None,
    typer.Argument(metavar="IN", help="Files, folders, globs, or - for standard input.", show_default=False),
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    add(app, "sanitize", sanitize, examples=SANITIZE_EXAMPLES)
    add(app, "scan", scan, examples=SCAN_EXAMPLES)


def sanitize(
    paths: _Inputs = None,
    *,
    to: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            metavar="OUT",
            help="A file, or a folder for several; else standard output.",
            show_default=False,
        ),
    ] = None,
    policy: PolicyOption = None,
    format: FormatNameOption = "auto",  # noqa: A002 - the option's name
    report: Annotated[
        Path | None,
        typer.Option(
            metavar="R.json", help="Write a report: R.json, and the page R.html beside it.", show_default=False
        ),
    ] = None,
    sign: Annotated[bool, typer.Option("--sign", help="Sign the report with the current key of pseudonyms.")] = False,
    verify: Annotated[
        Path | None,
        typer.Option(metavar="R.json", help="Check a report's signature, and do nothing else.", show_default=False),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace outputs that are there; never an input.")] = False,
    encoding: EncodingOption = "auto",
    as_json: JsonOption = False,
) -> None:
    """Redact files as they are: the same lines in the same form, without what the policy forbids.

    Text of any kind, JSON, compressed files (the output is compressed as its name says), folders (mirrored under OUT).
    Where the policy names columns, or --format is given, lines are parsed too, and what the columns show is redacted.
    An output appears when it is whole. What cannot be read is told, and the exit code is 1.
    """
    if verify is not None:
        _verify(verify, as_json=as_json)
        return
    from logshed import sanitizing as api  # noqa: PLC0415 - heavy

    if not paths:
        raise UsageError("cannot sanitize nothing: name files, folders, or - for standard input")
    if sign and report is None:
        raise UsageError("cannot sign: there is no report; say --report R.json")
    let_interrupts_through()
    with progress.shown() as tell:
        done = api.sanitize_files(
            paths,
            to,
            policy=policy,
            report=report,
            sign=sign,
            force=force,
            encoding=encoding,
            format=chosen(format, None, None, None),
            progress=tell if to not in (None, "-") else None,
        )
    _tell(done, as_json=as_json, to_stdout=to in (None, "-"))
    if done.problems:
        raise typer.Exit(FAILED)


def scan(
    paths: _Inputs = None,
    *,
    policy: PolicyOption = None,
    fail_on: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CLASS|RULE", help="Exit with 1 if one of these is found; again for more.", show_default=False
        ),
    ] = None,
    limit: Annotated[int, typer.Option(min=0, metavar="N", help="Examples of each rule in each file.")] = 3,
    encoding: EncodingOption = "auto",
    as_json: JsonOption = False,
) -> None:
    """Find what a policy would replace, and change nothing.

    For each file and rule: how many values, the first places, and the values masked: a star for each character, of
    values of eight or more characters the last two left.
    """
    from logshed import sanitizing as api  # noqa: PLC0415 - heavy

    if not paths:
        raise UsageError("cannot scan nothing: name files, folders, or - for standard input")
    let_interrupts_through()
    wanted = fail_on or []
    with progress.shown() as tell:
        found = api.scan(paths, policy=policy, fail_on=wanted, limit=limit, encoding=encoding, progress=tell)
    failing = found.of(wanted)
    if as_json:
        _print_json({**found.as_dict(), "failed_on": sorted({find.rule for find in failing})})
    else:
        _show(found, failing)
    for problem in found.problems:
        print(f"error: {problem}", file=sys.stderr)
    if failing or found.problems:
        raise typer.Exit(FAILED)


def _verify(path: Path, *, as_json: bool) -> None:
    from logshed import sanitizing as api  # noqa: PLC0415 - heavy

    try:
        key = api.verify_report(path)
    except LogshedError as error:
        if as_json:
            _print_json({"verified": False, "problem": str(error)})
        else:
            print(f"no: {error}")
        raise typer.Exit(FAILED) from None
    if as_json:
        _print_json({"verified": True, "key": key})
    else:
        print(f"yes: {path} is as it was when key {key} signed it")


def _tell(done: Outcome, *, as_json: bool, to_stdout: bool) -> None:
    """On standard error where standard output is the text."""
    place = sys.stderr if to_stdout else sys.stdout
    for problem in done.problems:
        print(f"error: {problem}", file=sys.stderr)
    if as_json:
        _print_json(done.as_dict(), file=place)
        return
    written = sum(bool(file.output) for file in done.files)
    found = ", ".join(f"{count:,} {rule}" for rule, count in done.rules.items()) or "nothing"
    files = "1 file" if written == 1 else f"{written:,} files"
    print(f"{done.lines:,} lines in {files} in {done.seconds:.1f} s; replaced: {found}.", file=place)
    if done.hidden:
        print(f"{done.hidden:,} hidden files and folders were passed over.", file=sys.stderr)


def _show(found: Findings, failing: Sequence[Find]) -> None:
    from logshed.cli import tables, terminal  # noqa: PLC0415 - only where people read
    from logshed.cli.cells import shown  # noqa: PLC0415 - as above

    rows: list[list[Any]] = []
    for find in found.finds:
        places = [(f"{find.file}:{one['line']}", one["value"]) for one in find.examples] or [(find.file, "")]
        for number, (place, value) in enumerate(places):
            first = number == 0
            rows.append(
                [
                    find.rule if first else "",
                    find.kind if first else "",
                    f"{find.count:,}" if first else "",
                    shown(place),
                    value,
                ]
            )
    if rows:
        terminal.page(tables.table(("rule", "class", "count", "place", "masked"), rows, terminal.width()))
    total = sum(find.count for find in found.finds)
    files = "1 file" if found.files == 1 else f"{found.files:,} files"
    print(f"{total:,} values in {found.lines:,} lines of {files}.")
    if failing:
        rules = dict.fromkeys(find.rule for find in failing)
        print(f"failed: {', '.join(rules)} found", file=sys.stderr)


def _print_json(found: dict[str, Any], file: Any = None) -> None:
    import orjson  # noqa: PLC0415 - only for --json

    print(orjson.dumps(found, option=orjson.OPT_INDENT_2).decode(), file=file or sys.stdout)
