"""What came of a canary's run: figures, and a sentence that says whether all is well."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from logshed.pipeline.canary_check import Found

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from logshed.pipeline.canary_book import Sent

GAPS_TOLD = 20
PERCENTILES = (50, 90, 99, 100)
MICROS = 1_000_000


@dataclass(frozen=True, slots=True)
class Delays:
    """How long lines took from being sent to being seen by a query.

    Attributes:
        seconds: Of each line that was seen.
    """

    seconds: NDArray[np.float64]

    @classmethod
    def of(cls, streams: Sequence[Sent]) -> Delays:
        """Those of all streams."""
        parts = [(sent.seen[there] - sent.micros[there]) / MICROS for sent in streams for there in [sent.seen > 0]]
        return cls(np.concatenate(parts) if parts else np.zeros(0))

    def at(self, percent: int) -> float | None:
        """A percentile in seconds; None where nothing was seen."""
        return round(float(np.percentile(self.seconds, percent)), 3) if len(self.seconds) else None

    def above(self, seconds: float) -> int:
        """How many took longer."""
        return int((self.seconds > seconds).sum())


@dataclass(slots=True)
class Report:
    """A run.

    Attributes:
        run: Its id.
        to: Where it sent to; empty of one that is known by its lines alone.
        acknowledges: Whether the protocol tells that lines were taken.
        sent: Lines that were sent, or tried to.
        taken: Lines that were acknowledged; of a protocol that does not, handed to the network.
        seconds: How long was sent.
        found: What the lake holds.
        delays: From being sent to being seen.
        late_after: Seconds after which a line is late.
        tries: How often something was sent again.
        failure: Why sending ended before its time, or empty.
    """

    run: str
    to: str = ""
    acknowledges: bool = True
    sent: int = 0
    taken: int = 0
    seconds: float = 0.0
    found: Found = field(default_factory=Found)
    delays: Delays = field(default_factory=lambda: Delays(np.zeros(0)))
    late_after: float = 0.0
    tries: int = 0
    failure: str = ""

    @property
    def late(self) -> int:
        """Lines that took longer than they may."""
        return self.delays.above(self.late_after)

    @property
    def ok(self) -> bool:
        """Whether everything that was promised is there, and something was."""
        return not self.failure and not self.found.missing and self.found.stored > 0

    @property
    def spotless(self) -> bool:
        """Whether nothing is twice, late, out of order or without an answer either."""
        found = self.found
        return self.ok and not (found.duplicates or found.disordered or self.late or self.sent - self.taken)

    @property
    def verdict(self) -> str:
        """What it comes to, as sentences."""
        found = self.found
        said = [self._main()]
        if found.duplicates:
            said.append(f"{found.duplicates:,} {_are(found.duplicates, 'is', 'are')} there more than once.")
        if found.disordered:
            said.append(f"{found.disordered:,} {_are(found.disordered, 'stands', 'stand')} out of order.")
        if self.late:
            said.append(f"{self.late:,} came later than {self.late_after:g} s.")
        if unanswered := self.sent - self.taken:
            verb = "were not acknowledged" if self.acknowledges else "could not be sent"
            also = f", {found.unpromised:,} of them are there for all that" if found.unpromised else ""
            said.append(f"{unanswered:,} {verb}{also}.")
        if self.failure:
            said.append(f"Sending ended early: {self.failure}.")
        return " ".join(said)

    def _main(self) -> str:
        found, what = self.found, "acknowledged" if self.acknowledges else "sent"
        if found.missing:
            few = ", ".join(map(str, found.gaps[:5])) + (" ..." if len(found.gaps) > 5 else "")  # noqa: PLR2004 - a few
            return f"LOST: {found.missing:,} of {self.taken:,} lines that were {what} are not in the lake ({few})."
        if not found.stored:
            return "Nothing is in the lake, and nothing was promised to be." if self.taken == 0 else "Nothing is there."
        well = " once and in order" if not (found.duplicates or found.disordered) else ""
        half, most = self.delays.at(50), self.delays.at(99)
        when = f"; half were visible within {half:.1f} s, 99 % within {most:.1f} s" if half and most else ""
        return f"All {self.taken:,} lines that were {what} are in the lake{well}{when}."

    def as_dict(self) -> dict[str, Any]:
        """For machines."""
        found = self.found
        return {
            "run": self.run,
            "to": self.to,
            "acknowledges": self.acknowledges,
            "sent": self.sent,
            "acknowledged": self.taken if self.acknowledges else None,
            "unacknowledged": self.sent - self.taken,
            "stored": found.stored,
            "missing": found.missing,
            "missing_lines": [
                {"stream": one.stream, "first": one.first, "last": one.last} for one in found.gaps[:GAPS_TOLD]
            ],
            "duplicates": found.duplicates,
            "out_of_order": found.disordered,
            "late": self.late,
            "late_after_seconds": self.late_after,
            "unpromised": found.unpromised,
            "delay_seconds": {("max" if one == 100 else f"p{one}"): self.delays.at(one) for one in PERCENTILES},  # noqa: PLR2004 - the greatest
            "collections": found.collections,
            "sources": found.sources,
            "sent_again": self.tries,
            "seconds": round(self.seconds, 3),
            "failure": self.failure,
            "ok": self.ok,
            "verdict": self.verdict,
        }


def _are(count: int, one: str, many: str) -> str:
    return one if count == 1 else many
