"""The hot store on Redis: the newest lines of each collection in the order of their own time, counters, places."""

from __future__ import annotations

from typing import Any

__all__ = ["find_city_by_ip"]


def __getattr__(name: str) -> Any:
    if name == "find_city_by_ip":
        from logshed.live.places import find_city_by_ip  # noqa: PLC0415 - loads the databases' reader

        return find_city_by_ip
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
