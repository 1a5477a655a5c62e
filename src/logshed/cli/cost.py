"""``logshed cost``: what the lake costs a month, and what it would cost."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from pathlib import Path  # noqa: TC003 - typer reads the annotations
from typing import TYPE_CHECKING, Annotated, Any

import typer

from logshed.cli import tables, terminal
from logshed.cli.commands import JsonOption, LakeOption, add
from logshed.cli.progress import size
from logshed.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

EXAMPLES = (
    "logshed cost",
    "logshed cost --days-bronze 30 --days-silver 180",
    "logshed cost --by event                # of an archive that came in one day",
    "logshed cost --prices our-prices.toml --json",
    "logshed cost --events-per-day 1000000 --bytes-per-event 500   # of a lake that is not there yet",
)
PARTS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("Storage", "storage", ("cloud", "layer", "days", "gb", "month")),
    ("Requests", "requests", ("cloud", "writes", "reads", "month")),
    ("Machines, while they work", "compute", ("engine", "machine", "cpu_s_per_gb", "processor_hours", "month", "spot")),
    ("Machines by the hour", "jobs", ("job", "machine", "count", "minutes", "runs", "machine_hours", "month", "spot")),
    ("Collections", "collections", ("cloud", "collection", "events_per_day", "gb", "month")),
    ("What if", "what_if", ("cloud", "if", "gb", "month", "more")),
)
MONEY = frozenset({"month", "spot", "more"})


class By(StrEnum):
    """Whose days are counted."""

    OBSERVED = "observed"
    EVENT = "event"


def register(app: typer.Typer) -> None:
    """Add the command."""
    add(app, "cost", cost, examples=EXAMPLES)


def cost(
    *,
    days_bronze: Annotated[int, typer.Option(metavar="N", min=0, help="Days for which bronze is kept.")] = 7,
    days_silver: Annotated[int, typer.Option(metavar="N", min=0, help="Days for which silver is kept.")] = 90,
    days_gold: Annotated[
        int, typer.Option(metavar="N", min=0, help="Days for which gold, findings, incidents and audit are kept.")
    ] = 360,
    prices: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Prices of your own (TOML); see docs/cost.md.", show_default=False),
    ] = None,
    by: Annotated[
        By, typer.Option(help="Count the days in which records came, or those of their own time.")
    ] = By.OBSERVED,
    events_per_day: Annotated[
        float | None, typer.Option(metavar="N", help="Of a lake that is not there yet.", show_default=False)
    ] = None,
    bytes_per_event: Annotated[
        float | None, typer.Option(metavar="N", help="What an event takes in each layer of it.", show_default=False)
    ] = None,
    lake: LakeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say what the lake costs a month: storage, requests, machines, by layer, cloud and collection.

    How much comes in a day is read from the lake's metadata; prices are list prices with their date and source.
    """
    from logshed.api import Lake  # noqa: PLC0415 - heavy

    if (events_per_day is None) != (bytes_per_event is None):
        raise UsageError("cannot suppose a lake of one number: give both --events-per-day and --bytes-per-event")
    supposed = None if events_per_day is None or bytes_per_event is None else (events_per_day, bytes_per_event)
    found = Lake.open(lake, check=supposed is None).cost(
        days={"bronze": days_bronze, "silver": days_silver, "gold": days_gold},
        prices=prices,
        by=by.value,
        supposed=supposed,
    )
    if as_json:
        import orjson  # noqa: PLC0415 - only for --json

        print(orjson.dumps(found, option=orjson.OPT_INDENT_2, default=float).decode())
    else:
        terminal.page(_lines(found))


def _lines(found: dict[str, Any]) -> Iterator[str]:
    days = found["measured_days"]
    whence = "supposed" if days is None else f"measured over {days:,.1f} days"
    raw = size(float(found["raw_bytes_per_day"]))
    yield f"{found['events_per_day']:,.0f} events a day, {raw} of raw logs ({whence})."
    yield f"A month has 30 days; money is in {found['currency']}."
    for title, part, columns in PARTS:
        if found[part]:
            yield ""
            yield terminal.bold(title)
            yield from tables.table(columns, _rows(found[part], columns), terminal.width())
    yield ""
    yield terminal.bold("Prices")
    columns = ("name", "date", "source")
    yield from tables.table(columns, [[row[name] for name in columns] for row in found["sources"]], terminal.width())


def _rows(rows: Sequence[dict[str, Any]], columns: Sequence[str]) -> list[list[Any]]:
    return [[_shown(name, row[name]) for name in columns] for row in rows]


def _shown(name: str, value: object) -> object:
    """Money with its cents, other numbers to three places."""
    if not isinstance(value, Decimal):
        return "" if value is None else value
    if name in MONEY:
        return f"{value:,.2f}"
    return int(value) if value == value.to_integral_value() else round(float(value), 3)
