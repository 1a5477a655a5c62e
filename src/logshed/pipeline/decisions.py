"""Whom to block: decided by people, or by incidents; exported for those that can. Logshed itself blocks nobody."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from typing import TYPE_CHECKING, Any

import polars as pl

from logshed.errors import LakeError, UsageError
from logshed.lake.folder import write_atomically
from logshed.lake.held import held
from logshed.pipeline.incidents import THREAT
from logshed.pipeline.switches import FOLDER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from logshed.detection_settings import DetectSettings

FILE = "decisions.json"
_ORDER = [level for _, level in reversed(THREAT)]


@dataclass(frozen=True, slots=True)
class Decision:
    """One address or network to block.

    Attributes:
        address: An address or a network, as CIDR where it is one.
        until: Until when, ISO 8601.
        reason: Why.
        origin: ``manual``, or the incident's id.
        made: When it was decided, ISO 8601.
        simulated: Whether it is only reported and never exported.
    """

    address: str
    until: str
    reason: str
    origin: str
    made: str
    simulated: bool = False

    def holds(self, now: datetime) -> bool:
        """Whether it is not over yet."""
        return datetime.fromisoformat(self.until) > now


def read(root: Path, now: datetime | None = None) -> list[Decision]:
    """The decisions of a lake that hold, by address.

    Raises:
        LakeError: Their file is damaged.
    """
    path = root / FOLDER / FILE
    if not path.exists():
        return []
    try:
        known = [Decision(**one) for one in json.loads(path.read_text())]
        present = now or datetime.now(UTC)
        return sorted((one for one in known if one.holds(present)), key=lambda one: one.address)
    except (ValueError, TypeError, OSError) as error:
        raise LakeError(f"cannot read {path}: {type(error).__name__}; correct the file or remove it") from error


def add(root: Path, address: str, *, until: datetime, reason: str = "", simulated: bool = False) -> Decision:
    """Decide on an address or a network; what was decided on it before is replaced.

    Raises:
        UsageError: It is neither.
    """
    decision = Decision(
        address=checked(address),
        until=until.isoformat(timespec="seconds"),
        reason=reason,
        origin="manual",
        made=datetime.now(UTC).isoformat(timespec="seconds"),
        simulated=simulated,
    )
    with held(root / FOLDER):
        _write(root, [*(one for one in read(root) if one.address != decision.address), decision])
    return decision


def delete(root: Path, address: str) -> bool:
    """Take a decision back; whether there was one."""
    wanted = checked(address)
    with held(root / FOLDER):
        known = read(root)
        kept = [one for one in known if one.address != wanted]
        _write(root, kept)
    return len(kept) < len(known)


def decide(root: Path, incidents: pl.DataFrame, settings: DetectSettings, now: datetime) -> list[Decision]:
    """Decide on the sources of incidents that are bad enough, as the settings say; internal addresses are never one.

    Returns:
        The decisions that are new.
    """
    if settings.block_level is None or incidents.is_empty():
        return []
    wanted = _ORDER[_ORDER.index(settings.block_level) :]
    bad = incidents.filter(
        (pl.col("status") == "open") & pl.col("threat_level").is_in(wanted) & pl.col("source_ip").is_not_null()
    )
    until, at = ((now + timedelta(hours=hours)).isoformat(timespec="seconds") for hours in (settings.block_hours, 0))
    made: dict[str, Decision] = {}
    with held(root / FOLDER):
        known = read(root, now)
        there = {one.address for one in known}
        for row in bad.iter_rows(named=True):
            address = _external(row["source_ip"])
            if address is not None and address not in there:
                reason = f"{row['threat_level']} incident: {row['rules']}"
                made[address] = Decision(address, until, reason, row["incident_id"], at, settings.simulate)
        if made:
            _write(root, [*known, *made.values()])
    return list(made.values())


def export(decisions: Iterable[Decision], form: str) -> Iterator[str]:
    """Lines of a file that blocks what was decided; simulated decisions are left out.

    Args:
        decisions: What was decided.
        form: One of ``FORMS``.
    """
    addresses = [one.address for one in decisions if not one.simulated]
    yield from FORMS[form](addresses)


def _plain(addresses: list[str]) -> Iterator[str]:
    yield from addresses


def _nginx(addresses: list[str]) -> Iterator[str]:
    """To be included in ``http``, ``server`` or ``location`` (ngx_http_access_module)."""
    yield from (f"deny {address};" for address in addresses)


def _nftables(addresses: list[str]) -> Iterator[str]:
    """To be loaded by ``nft -f``: a table of its own, made anew each time."""
    yield from ("table inet logshed", "delete table inet logshed", "table inet logshed {")
    for name, kind, own in (
        ("blocked4", "ipv4_addr", [one for one in addresses if ":" not in one]),
        ("blocked6", "ipv6_addr", [one for one in addresses if ":" in one]),
    ):
        elements = f" elements = {{ {', '.join(own)} }};" if own else ""
        yield f"  set {name} {{ type {kind}; flags interval; auto-merge;{elements} }}"
    yield "  chain input {"
    yield "    type filter hook input priority -10; policy accept;"
    yield "    ip saddr @blocked4 drop"
    yield "    ip6 saddr @blocked6 drop"
    yield from ("  }", "}")


FORMS: dict[str, Callable[[list[str]], Iterator[str]]] = {"plain": _plain, "nginx": _nginx, "nftables": _nftables}


def checked(address: str) -> str:
    """An address as it is kept, or a network as CIDR.

    Raises:
        UsageError: It is neither.
    """
    try:
        network = ip_network(address.strip(), strict=False)
    except ValueError:
        raise UsageError(
            f"cannot decide on {address!r}: it is neither an address nor a network; write 192.0.2.1 or 192.0.2.0/24"
        ) from None
    return str(network.network_address if network.num_addresses == 1 else network)


def _external(text: str) -> str | None:
    """An address of the outside, or None."""
    try:
        network = ip_network(text)
    except ValueError:
        return None  # a mask or a pseudonym of redaction, or a name
    inside = network.is_private or network.is_loopback or network.is_link_local or network.is_multicast
    return None if inside else checked(text)


def _write(root: Path, decisions: list[Decision]) -> None:
    path = root / FOLDER / FILE
    path.parent.mkdir(exist_ok=True)
    plain: list[dict[str, Any]] = [asdict(one) for one in decisions]
    write_atomically(path, json.dumps(plain, indent=1))
