"""``logshed verify-redaction``: proves that nothing rests in the lake that its policy forbids."""

from __future__ import annotations

import re
import sys
import time
from typing import TYPE_CHECKING, Annotated

import typer

from logshed.cli import tables, terminal
from logshed.cli.cells import shown
from logshed.cli.commands import FAILED, JsonOption, LakeOption, add
from logshed.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from logshed.pipeline.resting import Sample

COLUMNS = ("table", "column", "rule", "count", "examples", "one stands in")
SECONDS_BETWEEN_NOTES = 2.0
EXAMPLES = (
    "logshed verify-redaction",
    "logshed verify-redaction --sample 100%                # every row",
    "logshed verify-redaction --policy strictest           # also what the lake's policy keeps",
)
SampleOption = Annotated[
    str, typer.Option("--sample", metavar="SHARE", help="Share of the rows to read: 1%, 0.05, 100%.")
]
SeedOption = Annotated[int, typer.Option("--seed", min=0, help="Another number reads other rows.")]


def register(app: typer.Typer) -> None:
    """Add the command."""
    add(app, "verify-redaction", verify_redaction, examples=EXAMPLES, logs=True)


def verify_redaction(
    *,
    sample: SampleOption = "1%",
    seed: SeedOption = 0,
    policy: Annotated[
        str | None,
        typer.Option(
            "--policy",
            metavar="NAME|FILE|strictest",
            help="By whose rules; else by the setting. strictest: by every rule there is.",
            show_default=False,
        ),
    ] = None,
    lake: LakeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Read what rests in the lake and look for what its policy forbids; exits with 1 if anything is found.

    Every column of text of every table is read, also in files that no snapshot has any more: a random share of the
    rows, of few rows all. The lake's other files (metadata, manifests, catalog, ledger) are always read whole. What the
    policy keeps, and what it has put there itself, is no leak. Values are told with their letters hidden.
    """
    from logshed.api import Lake  # noqa: PLC0415 - heavy

    share = share_of(sample)
    report = Lake.open(lake).verify_redaction(share, seed=seed, policy=policy, progress=note())
    if as_json:
        import orjson  # noqa: PLC0415 - only for --json

        print(orjson.dumps(report.as_dict(), option=orjson.OPT_INDENT_2).decode())
    else:
        rows = [
            [one.table, one.column, one.rule, one.count, "; ".join(one.examples), one.where] for one in report.leaks
        ]
        if rows:
            terminal.page(tables.table(COLUMNS, rows, terminal.width()))
        for file in report.unread:
            print(f"not read: {shown(file)} is not whole, and no table has it; a stopped run may have left it")
        read = ", ".join(f"{report.read[place]:,} of {total:,} in {place}" for place, total in report.rows.items())
        print(f"Read {read}, by the policy {report.policy}.")
        total = sum(one.count for one in report.leaks)
        print(f"{total:,} values that it forbids were found." if total else "Nothing that it forbids was found.")
    if not report.ok:
        raise typer.Exit(FAILED)


def share_of(text: str) -> float:
    """A share such as ``1%`` or ``0.01`` as a number from 0 to 1.

    Raises:
        UsageError: It is none.
    """
    found = re.fullmatch(r"\s*([0-9]*\.?[0-9]+)\s*(%?)\s*", text)
    share = float(found[1]) / (100 if found[2] else 1) if found else 0.0
    if not 0 < share <= 1:
        raise UsageError(f"cannot sample {text!r}: it is no share above 0 and up to 100%; write 1%, 0.05 or 100%")
    return share


def note() -> Callable[[str, Sample], None] | None:
    """Tells on a terminal, every few seconds, how far it is."""
    if not sys.stderr.isatty():
        return None
    last = time.monotonic()

    def tell(place: str, sample: Sample) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= SECONDS_BETWEEN_NOTES:
            last = now
            print(f"{place}: {sample.read.get(place, 0):,} of {sample.rows.get(place, 0):,} rows", file=sys.stderr)

    return tell
