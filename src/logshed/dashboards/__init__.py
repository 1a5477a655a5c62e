"""Dashboards: one TOML file a page, whose tiles and panels name questions and say how to show their answers."""

from __future__ import annotations

from logshed.dashboards.model import ByDay, Dashboard, Panel, Tile
from logshed.dashboards.registry import fields, load, units

__all__ = ["ByDay", "Dashboard", "Panel", "Tile", "fields", "load", "units"]
