"""Measures the anomaly methods on labelled series: precision and recall by event, for each method and kind of series.

An event is found if a finding overlaps it, and counts once; a finding that overlaps none is a false one. Series are
drawn from a fixed seed. ``--series 40`` draws more of each kind.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from logshed.detections.anomalies.alarms import Alarm, events, off_buckets
from logshed.detections.anomalies.counting import Counts
from logshed.detections.anomalies.methods import Ewma, Grid, HourOfWeek, RobustZ
from logshed.detections.anomalies.series import Change, Spec, draw

WIDTH, DAY, HOUR = 900, 86_400, 3_600
DAYS, JUDGED = 35, 7
"""Four weeks of history and one that is judged, in quarters of an hour."""

GRACE = 8
"""Buckets after an event in which it may still be found: its end is in the baseline's gap for an hour, and quiet."""

SEED = 20261126
COUNTS, MEASURES = "negative_binomial", "lognormal"
KINDS: dict[str, dict[str, object]] = {
    "flat": {"base": 60, "noise": COUNTS, "spread": 0.05},
    "daily": {"base": 200, "noise": COUNTS, "spread": 0.03, "day": 0.6},
    "weekly": {"base": 200, "noise": COUNTS, "spread": 0.03, "day": 0.5, "week": 0.5},
    "trend": {"base": 100, "noise": COUNTS, "spread": 0.03, "day": 0.4, "trend": 1.3},
    "wandering": {"base": 200, "noise": COUNTS, "spread": 0.02, "day": 0.4, "week": 0.3, "wander": 0.15},
    "heavy": {"base": 30, "noise": COUNTS, "spread": 0.6},
    "low": {"base": 0.4, "noise": "poisson"},
    "measure": {"base": 120, "noise": MEASURES, "spread": 0.15, "day": 0.4},
    "missing": {"base": 120, "noise": MEASURES, "spread": 0.15, "day": 0.4, "missing": 0.15},
}
FACTORS = {"heavy": 8.0, "low": 25.0}
"""How far an event lifts or lowers the mean, before a random 0.8 to 1.6; 3 where nothing else is said."""

HOURS = {"spike": 0.75, "shift": 48.0, "drop": 3.0, "none": 0.0}
NO_DROP = ("low", "heavy")
"""Kinds in which a drop cannot be told from chance."""


@dataclass(frozen=True)
class Contender:
    """A method with its lines, and the kinds of series that it is made for."""

    method: RobustZ | Ewma | HourOfWeek | Counts
    lines: dict[str, float]
    kinds: tuple[str, ...]
    changes: tuple[str, ...] = ("spike", "shift", "drop", "none")


_RUN = {"over": 2, "among": 3, "quiet": 4, "least_ratio": 1.3}
_ALL = tuple(KINDS)
_COUNTED = ("flat", "daily", "weekly", "trend", "wandering", "heavy", "low")
_Z = {"window": 2 * DAY, "gap": HOUR, "season": "week"}
CONTENDERS = {
    "point z (naive)": Contender(
        RobustZ(window=2 * DAY, gap=0, scale="none", floor=1e-9), {"start": 3, "end": 3, "quiet": 1}, _ALL
    ),
    "robust_z": Contender(
        RobustZ(**_Z, scale="log", floor=0.1),  # type: ignore[arg-type]
        {"start": 4, "end": 2, "sure": 9, **_RUN},
        ("flat", "daily", "weekly", "trend", "wandering", "measure", "missing"),
    ),
    "ewma": Contender(
        Ewma(**_Z, scale="root", floor=1.0),  # type: ignore[arg-type]
        {"start": 5, "end": 2.5, **_RUN},
        _ALL,
        ("shift", "drop", "none"),
    ),
    "hour_of_week": Contender(
        HourOfWeek(window=DAY, gap=HOUR, scale="root", floor=1.0),
        {"start": 5, "end": 2, "sure": 10, **_RUN},
        _COUNTED,
    ),
    "counts (Poisson)": Contender(
        Counts(window=2 * DAY, gap=HOUR, season="week", clumps=False),
        {"start": 4, "end": 2, "sure": 8, **_RUN},
        ("low",),
    ),
    "counts (neg. bin.)": Contender(
        Counts(window=2 * DAY, gap=HOUR, season="week"), {"start": 4, "end": 2, "sure": 8, **_RUN}, _COUNTED
    ),
}


