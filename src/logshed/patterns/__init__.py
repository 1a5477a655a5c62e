"""Finds the templates of messages: what the statements of programs wrote, with their values taken out.

This folder knows Polars frames only; ``pipeline/patterns.py`` reads a lake into them.
"""

from logshed.patterns.changes import fresh
from logshed.patterns.mining import Mined, mine, templates_of
from logshed.patterns.tally import Tally
from logshed.patterns.tokens import ANY

__all__ = ["ANY", "Mined", "Tally", "fresh", "mine", "templates_of"]
