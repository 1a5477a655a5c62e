"""Asks the questions of a report's pages, each once, and puts their answers as the pages take them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import polars as pl

from logshed.dashboards import units

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from logshed.dashboards.model import Asked
    from logshed.queries import Question
    from logshed.sql.result import Result

    Query = Callable[[str, dict[str, object]], Result]

LONGEST_TEXT = 400
"""Characters of a value that a page shows; what a log holds may be a megabyte."""

_ACRONYMS = {"Http": "HTTP", "Id": "ID", "Ip": "IP", "Ips": "IPs", "Ms": "ms", "Url": "URL", "Os": "OS"}


class Answers:
    """The answers of one report, in order of asking.

    Args:
        query: Runs a statement.
        questions: The questions by name.
        scope: What every question is asked with: ``since``, ``until``, ``collection``, ``now`` and ``timezone``.
    """

    def __init__(
        self,
        query: Query,
        questions: Mapping[str, Question],
        scope: Mapping[str, Any],
        *,
        told: Callable[[str], None] | None = None,
    ) -> None:
        self._query = query
        self._questions = questions
        self._scope = scope
        self._told = told
        self._frames: dict[str, pl.DataFrame] = {}

    def limit(self, asked: Asked) -> int | None:
        """The most rows that the answer may have; None where it has no such parameter."""
        parameter = self._questions[asked.question].parameters.get("limit")
        found = asked.params.get("limit", parameter.default if parameter else None)
        return found if isinstance(found, int) else None

    def frame(self, asked: Asked) -> pl.DataFrame:
        """The answer.

        Raises:
            logshed.errors.QueryError: The statement failed.
        """
        key = asked.key
        if key not in self._frames:
            if self._told is not None:
                self._told(asked.question)
            question = self._questions[asked.question]
            own = {"since": asked.window, "until": None} if asked.window else {}
            bound = question.bind(asked.params, **{**self._scope, **own})
            with self._query(question.sql, bound) as result:
                self._frames[key] = result.pl()
        return self._frames[key]

    def described(self, asked: Asked, frame: pl.DataFrame) -> dict[str, Any]:
        """An answer as a page takes it: what it is, and its columns with their values."""
        return described(self._questions[asked.question], asked.params, frame)


def described(question: Question, params: Mapping[str, object], frame: pl.DataFrame) -> dict[str, Any]:
    """An answer as a page takes it.

    Args:
        question: What was asked.
        params: With which parameters.
        frame: Its rows.
    """
    named = units(frame.columns)
    columns = [
        {
            "name": name,
            "label": label(name),
            "meaning": question.columns.get(name, ""),
            "type": kind(dtype),
            "unit": named[name],
        }
        for name, dtype in frame.schema.items()
    ]
    return {
        "question": question.name,
        "title": question.title,
        "description": question.description,
        "params": params,
        "columns": columns,
        "data": [plain(frame[name]) for name in frame.columns],
    }


def label(name: str) -> str:
    """A column's name as a heading."""
    return " ".join(_ACRONYMS.get(word, word) for word in name.replace("_", " ").title().split())


def kind(dtype: pl.DataType) -> str:
    """What a page makes of a type: number, bool, time, date or text."""
    if dtype.is_numeric():
        return "number"
    if dtype == pl.Boolean:
        return "bool"
    if dtype == pl.Date:
        return "date"
    return "time" if isinstance(dtype, pl.Datetime) else "text"


def plain(values: pl.Series) -> Sequence[Any]:
    """Values as JSON has them: moments as milliseconds, days as ISO dates, texts cut, no NaN."""
    if isinstance(values.dtype, pl.Datetime):
        return values.dt.epoch("ms").to_list()
    if values.dtype == pl.Date:
        return values.dt.to_string("%Y-%m-%d").to_list()
    if values.dtype.is_float():
        return values.to_frame().select(pl.when(pl.first().is_finite()).then(pl.first())).to_series().to_list()
    if values.dtype.is_nested():
        return [None if one is None else json.dumps(one, default=str)[:LONGEST_TEXT] for one in values.to_list()]
    if values.dtype == pl.String:
        return cut(values).to_list()
    return values.to_list()


def cut(values: pl.Series) -> pl.Series:
    """Texts of at most so many characters; what was cut ends with an ellipsis."""
    long = pl.first().str.len_chars() > LONGEST_TEXT
    short = pl.concat_str(pl.first().str.head(LONGEST_TEXT - 1), pl.lit("…"))
    return values.to_frame().select(pl.when(long).then(short).otherwise(pl.first())).to_series()
