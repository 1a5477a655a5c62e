"""Takes lines out of a hot store that is full: the oldest of the collections that have most; counters stay."""

from __future__ import annotations

from typing import Any

from logshed.live import keys

SHARE = 0.1
"""Least share of the lines that goes at a time: a little each second would cost more than it gains."""
WHEN_FULL = 0.25
"""Share that goes where the server has refused a write."""
PAGE = 5_000


def sizes(client: Any) -> list[tuple[str, int]]:
    """The collections that have lines, and how many."""
    names = [name.decode("utf-8", "surrogateescape") for name in client.hkeys(keys.KNOWN)]
    collections = [name.removeprefix(keys.HITS) for name in names]
    found: list[tuple[str, int]] = []
    for start in range(0, len(collections), PAGE):
        part = collections[start : start + PAGE]
        sent = client.pipeline(transaction=False)
        for collection in part:
            sent.zcard(keys.LINES + collection)
        found += [(name, int(size)) for name, size in zip(part, sent.execute(), strict=True) if size]
    return found


def trim(client: Any, share: float) -> int:
    """Take away a share of all lines.

    Returns:
        Lines that are gone.
    """
    found = sizes(client)
    total = sum(size for _, size in found)
    most = level([size for _, size in found], max(total - max(round(total * share), 1), 0))
    above = [(name, size) for name, size in found if size > most]
    for start in range(0, len(above), PAGE):
        sent = client.pipeline(transaction=False)
        for name, _ in above[start : start + PAGE]:
            sent.zremrangebyrank(keys.LINES + name, 0, -most - 1)
        sent.execute()
    return sum(size - most for _, size in above)


def level(counts: list[int], left: int) -> int:
    """How many each may keep at most, so that together they keep no more than ``left``."""
    ordered = sorted(counts)
    for number, size in enumerate(ordered):
        share = left // (len(ordered) - number)
        if size > share:
            return share
        left -= size
    return ordered[-1] if ordered else 0
