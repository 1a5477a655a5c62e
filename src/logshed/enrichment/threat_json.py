"""Takes entries out of STIX 2.1 bundles and of MISP's events, feeds and searches."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

Pair = tuple[str, str]
"""The kind of an entry, and the entry."""

_COMPARISON = re.compile(
    r"([a-z0-9-]+):((?:'[^']*'|[^\s=!<>'\]])+)\s*(=|IN|ISSUBSET|ISSUPERSET|LIKE|MATCHES|!=|<|>)\s*"
    r"(?:'((?:[^'\\]|\\.)*)'|\(([^)]*)\)|[^\s'\]]+)"
)
_TEXT = re.compile(r"'((?:[^'\\]|\\.)*)'")
_MORE = re.compile(r"\]\s*(?:AND|FOLLOWEDBY)|\sAND\s|\sNOT\s")
"""Entries that only count together with something else."""

_STIX = {"ipv4-addr": "address", "ipv6-addr": "address", "domain-name": "domain"}
_MISP = {
    **dict.fromkeys(("ip-src", "ip-dst", "ip"), "address"),
    **dict.fromkeys(("domain", "hostname"), "domain"),
    **dict.fromkeys(("md5", "sha1", "sha256", "sha512", "imphash", "ja3-fingerprint-md5"), "hash"),
    "user-agent": "user_agent",
}


def found(data: Any) -> tuple[str, list[Pair], int] | None:
    """The entries in parsed JSON.

    Returns:
        The form (``stix`` or ``misp``), the entries, and how many were not understood; None where it is neither.
    """
    if isinstance(data, dict) and data.get("type") == "bundle":
        return "stix", *_stix([one for one in data.get("objects", []) if isinstance(one, dict)])
    attributes = list(_misp_attributes(data))
    if attributes or _is_misp(data):
        return "misp", *_misp(attributes)
    return None


def _stix(objects: list[dict[str, Any]]) -> tuple[list[Pair], int]:
    indicators = [one for one in objects if one.get("type") == "indicator"]
    if not indicators:  # a bundle of bare observables is a list of them; beside indicators they only illustrate
        pairs = [pair for one in objects for pair in _observable(one)]
        return pairs, 0
    pairs, strange = [], 0
    for one in indicators:
        if one.get("revoked") or _is_over(one.get("valid_until")):
            continue
        pattern = str(one.get("pattern", ""))
        own = [] if _MORE.search(pattern) or one.get("pattern_type", "stix") != "stix" else list(_compared(pattern))
        pairs += own
        strange += not own
    return pairs, strange


def _observable(one: dict[str, Any]) -> Iterator[Pair]:
    kind, value = _STIX.get(str(one.get("type"))), one.get("value")
    if kind and isinstance(value, str):
        yield kind, value
    hashes = one.get("hashes")
    if one.get("type") == "file" and isinstance(hashes, dict):
        yield from (("hash", value) for value in hashes.values() if isinstance(value, str))


def _compared(pattern: str) -> Iterator[Pair]:
    for kind, path, operator, text, several in _COMPARISON.findall(pattern):
        told = _stix_kind(kind, path)
        if told is None or operator not in ("=", "IN", "ISSUBSET"):
            continue
        for value in _TEXT.findall(several) if several else [text]:
            yield told, re.sub(r"\\(.)", r"\1", value)


def _stix_kind(kind: str, path: str) -> str | None:
    if kind == "file" and path.startswith("hashes"):
        return "hash"
    if kind == "network-traffic":
        if path.lower().endswith("'user-agent'"):
            return "user_agent"
        return "address" if path in ("src_ref.value", "dst_ref.value") else None
    return _STIX.get(kind) if path == "value" else None


def _is_over(moment: Any) -> bool:
    try:
        return datetime.fromisoformat(str(moment)) < datetime.now(UTC)
    except (ValueError, TypeError):  # none, or one without a zone
        return False


def _is_misp(data: Any) -> bool:
    return isinstance(data, dict) and bool({"Event", "response"} & data.keys())


def _misp_attributes(data: Any) -> Iterator[dict[str, Any]]:
    """All attributes: of an event, of several, of a search's response, inside objects."""
    if isinstance(data, list):
        for one in data:
            yield from _misp_attributes(one)
    elif isinstance(data, dict):
        for key in ("Event", "response", "Object"):
            yield from _misp_attributes(data.get(key))
        own = data.get("Attribute")
        yield from (one for one in own if isinstance(one, dict)) if isinstance(own, list) else ()


def _misp(attributes: list[dict[str, Any]]) -> tuple[list[Pair], int]:
    """Attributes that are meant for detection (``to_ids``)."""
    pairs: list[Pair] = []
    strange = 0
    for one in attributes:
        if one.get("to_ids") in (False, "0", 0) or one.get("deleted") in (True, "1", 1):
            continue
        kinds, values = str(one.get("type", "")).split("|"), str(one.get("value", "")).split("|")
        if len(kinds) == 1:
            values = ["|".join(values)]
        own = [(_MISP[kind], value) for kind, value in zip(kinds, values, strict=False) if kind in _MISP]
        pairs += own
        strange += not own
    return pairs, strange
