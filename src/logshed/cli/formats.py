"""``logshed formats``: which formats there are, what they take, and which one a file has."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from logshed.cli import output, tables, terminal
from logshed.cli.cells import shown
from logshed.cli.commands import FAILED, JsonOption, add
from logshed.cli.reading import (
    EncodingOption,
    FormatNameOption,
    GrokOption,
    LogFormatOption,
    PolicyOption,
    RegexOption,
    chosen,
    named,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from logshed.formats.detect import Detection
    from logshed.formats.model import Format

Name = Annotated[str, typer.Argument(metavar="NAME", help="The format's name.")]


NEW_EXAMPLES = (
    "logshed formats new app.log -o ~/.config/logshed/formats/shop.toml",
    "logshed convert app.log --format shop.toml",
)


def register(app: typer.Typer) -> None:
    """Add the group of commands."""
    group = typer.Typer(help="Show, test and explain formats.", no_args_is_help=True, rich_markup_mode=None)
    add(group, "list", list_formats)
    add(group, "show", show)
    add(group, "test", check_samples)
    add(group, "explain", explain)
    add(group, "new", new, examples=NEW_EXAMPLES)
    app.add_typer(group, name="formats")


def list_formats(*, as_json: JsonOption = False) -> None:
    """List all formats: ours, installed packages' and your own."""
    rows = [
        [one.name, one.kind, one.log_type, one.title + (f" (also {', '.join(one.aliases)})" if one.aliases else "")]
        for one in _formats().values()
    ]
    if as_json:
        _print_json([dict(zip(("name", "kind", "log_type", "title"), row, strict=True)) for row in rows])
    else:
        terminal.page(tables.table(["name", "kind", "log_type", "title"], rows, terminal.width()))


def show(name: Name, *, as_json: JsonOption = False) -> None:
    """Show what a format is, with its sample lines and the columns that come out of them."""
    from logshed.formats import registry  # noqa: PLC0415 - heavy

    found = registry.find(name, _formats())
    samples = [{"line": sample.line, "expect": dict(sample.expect)} for sample in found.samples]
    if as_json:
        described = {"name": found.name, "title": found.title, "kind": found.kind, "log_type": found.log_type}
        _print_json({**described, "references": found.references, "samples": samples})
        return
    print(f"{terminal.bold(found.name)}: {found.title} (kind {found.kind}, {found.log_type} log)")
    for reference in found.references:
        print(f"See {reference}")
    for sample in found.samples:
        print("\n" + "\n".join(shown(line) for line in sample.line.split("\n")))
        for column, value in sample.expect.items():
            print(f"    {column} = {shown(value)}")


def check_samples(name: Annotated[str | None, typer.Argument(metavar="[NAME]", show_default=False)] = None) -> None:
    """Check that formats parse their own sample lines as their files say; all formats, or one."""
    from logshed.formats import registry  # noqa: PLC0415 - heavy
    from logshed.formats.samples import samples_fail  # noqa: PLC0415 - heavy

    known = _formats()
    tested = [registry.find(name, known)] if name else list(known.values())
    failures = {one.name: samples_fail(one) for one in tested}
    for format_name, texts in failures.items():
        for text in texts:
            print(f"{format_name}: {shown(text)}")
    samples = sum(len(one.samples) for one in tested)
    failed = sum(map(len, failures.values()))
    print(f"{len(tested)} formats, {samples} samples: {f'{failed} failures' if failed else 'all as expected'}.")
    if failed:
        raise typer.Exit(FAILED)


def explain(
    path: Annotated[str, typer.Argument(metavar="FILE", help="A log file.")],
    *,
    format: FormatNameOption = "auto",  # noqa: A002 - the option's name
    log_format: LogFormatOption = None,
    regex: RegexOption = None,
    grok: GrokOption = None,
    encoding: EncodingOption = "auto",
    as_json: JsonOption = False,
) -> None:
    """Show which format a file has and why, the runner-up, and sample lines that neither takes.

    With a format given, show what that one alone takes.
    """
    from logshed.errors import SourceError  # noqa: PLC0415 - only here
    from logshed.formats import detect  # noqa: PLC0415 - heavy
    from logshed.formats.choice import Choice  # noqa: PLC0415 - only here
    from logshed.sources import files  # noqa: PLC0415 - heavy

    discovered = files.discover([path], encoding=encoding)
    if discovered.problems:
        raise SourceError(discovered.problems[0].message)
    choice = chosen(format, log_format, regex, grok)
    names = None if choice == "auto" else list(Choice.parse(choice).names)
    for target in discovered.targets:
        found = detect.detect(files.sample(target, files.identify(target, [])), names=names, formats=_formats())
        if as_json:
            _print_json({"path": target.path, **_described(found)})
        else:
            print("\n".join(explanation(target.path, found)))


def explanation(path: str, found: Detection) -> list[str]:
    """What is told of a file's format."""
    lines = [terminal.bold(shown(path)), f"  {shown(found.why)}"]
    if found.winner:
        read_as = named(str(found.choice))
        lines.append(f"  winner: {found.winner}, takes {found.share:.1%} of the sampled lines (read as {read_as})")
    if found.runner_up:
        lines.append(f"  runner-up: {found.runner_up}, {found.runner_up_share:.1%}")
    if found.tie:
        lines.append(f"  as good: {', '.join(found.tie)}; choose with --format")
    if found.unmatched:
        lines.append("  lines that fit neither:")
        lines += [f"    {shown(line)[:200]}" for line in found.unmatched]
    return lines


def new(
    path: Annotated[str, typer.Argument(metavar="SAMPLE", help="A file with lines of the log.")],
    *,
    to: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE.toml", help="Write it there.", show_default=False)
    ] = None,
    encoding: EncodingOption = "auto",
    policy: PolicyOption = None,
) -> None:
    """Propose a format file from sample lines, which it takes: correct its names, and keep it.

    What is plain to see gets a column's name (times, levels, addresses, requests, key=value), other fields a number.
    The sample lines in the file are redacted.
    """
    from logshed import files  # noqa: PLC0415 - heavy

    name = re.sub(r"[^a-z0-9]+", "_", (to or Path(path)).name.partition(".")[0].lower()).strip("_") or "own"
    found = files.propose_format(path, name=name, encoding=encoding, policy=policy)
    if to is None:
        print(found.text, end="")
    else:
        with output.opened(to) as file:
            file.write(found.text.encode())
    share = f"{found.lines - len(found.unparsed):,} of {found.lines:,} sample lines"
    print(f"Takes {share}; {'mend its names' if to else 'write it to a file with -o'}.", file=sys.stderr)
    for line in found.unparsed[:3]:
        print(f"  not taken: {shown(line)[:200]}", file=sys.stderr)
    if found.unparsed:
        raise typer.Exit(FAILED)


def _described(found: Detection) -> dict[str, Any]:
    names = ("winner", "share", "runner_up", "runner_up_share", "tie", "shares", "unmatched", "why")
    return {"format": str(found.choice), **{name: getattr(found, name) for name in names}}


def _formats() -> Mapping[str, Format]:
    from logshed.formats import registry  # noqa: PLC0415 - heavy
    from logshed.settings import Settings  # noqa: PLC0415 - as above

    return registry.load(Settings.load().plugins, samples=True)


def _print_json(value: object) -> None:
    import orjson  # noqa: PLC0415 - only for --json

    print(orjson.dumps(value, option=orjson.OPT_INDENT_2, default=str).decode())