@dataclass
class Score:
    """Events, how many were found, and findings beside them."""

    events: int = 0
    found: int = 0
    false: int = 0

    def __add__(self, other: Score) -> Score:
        return Score(self.events + other.events, self.found + other.found, self.false + other.false)

    @property
    def precision(self) -> float:
        """Findings that overlap an event, of all: several in one event count once."""
        return self.found / max(1, self.found + self.false)

    @property
    def recall(self) -> float:
        """Events that were found, of all."""
        return self.found / max(1, self.events)


@dataclass
class Labelled:
    """Series side by side, and of each the first and last bucket of its event."""

    values: np.ndarray
    labels: list[tuple[int, int] | None] = field(default_factory=list)


def labelled(series: int, seed: int = SEED) -> dict[tuple[str, str], Labelled]:
    """The series of every kind and change."""
    dice = np.random.default_rng(seed)
    seconds = np.arange(DAYS * DAY // WIDTH, dtype=float) * WIDTH
    made = {}
    for kind, given in KINDS.items():
        for change in HOURS:
            if change == "drop" and kind in NO_DROP:
                continue
            drawn = [_drawn(kind, given, change, seconds, dice) for _ in range(series)]
            made[kind, change] = Labelled(np.array([one for one, _ in drawn]), [label for _, label in drawn])
    return made


def _drawn(
    kind: str, given: dict[str, object], change: str, seconds: np.ndarray, dice: np.random.Generator
) -> tuple[np.ndarray, tuple[int, int] | None]:
    at = float((DAYS - JUDGED) * 24 + dice.integers(24, 110))
    factor = FACTORS.get(kind, 3.0) * float(dice.uniform(0.8, 1.6))
    happens = Change(at=at, hours=HOURS[change], factor=1 / factor if change == "drop" else factor)
    spec = Spec(**given, changes=() if change == "none" else (happens,))  # type: ignore[arg-type]
    values, _ = draw(spec, seconds, dice)
    first, last = int(at * HOUR / WIDTH), int((at + HOURS[change]) * HOUR / WIDTH) - 1
    return values, None if change == "none" else (first, last)


def score(contender: Contender, data: Labelled) -> Score:
    """How a method does on series of one kind."""
    places = np.arange((DAYS - JUDGED) * DAY // WIDTH, data.values.shape[1])
    judged = contender.method.judge(Grid(data.values, WIDTH), places)
    found = pl.concat(
        events(off_buckets(data.values[:, places], judged, places, alarm), alarm)
        for direction, least in (("high", 3.0), ("low", 5.0))
        for alarm in [Alarm(direction=direction, least_value=least, **contender.lines)]  # type: ignore[arg-type]
    )
    result, hit = Score(events=sum(label is not None for label in data.labels)), set()
    for series, first, last in found.select("series", "first", "last").iter_rows():
        label = data.labels[series]
        if label is not None and first <= label[1] + GRACE and last >= label[0]:
            hit.add(series)
        else:
            result.false += 1
    result.found = len(hit)
    return result


def table(series: int, seed: int = SEED) -> dict[str, dict[tuple[str, str], Score]]:
    """The scores of every method on every kind and change."""
    data = labelled(series, seed)
    return {name: {key: score(one, made) for key, made in data.items()} for name, one in CONTENDERS.items()}


def made_for(name: str, scores: dict[tuple[str, str], Score]) -> Score:
    """A method's score on the kinds and changes that it is made for."""
    one = CONTENDERS[name]
    own = [made for (kind, change), made in scores.items() if kind in one.kinds and change in one.changes]
    return sum(own, Score())


def lines(scores: dict[str, dict[tuple[str, str], Score]]) -> list[str]:
    """The table in Markdown: precision / recall; in brackets what a method is not made for."""
    rows = ["| method | made for | " + " | ".join(KINDS) + " |", "|---|---|" + "---|" * len(KINDS)]
    for name, own in scores.items():
        one, total = CONTENDERS[name], made_for(name, own)
        cells = []
        for kind in KINDS:
            fits = kind in one.kinds
            some = [made for (of, change), made in own.items() if of == kind and (change in one.changes or not fits)]
            made = sum(some, Score())
            text = f"{made.precision:.2f} / {made.recall:.2f}"
            cells.append(text if fits else f"({text})")
        rows.append(f"| {name} | **{total.precision:.2f} / {total.recall:.2f}** | " + " | ".join(cells) + " |")
    return rows


def main() -> None:
    """Print the table."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--series", type=int, default=20, help="series of each kind and change")
    words.add_argument("--seed", type=int, default=SEED)
    given = words.parse_args()
    print("\n".join(lines(table(given.series, given.seed))))


if __name__ == "__main__":
    main()
