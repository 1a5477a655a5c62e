"""What came of a delivery of alerts."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Delivered:
    """What came of a delivery at one destination.

    Attributes:
        name: The destination's name.
        sent: Alerts sent, summaries among them.
        findings: Findings in them.
        grouped: Findings that came with another one, or wait because their actor was alerted just now.
        held: Findings held back by the rate.
        quiet: Findings that wait for the end of the quiet hours.
        known: Findings that were done before.
        failed: Alerts that could not be delivered.
        cause: Why the first of these could not.
    """

    name: str
    sent: int = 0
    findings: int = 0
    grouped: int = 0
    held: int = 0
    quiet: int = 0
    known: int = 0
    failed: int = 0
    cause: str = ""


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """What came of a delivery, destination by destination, in the settings' order."""

    destinations: tuple[Delivered, ...] = ()

    @property
    def failed(self) -> bool:
        """Whether an alert could not be delivered."""
        return any(one.failed for one in self.destinations)
