"""What a run of detection did."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import polars as pl

from logshed.pipeline.alert_report import DeliveryReport
from logshed.schema import FINDINGS, INCIDENTS, polars_schema

if TYPE_CHECKING:
    from logshed.pipeline.decisions import Decision


@dataclass(slots=True)
class DetectReport:
    """What a run did.

    Attributes:
        rows: New records that were looked at.
        batches: Batches that they came in.
        rules: Rules that were looked for.
        findings: What was found, rows of ``security.findings``.
        incidents: Incidents that are new or changed.
        suppressed: Findings that an allow-list or a mute kept back, by its name.
        broken: Rule files that cannot be used, with the reason.
        alerts: Who was told.
        decisions: Addresses that are to be blocked from now on.
        seconds: How long it took.
    """

    rows: int = 0
    batches: int = 0
    rules: int = 0
    findings: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=polars_schema(FINDINGS)))
    incidents: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=polars_schema(INCIDENTS)))
    suppressed: dict[str, int] = field(default_factory=dict)
    broken: dict[str, str] = field(default_factory=dict)
    alerts: DeliveryReport = field(default_factory=DeliveryReport)
    decisions: list[Decision] = field(default_factory=list)
    seconds: float = 0.0

    def as_dict(self) -> dict[str, Any]:
        """For machines."""
        return {
            "rows": self.rows,
            "batches": self.batches,
            "rules": self.rules,
            "findings": self.findings.drop("attributes").to_dicts(),
            "incidents": self.incidents.drop("timeline", "notes").to_dicts(),
            "suppressed": self.suppressed,
            "broken": self.broken,
            "decisions": [asdict(one) for one in self.decisions],
            "alerts": [asdict(one) for one in self.alerts.destinations],
            "seconds": round(self.seconds, 3),
        }
