"""``logshed compliance``: how a lake stands to a law or a standard, point by point, with evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from logshed.cli import terminal
from logshed.cli.cells import shown
from logshed.cli.commands import FAILED, JsonOption, LakeOption, add
from logshed.cli.verify import SampleOption, SeedOption, note, share_of

if TYPE_CHECKING:
    from logshed.pipeline.compliance import Compliance

EXAMPLES = (
    "logshed compliance --regime gdpr",
    "logshed compliance --regime pci --sample 100% --json > pci.json",
)


def register(app: typer.Typer) -> None:
    """Add the command."""
    add(app, "compliance", compliance, examples=EXAMPLES, logs=True)


def compliance(
    *,
    regime: Annotated[
        str, typer.Option("--regime", metavar="gdpr|hipaa|ccpa|pci", help="The law or standard, or one of your own.")
    ],
    sample: SampleOption = "1%",
    seed: SeedOption = 0,
    lake: LakeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Tell how the lake stands to a law or a standard, point by point; exits with 1 if a point is not met.

    Points are answered from the lake's settings, the modes of its files and a sample of what rests in it, read by every
    rule there is. What only a human can tell is left to one. It is evidence for a review, and no legal advice.
    """
    from logshed.api import Lake  # noqa: PLC0415 - heavy

    share = share_of(sample)
    report = Lake.open(lake).compliance(regime, share, seed=seed, progress=note())
    if as_json:
        import orjson  # noqa: PLC0415 - only for --json

        print(orjson.dumps(report.as_dict(), option=orjson.OPT_INDENT_2).decode())
    else:
        terminal.page(_told(report))
    if not report.ok:
        raise typer.Exit(FAILED)


def _told(report: Compliance) -> list[str]:
    lines = [terminal.bold(report.title), ""]
    for answer in report.answers:
        lines.append(f"{answer.state.upper():<11}  {terminal.bold(answer.title)} ({answer.source})")
        lines.append(f"{'':<11}  {shown(answer.evidence)}")
    read = ", ".join(f"{report.read[place]:,} of {total:,} in {place}" for place, total in report.rows.items())
    counts = {
        state: sum(answer.state == state for answer in report.answers) for state in ("met", "not met", "for a human")
    }
    told = ", ".join(f"{count} {state}" for state, count in counts.items())
    return [*lines, "", f"{told}. Read {read}; policy {report.policy}, {report.made}."]
