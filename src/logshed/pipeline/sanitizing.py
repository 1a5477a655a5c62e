"""Redacts files as they are: the same lines, form, compression and encoding, without what the policy forbids."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import polars as pl

from logshed.errors import LogshedError
from logshed.pipeline import writing
from logshed.pipeline.fielding import Fields
from logshed.pipeline.outcome import Progress
from logshed.pipeline.planning import AUTO
from logshed.pipeline.whole import Whole, encoded
from logshed.redaction import report
from logshed.redaction.engine import Redactor
from logshed.redaction.policy_files import load_policy
from logshed.sources import streams

if TYPE_CHECKING:
    from collections.abc import Callable

    from logshed.pipeline.gathering import Records
    from logshed.pipeline.placing import Place, Places
    from logshed.redaction.engine import Redacted
    from logshed.settings import Settings
    from logshed.sources.model import Target

EXAMPLES = 3
"""Masked examples that a report shows of each rule."""
_SEARCHED = 2_000
"""Changed records of a frame that are searched for examples."""


@dataclass(slots=True)
class Cleaned:
    """What came of one file.

    Attributes:
        path: As it was found.
        output: Where it was written, ``-`` for standard output, or empty where it could not be.
        lines: Lines read, and written.
        bytes: Bytes read, as they lie on disk.
        sha256: Of the output's bytes, 64 hex digits.
        rules: Values replaced, by rule.
        problem: Why it was not read or not whole, or empty.
    """

    path: str
    output: str = ""
    lines: int = 0
    bytes: int = 0
    sha256: str = ""
    rules: dict[str, int] = field(default_factory=dict)
    problem: str = ""


@dataclass(slots=True)
class Outcome:
    """What came of all files.

    Attributes:
        files: One each.
        problems: What was asked for and could not be read, a sentence each.
        examples: Masked examples by rule: ``file``, ``line`` and ``value``.
        started: When, ISO 8601 UTC.
        seconds: How long it took.
        hidden: Hidden files and folders that were passed over.
    """

    files: list[Cleaned] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    examples: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    started: str = ""
    seconds: float = 0.0
    hidden: int = 0

    @property
    def rules(self) -> dict[str, int]:
        """Values replaced, by rule, most first."""
        total: dict[str, int] = {}
        for file in self.files:
            for rule, count in file.rules.items():
                total[rule] = total.get(rule, 0) + count
        return dict(sorted(total.items(), key=lambda item: (-item[1], item[0])))

    @property
    def lines(self) -> int:
        """Lines read."""
        return sum(file.lines for file in self.files)

    def as_dict(self) -> dict[str, Any]:
        """For machines."""
        return {
            "lines": self.lines,
            "rules": self.rules,
            "files": [asdict(file) for file in self.files],
            "problems": self.problems,
            "seconds": round(self.seconds, 3),
        }


class Sanitizer:
    """Redacts files by a policy.

    Args:
        settings: Settings; ``policy``, ``keys``, ``plugins`` and ``timezone`` count.
        format: ``auto``, or the format choice of all files: they are then parsed whatever the policy says.
        examples: Whether to collect masked examples for a report.
        progress: Is told where it is.

    Attributes:
        policy: The policy.
        outcome: What came of it so far.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        format: str = AUTO,  # noqa: A002 - the option's name
        examples: bool = False,
        progress: Callable[[Progress], None] | None = None,
    ) -> None:
        """Load the policy.

        Raises:
            RedactionError: There is none of that name, or it is wrong.
        """
        self.policy = load_policy(settings.policy, settings.plugins, keys=settings.keys)
        self.outcome = Outcome()
        self._settings = settings
        self._format = format
        self._examples = examples
        self._progress = progress or (lambda _: None)
        self._redactors: dict[int, Redactor] = {}

    def run(self, places: Places) -> Outcome:
        """Write every output; a file that cannot be read stops no other.

        Raises:
            LogshedError: An output cannot be written; those written before are whole, of this one nothing is left.
        """
        begun = time.monotonic()
        self.outcome.started = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        self.outcome.problems += places.problems
        self.outcome.hidden = places.hidden
        sizes = [one.target.size for one in places.found]
        for number, one in enumerate(places.found):
            self._file(one, begun, sum(sizes[:number]), sum(sizes) if all(sizes) else 0)
        self.outcome.seconds = time.monotonic() - begun
        return self.outcome

    def report(self, program: str) -> dict[str, Any]:
        """The report of what ``program`` (name and version) did; names of files go through the policy too."""
        found = self.outcome
        rules = report.looked_for(self.policy, self._settings.plugins)
        classes = {rule["rule"]: rule["class"] for rule in rules}
        by_class: dict[str, int] = {}
        for rule, count in found.rules.items():
            kind = classes.get(rule, "other")
            by_class[kind] = by_class.get(kind, 0) + count
        return {
            "report": report.FORMAT,
            "program": program,
            "policy": report.policy_told(self.policy, self._settings.plugins),
            "key": report.key_id(self.policy),
            "started": found.started,
            "seconds": round(found.seconds, 3),
            "lines": found.lines,
            "rules": rules,
            "found": {"classes": by_class, "rules": found.rules},
            "files": [self._named(asdict(file)) for file in found.files],
            "problems": [self._clean(problem) for problem in found.problems],
            "examples": {rule: [self._named(one) for one in some] for rule, some in sorted(found.examples.items())},
        }

    def _named(self, told: dict[str, Any]) -> dict[str, Any]:
        names = {name: self._clean(told[name]) for name in ("path", "output", "file", "problem") if name in told}
        return told | names

    def _clean(self, text: str) -> str:
        return str(self._redactor("").redact(pl.Series([text], dtype=pl.String)).text[0])

    def _redactor(self, source: str) -> Redactor:
        policy = self.policy.of(self._settings.collection, source)
        return self._redactors.setdefault(id(policy), Redactor(policy))

    def _file(self, one: Place, begun: float, before: int, total: int) -> None:
        told = Cleaned(one.target.path)
        self.outcome.files.append(told)
        redactor = self._redactor(one.target.source)
        try:
            fields = self._fields(one.target, redactor)
            whole = Whole(one.target, redactor, forms=fields.forms if fields else None)
        except LogshedError as error:
            told.problem = str(error)
            self.outcome.problems.append(str(error))
            return
        try:
            with writing.opened(one.path, one.codec, one.target.encoding, mode=_mode(one.target)) as output:
                output.write(whole.begin())
                for records in whole.records():
                    self._write(records, redactor, fields, output, told)
                    told.lines, told.bytes = whole.lines, whole.taken
                    elapsed = time.monotonic() - begun
                    self._progress(Progress(before + whole.taken, total, self.outcome.lines, 0, elapsed, told.path))
            told.output, told.sha256 = str(one.path or "-"), output.sha256
        finally:
            whole.close()
        problems = whole.problems + ([_missed(fields, redactor, told)] if fields and fields.missed else [])
        told.problem = "; ".join(problems)
        self.outcome.problems += problems

    def _fields(self, target: Target, redactor: Redactor) -> Fields | None:
        """What parses a text, where that is asked for or the policy names columns."""
        if not redactor.policy.columns and self._format == AUTO:
            return None
        return Fields(target, self._format, redactor, self._settings)

    def _write(
        self, records: Records, redactor: Redactor, fields: Fields | None, output: writing.Output, told: Cleaned
    ) -> None:
        redacted = (fields or redactor).redact(records.text)
        output.write(encoded(records.joined(redacted.text, redactor)))
        for rule, count in redacted.by_rule.items():
            told.rules[rule] = told.rules.get(rule, 0) + count
        if self._examples and redacted.by_rule:
            self._note_examples(records, redacted, redactor, told.path)

    def _note_examples(self, records: Records, redacted: Redacted, redactor: Redactor, path: str) -> None:
        examples = self.outcome.examples
        if all(len(examples.get(rule, ())) >= EXAMPLES for rule in redacted.by_rule):
            return
        rows = (redacted.counts > 0).arg_true().head(_SEARCHED)
        led = rows.is_in(records.led.implode()).cast(int)
        lines = records.line.gather(rows) - led
        for row, line, rule, value in redactor.find(records.text.gather(rows)).iter_rows():
            some = examples.setdefault(rule, [])
            if len(some) < EXAMPLES:
                some.append({"file": path, "line": lines[row] + line, "value": value})


def _missed(fields: Fields, redactor: Redactor, told: Cleaned) -> str:
    columns = f" ({', '.join(redactor.policy.columns)})" if redactor.policy.columns else ""
    return (
        f"cannot apply [columns]{columns} to {fields.missed:,} records of {told.path}: no format takes them, "
        "so that only rules were applied; name another format with --format, or look through them"
    )


def _mode(target: Target) -> int | None:
    """A file's permissions, so that what few may read does not become readable for all."""
    return None if target.is_stream or target.is_object else streams.mode_of(target.locator)
