"""Applies a policy to a column of texts: one cheap pass finds the few that are worth going rule by rule."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from logshed import byte_arrays
from logshed.redaction import bare, encoded, keyed, slowpath, spans, verify
from logshed.redaction.containers import Containers
from logshed.redaction.finding import Notes
from logshed.redaction.guards import Guards
from logshed.redaction.tally import Tally
from logshed.redaction.treatments import Done
from logshed.redaction.uncover import GUARD as HIDDEN
from logshed.redaction.uncover import uncover

if TYPE_CHECKING:
    from logshed.redaction.model import Policy, Rule
    from logshed.redaction.treatments import Treatment

REWRITTEN = "rewritten"
"""Under this name is counted what no rule found, but its place in the parsed record."""
_PASSES = 8
"""A span's end may be the next one's beginning: texts that changed are seen again, at most this often."""


@dataclass(frozen=True, slots=True)
class Redacted:
    """Texts without what the policy forbids.

    Attributes:
        text: One text per text that was given.
        tally: Spans replaced.
    """

    text: pl.Series
    tally: Tally

    @property
    def counts(self) -> pl.Series:
        """Spans replaced in each text (Int32)."""
        return self.tally.counts

    @property
    def by_rule(self) -> dict[str, int]:
        """Spans replaced, by the name of the rule; only rules that replaced some."""
        return self.tally.by_rule


class Redactor:
    """A policy, ready to be applied; it keeps no state between calls, so several threads may use it at once."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        treated = [(rule, policy.treatments[rule.name]) for rule in policy.rules]
        self._done = Done([*policy.treatments.values(), *policy.columns.values()], policy.allowed)
        self._steps = [_Step(rule, treatment) for rule, treatment in treated]
        self._guards = Guards(policy.rules, HIDDEN)
        self._watched = [verify.Watched.of(rule, treatment) for rule, treatment in treated if rule.keys]
        self._watched += [verify.Watched.of_column(name, treatment) for name, treatment in policy.columns.items()]
        self._words = [
            (re.compile(keyed.for_python(keyed.names(rule.keys)), re.ASCII), treatment.tag)
            for rule, treatment in treated
            if rule.keys
        ]
        self._names = [(re.compile(keyed.for_python(watch.names), re.ASCII), watch) for watch in self._watched]

    def redact(self, text: pl.Series) -> Redacted:
        """Put tags in place of everything that the policy forbids; redacting twice changes nothing.

        Args:
            text: Records as received (String); null stays null.
        """
        tally = Tally(len(text))
        if not self._steps:
            return Redacted(text, tally)
        return self._redacted(self._spelled(text, tally), tally)

    def _redacted(self, text: pl.Series, tally: Tally) -> Redacted:
        """The texts after the rules saw them as they are, decoded and without escapes."""
        for times, guard in enumerate(encoded.GUARDS, 1):
            text = self._decoded(text, times, guard, tally)
        rows = self._guards.any(text).arg_true()
        if not rows.is_empty():
            text = self._uncovered(self._settled(text, rows, tally), rows, tally)
            text = bare.quoted(text, rows, self._done)
        return Redacted(text, tally)

    def find(self, text: pl.Series) -> pl.DataFrame:
        """What ``redact`` would replace, without changing anything.

        Args:
            text: Records as received (String); null holds nothing.

        Returns:
            ``finding.SCHEMA``: one row per value with its place in ``text`` (``row``, and ``line`` feeds before it),
            the ``rule`` and the ``value`` masked; ordered by place.
        """
        notes = Notes()
        finder = Redactor(notes.policy(self.policy))
        return notes.found(finder.redact(text).text)

    def quoted(self, text: pl.Series) -> pl.Series:
        """Redacted parts of JSON documents with quotes around what stands in place of bare numbers."""
        return pl.Series(text.name, [bare.quoted_in_part(one, self._done) for one in text.to_list()], dtype=pl.String)

    @property
    def names(self) -> str:
        """An expression for the names whose values are replaced; empty where there are none."""
        return "|".join(keyed.names(rule.keys) for rule in self.policy.rules if rule.keys)

    def leaks(self, text: pl.Series, parsed: pl.DataFrame) -> pl.Series:
        """Which parsed rows still hold something that the policy forbids.

        Args:
            text: Redacted records (String).
            parsed: What the formats made of them: ``row`` is the record's place in ``text``, the other columns are
                those of ``silver.logs``, ``attributes`` is a map.

        Returns:
            One flag per row of ``parsed``.
        """
        flags = pl.repeat(value=False, n=len(parsed), dtype=pl.Boolean, eager=True)
        if not self._watched or parsed.is_empty():
            return flags
        leaking = verify.leaking(parsed, self._watched, self._done)["index"].unique()
        hidden = self._still_hidden(text)
        return flags.scatter(leaking, values=True) | parsed["row"].is_in(hidden.implode())

    def by_name(self, values: pl.Series) -> pl.Series:
        """A column of a table with what the policy says of its name done to its values.

        Args:
            values: Redacted texts (String), under the column's name.
        """
        leaking = verify.leaking(values.to_frame(), self._watched, self._done).unique("index", keep="first")
        return values if leaking.is_empty() else values.clone().scatter(leaking["index"], leaking["meant"])

    def rewrite(self, text: pl.Series, parsed: pl.DataFrame | None = None) -> Redacted:
        """Redact records that ``leaks`` stopped: decode, redact, encode; replace whole what cannot be decoded.

        Args:
            text: Redacted records (String), few of them.
            parsed: What the formats made of these, as for ``leaks``; with it the leaking values themselves are known.
        """
        values = self._leaking_values(parsed)
        done = [self._rewritten(value, values.get(row)) for row, value in enumerate(text.to_list())]
        clean = pl.Series(text.name, [value for value, _ in done], dtype=pl.String)
        tally = Tally(len(done))
        rows = pl.int_range(len(done), dtype=pl.UInt32, eager=True)
        tally.count(REWRITTEN, rows, pl.Series([count for _, count in done], dtype=pl.Int32))
        return Redacted(clean, tally)

    def _settled(self, text: pl.Series, rows: pl.Series, tally: Tally) -> pl.Series:
        """The texts after every rule, again and again in those that changed until none does."""
        for _ in range(_PASSES):
            before = text.gather(rows)
            after = self._once(before, rows, tally)
            changed = (before != after).arg_true()
            if changed.is_empty():
                break
            rows = rows.gather(changed)
            text = spans.patch(text, rows, after.gather(changed))
        return text

    def _once(self, text: pl.Series, rows: pl.Series, tally: Tally) -> pl.Series:
        """The texts after every rule; what a rule's own work brings to light is left to the next pass."""
        for step, candidates in zip(self._steps, self._guards.by_rule(text), strict=True):
            if len(candidates):
                part = step.apply(text.gather(candidates), rows.gather(candidates), self._done, tally)
                text = spans.patch(text, candidates, part)
        return text

    def _uncovered(self, text: pl.Series, rows: pl.Series, tally: Tally) -> pl.Series:
        """The texts after the rules saw them without escapes; a text in which that finds nothing stays as it was."""
        rows = rows.filter(text.gather(rows).str.contains(HIDDEN))
        if rows.is_empty():
            return text
        plain = uncover(text.gather(rows))
        clean = self._settled(plain, pl.int_range(len(rows), dtype=pl.UInt32, eager=True), found := Tally(len(rows)))
        tally.add(rows, found)
        changed = (plain != clean).arg_true()
        return spans.patch(text, rows.gather(changed), clean.gather(changed))

    def _spelled(self, text: pl.Series, tally: Tally) -> pl.Series:
        """The texts after the rules saw arrays of bytes in them as text, which they stay where something is found."""
        rows = text.str.contains(byte_arrays.GUARD).fill_null(value=False).arg_true()
        if rows.is_empty():
            return text
        written = text.gather(rows)
        plain = byte_arrays.spelled(written)
        differ = (plain != written).arg_true()
        if differ.is_empty():
            return text
        rows, plain = rows.gather(differ), plain.gather(differ)
        own = self._redacted(written.gather(differ), Tally(len(rows)))
        more = (self.redact(plain).counts > own.counts).arg_true()
        if more.is_empty():
            return text
        rows, found = rows.gather(more), self.redact(plain.gather(more))
        tally.add(rows, found.tally)
        return spans.patch(text, rows, found.text)

    def _decoded(self, text: pl.Series, times: int, guard: str, tally: Tally) -> pl.Series:
        """The texts after the rules saw them without the escapes of URLs; spans are replaced as they are written."""
        rows = text.str.contains(guard).fill_null(value=False).arg_true()
        if rows.is_empty():
            return text
        plain = encoded.decoded(text.gather(rows), times)
        clean = self._settled(plain, pl.int_range(len(rows), dtype=pl.UInt32, eager=True), found := Tally(len(rows)))
        changed = (plain != clean).arg_true()
        if changed.is_empty():
            return text
        tally.add(rows, found)
        rows = rows.gather(changed)
        seen = zip(text.gather(rows), clean.gather(changed), strict=True)
        done = pl.Series([encoded.written(raw, times, is_, self._done) for raw, is_ in seen], dtype=pl.String)
        return spans.patch(text, rows, done)

    def _still_hidden(self, text: pl.Series) -> pl.Series:
        rows = text.str.contains(r"\u00", literal=True).fill_null(value=False).arg_true()
        return rows.filter(self.redact(text.gather(rows)).counts > 0) if len(rows) else rows

    def _leaking_values(self, parsed: pl.DataFrame | None) -> dict[int, list[tuple[str, str, bool]]]:
        """By record: the values that leak, what stands in their place, and whether each is found as a word."""
        if parsed is None or not self._watched:
            return {}
        leaking = verify.leaking(parsed, self._watched, self._done)
        leaking = leaking.with_columns(row=parsed["row"].gather(leaking["index"]))
        grouped = leaking.unique(["row", "value"]).group_by("row").agg("value", "meant", "word")
        return {
            row: list(zip(values, meant, words, strict=True))
            for row, values, meant, words in grouped.select("row", "value", "meant", "word").iter_rows()
        }

    def _rewritten(self, text: str, leaking: list[tuple[str, str, bool]] | None) -> tuple[str, int]:
        values = [(value, meant) for value, meant, _ in leaking or []]
        if values and all(word for _, _, word in leaking or []):
            clean, replaced = slowpath.replace_words(text, values)
            if replaced:
                return clean, replaced
        rewriter = slowpath.Rewriter(self._treat, self._redact_one)
        clean = slowpath.encodable(rewriter.rewrite(self._redact_one(text)))
        clean, replaced = slowpath.replace_values(clean, values)
        if clean != text:
            return clean, max(rewriter.count + replaced, 1)
        return slowpath.cut_at(text, self._words), 1

    def _treat(self, key: str, value: str | None) -> str | None:
        """What stands in place of a field's value (None: of what is no single value), or None where it stays."""
        watch = next((watch for name, watch in self._names if name.search(key)), None)
        if watch is None:
            return None
        if value is None:
            return None if watch.word else watch.treatment.tag
        values = pl.Series([value], dtype=pl.String)
        if self._done.holds(values, watch.treatment)[0] or values.str.contains(watch.harmless)[0]:
            return None
        meant = str(watch.treatment.of(values)[0])
        return None if meant == value else meant

    def _redact_one(self, text: str) -> str:
        safe = slowpath.encodable(text)
        clean = str(self.redact(pl.Series([safe], dtype=pl.String)).text[0])
        return clean if safe == text else slowpath.with_halves(clean)


class _Step:
    """One rule with what it leaves."""

    def __init__(self, rule: Rule, treatment: Treatment) -> None:
        self.name = rule.name
        self._patterns = rule.patterns
        self._treatment = treatment
        # an object under the name of a user is a record about them; what names them is in it, under names of its own
        whole = bool(rule.keys) and rule.kind != "identifier"
        self._containers = Containers(rule.keys, treatment) if whole else None

    def apply(self, text: pl.Series, rows: pl.Series, done: Done, tally: Tally) -> pl.Series:
        """The texts after this rule; ``rows`` says which rows of the tally they are."""
        for pattern in self._patterns:
            text, counts = spans.replace(text, pattern, self._treatment, done)
            tally.count(self.name, rows, counts)
        if self._containers is not None:
            text, counts = self._containers.replace(text)
            tally.count(self.name, rows, counts)
        return text
