"""Named questions: one .sql file each, in DuckDB's dialect, whose header says what it answers."""

from __future__ import annotations

from logshed.queries.chart import Chart
from logshed.queries.model import Question
from logshed.queries.parameters import Parameter
from logshed.queries.registry import load, question
from logshed.queries.times import moment

__all__ = ["Chart", "Parameter", "Question", "load", "moment", "question"]
