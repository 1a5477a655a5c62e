"""Tells which records a threat list names: fills ``client_threat_list``.

Addresses and networks are held against the client, domains against the host that was asked for, user agents against
the client's own word, hashes against the attributes that are named after hashes.
"""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pyarrow.compute as pc

from logshed.enrichment.addresses import BYTES, fours, sixes
from logshed.enrichment.threat_files import Listed, kinds_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

_ADDRESS, _INTERNAL, _LIST = "client_address", "client_is_internal", "client_threat_list"
_HASH_NAMES = r"(?i)hash|md5|sha[-_]?(?:1|2|256|384|512)|\bja[34]"
_HEX = "[0-9a-fA-F]{32,128}"
_CIDR = r"^([0-9.]+?)(?:/([0-9]{1,2})|:[0-9]+|\s*-\s*([0-9.]+))?$"
_BITS = 32
_SHORTEST_AGENT = 3
"""Less than this is a part of almost every user agent."""

Ranges = tuple[np.ndarray, np.ndarray]
"""First and last values, sorted, apart from each other."""


class ThreatList:
    """One list, ready to be asked.

    Attributes:
        name: What a record that it names is marked with.
        kind: The form, and how many entries of which kinds.
        entries: Entries that are used.
        strange: Entries that were not understood.
    """

    def __init__(self, name: str, listed: Listed) -> None:
        of = {str(kind): own["value"] for (kind,), own in listed.entries.group_by("kind")}
        none = pl.Series([], dtype=pl.String)
        self.name = name
        self._fours, self._singles, rest = _four_ranges(of.get("address", none))
        self._sixes, self._six_singles, strange = _six_ranges(rest)
        self._domains = of.get("domain", none).str.to_lowercase().str.strip_prefix("*").str.strip_chars(".").unique()
        self._hashes = of.get("hash", none).str.to_lowercase().unique()
        agents = of.get("user_agent", none)
        self._agents = agents.filter(agents.str.len_chars() >= _SHORTEST_AGENT)
        strange += agents.len() - self._agents.len()
        counted = ", ".join(f"{kind} {count}" for kind, count in sorted(kinds_of(listed.entries).items()))
        self.kind = f"{listed.form}: {counted}" if counted else listed.form
        self.entries = listed.entries.height - strange
        self.strange = listed.strange + strange

    def names_address(self, addresses: pl.Series, numbers: pl.Series, *, singly: bool = False) -> pl.Series:
        """Which addresses it names.

        Args:
            addresses: Text.
            numbers: The same as ``addresses.fours`` gives them.
            singly: Ask only for entries of one address each.
        """
        known = numbers.is_not_null().to_numpy()
        asked = numbers.fill_null(0).to_numpy()
        hit = known & (np.isin(asked, self._singles) if singly else _inside(self._fours, asked))
        others = np.flatnonzero(~known)
        if len(others) and len(self._sixes[0]):
            packed = sixes(addresses.gather(others))
            six = np.array([one or b"" for one in packed], dtype=BYTES)
            found = np.isin(six, self._six_singles) if singly else _inside(self._sixes, six)
            hit[others] = found & np.array([one is not None for one in packed], dtype=bool)
        return pl.Series(hit)

    def names_domain(self, domains: pl.Series) -> pl.Series:
        """Which domains are on it, or below one that is."""
        left = domains.str.to_lowercase().str.replace(r":[0-9]*$", "").str.strip_chars_end(".")
        hit = left.is_in(self._domains.implode())
        while self._domains.len() and (deeper := left.str.contains(".", literal=True)).any():
            left = pl.select(pl.when(deeper).then(left.str.replace(r"^[^.]*\.", ""))).to_series()
            hit |= left.is_in(self._domains.implode()).fill_null(value=False)
        return hit

    def names_agent(self, agents: pl.Series) -> pl.Series:
        """Which user agents have an entry in them, in capitals or not."""
        return agents.str.contains_any(self._agents.to_list(), ascii_case_insensitive=True)

    def names_hash(self, hashes: pl.Series) -> pl.Series:
        """Which hashes (lower case) are on it."""
        return hashes.is_in(self._hashes.implode())

    def warnings(self, path: Path) -> list[str]:
        """What the owner of the file may want to know."""
        empty = [f"the threat list {path} has no entry: nothing will be found on it"] if not self.entries else []
        left_out = [f"{self.strange:,} entries of the threat list {path} were not understood and left out"]
        return empty + (left_out if self.strange else [])

    def has(self, kind: str) -> bool:
        """Whether it has entries of a kind that is not ``address``."""
        return {"domain": self._domains, "hash": self._hashes, "user_agent": self._agents}[kind].len() > 0


