"""Runs the cases inside rule files: what a rule must find, and what it must not."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import polars as pl

from logshed.enrichment.sources import Sources
from logshed.formats import registry
from logshed.formats.choice import Choice
from logshed.formats.detect import detect
from logshed.formats.multiline import Joiner
from logshed.pipeline import findings
from logshed.pipeline.planning import Options, job_of
from logshed.pipeline.rule_scan import Scan
from logshed.pipeline.stages import Stages
from logshed.redaction.policy_files import load_policy
from logshed.schema import SILVER, UNMAPPED, polars_schema
from logshed.settings import Settings
from logshed.work import UNTIL_EOF, Split

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from logshed.detections.model import Case, Rule

START = datetime(2026, 1, 5, 10, tzinfo=UTC)
"""When records of cases happen that name no time of their own: a Monday."""

_SCHEMA = polars_schema(SILVER)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a case.

    Attributes:
        rule: The rule's name.
        case: The case.
        found: Whether the rule found something.
        parsed: Formats that took its lines.
    """

    rule: str
    case: Case
    found: bool
    parsed: str = ""

    @property
    def ok(self) -> bool:
        """Whether it came as it should."""
        return self.found == self.case.holds

    def __str__(self) -> str:
        wanted = "must find" if self.case.holds else "must not find"
        parsed = f" (parsed as {self.parsed})" if self.parsed else ""
        did = "did" if self.found else "did not"
        return f"{self.rule}: it {wanted} something in {self.case.title or 'a case'}{parsed}, and {did}"


def run(rules: Iterable[Rule], settings: Settings | None = None) -> list[Outcome]:
    """Run all cases of these rules, in one scan: each case is a collection of its own."""
    tried = [(rule, case) for rule in rules for case in rule.cases]
    frames = CaseReader(settings or Settings.load()).every([case for _, case in tried])
    together = [place for place, (rule, _) in enumerate(tried) if not _looks_at_place(rule)]
    hit = _hit([(tried[place][0], _at(frames[place], str(place)), str(place)) for place in together])
    return [
        _outcome(rule, case, frames[place], found=(rule.name, str(place)) in hit)
        if place in set(together)
        else outcome(rule, case, frames[place])
        for place, (rule, case) in enumerate(tried)
    ]


def outcome(rule: Rule, case: Case, rows: pl.DataFrame) -> Outcome:
    """What the rule finds in a case's rows."""
    return _outcome(rule, case, rows, found=not find([rule], rows).is_empty())


def _outcome(rule: Rule, case: Case, rows: pl.DataFrame, *, found: bool) -> Outcome:
    parsed = ", ".join(sorted({str(one) for one in rows["log_format"].unique()})) if case.lines else ""
    return Outcome(rule.name, case, found, parsed)


def _looks_at_place(rule: Rule) -> bool:
    """Whether a rule asks where a record comes from, which the cases of a scan do not say as they are."""
    texts = [one.where for one in (rule, *rule.bases)] + [one.sql for one in rule.fields.values()]
    return any(re.search(r"\b(collection|source)\b", text) for text in texts)


def _at(rows: pl.DataFrame, place: str) -> pl.DataFrame:
    return rows.with_columns(collection=pl.lit(place), source=pl.lit(place))


def _hit(tried: Sequence[tuple[Rule, pl.DataFrame, str]]) -> set[tuple[str, str]]:
    """Which rules find something in which of their own cases."""
    if not tried:
        return set()
    rules = list({rule.name: rule for rule, _, _ in tried}.values())
    own = [{"rule": one.name, "collection": place} for rule, _, place in tried for one in (rule.bases or (rule,))]
    scan = _scan(rules)
    rows = pl.concat([frame.select(scan.columns) for _, frame, _ in tried])
    hits = scan.hits(rows).join(pl.DataFrame(own).unique(), on=["rule", "collection"], how="semi")
    parts = {str(place): part for (place,), part in hits.partition_by("collection", as_dict=True).items()}
    return {
        (rule.name, place) for rule, _, place in tried if place in parts and not _made([rule], parts[place]).is_empty()
    }


def find(rules: Sequence[Rule], rows: pl.DataFrame) -> pl.DataFrame:
    """Findings of these rules in rows of ``silver.logs``, all of them new."""
    scan = _scan(rules)
    return _made(rules, scan.hits(rows.select(scan.columns)))


def _scan(rules: Sequence[Rule]) -> Scan:
    plain = [one for rule in rules for one in (rule.bases or (rule,))]
    return Scan(list({one.name: one for one in plain}.values()), carried(rules))


def _made(rules: Sequence[Rule], hits: pl.DataFrame) -> pl.DataFrame:
    new = hits.with_columns(is_new=pl.lit(value=True))
    return findings.make({rule.name: rule for rule in rules}, new, findings.none(), datetime.now(UTC))


