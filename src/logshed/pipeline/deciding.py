"""People decide whom to block, by command or by page: it is made safe, written down, and kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from logshed.errors import MissingError
from logshed.lake.store import Store
from logshed.pipeline import decisions, trail, typed

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from logshed.pipeline.decisions import Decision
    from logshed.settings import Settings


def decide(
    root: Path,
    settings: Settings,
    address: str,
    until: datetime,
    reason: str = "",
    *,
    simulated: bool = False,
    by: str | None = None,
) -> Decision:
    """Decide that an address or a network is to be blocked for some time.

    Args:
        root: The lake's folder.
        settings: Whose policy holds.
        address: An address, or a network as CIDR; what was decided on it before is replaced.
        until: Until when.
        reason: Why.
        simulated: Only report it.
        by: Who does it; None is who runs this process.

    Raises:
        UsageError: It is neither an address nor a network.
        LogshedError: It cannot be written down; then it is not decided.
    """
    checked, why = decisions.checked(address), typed.safe(settings)(reason)
    told = {"until": until.isoformat(timespec="seconds"), "reason": why, "simulated": simulated}
    trail.noted(_store(root, settings), settings, "decide", checked, details=told, by=by)
    return decisions.add(root, checked, until=until, reason=why, simulated=simulated)


def take_back(root: Path, settings: Settings, address: str, *, by: str | None = None) -> None:
    """Take a decision back.

    Args:
        root: The lake's folder.
        settings: Whose policy holds.
        address: On what was decided.
        by: Who does it; None is who runs this process.

    Raises:
        MissingError: Nothing was decided on it.
        UsageError: It is neither an address nor a network.
        LogshedError: It cannot be written down; then it stays.
    """
    checked = decisions.checked(address)
    if checked not in {one.address for one in decisions.read(root)}:
        raise MissingError(
            f"cannot take back {address}: nothing was decided on it; `logshed decisions list` shows what was"
        )
    trail.noted(_store(root, settings), settings, "decide", checked, details={"taken back": True}, by=by)
    decisions.delete(root, checked)


def _store(root: Path, settings: Settings) -> Store:
    return Store.open(root, create=False, backing=settings.backing)
