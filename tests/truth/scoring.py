"""Scores the sources whose cases name fields: maps their leaves to our columns and counts what came of each."""
# ruff: noqa: T201, BLE001 - it talks to developers, and goes on where parsing must not fail but does

from __future__ import annotations

import re
import sys
import tomllib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from tests.truth.compare import NO_YEAR, Verdict, instant, verdict
from tests.truth.running import Record, run

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tests.truth.cases import Case, Entry

MAPS = Path(__file__).parent / "maps"
_EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
RECORDS = "records"
"""The leaf that a quirk names where the number of a file's records is one."""
_AHEAD = 4
"""Records that an expected one is looked for among, where only their order is known."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """One expected value and what came of it."""

    source: str
    format: str
    case: str
    name: str
    expected: Any
    found: Any
    verdict: Verdict
    text: str
    taken_by: str


@dataclass(slots=True)
class Score:
    """The leaves of a source, and of the files whose number of records is known, the number."""

    source: str
    leaves: list[Leaf] = field(default_factory=list)
    counts: dict[str, tuple[int, int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Map:
    """Where a source's leaves belong; see ``maps/README.md``."""

    fields: dict[str, tuple[str, ...]]
    ignored: tuple[tuple[re.Pattern[str], str], ...]
    quirks: tuple[tuple[re.Pattern[str], re.Pattern[str], str, str], ...]
    by_format: dict[str, dict[str, tuple[str, ...]]]
    zones: tuple[ZoneInfo, ...]

    def targets(self, form: str, name: str) -> tuple[str, ...] | None:
        """Our names for a leaf; None where it is the format's own."""
        own = self.by_format.get(form, {}).get(name)
        return own if own is not None else self.fields.get(name)

    def leaves_out(self, entry: Entry, name: str, expected: Any) -> bool:
        """Whether a leaf is no fact about the line, or a quirk of its source."""
        if any(pattern.fullmatch(name) for pattern, _ in self.ignored):
            return True
        return any(
            case.fullmatch(f"{entry.format} {entry.case}".lstrip())
            and leaf.fullmatch(name)
            and value in ("", str(expected))
            for case, leaf, value, _ in self.quirks
        )


@lru_cache(maxsize=16)
def load_map(source: str) -> Map:
    """Read ``maps/<source>.toml``; a source that asks something else than fields has none."""
    path = MAPS / f"{source}.toml"
    data = tomllib.loads(path.read_text(encoding="utf-8")) if path.exists() else {"fields": {}}
    by_format = {one: _fields(table) for one, table in data.get("format", {}).items()}
    quirks = tuple(
        (
            re.compile(one.get("case", ".*"), re.DOTALL),
            re.compile(one.get("leaf", ".*")),
            one.get("value", ""),
            one["reason"],
        )
        for one in data.get("quirk", [])
    )
    ignored = tuple((re.compile(pattern), reason) for pattern, reason in data.get("ignored", {}).items())
    zones = tuple(ZoneInfo(name) for name in data.get("zones", {}).get("names", []))
    return Map(_fields(data["fields"]), ignored, quirks, by_format, zones)


def _fields(table: dict[str, Any]) -> dict[str, tuple[str, ...]]:
    return {name: (paths,) if isinstance(paths, str) else tuple(paths) for name, paths in table.items()}


def score(source: str, cases: Iterable[Case], *, only: str | None = None) -> Score:
    """Run the cases and compare every leaf."""
    found = Score(source)
    table = load_map(source)
    for case in cases:
        entries = [entry for entry in case.entries if only is None or entry.format.lower() == only.lower()]
        if not entries:
            continue
        records = _run(case)
        if case.count is not None and not table.leaves_out(entries[0], RECORDS, case.count):
            found.counts[case.name] = (case.count, len(records))
        for entry, record in _paired(case, records, table):
            if only is None or entry.format.lower() == only.lower():
                found.leaves.extend(_leaves(source, table, entry, record))
    return found


def _run(case: Case) -> list[Record]:
    """The records; parsing never raises for what a line holds, so where it does all leaves of the file are lost."""
    try:
        return run(case.lines)
    except Exception as error:
        print(f"{case.name}: {type(error).__name__}: {str(error).splitlines()[0]}", file=sys.stderr)
        return []


def _paired(case: Case, records: Sequence[Record], table: Map) -> list[tuple[Entry, Record | None]]:
    by_line = {record.line: record for record in records}
    if all(entry.line is not None for entry in case.entries):
        return [(entry, by_line.get(entry.line)) for entry in case.entries if entry.line is not None]
    if len(records) == len(case.entries):
        return list(zip(case.entries, records, strict=True))
    pairs: list[tuple[Entry, Record | None]] = []
    place = 0
    for entry in case.entries:
        near = records[place : place + _AHEAD]
        best = max(range(len(near)), key=lambda index: (_likeness(table, entry, near[index]), -index), default=None)
        if best is None or not _likeness(table, entry, near[best]):
            pairs.append((entry, None))
            continue
        pairs.append((entry, near[best]))
        place += best + 1
    return pairs


def _likeness(table: Map, entry: Entry, record: Record) -> int:
    return sum(leaf.verdict == "right" for leaf in _leaves("", table, entry, record))


def _leaves(source: str, table: Map, entry: Entry, record: Record | None) -> list[Leaf]:
    if record is None:
        return leaves_of(source, table, entry, {}, "swallowed")
    values = {} if record.error else record.values
    return leaves_of(source, table, entry, values, str(values.get("log_format", "none")), record.text)


def leaves_of(
    source: str, table: Map, entry: Entry, values: Mapping[str, Any], taken_by: str, text: str = ""
) -> list[Leaf]:
    """Compare every leaf of an expected record that is a fact about its line."""
    leaves = []
    text = entry.text or text
    for name, expected in entry.fields.items():
        if table.leaves_out(entry, name, expected):
            continue
        targets = table.targets(entry.format, name)
        if targets and _says_nothing(targets, expected, text):
            continue
        came = verdict(name, expected, targets, values, table.zones)
        if came != "nothing":
            shown = {target: values.get(target.removeprefix("time:")) for target in targets or ()}
            leaves.append(Leaf(source, entry.format, entry.case, name, expected, shown or None, came, text, taken_by))
    return leaves


def _says_nothing(targets: tuple[str, ...], expected: Any, text: str) -> bool:
    """A message that is the whole line; a time before 1990, which is how sources complete one without a year.

    So does a piece of a time, such as its clock alone. Where the source gives a time without a year as it is written,
    all its parts are compared.
    """
    if targets[0] == "body":
        return isinstance(expected, str) and expected.strip() == text.strip()
    if not targets[0].startswith("time:"):
        return False
    moment = instant(expected)
    if moment is None and targets[0] == "time:timestamp":
        return True
    return moment is not None and NO_YEAR < moment.year < _EARLIEST.year and "timestamp" in {*targets[0].split(":")}
