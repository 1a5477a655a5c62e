"""Which of the lines that come are shown: by a regular expression, or by a condition over their columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from logshed.errors import UsageError
from logshed.formats import detect, registry
from logshed.pipeline import transforms
from logshed.pipeline.passing import Pass
from logshed.pipeline.planning import Options
from logshed.settings import Transform
from logshed.work import UNTIL_EOF, Split

if TYPE_CHECKING:
    from collections.abc import Sequence

    from logshed.live.events import Event
    from logshed.settings import Settings

_NAME = "where"


class LiveFilter:
    """Chooses among events.

    Args:
        settings: Settings: formats and policy.
        match: A regular expression (Rust's) that is found in the line; empty takes all.
        where: A condition over the columns of ``logs``; empty takes all.
        samples: Lines by which the format is told.
    """

    def __init__(self, settings: Settings, match: str, where: str, samples: Sequence[str]) -> None:
        """Check the conditions.

        Raises:
            UsageError: One does not fit.
        """
        self._match = match
        self._where = where
        try:
            pl.Series([""]).str.contains(match)
        except pl.exceptions.ComputeError as error:
            cause = str(error).splitlines()[-1].strip()
            raise UsageError(f"cannot use --match: it is no regular expression ({cause}); correct it") from None
        if not where:
            return
        rule = Transform.model_validate({"name": _NAME, "filter": where})
        transforms.check([rule])
        self._passing = Pass(settings.model_copy(update={"transform": (rule,), "drop": ()}), Options())
        self._formats = registry.load(settings.plugins)
        self._format = self._told(samples)

    def of(self, events: Sequence[Event]) -> list[Event]:
        """The events that are chosen, in their order."""
        texts = pl.Series([one.line for one in events], dtype=pl.String)
        kept = texts.str.contains(self._match)
        if self._where:
            kept &= self._holds(texts)
        return [one for one, stays in zip(events, kept.to_list(), strict=True) if stays]

    def _holds(self, texts: pl.Series) -> pl.Series:
        self._format = self._format or self._told(texts.to_list())
        records = pl.DataFrame({"text": texts}).select(
            "text",
            offset=pl.int_range(pl.len(), dtype=pl.Int64),
            line_count=pl.lit(1, pl.Int32),
            cut_bytes=pl.lit(None, pl.Int64),
            escaped=pl.lit(None, pl.Boolean),
        )
        split = Split("live:", "", "", 0, UNTIL_EOF, self._format)
        offsets = self._passing.refined(split, records).lines["offset"]
        return records["offset"].is_in(offsets.implode())

    def _told(self, samples: Sequence[str]) -> str:
        lines = pl.Series(list(samples), dtype=pl.String)
        return str(detect.detect(lines, formats=self._formats).choice) if lines.len() else ""
