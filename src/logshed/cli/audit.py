"""``logshed audit``: proves that every line read has one fate."""

from __future__ import annotations

import typer

from logshed.cli import tables, terminal
from logshed.cli.cells import shown
from logshed.cli.commands import FAILED, JsonOption, LakeOption, add

COLUMNS = ("source", "generation", "read", "stored", "rejected", "dropped")


def register(app: typer.Typer) -> None:
    """Add the command."""
    add(app, "audit", audit, logs=True)


def audit(*, lake: LakeOption = None, as_json: JsonOption = False) -> None:
    """Prove that every line read has one fate.

    For every source, lines read = stored + rejected + dropped, and the tables hold just these. Exits with 1 if anything
    is missing or doubled, and names it. A source of which far fewer lines parse than usual is named too.
    """
    from logshed.api import Lake  # noqa: PLC0415 - heavy

    report = Lake.open(lake).audit()
    if as_json:
        import orjson  # noqa: PLC0415 - only for --json

        print(orjson.dumps(report.as_dict(), option=orjson.OPT_INDENT_2).decode())
    else:
        rows = [[getattr(row, name) for name in COLUMNS] for row in report.sources]
        terminal.page(tables.table(COLUMNS, rows, terminal.width()))
        for row in report.sources:
            for text in row.breaks:
                print(f"{row.source} {row.generation}: {text}")
        for text in report.breaks:
            print(text)
        for drift in report.drifts:
            print(f"{terminal.bold('drift')} {shown(drift.source)}: {drift.text}:")
            print("\n".join(f"    {shown(line)}" for line in drift.samples))
        print(f"{len(rows):,} sources: {'every line has one fate' if report.ok else 'NOT every line has one fate'}.")
    if not report.ok:
        raise typer.Exit(FAILED)
