"""``logshed query`` and ``logshed run``: SQL and named questions."""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from logshed.cli import asked, drawing, output, proof, terminal
from logshed.cli.commands import JsonOption, LakeOption, add, pairs
from logshed.cli.output import Format, FormatOption, OutputOption
from logshed.errors import UsageError
from logshed.queries.chart import ChartKind  # noqa: TC001 - typer reads the annotations

if TYPE_CHECKING:
    from logshed.api import Lake
    from logshed.queries.model import Question
    from logshed.sql.result import Result


class Engine(StrEnum):
    """What runs the SQL."""

    DUCKDB = "duckdb"
    CLICKHOUSE = "clickhouse"


EngineOption = Annotated[Engine, typer.Option("--sql", help="What runs the SQL.")]
ParameterOption = Annotated[
    list[str] | None, typer.Option("--param", "-p", metavar="NAME=VALUE", help="Set a parameter.", show_default=False)
]
ZoneOption = Annotated[
    str | None,
    typer.Option("--tz", metavar="ZONE", help="The zone of days and hours, such as Europe/Berlin.", show_default=False),
]


QUERY_EXAMPLES = (
    'logshed query "SELECT url_path, count(*) AS n FROM logs GROUP BY 1 ORDER BY n DESC LIMIT 10"',
    'logshed query "SELECT * FROM logs WHERE severity_number >= 17" --output errors.parquet',
    "logshed query 'SELECT count(*) FROM logs WHERE client_address = $ip' -p ip=192.0.2.1",
)
RUN_EXAMPLES = (
    "logshed run",
    "logshed run http_traffic",
    "logshed run traffic_by_hour --since 2015-05-17 --until 2015-05-18 --chart",
    "logshed run top_paths --since 7d --output paths.csv",
    "logshed run traffic --since 7d --compare previous --tz Europe/Berlin --exclude-bots --exclude-ip 10.0.0.0/8",
)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    add(app, "query", query, examples=QUERY_EXAMPLES, served=True)
    add(app, "run", run, examples=RUN_EXAMPLES, served=True)


def query(
    sql: Annotated[
        str,
        typer.Argument(metavar="SQL", help="One statement in DuckDB's dialect, or - to read it from standard input."),
    ],
    *,
    lake: LakeOption = None,
    form: FormatOption = Format.TABLE,
    as_json: JsonOption = False,
    to: OutputOption = None,
    engine: EngineOption = Engine.DUCKDB,
    param: ParameterOption = None,
    zone: ZoneOption = None,
    prove: proof.ProofOption = False,
    sign: proof.SignOption = False,
) -> None:
    """Ask the lake in SQL. Its tables: logs (what the lines say) and lines (the lines themselves)."""
    text = sys.stdin.read() if sql == "-" else sql
    params: dict[str, object] = {**pairs(param or [])}
    opened = asked.opened(lake, check=False)
    proven = proof.beside(opened, to, proof=prove, sign=sign)
    with opened.query(text, engine=engine.value, params=params or None, timezone=zone) as result:
        rows = output.write(result, output.chosen(form, to, as_json=as_json), to)
    proven({"sql": text, "params": params, "engine": engine.value, "timezone": zone}, rows)


