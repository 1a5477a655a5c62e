"""``logshed spool``: what waits in a spool, whether it is whole, and how to get it out."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from logshed.cli import output, tables, terminal
from logshed.cli.cells import shown
from logshed.cli.commands import FAILED, JsonOption, add
from logshed.cli.progress import size

if TYPE_CHECKING:
    from collections.abc import Iterable

    from logshed.spool.checking import Damage
    from logshed.spool.dead import Standing

REASONS = 10
"""Reasons of dead letters that are shown."""
COLUMNS = ("source", "collection", "waiting", "here", "format", "last written")
SpoolArgument = Annotated[
    Path | None, typer.Argument(metavar="[DIR]", help="The spool's folder; else the setting.", show_default=False)
]


def register(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(
        help="The spool: where collected lines rest until a lake has them.", no_args_is_help=True, rich_markup_mode=None
    )
    add(group, "status", status, examples=("logshed spool status", "logshed spool status ./logshed-spool --json"))
    add(group, "verify", verify, examples=("logshed spool verify",))
    add(group, "repair", repair, examples=("logshed spool repair",))
    add(group, "replay", replay, examples=("logshed spool replay", "logshed spool replay ./logshed-spool --json"))
    add(
        group,
        "export",
        export,
        examples=("logshed spool export > lines.jsonl", "logshed spool export --source 'docker:web1/*' -o web1.jsonl"),
    )
    app.add_typer(group, name="spool")


def status(folder: SpoolArgument = None, *, as_json: JsonOption = False) -> None:
    """Show the streams of a spool, and how much of each waits for a lake."""
    from logshed import spool  # noqa: PLC0415 - not for `--help`
    from logshed.spool.dead import DEAD, DeadLetters  # noqa: PLC0415 - as above
    from logshed.spool.done import read_done  # noqa: PLC0415 - as above

    root, limit = _place(folder)
    found, done = spool.read(root), read_done(root)
    rows: list[dict[str, Any]] = [
        {
            "source": one.source,
            "collection": one.collection,
            "waiting_bytes": one.end - max(one.start, done.get(one.generation, 0)),
            "bytes": one.end - one.start,
            "format": one.format,
            "written": one.written,
        }
        for one in sorted(found.every, key=lambda one: (one.source, one.collection))
    ]
    dead = DeadLetters(root / DEAD).standing()
    if as_json:
        told = {"spool": str(root), "bytes": found.bytes, "limit_bytes": limit, "streams": rows, "dead": asdict(dead)}
        output.document(told)
        return
    cells: list[tuple[Any, ...]] = [
        (
            one["source"],
            one["collection"],
            size(one["waiting_bytes"]),
            size(one["bytes"]),
            one["format"],
            one["written"],
        )
        for one in rows
    ]
    terminal.page(tables.table(COLUMNS, cells, terminal.width()))
    print(f"\n{root}: {size(found.bytes)} of {size(limit)}, {len(found.segments)} segments, {len(rows)} streams.")
    for text in _dead(dead):
        print(text)


def verify(folder: SpoolArgument = None, *, as_json: JsonOption = False) -> None:
    """Read every byte of a spool and check it; exits with 1 if anything is damaged."""
    from logshed.spool.checking import verify as verified  # noqa: PLC0415 - not for `--help`

    root, _ = _place(folder)
    damages = verified(root)
    if as_json:
        output.document([_damage(one) for one in damages])
    else:
        for text in _told(damages):
            print(text)
        if not damages:
            print(f"{root}: every frame is as it was written.")
    if damages:
        raise typer.Exit(FAILED)


def repair(folder: SpoolArgument = None, *, as_json: JsonOption = False) -> None:
    """Save what lies around damage; what is damaged is kept in DIR/damaged, and marked in its stream."""
    from logshed.spool.repair import repair as repaired  # noqa: PLC0415 - not for `--help`

    root, _ = _place(folder)
    damages = repaired(root)
    if as_json:
        output.document([_damage(one) for one in damages])
        return
    for text in _told(damages):
        print(text)
    print(f"{root}: {len(damages)} places were mended." if damages else f"{root}: nothing was damaged.")


def replay(folder: SpoolArgument = None, *, as_json: JsonOption = False) -> None:
    """Bring what could not be decoded when it came into the spool again, as raw lines; each once.

    Do it when a format or a decoder was mended, and nothing else writes the spool. Then ingest the spool.
    """
    from logshed.settings import Settings  # noqa: PLC0415 - not for `--help`
    from logshed.spool import Spool  # noqa: PLC0415 - as above
    from logshed.spool.dead import DEAD, DeadLetters  # noqa: PLC0415 - as above
    from logshed.spool.replaying import replay as replayed  # noqa: PLC0415 - as above

    root, limit = _place(folder)
    with Spool(root, limit=limit) as opened:
        done = replayed(DeadLetters(root / DEAD), opened, Settings.load().collection)
    if as_json:
        output.document(asdict(done))
    else:
        print(f"{root}: {done.letters:,} dead letters are in the spool now; {done.unreadable:,} have no text.")


def export(
    folder: SpoolArgument = None,
    *,
    source: Annotated[str, typer.Option(metavar="GLOB", help="Only streams of such sources.")] = "*",
    to: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write to a file.", show_default=False)
    ] = None,
) -> None:
    """Write the lines of a spool as JSON lines: source, collection, offset, line; they are redacted already."""
    from logshed.cli.output import opened  # noqa: PLC0415 - not for `--help`
    from logshed.pipeline.spooled import exported  # noqa: PLC0415 - heavy

    root, _ = _place(folder)
    lines = 0
    with opened(to) as file:
        for frame in exported(root, source):
            file.write(frame.write_ndjson().encode())
            lines += frame.height
    if to is not None:
        print(f"{lines:,} lines written to {to}", file=sys.stderr)


def _place(folder: Path | None) -> tuple[Path, int]:
    from logshed.settings import Settings  # noqa: PLC0415 - not for `--help`

    settings = Settings.load()
    return folder or settings.spool, settings.spool_bytes


def _dead(one: Standing) -> list[str]:
    if not one.waiting and not one.dropped:
        return []
    told = [f"{one.waiting:,} dead letters, {one.readable:,} of them with text; {one.dropped:,} older ones had to go."]
    told += [f"  {count:,} {shown(protocol)}: {shown(reason)}" for protocol, reason, count in one.reasons[:REASONS]]
    return told


def _damage(one: Damage) -> dict[str, Any]:
    return {
        "file": str(one.path),
        "position": one.position,
        "bytes": one.size,
        "torn": one.torn,
        "text": one.text,
    }


def _told(damages: Iterable[Damage]) -> list[str]:
    return [f"{one.path.name}: {one.text}" for one in damages]
