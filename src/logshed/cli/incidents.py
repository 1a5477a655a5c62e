"""``logshed incidents``: findings grouped by actor, and what people decide about them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from logshed.cli import asked, output, tables, terminal
from logshed.cli.commands import JsonOption, LakeOption, add
from logshed.cli.output import Format, FormatOption, OutputOption
from logshed.errors import UsageError

if TYPE_CHECKING:
    from logshed.api import Lake

LIST = """
SELECT substr(incident_id, 1, 12) AS id, end_timestamp AS last, threat_level AS threat, threat_score AS score,
    severity_level AS severity, actor, finding_count AS findings, event_count AS events, status, collection, rules
FROM incidents
WHERE end_timestamp >= $since AND ($collection IS NULL OR collection = $collection)
    AND ($every OR status = 'open' OR (status = 'muted' AND muted_until < now()))
ORDER BY threat_score DESC, end_timestamp DESC
"""
IdArgument = Annotated[str, typer.Argument(metavar="ID", help="The incident's id, or how it begins.")]


def register(app: typer.Typer) -> None:
    """Add the group of commands."""
    group = typer.Typer(help="Incidents: findings by actor and time.", no_args_is_help=True, rich_markup_mode=None)
    add(
        group,
        "list",
        list_incidents,
        examples=("logshed incidents list", "logshed incidents list --all --since 30d"),
        served=True,
    )
    add(group, "show", show, examples=("logshed incidents show 3f2a9c",), served=True)
    add(group, "close", close, examples=("logshed incidents close 3f2a9c 'our own scanner'",))
    add(group, "open", reopen, examples=("logshed incidents open 3f2a9c",))
    add(group, "note", note, examples=("logshed incidents note 3f2a9c 'asked the provider'",))
    add(group, "assign", assign, examples=("logshed incidents assign 3f2a9c ann",))
    add(group, "mute", mute, examples=("logshed incidents mute 3f2a9c --until 7d",))
    app.add_typer(group, name="incidents")


def list_incidents(
    *,
    since: Annotated[str, typer.Option(help="How far back: 24h, 7d, 2026-01-01, all.")] = "7d",
    every: Annotated[bool, typer.Option("--all", help="Closed and muted ones too.")] = False,
    collection: Annotated[str | None, typer.Option(help="Only in this collection.", show_default=False)] = None,
    lake: LakeOption = None,
    form: FormatOption = Format.TABLE,
    as_json: JsonOption = False,
    to: OutputOption = None,
) -> None:
    """List incidents, the worst first."""
    opened = _lake(lake)
    params: dict[str, object] = {"since": opened.moment(since), "collection": collection, "every": every}
    with opened.query(LIST, params=params) as result:
        wanted = Format.JSON if as_json else form
        if wanted is not Format.TABLE or to is not None:
            output.write(result, wanted, to)
            return
        rows, columns = result.rows(), list(result.columns)
    if rows:
        terminal.page(tables.table(columns, rows, terminal.width()))
    else:
        print(f"No {'' if every else 'open '}incident since {since}. `logshed detect` looks at what is new.")


def show(name: IdArgument, *, lake: LakeOption = None, as_json: JsonOption = False) -> None:
    """Show an incident: who, how bad, its timeline and what people wrote on it."""
    import orjson  # noqa: PLC0415 - only here

    from logshed.cli.cells import shown  # noqa: PLC0415 - rich, only for people

    row = _lake(lake).security.incident(name)
    row |= {key: orjson.loads(row[key] or "[]") for key in ("timeline", "notes")}
    if as_json:
        print(orjson.dumps(row, option=orjson.OPT_INDENT_2, default=str).decode())
        return
    print(terminal.bold(f"{row['threat_level']} ({row['threat_score']:.1f}): {shown(row['actor'])}, {row['status']}"))
    print(
        f"{row['event_count']:,} records in {row['finding_count']:,} findings, {shown(row['timestamp'])} to "
        f"{shown(row['end_timestamp'])}, collection {shown(row['collection'])}, id {row['incident_id']}\n"
    )
    for one in row["timeline"]:
        told = f"{shown(one['explanation'])}  ({shown(one['rule_name'])})"
        print(f"  {shown(one['timestamp'])[:19]}  {one['level']:<13} {told}")
    for one in row["notes"]:
        print(f"  {shown(one['time'])[:19]}  note by {shown(one['author'])}: {shown(one['text'])}")


def close(
    name: IdArgument,
    why: Annotated[str, typer.Argument(metavar="[WHY]", help="A note on why.", show_default=False)] = "",
    *,
    lake: LakeOption = None,
) -> None:
    """Close an incident. What its actor does from now on begins a new one."""
    _told(_lake(lake).security.change_incident(name, status="closed", note=why))


def reopen(name: IdArgument, *, lake: LakeOption = None) -> None:
    """Open an incident again."""
    _told(_lake(lake).security.change_incident(name, status="open"))


def note(
    name: IdArgument, text: Annotated[str, typer.Argument(metavar="TEXT", help="The note.")], *, lake: LakeOption = None
) -> None:
    """Write a note on an incident."""
    if not text.strip():
        raise UsageError("cannot write the note: it is empty; give a text")
    _told(_lake(lake).security.change_incident(name, note=text))


def assign(
    name: IdArgument,
    who: Annotated[str, typer.Argument(metavar="[WHO]", help="Who works on it; nobody if not given.")] = "",
    *,
    lake: LakeOption = None,
) -> None:
    """Say who works on an incident."""
    _told(_lake(lake).security.change_incident(name, assignee=who))


def mute(
    name: IdArgument,
    *,
    until: Annotated[str, typer.Option(metavar="SPAN|DATE", help="For how long: 12h, 7d, or a date.")] = "7d",
    lake: LakeOption = None,
) -> None:
    """Silence an incident for some time: it goes on to grow, and nobody is told."""
    opened = _lake(lake)
    _told(opened.security.change_incident(name, status="muted", muted_until=opened.later(until)))


def _told(row: dict[str, Any]) -> None:
    until = f" until {row['muted_until']:%Y-%m-%d %H:%M} UTC" if row["muted_until"] else ""
    taken = f", {row['assignee']} works on it" if row["assignee"] else ""
    print(f"Incident {row['incident_id'][:12]} ({row['actor']}) is {row['status']}{until}{taken}.")


def _lake(path: Any) -> Lake:
    return asked.opened(path)
