"""``logshed mutes``: findings that nobody wants to be told of, by rule, actor and collection."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from logshed.cli import tables, terminal
from logshed.cli.commands import JsonOption, LakeOption, add
from logshed.errors import UsageError

if TYPE_CHECKING:
    from logshed.api import Lake

COLUMNS = ("name", "rule", "actor", "collection", "until", "reason")
NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="Under which what it keeps back is counted.")]


def register(app: typer.Typer) -> None:
    """Add the group of commands."""
    group = typer.Typer(help="Mutes: findings to keep back.", no_args_is_help=True, rich_markup_mode=None)
    add(group, "list", list_mutes, examples=("logshed mutes list",))
    add(
        group,
        "add",
        add_mute,
        examples=("logshed mutes add 'our scanner' --rule 'web_*' --actor 198.51.100.0/24 --until 2027-01-31",),
    )
    add(group, "end", end, examples=("logshed mutes end 'our scanner'",))
    app.add_typer(group, name="mutes")


def list_mutes(*, lake: LakeOption = None, as_json: JsonOption = False) -> None:
    """List what people keep back in a lake; `[[suppress]]` in logshed.toml may keep back more."""
    known = [one.model_dump() for one in _lake(lake).security.mutes()]
    if as_json:
        import orjson  # noqa: PLC0415 - only for --json

        print(orjson.dumps(known, option=orjson.OPT_INDENT_2).decode())
    elif known:
        rows = [[one[name] or "" for name in COLUMNS] for one in known]
        terminal.page(tables.table(COLUMNS, rows, terminal.width()))
    else:
        print("Nothing is muted.")


def add_mute(
    name: NameArgument,
    *,
    rule: Annotated[str, typer.Option(metavar="GLOB", help="Of such rules.")] = "*",
    actor: Annotated[str, typer.Option(metavar="GLOB|NETWORK", help="About such actors.")] = "*",
    collection: Annotated[str, typer.Option(metavar="GLOB", help="In such collections.")] = "*",
    until: Annotated[
        str | None, typer.Option(metavar="DATE", help="Last day; for ever if not given.", show_default=False)
    ] = None,
    reason: Annotated[str, typer.Option(help="Why.")] = "",
    lake: LakeOption = None,
) -> None:
    """Keep back findings from now on: they are counted, and not kept. A mute of the same name is replaced."""
    from logshed.detection_settings import Suppress  # noqa: PLC0415 - heavy

    if rule == actor == "*":
        raise UsageError("cannot mute everything: name a --rule, an --actor, or both")
    kept = _lake(lake).security.mute(
        Suppress(name=name, rule=rule, actor=actor, collection=collection, until=_day(until), reason=reason)
    )
    print(f"{kept.name}: findings of {kept.rule} about {kept.actor} in {kept.collection} are kept back.")


def end(name: NameArgument, *, lake: LakeOption = None) -> None:
    """End a mute."""
    _lake(lake).security.unmute(name)
    print(f"{name} is ended.")


def _day(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        found = date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"cannot mute until {text!r}: it is no day; write 2027-01-31") from None
    if found < datetime.now(UTC).date():
        raise UsageError(f"cannot mute until {text}: it is over; give a day that lies ahead")
    return found


def _lake(path: Any) -> Lake:
    from logshed.api import Lake  # noqa: PLC0415 - heavy

    return Lake.open(path)