def enrich(frame: pl.DataFrame, lists: Sequence[ThreatList]) -> pl.DataFrame:
    """Mark the records that a list names.

    A client of an internal network is only named by an entry of one address: lists of networks that should not be
    seen outside hold the private ones too.

    Args:
        frame: Rows of ``logs``, after the internal networks are told.
        lists: The first that names a record gives its name.

    Returns:
        The frame with ``client_threat_list`` (String); where the record itself has one it stays.
    """
    if not lists:
        return frame
    places = [
        *_by_address(frame, lists),
        *_by_column(frame, "url_domain", "domain", lists, ThreatList.names_domain),
        *_by_column(frame, "user_agent_original", "user_agent", lists, ThreatList.names_agent),
        *_by_hash(frame, lists),
    ]
    if not places:
        return frame
    place = pl.DataFrame({str(number): one for number, one in enumerate(places)}).select(pl.min_horizontal(pl.all()))
    name = pl.Series([one.name for one in lists], dtype=pl.String).gather(place.to_series())
    if _LIST in frame.columns:
        name = frame[_LIST].zip_with(frame[_LIST].is_not_null(), name)
    return frame.with_columns(name.alias(_LIST))


def _by_address(frame: pl.DataFrame, lists: Sequence[ThreatList]) -> list[pl.Series]:
    if not {_ADDRESS, _INTERNAL} <= set(frame.columns):
        return []
    known = frame.select(_ADDRESS, _INTERNAL).filter(pl.col(_INTERNAL).is_not_null()).unique()
    addresses, internal = known[_ADDRESS], known[_INTERNAL]
    numbers = fours(addresses)
    hits = [
        one.names_address(addresses, numbers).zip_with(~internal, one.names_address(addresses, numbers, singly=True))
        for one in lists
    ]
    return [_joined(frame, _ADDRESS, addresses, _first(hits, known.height))]


def _by_column(
    frame: pl.DataFrame,
    column: str,
    kind: str,
    lists: Sequence[ThreatList],
    names: Callable[[ThreatList, pl.Series], pl.Series],
) -> list[pl.Series]:
    if column not in frame.columns or not any(one.has(kind) for one in lists):
        return []
    values = frame[column].drop_nulls().unique()
    nowhere = pl.Series([False]).new_from_index(0, values.len())
    hits = [names(one, values) if one.has(kind) else nowhere for one in lists]
    return [_joined(frame, column, values, _first(hits, values.len()))]


def _by_hash(frame: pl.DataFrame, lists: Sequence[ThreatList]) -> list[pl.Series]:
    """By attributes such as ``file.hash.sha256``, or ``Hashes`` with several in one text."""
    if "attributes" not in frame.columns or not any(one.has("hash") for one in lists):
        return []
    array = frame["attributes"].rechunk().to_arrow()
    names = pl.Series(pc.unique(array.keys), dtype=pl.String)
    names = names.filter(names.str.contains(_HASH_NAMES))
    found = pl.Series(pc.is_in(array.keys, value_set=names.to_arrow())).arg_true().cast(pl.Int64)
    if found.is_empty():
        return []
    rows = pl.Series(array.offsets).cast(pl.Int64).search_sorted(found, side="right").cast(pl.Int64) - 1
    values = pl.Series(array.items.take(found.to_arrow()), dtype=pl.String).str.extract_all(_HEX)
    hashes = pl.DataFrame({"row": rows, "hash": values}).explode("hash").drop_nulls()
    lower = hashes["hash"].str.to_lowercase()
    hits = hashes.select("row", place=_first([one.names_hash(lower) for one in lists], lower.len()))
    first = hits.drop_nulls().group_by("row").agg(pl.col("place").min())
    places = pl.Series([None], dtype=pl.UInt32).new_from_index(0, frame.height)
    return [places.scatter(first["row"], first["place"])]


