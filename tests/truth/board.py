"""Everything scored, and how it is shown."""
# ruff: noqa: T201 - it talks to developers

from __future__ import annotations

import os
import sys
from collections import Counter, defaultdict
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

from tests.truth import cases, special
from tests.truth.scoring import Score, score

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from tests.truth.cases import Case

FOLDER = Path(__file__).resolve().parents[2].parent / "shared" / "truth"
FIELD_SOURCES: dict[str, Callable[[Path], list[Case]]] = {
    "beats": cases.beats,
    "logstash": cases.logstash,
    "datadog": cases.datadog,
    "ops_agent": cases.ops_agent,
    "crowdsec": cases.crowdsec,
}
OTHER_SOURCES: dict[str, Callable[[Path], Score]] = {
    "apachelogs": special.apachelogs,
    "go_syslog": special.go_syslog,
    "dateparse": special.dateparse,
    "stacktraces": special.stacktraces,
    "bots": special.bots,
}


_SLOW = ("crowdsec", "datadog")
"""The sources of most files; they are begun first."""


def everything(sources: Sequence[str] = (), *, only: str | None = None) -> list[Score]:
    """The scores of the sources, all by default; several at a time on machines with several cores."""
    wanted = list(sources) or [*FIELD_SOURCES, *OTHER_SOURCES]
    if len(wanted) == 1:
        return [scored(wanted[0], only)]
    slowest_first = sorted(wanted, key=lambda source: (source not in _SLOW, wanted.index(source)))
    with ProcessPoolExecutor(min(len(wanted), os.cpu_count() or 1), get_context("spawn")) as pool:
        found = {source: pool.submit(scored, source, only) for source in slowest_first}
        return [found[source].result() for source in wanted]


def scored(source: str, only: str | None = None) -> Score:
    """The score of one source."""
    if source in FIELD_SOURCES:
        return score(source, FIELD_SOURCES[source](FOLDER), only=only)
    return OTHER_SOURCES[source](FOLDER)


def tally(found: Score) -> Counter[str]:
    """How many leaves came to what."""
    return Counter(leaf.verdict for leaf in found.leaves)


def by_format(found: Score) -> dict[str, Counter[str]]:
    """The same for each format, by name."""
    counters: dict[str, Counter[str]] = defaultdict(Counter)
    for leaf in found.leaves:
        counters[leaf.format][leaf.verdict] += 1
    return dict(sorted(counters.items(), key=lambda item: item[0].lower()))


def share(counter: Counter[str], kind: str) -> float:
    """Per cent of the leaves that came to ``kind``."""
    return 100.0 * counter[kind] / max(sum(counter.values()), 1)


def record_share(found: Score) -> float:
    """Per cent of files whose number of records is right."""
    right = sum(wanted == got for wanted, got in found.counts.values())
    return 100.0 * right / max(len(found.counts), 1)


def print_table(board: Iterable[Score], *, by_format: bool) -> None:
    """One line a source, and one a format."""
    line = "{:<14} {:<34} {:>6} {:>6} {:>6} {:>8}  {:>6} {:>6}"
    print(line.format("source", "format", "leaves", "right", "wrong", "unparsed", "right%", "wrong%"))
    for found in board:
        listed = [("all", tally(found)), *(_by_format(found) if by_format else [])]
        for name, counter in listed:
            right, wrong = f"{share(counter, 'right'):.1f}", f"{share(counter, 'wrong'):.1f}"
            numbers = (counter["right"], counter["wrong"], counter["unparsed"])
            print(line.format(found.source, name[:34], sum(numbers), *numbers, right, wrong))
        if found.counts:
            print(f"{found.source:<14} files with the right number of records: {record_share(found):.1f} %")
            for name, (wanted, got) in found.counts.items():
                if by_format and wanted != got:
                    print(f"    {name}: {got} records instead of {wanted}")


def _by_format(found: Score) -> list[tuple[str, Counter[str]]]:
    return list(by_format(found).items())


def print_failures(board: Iterable[Score], kinds: Sequence[str], limit: int) -> None:
    """The leaves that came to one of ``kinds``, with their lines."""
    leaves = [leaf for found in board for leaf in found.leaves if leaf.verdict in kinds]
    last = ""
    for leaf in leaves[:limit]:
        if leaf.case + leaf.text != last:
            print(f"\n{leaf.source} {leaf.format}  {leaf.case}  [{leaf.taken_by}]\n    {leaf.text[:600]}")
            last = leaf.case + leaf.text
        shown = str(leaf.found)[:300]
        print(f"    {leaf.verdict:<8} {leaf.name} = {str(leaf.expected)[:300]!r}; ours {shown}")
    if len(leaves) > limit:
        print(f"\n... and {len(leaves) - limit} more (--limit)", file=sys.stderr)
