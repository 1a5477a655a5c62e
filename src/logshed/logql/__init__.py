"""Loki's query language over the lake: parsed into a tree of our own, compiled to DuckDB's SQL over ``logs``.

``parse`` makes a tree of a text; ``statements`` makes SQL of a tree: lines with their labels, series over time.
"""

from __future__ import annotations

from logshed.logql.model import Log, Query
from logshed.logql.parser import parse, selection
from logshed.logql.ranges import Steps

__all__ = ["Log", "Query", "Steps", "parse", "selection"]