def run(
    name: Annotated[
        str | None,
        typer.Argument(metavar="[NAME]", help="The question; without it, all are listed.", show_default=False),
    ] = None,
    *,
    list_all: Annotated[bool, typer.Option("--list", help="List the questions.")] = False,
    show: Annotated[
        bool, typer.Option("--show", help="Print the question's meaning and SQL instead of running it.")
    ] = False,
    since: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="From then on: 24h, 7d, today, 2026-11-01, all.", show_default=False),
    ] = None,
    until: Annotated[str | None, typer.Option(metavar="TIME", help="Up to then.", show_default=False)] = None,
    collection: Annotated[
        str | None, typer.Option(metavar="ID", help="Only this collection.", show_default=False)
    ] = None,
    compare: Annotated[
        str | None,
        typer.Option(metavar="WHEN", help="Beside an earlier time: previous, 1d, 1w.", show_default=False),
    ] = None,
    zone: ZoneOption = None,
    exclude_ip: Annotated[
        list[str] | None,
        typer.Option(metavar="ADDRESS", help="Leave out a client or a network.", show_default=False),
    ] = None,
    exclude_bots: Annotated[bool, typer.Option("--exclude-bots", help="Leave out bots.")] = False,
    chart: Annotated[bool, typer.Option("--chart", help="Draw a chart instead of a table.")] = False,
    chart_kind: Annotated[
        ChartKind | None, typer.Option(help="Draw it so, and not as the question says.", show_default=False)
    ] = None,
    param: ParameterOption = None,
    lake: LakeOption = None,
    form: FormatOption = Format.TABLE,
    as_json: JsonOption = False,
    to: OutputOption = None,
    prove: proof.ProofOption = False,
    sign: proof.SignOption = False,
    engine: EngineOption = Engine.DUCKDB,
) -> None:
    """Ask a named question."""
    from logshed.queries import registry  # noqa: PLC0415 - not for `--help`
    from logshed.settings import Settings  # noqa: PLC0415 - as above

    plugins = Settings.load().plugins
    if name is None or list_all:
        _list(registry.load(plugins), as_json=as_json)
        return
    question = registry.question(name, plugins)
    if show:
        print("\n".join(question_lines(question)))
        return
    opened = asked.opened(lake)
    given: dict[str, Any] = {**pairs(param or []), **_left_out(question, exclude_ip or [], bots=exclude_bots)}
    window: dict[str, Any] = {"since": since, "until": until, "collection": collection}
    how: dict[str, Any] = {"engine": engine.value, "compare": compare, "timezone": zone}
    proven = proof.beside(opened, to, proof=prove, sign=sign)
    with opened.run(name, **how, **given, **window) as result:
        rows = (
            _draw(question, result, chart_kind)
            if chart or chart_kind
            else output.write(result, output.chosen(form, to, as_json=as_json), to)
        )
    proven({"question": name, "sql": question.sql, "params": given, **window, **how}, rows)
    if not rows:
        print(_nothing(opened, question, since), file=sys.stderr)


def _left_out(question: Question, addresses: list[str], *, bots: bool) -> dict[str, Any]:
    """The question's parameters that leave out clients and bots."""
    given: dict[str, tuple[str, Any]] = {
        "exclude_client": ("--exclude-ip", addresses[0] if len(addresses) == 1 else addresses),
        "exclude_bots": ("--exclude-bots", bots),
    }
    wanted = {name: both for name, both in given.items() if both[1]}
    for name, (option, _) in wanted.items():
        if name not in question.parameters:
            raise UsageError(
                f"cannot use {option} with {question.name}: it has no parameter {name}; leave it out, or take a "
                "question that has one (`logshed run NAME --show`)"
            )
    return {name: value for name, (_, value) in wanted.items()}


def question_lines(question: Question) -> list[str]:
    """What a question means, and its SQL."""
    lines = [
        f"{question.name}: {question.title}",
        question.description,
        "",
        f"Looks back: {question.window}",
        "Columns:",
    ]
    lines += [f"  {name}: {meaning}" for name, meaning in question.columns.items()]
    if question.parameters:
        lines.append("Parameters:")
        lines += [f"  {name}={one.default}: {one.meaning}" for name, one in question.parameters.items()]
    return [*lines, "", question.sql]


def _list(questions: dict[str, Question], *, as_json: bool) -> None:
    if as_json:
        import orjson  # noqa: PLC0415 - only for --json

        print(orjson.dumps(list(questions.values()), option=orjson.OPT_INDENT_2).decode())
        return
    size = max(map(len, questions), default=0)
    for name, question in questions.items():
        print(f"{terminal.bold(f'{name:<{size}}')}  {question.title} ({question.window})")
    print("\nAsk one with `logshed run NAME`; `--show` explains it, `--since all` looks at everything.")


def _draw(question: Question, result: Result, kind: ChartKind | None) -> int:
    rows = result.rows()
    lines = drawing.draw(
        question.chart,
        result.columns,
        rows,
        kind=kind,
        width=terminal.width() or 80,
        coloured=terminal.colours(),
    )
    print(terminal.bold(question.title))
    for line in lines:
        print(line)
    return len(rows)


def _nothing(lake: Lake, question: Question, since: str | None) -> str:
    """Why an answer has no rows, and what to do: old logs lie before the default window."""
    first, last = lake.query("SELECT min(timestamp), max(timestamp) FROM logs").rows()[0]
    if first is None:
        return "No rows: the lake is empty; fill it with `logshed ingest`."
    window = f"since {since}" if since else f"in the default window ({question.window})"
    return (
        f"No rows {window}. The lake holds {first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M} UTC: "
        f"try --since {first:%Y-%m-%d}, or --since all."
    )
