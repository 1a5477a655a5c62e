"""``logshed formats``: which formats there are, what they take, and which one a file has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from logshed.cli import tables, terminal
from logshed.cli.cells import shown
from logshed.cli.commands import FAILED, JsonOption, add

if TYPE_CHECKING:
    from collections.abc import Mapping

    from logshed.formats.detect import Detection
    from logshed.formats.model import Format

Name = Annotated[str, typer.Argument(metavar="NAME", help="The format's name.")]


def register(app: typer.Typer) -> None:
    """Add the group of commands."""
    group = typer.Typer(help="Show, test and explain formats.", no_args_is_help=True, rich_markup_mode=None)
    add(group, "list", list_formats)
    add(group, "show", show)
    add(group, "test", check_samples)
    add(group, "explain", explain)
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
    encoding: Annotated[str, typer.Option(metavar="auto|NAME", help="Text encoding, such as cp1252.")] = "auto",
    as_json: JsonOption = False,
) -> None:
    """Show which format a file has and why, the runner-up, and sample lines that neither takes."""
    from logshed.errors import SourceError  # noqa: PLC0415 - only here
    from logshed.formats import detect  # noqa: PLC0415 - heavy
    from logshed.sources import files  # noqa: PLC0415 - heavy

    discovered = files.discover([path], encoding=encoding)
    if discovered.problems:
        raise SourceError(discovered.problems[0].message)
    for target in discovered.targets:
        found = detect.detect(files.sample(target, files.identify(target, [])), formats=_formats())
        if as_json:
            _print_json({"path": target.path, **_described(found)})
        else:
            print("\n".join(explanation(target.path, found)))


def explanation(path: str, found: Detection) -> list[str]:
    """What is told of a file's format."""
    lines = [terminal.bold(shown(path)), f"  {shown(found.why)}"]
    if found.winner:
        lines.append(f"  winner: {found.winner}, takes {found.share:.1%} of the sampled lines (read as {found.choice})")
    if found.runner_up:
        lines.append(f"  runner-up: {found.runner_up}, {found.runner_up_share:.1%}")
    if found.tie:
        lines.append(f"  as good: {', '.join(found.tie)}; choose with --format")
    if found.unmatched:
        lines.append("  lines that fit neither:")
        lines += [f"    {shown(line)[:200]}" for line in found.unmatched]
    return lines


def _described(found: Detection) -> dict[str, Any]:
    names = ("winner", "share", "runner_up", "runner_up_share", "tie", "shares", "unmatched", "why")
    return {"format": str(found.choice), **{name: getattr(found, name) for name in names}}


def _formats() -> Mapping[str, Format]:
    from logshed.formats import registry  # noqa: PLC0415 - heavy
    from logshed.settings import Settings  # noqa: PLC0415 - as above

    return registry.load(Settings.load().plugins)


def _print_json(value: object) -> None:
    import orjson  # noqa: PLC0415 - only for --json

    print(orjson.dumps(value, option=orjson.OPT_INDENT_2, default=str).decode())
