"""A small language for finding records: words, fields, ranges, NOT and OR, compiled to SQL over ``logs``.

``parse`` makes a tree of a text, ``printed`` a text of a tree, ``condition`` SQL in DuckDB's dialect of a tree;
``statements`` puts the condition into the statements that list, count and draw.
"""

from __future__ import annotations

from logshed.search.compiler import condition
from logshed.search.model import And, Everything, Match, Node, Not, Or, Value, Word
from logshed.search.parser import parse
from logshed.search.printing import printed

__all__ = ["And", "Everything", "Match", "Node", "Not", "Or", "Value", "Word", "condition", "parse", "printed"]