def carried(rules: Iterable[Rule]) -> set[str]:
    """Columns that hits of these rules must bring along."""
    names: set[str] = set()
    for rule in rules:
        names |= set(rule.actors)
        if rule.correlation is not None:
            names |= rule.correlation.columns
    return names


class CaseReader:
    """Makes rows of ``silver.logs`` of cases."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._formats = registry.load(settings.plugins)
        self._policy = load_policy("none", settings.plugins)

    def every(self, cases: Sequence[Case]) -> list[pl.DataFrame]:
        """The records of many cases: the lines of those that name one format are parsed together."""
        named: dict[str, list[int]] = {}
        for place, case in enumerate(cases):
            if case.lines and case.format:
                named.setdefault(case.format, []).append(place)
        once: dict[int, pl.DataFrame] = {}
        for form, places in named.items():
            once |= self._together([(place, cases[place].lines) for place in places], form)
        return [
            self._repeated(once[place], case) if place in once else self.rows(case) for place, case in enumerate(cases)
        ]

    def _together(self, listed: Sequence[tuple[int, Sequence[str]]], format_: str) -> dict[int, pl.DataFrame]:
        """The records of several lists of lines; none where a line is no record, as it may belong to another list's."""
        lines = [line for _, own in listed for line in own]
        rows = self.parsed(lines, format_)
        if rows["offset"].to_list() != list(range(len(lines))):
            return {}
        found, start = {}, 0
        for place, own in listed:
            found[place] = rows.slice(start, len(own)).with_columns(pl.col("offset") - start)
            start += len(own)
        return found

    def rows(self, case: Case) -> pl.DataFrame:
        """The case's records as an ingest would store them, the repetitions one after another."""
        if case.lines:
            return self._repeated(self.parsed(list(case.lines), case.format), case)
        events = [_event(event, case, number) for number in range(case.repeat) for event in case.events]
        return _frame(events)

    def _repeated(self, once: pl.DataFrame, case: Case) -> pl.DataFrame:
        return pl.concat([self._later(once, case.every_s * number) for number in range(case.repeat)])

    def _later(self, rows: pl.DataFrame, seconds: float) -> pl.DataFrame:
        return rows.with_columns(
            pl.col("timestamp") + pl.duration(milliseconds=round(seconds * 1000)),
            generation=pl.col("generation") + f"{seconds}",
        )

    def parsed(self, lines: list[str], format_: str) -> pl.DataFrame:
        """Raw lines as an ingest would store them; ``offset`` is the place of the line."""
        text = pl.Series(lines, dtype=pl.String)
        choice = Choice.parse(format_) if format_ else detect(text, formats=self._formats).choice
        frame = pl.DataFrame({"text": text}).with_columns(
            offset=pl.int_range(pl.len(), dtype=pl.Int64),
            cut_bytes=pl.lit(None, pl.Int64),
            escaped=pl.lit(value=False),
        )
        joiner = Joiner(choice, formats=self._formats)
        records = pl.concat([joiner.push(frame), joiner.finish()])
        job = job_of(self._settings, Options(), self._policy, Sources(), "case")
        split = Split("case", "", "g", 0, UNTIL_EOF, str(choice), ())
        return Stages(job, split).refine(records).logs


def _event(event: Any, case: Case, number: int) -> dict[str, Any]:
    """A record from columns of a case; ``after`` are its seconds after the beginning."""
    values = {
        key: value.replace("{n}", str(number)) if isinstance(value, str) else value for key, value in event.items()
    }
    after = float(values.pop("after", 0)) + case.every_s * number
    moment = values.pop("timestamp", None)
    start = datetime.fromisoformat(str(moment)).astimezone(UTC) if moment else START
    return {**values, "timestamp": start + timedelta(seconds=after)}


def _frame(events: list[dict[str, Any]]) -> pl.DataFrame:
    rows = []
    for offset, event in enumerate(events):
        attributes = {
            key.removeprefix(f"{UNMAPPED}."): str(value) for key, value in event.items() if key not in _SCHEMA
        }
        row = {key: value for key, value in event.items() if key in _SCHEMA}
        rows.append(
            {
                **dict.fromkeys(_SCHEMA),
                "collection": "case",
                "source": "case",
                "generation": "g",
                "offset": offset,
                "item": 0,
                "batch": "case",
                "observed_timestamp": row["timestamp"],
                "log_format": "case",
                **row,
                UNMAPPED: [{"key": key, "value": value} for key, value in attributes.items()],
            }
        )
    pairs = pl.List(pl.Struct({"key": pl.String, "value": pl.String}))
    frame = pl.DataFrame(rows, schema={**_SCHEMA, UNMAPPED: pairs}, orient="row")
    return frame.cast({UNMAPPED: _SCHEMA[UNMAPPED]})
