"""The tables of what was measured, for the terminal and for ``docs/truth-redaction.md``."""

from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

from tests.truth_redaction.planting import KINDS, SEED
from tests.truth_redaction.real import by_tag, masked

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tests.truth_redaction.real import Hits
    from tests.truth_redaction.scoring import Score, Verdict

_INTRODUCTION = """<!-- Written by `make truth-redaction`; change what it measures. -->

# How well redaction finds things

`make truth-redaction` plants values that it makes up itself, valid by form and check sum, into log lines of every kind
and redacts the lines under the policy `{policy}` (seed {seed}). A value is *found* where nothing but the value changed,
*leaked* where {piece} or more of its characters still stand in the line or in what the line says once it is decoded,
and *overreached* where it is gone but something beside it went, too. Recall is what did not leak. Classes for which the
policy has no rule are shown, and nothing is asked of them: what is found of them, other rules find by the names.
"""
_ABSENT = "The folder `../shared/truth` is not beside the checkout: real files were not looked at."
_MOST_SHOWN = 12


def tables(score: Score, hits: Sequence[Hits]) -> list[str]:
    """Everything, as lines of Markdown."""
    return [
        "## By class",
        "",
        *by_class(score),
        "",
        "## By context (only classes with a rule)",
        "",
        *by_context(score),
        "",
        "## Look-alikes",
        "",
        *alike(score),
        "",
        "## Properties",
        "",
        *properties(score),
        "",
        "## Real logs",
        "",
        *real(hits),
    ]


def write(score: Score, hits: Sequence[Hits], path: str, piece: int) -> None:
    """Write the page."""
    head = _INTRODUCTION.format(policy=score.policy, seed=SEED, piece=piece)
    Path(path).write_text("\n".join([head, *tables(score, hits)]) + "\n", encoding="utf-8")


def by_class(score: Score) -> list[str]:
    """One row a class; those without a rule last."""
    lines = ["| class | rule | planted | recall | leaked | overreached |", "|---|---|--:|--:|--:|--:|"]
    counted = _counted(score.verdicts, "kind")
    for kind in sorted(KINDS, key=lambda kind: not score.ruled[kind.name]):
        rule = ", ".join(f"`{name}`" for name in score.ruled[kind.name]) or "no rule"
        lines.append(f"| {kind.name} | {rule} | {_figures(counted[kind.name])} |")
    total = sum((counted[kind.name] for kind in KINDS if score.ruled[kind.name]), Counter())
    return [*lines, f"| **all with a rule** | | {_figures(total)} |"]


def by_context(score: Score) -> list[str]:
    """One row a context."""
    lines = ["| context | planted | recall | leaked | overreached |", "|---|--:|--:|--:|--:|"]
    ruled = [verdict for verdict in score.verdicts if score.ruled[verdict.planted.kind]]
    return lines + [f"| {name} | {_figures(counter)} |" for name, counter in _counted(ruled, "context").items()]


def alike(score: Score) -> list[str]:
    """One row a kind of look-alike."""
    lines = ["| look-alike | planted | false |", "|---|--:|--:|"]
    false = Counter(kind for kind, _, _, _ in score.false)
    lines += [f"| {kind} | {count:,} | {false[kind]:,} |" for kind, count in score.lookalikes.items()]
    return [*lines, f"| **all** | {sum(score.lookalikes.values()):,} | {len(score.false):,} |"]


def properties(score: Score) -> list[str]:
    """What must hold of every text."""
    names = ("redacting twice changes nothing", "the lines stay as many", "JSON stays JSON")
    counts = Counter(name for name, _ in score.broken)
    lines = ["| property | lines of which it does not hold |", "|---|--:|"]
    return lines + [f"| {name} | {counts[name]:,} of {len(score.verdicts):,} |" for name in names]


def real(hits: Sequence[Hits], *, mask: bool = True) -> list[str]:
    """What was replaced in real files; nothing secret is written out whole."""
    if not hits:
        return [_ABSENT]
    lines = [
        "Files of `../shared/truth` and the distinct values replaced there: how each begins, its length, its count.",
        "",
        "| file | lines | changed | tag | spans | distinct | values |",
        "|---|--:|--:|---|--:|--:|---|",
    ]
    for found in hits:
        head = f"| {found.name} | {found.lines:,} | {found.changed:,} |"
        for tag, values in by_tag(found).items():
            shown = [f"`{_cell(masked(value) if mask else value)}` x{count}" for value, count in values[:_MOST_SHOWN]]
            more = f", and {len(values) - _MOST_SHOWN} more" if len(values) > _MOST_SHOWN else ""
            spans = sum(count for _, count in values)
            lines.append(f"{head} {tag} | {spans:,} | {len(values):,} | {', '.join(shown)}{more} |")
        if not found.values:
            lines.append(f"{head} | 0 | 0 | |")
    return lines


def leaks(score: Score, limit: int) -> list[str]:
    """The first lines of each class and context whose value was not simply found."""
    lines, shown = [], Counter[tuple[str, str, str]]()
    for verdict in score.verdicts:
        planted = verdict.planted
        key = (planted.kind, planted.context.name, verdict.outcome)
        if verdict.outcome == "found" or not score.ruled[planted.kind]:
            continue
        shown[key] += 1
        if shown[key] <= limit:
            lines += [f"{verdict.outcome}: {planted.kind}, {planted.context.name}: {planted.value!r}"]
            lines += [f"    {planted.line!r}", f"    {verdict.clean!r}"]
    lines += [f"{count:>5} {outcome}: {kind}, {context}" for (kind, context, outcome), count in shown.items()]
    return lines


def false(score: Score, hits: Iterable[Hits]) -> list[str]:
    """Every look-alike that changed, and every distinct value that was replaced in real files."""
    lines = [f"false: {kind}, {context}\n    {line!r}\n    {clean!r}" for kind, context, line, clean in score.false]
    for found in hits:
        for tag, values in by_tag(found).items():
            lines += [f"{found.name}: {tag} x{count}: {value!r}" for value, count in values]
    return lines


def _counted(verdicts: Iterable[Verdict], what: str) -> dict[str, Counter[str]]:
    counters: dict[str, Counter[str]] = defaultdict(Counter)
    for verdict in verdicts:
        planted = verdict.planted
        counters[planted.kind if what == "kind" else planted.context.name][verdict.outcome] += 1
    return counters


def recall(counter: Counter[str]) -> float:
    """Per cent of the values of which nothing is left."""
    return 100.0 * (1 - counter["leaked"] / max(sum(counter.values()), 1))


def _figures(counter: Counter[str]) -> str:
    share = recall(counter)
    shown = "100 %" if counter["leaked"] == 0 else f"{min(share, 99.99):.2f} %"
    return f"{sum(counter.values()):,} | {shown} | {counter['leaked']:,} | {counter['overreached']:,}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("`", "'").replace("\n", "\\n")