def _first(hits: Sequence[pl.Series], height: int) -> pl.Series:
    """For each value the place of the first list that names it."""
    place = pl.Series([None], dtype=pl.UInt32).new_from_index(0, height)
    for number, hit in reversed(list(enumerate(hits))):
        place = place.zip_with(~hit, pl.Series([number], dtype=pl.UInt32).new_from_index(0, height))
    return place


def _joined(frame: pl.DataFrame, column: str, values: pl.Series, place: pl.Series) -> pl.Series:
    table = pl.DataFrame([values.alias(column), place.alias("_place")]).filter(pl.col("_place").is_not_null())
    return frame.select(column).join(table, on=column, how="left", maintain_order="left")["_place"]


def _four_ranges(values: pl.Series) -> tuple[Ranges, np.ndarray, pl.Series]:
    """Ranges of IPv4, those of one address, and the values that are none."""
    parts = values.str.extract_groups(_CIDR).struct.unnest()
    first, last, bits = fours(parts["1"]), fours(parts["3"]), parts["2"].cast(pl.Int64).fill_null(_BITS)
    size = pl.Series(2 ** (_BITS - bits.clip(1, _BITS).to_numpy()), dtype=pl.Int64)
    low = first // size * size
    high = last.zip_with(parts["3"].is_not_null(), low + size - 1)
    fits = (low.is_not_null() & (high >= low) & bits.is_between(1, _BITS)).fill_null(value=False)
    low, high = low.filter(fits), high.filter(fits)
    return _merged(low.to_numpy(), high.to_numpy()), low.filter(low == high).to_numpy(), values.filter(~fits)


def _merged(low: np.ndarray, high: np.ndarray) -> Ranges:
    order = np.argsort(low, kind="stable")
    low, reach = low[order], np.maximum.accumulate(high[order])
    begins = np.append(True, low[1:] > reach[:-1])[: len(low)]
    ends = np.append(np.flatnonzero(begins)[1:] - 1, len(low) - 1)[: int(begins.sum())]
    return low[begins], reach[ends]


def _six_ranges(values: pl.Series) -> tuple[Ranges, np.ndarray, int]:
    """Ranges of IPv6, those of one address, and how many values are none: of these there are few."""
    pairs = [_six_range(value) for value in values]
    found = [pair for pair in pairs if pair is not None]
    merged: list[tuple[bytes, bytes]] = []
    for low_six, high_six in sorted(found):
        if merged and low_six <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], high_six))
        else:
            merged.append((low_six, high_six))
    ranges = tuple(np.array([pair[side] for pair in merged], dtype=BYTES) for side in (0, 1))
    singles = np.array([low_six for low_six, high_six in found if low_six == high_six], dtype=BYTES)
    return (ranges[0], ranges[1]), singles, len(pairs) - len(found)


def _six_range(value: str) -> tuple[bytes, bytes] | None:
    low, dash, high = value.partition("-")
    try:
        if dash:
            pair = ip_address(low.strip()).packed, ip_address(high.strip()).packed
        else:
            network = ip_network(low, strict=False)
            pair = network.network_address.packed, network.broadcast_address.packed
    except ValueError:
        return None
    whole = not dash and not network.prefixlen
    return pair if len(pair[0]) == len(pair[1]) == BYTES.itemsize and pair[0] <= pair[1] and not whole else None


def _inside(ranges: Ranges, values: np.ndarray) -> np.ndarray:
    first, last = ranges
    if not len(first):
        return np.zeros(len(values), dtype=bool)
    place = np.searchsorted(first, values, side="right") - 1
    inside: np.ndarray = (place >= 0) & (values <= last[np.maximum(place, 0)])
    return inside
