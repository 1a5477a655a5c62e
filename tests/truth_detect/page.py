"""The tables of what was measured, for the terminal and for ``docs/truth-detect.md``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.truth_detect.scoring import Found, Score

_INTRODUCTION = """<!-- Written by `make truth-detect`; change what it measures. -->

# How much of CrowdSec's own tests the rules find

`make truth-detect` parses the cases of CrowdSec's hub (MIT), each as a file of its own with nothing told beforehand,
and runs every rule over them. What is expected is a set of pairs: a class of attack and an address; which scenarios and
which rules are of which class is in `tests/truth_detect/crowdsec.toml`. A pair is found where a finding of a rule of
that class is about that address. An *alert* is a finding of high confidence; in a case of which the tests expect
nothing it is a false one, unless the lines are an attack all the same: most of these cases only try a parser, and some
do so with lines of an attack. These are told apart below, with the reason.
"""


def tables(score: Score) -> list[str]:
    """Everything, as lines of Markdown."""
    return ["## In all", "", *_summary(score), "", "## By class", "", *_by_class(score), "", *_alerts(score)]


def _summary(score: Score) -> list[str]:
    quiet = sum(not one.truth.expected for one in score.verdicts)
    false = len(score.false_alerts)
    return [
        "| what | found | of these by alerts | expected | recall |",
        "|---|--:|--:|--:|--:|",
        _share("where the log type is parsed", score, parsed=True),
        _share("everywhere", score, parsed=False),
        "",
        f"{len(score.verdicts)} cases, {quiet} of which expect nothing; false alerts in these: {false}.",
    ]


def _by_class(score: Score) -> list[str]:
    parsed = score.by_class(parsed=True)
    rows = ["| class | found | of parsed | of all |", "|---|--:|--:|--:|"]
    for name, (hit, of) in score.by_class(parsed=False).items():
        rows.append(f"| {name} | {hit} | {parsed.get(name, (0, 0))[1]} | {of} |")
    return rows


def _alerts(score: Score) -> list[str]:
    rows = ["## Alerts where nothing is expected", ""]
    false, excused = score.false_alerts, score.excused_alerts
    rows += [f"- {name}: {_told(one)}" for name, one in false] or ["No false ones."]
    if excused:
        rows += ["", "Right, since the lines are an attack:", ""]
        for name, one in excused:
            reasons = score.attacks[name]
            rows.append(f"- {name}: {_told(one)}. {next(reasons[key] for key in one.classes if key in reasons)}")
    return rows


def _told(one: Found) -> str:
    return f"`{one.rule}` about {', '.join(sorted(one.addresses)) or 'no address'}"


def _share(what: str, score: Score, *, parsed: bool) -> str:
    hit, of = score.recall(parsed=parsed)
    return f"| {what} | {hit} | {score.alerted(parsed=parsed)} | {of} | {100 * hit / of if of else 0:.1f} % |"


def missed(score: Score) -> list[str]:
    """What was not found, by case."""
    return [
        f"- {one.truth.name} ({one.truth.format}, as {', '.join(one.formats)}{'' if one.parsed else ', not parsed'}): "
        + ", ".join(f"{name} {address}" for name, address in sorted(one.missed))
        for one in score.verdicts
        if one.missed
    ]


def found(score: Score) -> list[str]:
    """What was found, by case."""
    return [
        f"- {one.truth.name}: " + "; ".join(f"{_told(each)} ({each.confidence})" for each in one.found)
        for one in score.verdicts
        if one.found
    ]


def write(score: Score, path: str, more: Sequence[str] = ()) -> None:
    """Write the page, with the sections of other sources at its end."""
    own = [_INTRODUCTION, *tables(score), "", "## Not found", "", *(missed(score) or ["Nothing."])]
    text = "\n".join([*own, "", *more, ""])
    Path(path).write_text(text, encoding="utf-8")
