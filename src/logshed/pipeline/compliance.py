"""Answers the points of a law or a standard from a lake's settings and from what rests in it."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import polars as pl

from logshed.lake.names import LINES
from logshed.lake.scan import frame, iceberg_files, paths
from logshed.pipeline import compliance_checks
from logshed.pipeline.compliance_checks import Facts, State
from logshed.pipeline.verify import verify
from logshed.redaction.policy_files import load_policy, strictest
from logshed.redaction.registry import load_rules

if TYPE_CHECKING:
    from collections.abc import Callable

    from logshed.lake.store import Store
    from logshed.pipeline.resting import Sample
    from logshed.redaction.model import Policy
    from logshed.redaction.regime_files import Regime
    from logshed.settings import Settings


@dataclass(frozen=True, slots=True)
class Answer:
    """How it stands with one point.

    Attributes:
        id: The point's short name.
        title: What is asked for.
        source: Where the law or the standard says so.
        state: ``met``, ``not met`` or ``for a human``.
        evidence: What it was told from.
    """

    id: str
    title: str
    source: str
    state: State
    evidence: str


@dataclass(frozen=True, slots=True)
class Compliance:
    """All answers.

    Attributes:
        regime: The regime's name.
        title: Its title.
        policy: The lake's policy.
        made: When, ISO 8601 UTC.
        rows: Rows that there are, by place.
        read: Rows that were looked at.
        answers: One a point.
    """

    regime: str
    title: str
    policy: str
    made: str
    rows: dict[str, int]
    read: dict[str, int]
    answers: tuple[Answer, ...]

    @property
    def ok(self) -> bool:
        """Whether no point is not met."""
        return not any(answer.state == "not met" for answer in self.answers)

    def as_dict(self) -> dict[str, Any]:
        """For machines."""
        return {"ok": self.ok, **asdict(self)}


def compliance(
    store: Store,
    settings: Settings,
    regime: Regime,
    sample: Sample,
    progress: Callable[[str, Sample], None] | None = None,
) -> Compliance:
    """Answer every point of a regime.

    Raises:
        LakeError: A file of the lake cannot be read.
        RedactionError: The policy or a rule is wrong.
    """
    policy = load_policy(settings.policy, settings.plugins, keys=settings.keys)
    strict = strictest(settings.policy, settings.plugins, keys=settings.keys)
    pseudonyms = _Pseudonyms(policy)
    found = verify(store, strict, sample, progress=progress, look=pseudonyms.look)
    facts = Facts(
        root=store.root,
        settings=settings,
        policy=policy,
        rules=load_rules(settings.plugins),
        found=found,
        pseudonyms=pseudonyms.by_key,
        oldest=_oldest(store),
    )
    answers = []
    for point in regime.points:
        state, evidence = compliance_checks.CHECKS[point.check](facts, point)
        answers.append(Answer(point.id, point.title, point.source, state, evidence))
    made = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return Compliance(regime.name, regime.title, policy.name, made, found.rows, found.read, tuple(answers))


class _Pseudonyms:
    """Counts the pseudonyms that rest, by the id of the key in them."""

    def __init__(self, policy: Policy) -> None:
        made = [one.pseudonyms for one in (*policy.treatments.values(), *policy.columns.values())]
        forms = {one.form: one for one in made if one is not None and "{key}" in one.form and "{kind}" in one.form}
        self._patterns = [
            re.escape(form)
            .replace(r"\{", "{")
            .replace(r"\}", "}")
            .replace("{kind}", "[a-z_]+")
            .replace("{key}", "([a-z0-9][a-z0-9_-]*)")
            .replace("{digest}", f"[0-9a-f]{{{one.digits}}}")
            for form, one in forms.items()
        ]
        self.by_key: dict[str, int] = {}

    def look(self, column: str, text: pl.Series) -> None:
        """Count those in a column; manifests cut them, so that files beside the tables are left out."""
        for pattern in self._patterns if column != "bytes" else ():
            holding = text.filter(text.str.contains(pattern).fill_null(value=False))
            whole = holding.str.extract_all(pattern).explode()
            for key, count in whole.str.extract(pattern, 1).drop_nulls().value_counts().iter_rows():
                self.by_key[key] = self.by_key.get(key, 0) + count


def _oldest(store: Store) -> datetime | None:
    """When the oldest line was read that is still there."""
    lines = frame(paths(iceberg_files(store.table(LINES))), LINES.short)
    found = lines.select(pl.col("observed_timestamp").min()).collect().item()
    return found if isinstance(found, datetime) else None
