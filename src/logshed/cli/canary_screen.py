"""Draws a canary's run: how it stands on standard error, and what came of it."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

from logshed.cli import terminal
from logshed.cli.progress import now_and_then

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from logshed.pipeline.canary import Plan, State
    from logshed.pipeline.canary_report import Delays, Report

BUCKETS = 10
WIDTH = 40
_GREEN, _RED, _YELLOW = 32, 31, 33


@contextmanager
def shown(plan: Plan) -> Iterator[Callable[[State], None]]:
    """What to call with each state: lines that change on a terminal, else one now and then; on standard error."""
    if not sys.stderr.isatty():
        yield now_and_then(line)
        return
    from rich.console import Console  # noqa: PLC0415 - `--help` has no use for it
    from rich.live import Live  # noqa: PLC0415 - as above
    from rich.text import Text  # noqa: PLC0415 - as above

    with Live(console=Console(stderr=True), refresh_per_second=4, transient=True) as live:

        def update(state: State) -> None:
            live.update(Text("\n".join(screen(state, plan)), no_wrap=True, overflow="ellipsis"))

        yield update


def line(state: State) -> str:
    """How it stands, as one line."""
    median, most = state.delays.at(50), state.delays.at(100)
    parts = [f"{state.sent:,} sent", f"{state.taken:,} acknowledged", f"{state.seen:,} in the lake"]
    parts += [f"{median:.1f} s to be visible, {most:.1f} s at most"] if median is not None and most is not None else []
    parts += [state.trouble] if state.trouble else []
    return f"{state.seconds:.0f} s: " + ", ".join(parts)


def screen(state: State, plan: Plan) -> list[str]:
    """How it stands, as some lines."""
    share = min(state.seconds / plan.seconds, 1.0) if plan.seconds else 0.0
    far = f"{'█' * round(share * WIDTH):░<{WIDTH}} " if plan.seconds else ""
    doing = "sending" if state.sending else "waiting for the last lines"
    lines = [f"{far}{state.seconds:.0f} s, {doing}"]
    for name, count in (("sent", state.sent), ("acknowledged", state.taken), ("in the lake", state.seen)):
        lines.append(f"  {name:<13}{count:>12,}  {'▪' * round(count / max(state.sent, 1) * (WIDTH - 10))}")
    lines += [f"  {text}" for text in histogram(state.delays)]
    return [*lines, *([f"  ! {state.trouble}"] if state.trouble else [])]


def histogram(delays: Delays) -> list[str]:
    """How long lines took, as bars."""
    import numpy as np  # noqa: PLC0415 - heavy

    if not len(delays.seconds):
        return []
    top = max(float(np.ceil(delays.seconds.max())), 1.0)
    counts, edges = np.histogram(delays.seconds, bins=min(BUCKETS, max(int(top), 2)), range=(0, top))
    highest = int(counts.max())
    return [
        f"{first:5.1f}-{last:<5.1f}s {count:>9,}  {'█' * max(round(count / highest * WIDTH), 1 if count else 0)}"
        for count, first, last in zip(counts.tolist(), edges[:-1], edges[1:], strict=True)
    ]


def tell(report: Report, to: IO[str]) -> None:
    """Print what came of a run."""
    found, said = report.found, []
    figures: list[tuple[str, int, int]] = [
        ("sent", report.sent, 0),
        ("acknowledged" if report.acknowledges else "handed over", report.taken, 0),
        ("stored", found.stored, 0),
        ("missing", found.missing, _RED),
        ("duplicate", found.duplicates, _YELLOW),
        ("out of order", found.disordered, _YELLOW),
        ("late", report.late, _YELLOW),
        ("sent again", report.tries, 0),
    ]
    for name, count, colour in figures:
        figure = f"{count:>12,}"
        said.append(f"  {name:<13}{_coloured(figure, colour) if colour and count else figure}")
    if found.collections:
        where = ", ".join(f"{name} ({count:,})" for name, count in found.collections.items())
        said.append(f"  in collection {where}")
    times = [(f"p{one}" if one < 100 else "max", report.delays.at(one)) for one in (50, 90, 99, 100)]  # noqa: PLR2004 - percent
    if times[0][1] is not None:
        said.append("  visible after " + ", ".join(f"{name} {value:.2f} s" for name, value in times))
        said += [f"    {text}" for text in histogram(report.delays)]
    verdict = _coloured(report.verdict, _GREEN if report.spotless else _YELLOW if report.ok else _RED)
    print("\n".join([f"Run {report.run} to {report.to or 'unknown'}", *said, verdict]), file=to)


def _coloured(text: str, colour: int) -> str:
    return f"\x1b[1;{colour}m{text}\x1b[0m" if terminal.colours() else text
