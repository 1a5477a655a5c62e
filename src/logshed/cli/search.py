"""``logshed search``: find records by words and fields, count them, follow what arrives."""

from __future__ import annotations

from typing import Annotated

import typer

from logshed.cli import asked, output
from logshed.cli.commands import JsonOption, LakeOption, add
from logshed.cli.output import Format, FormatOption, OutputOption
from logshed.cli.query import Engine, EngineOption
from logshed.cli.searching import Asked, Form
from logshed.errors import UsageError

EXAMPLES = (
    "logshed search 'level:error service:pay* \"connection timeout\" -path:/health' --since 2h",
    "logshed search 'status>=500 duration>1.5s' -C 3",
    "logshed search 'status:(401,403)' --group-by client,path --since 24h",
    "logshed search timeout --histogram --since 7d",
    "logshed search --percentile 95 duration --by path",
    "logshed search level:error --follow",
    "logshed search 'user:* -client:10.0.0.0/8' --output found.parquet",
)


def register(app: typer.Typer) -> None:
    """Add the command."""
    add(app, "search", search, examples=EXAMPLES, served=True)


def search(
    text: Annotated[
        str, typer.Argument(metavar="[SEARCH]", help="Words, fields, brackets; docs/search.md has the language.")
    ] = "",
    *,
    since: Annotated[
        str | None,
        typer.Option(
            metavar="TIME", help="From then on: 2h, 7d, today, 2026-11-01, all; 7d by default.", show_default=False
        ),
    ] = None,
    until: Annotated[str | None, typer.Option(metavar="TIME", help="Up to then.", show_default=False)] = None,
    tz: Annotated[
        str | None, typer.Option(metavar="ZONE", help="Zone of times, such as Europe/Berlin.", show_default=False)
    ] = None,
    collection: Annotated[
        str | None, typer.Option(metavar="ID", help="Only this collection.", show_default=False)
    ] = None,
    limit: Annotated[
        int | None, typer.Option("--limit", "-n", min=1, metavar="N", help="At most so many.", show_default=False)
    ] = None,
    oldest_first: Annotated[bool, typer.Option("--oldest-first", help="Oldest first, not newest.")] = False,
    fields: Annotated[
        str | None,
        typer.Option(metavar="A,B", help="Fields to show; of JSON lines all by default.", show_default=False),
    ] = None,
    context: Annotated[
        int,
        typer.Option(
            "--context", "-C", min=0, max=1000, metavar="N", help="Show N records of the same source around each."
        ),
    ] = 0,
    group_by: Annotated[
        str | None, typer.Option(metavar="A[,B]", help="Count by the values of these fields.", show_default=False)
    ] = None,
    histogram: Annotated[bool, typer.Option("--histogram", help="Count over time, as bars by severity.")] = False,
    rate: Annotated[bool, typer.Option("--rate", help="Records a second over time.")] = False,
    percentile: Annotated[
        tuple[float, str] | None,
        typer.Option(metavar="P FIELD", help="A percentile of a field with numbers.", show_default=False),
    ] = None,
    by: Annotated[
        str | None,
        typer.Option(metavar="A[,B]", help="For --rate and --percentile: of each value of these.", show_default=False),
    ] = None,
    every: Annotated[
        str | None,
        typer.Option(metavar="STEP", help="Step of --histogram and --rate: 10s, 5m, 1h, 1d.", show_default=False),
    ] = None,
    follow: Annotated[bool, typer.Option("--follow", help="Go on with what is ingested from now on.")] = False,
    explain: Annotated[bool, typer.Option("--explain", help="Print the SQL instead of running it.")] = False,
    lake: LakeOption = None,
    form: FormatOption = Format.TABLE,
    as_json: JsonOption = False,
    to: OutputOption = None,
    engine: EngineOption = Engine.DUCKDB,
) -> None:
    """Find records by words and fields, newest first.

    A word is looked for anywhere in a record, without regard to letter case; field:value, field>=value, field:* and
    the like compare one field; a blank is AND, OR and NOT (or -) are written large, brackets group. With a pipe,
    --json prints one object a line.
    """
    from logshed.pipeline.search import Search, understood  # noqa: PLC0415 - heavy

    chosen = Form(Format.NDJSON if as_json else output.chosen(form, to, as_json=False), to)
    ways = {
        "--group-by": group_by is not None,
        "--histogram": histogram,
        "--rate": rate,
        "--percentile": percentile is not None,
        "--context": bool(context),
        "--follow": follow,
    }
    _check(ways, by=by, every=every, fields=fields)
    opened = asked.opened(lake, check=not explain)
    zone = tz or opened.settings.timezone or "UTC"
    scope = understood(text, since=since, until=until, collection=collection, timezone=zone)
    question = Asked(
        Search(scope, names(fields), limit, oldest_first),
        opened,
        engine.value,
        zone,
        chosen,
        explain,
    )
    if group_by is not None:
        question.counted(names(group_by))
    elif percentile is not None:
        question.percentiles(percentile, names(by))
    elif histogram or rate:
        question.over_time(every, names(by), rate=rate)
    elif context:
        question.around(context)
    elif follow:
        question.follow()
    else:
        question.listed()


def names(text: str | None) -> tuple[str, ...]:
    """The names between commas."""
    return tuple(name.strip() for name in (text or "").split(",") if name.strip())


def _check(ways: dict[str, bool], *, by: str | None, every: str | None, fields: str | None) -> None:
    chosen = [name for name, given in ways.items() if given]
    if len(chosen) > 1:
        raise UsageError(f"cannot use {chosen[0]} with {chosen[1]}: they answer different questions; give one of both")
    way = chosen[0] if chosen else "nothing else"
    for name, given, allowed in (
        ("--by", by, ("--rate", "--percentile")),
        ("--every", every, ("--histogram", "--rate")),
        ("--fields", fields, ("--context", "--follow", "nothing else")),
    ):
        if given and way not in allowed:
            raise UsageError(f"cannot use {name} with {way}: it means nothing there; leave it out")
