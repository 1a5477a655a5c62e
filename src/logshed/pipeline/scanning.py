"""Finds what a policy would replace, without changing anything: how much, where, and masked examples."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from logshed.errors import SourceError, UsageError
from logshed.pipeline.outcome import Progress
from logshed.pipeline.whole import Whole
from logshed.redaction.engine import Redactor
from logshed.redaction.policy_files import load_policy
from logshed.sources.codecs import PARQUET

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from logshed.pipeline.gathering import Records
    from logshed.settings import Settings
    from logshed.sources.model import Target

LIMIT = 3
"""Examples of each rule in each file."""


@dataclass(slots=True)
class Find:
    """What one rule found in one file.

    Attributes:
        file: The file's path.
        rule: The rule's name.
        kind: Its class.
        count: Values found.
        examples: The first of them: ``line`` (from 1) and ``value``, masked.
    """

    file: str
    rule: str
    kind: str
    count: int = 0
    examples: list[dict[str, Any]] = field(default_factory=list)


@dataclass(slots=True)
class Findings:
    """What was found in all files.

    Attributes:
        finds: By file and rule, in the order in which they were met.
        files: Files read.
        lines: Lines read.
        seconds: How long it took.
        problems: What could not be read, a sentence each.
    """

    finds: list[Find] = field(default_factory=list)
    files: int = 0
    lines: int = 0
    seconds: float = 0.0
    problems: list[str] = field(default_factory=list)

    def of(self, wanted: Sequence[str]) -> list[Find]:
        """What rules or classes of these names found."""
        return [find for find in self.finds if find.rule in wanted or find.kind in wanted]

    def as_dict(self) -> dict[str, Any]:
        """For machines."""
        finds = [
            {"class" if name == "kind" else name: value for name, value in asdict(one).items()} for one in self.finds
        ]
        return {
            "files": self.files,
            "lines": self.lines,
            "seconds": round(self.seconds, 3),
            "finds": finds,
            "problems": self.problems,
        }


class Scanner:
    """Looks through files for what a policy would replace.

    Args:
        settings: Settings; ``policy``, ``keys`` and ``plugins`` count.
        limit: Examples of each rule in each file.
        progress: Is told where it is.
    """

    def __init__(
        self, settings: Settings, *, limit: int = LIMIT, progress: Callable[[Progress], None] | None = None
    ) -> None:
        """Load the policy.

        Raises:
            RedactionError: There is none of that name, or it is wrong.
        """
        self._policy = load_policy(settings.policy, settings.plugins, keys=settings.keys)
        self._collection = settings.collection
        self._limit = limit
        self._progress = progress or (lambda _: None)
        self._kinds = {rule.name: str(rule.kind) for rule in self._policy.rules}

    def check(self, wanted: Sequence[str]) -> None:
        """Refuse names of which nothing can ever be found.

        Raises:
            UsageError: One is neither a class nor a rule that the policy replaces.
        """
        known = sorted({*self._kinds, *self._kinds.values()})
        for name in wanted:
            if name not in known:
                raise UsageError(
                    f"cannot fail on {name}: policy {self._policy.name} looks for no such class or rule; "
                    f"use one of {', '.join(known) or 'another policy'}"
                )

    def run(self, found: Sequence[tuple[str, Target | str]]) -> Findings:
        """Look through texts as ``placing.find`` gives them; one that cannot be read stops no other."""
        begun = time.monotonic()
        findings = Findings()
        targets = [one for _, one in found if not isinstance(one, str)]
        findings.problems += [one for _, one in found if isinstance(one, str) and not one.endswith(": hidden")]
        total = sum(target.size for target in targets) if all(target.size for target in targets) else 0
        done = 0
        for target in targets:
            for taken, lines in self._file(target, findings):
                elapsed = time.monotonic() - begun
                self._progress(Progress(done + taken, total, findings.lines + lines, 0, elapsed, target.path))
            done += target.size
        findings.seconds = time.monotonic() - begun
        return findings

    def _file(self, target: Target, findings: Findings) -> Iterator[tuple[int, int]]:
        """Look through one text; tells the bytes and lines read so far."""
        if target.codec == PARQUET:
            findings.problems.append(
                f"cannot scan {target.path}: it is a Parquet file; make lines of it by `logshed convert`"
            )
            return
        redactor = Redactor(self._policy.of(self._collection, target.source))
        try:
            whole = Whole(target, redactor)
        except SourceError as error:
            findings.problems.append(str(error))
            return
        own: dict[str, Find] = {}
        try:
            whole.begin()
            for records in whole.records():
                self._note(records, redactor, own, target.path)
                yield whole.taken, whole.lines
        finally:
            whole.close()
        findings.finds += own.values()
        findings.files += 1
        findings.lines += whole.lines
        findings.problems += whole.problems

    def _note(self, records: Records, redactor: Redactor, own: dict[str, Find], path: str) -> None:
        found = redactor.find(records.text)
        for rule, count in found.group_by("rule", maintain_order=True).len().iter_rows():
            find = own.setdefault(rule, Find(path, rule, self._kinds.get(rule, "other")))
            find.count += count
            missing = self._limit - len(find.examples)
            led = set(records.led.to_list())
            for row, line, _, value in found.filter(rule=rule).head(max(missing, 0)).iter_rows():
                place = records.line[row] + line - (row in led)
                find.examples.append({"line": place, "value": value})
