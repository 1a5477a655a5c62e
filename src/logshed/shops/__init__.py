"""Kinds of shops, one TOML file each: which requests and events are steps to an order, and where its value stands."""

from __future__ import annotations

from logshed.shops.fragments import filled
from logshed.shops.model import Shop
from logshed.shops.reading import ANY, load, parse

__all__ = ["ANY", "Shop", "filled", "load", "parse"]
