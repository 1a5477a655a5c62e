"""Reads text that stays text by its format, as an ingest does, so that what a policy says of columns is done to it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import polars as pl

from logshed.errors import RedactionError
from logshed.formats import detect, headers, parse, registry
from logshed.formats.choice import Choice
from logshed.formats.headers import Tracker
from logshed.pipeline.planning import AUTO
from logshed.pipeline.settling import UNREDACTABLE, settled
from logshed.redaction.engine import Redacted
from logshed.sources import files, streams
from logshed.sources.lines import texts

if TYPE_CHECKING:
    from logshed.formats.model import Format
    from logshed.redaction.engine import Redactor
    from logshed.settings import Settings
    from logshed.sources.model import Target

_PEEK_BYTES = 64 * 1024


class Fields:
    """The fields of one text's records.

    Args:
        target: The text.
        format_text: ``auto``, or the format choice.
        redactor: The policy.
        settings: ``plugins`` and ``timezone`` count.

    Attributes:
        forms: What tells where records begin; empty where every line is one.
        missed: Records so far that the formats did not take.
    """

    def __init__(self, target: Target, format_text: str, redactor: Redactor, settings: Settings) -> None:
        """Find the format.

        Raises:
            RedactionError: No format takes the text's lines.
            FormatError: There is no such format.
            SourceError: The text cannot be read.
        """
        self._formats = registry.load(settings.plugins)
        self._redactor = redactor
        self._timezone = settings.timezone
        self._choice = self._chosen(target, format_text)
        forms = [registry.find(name, self._formats) for name in self._choice.formats]
        self._headers = Tracker(forms, joined=False)
        in_lines = self._choice.envelopes or any(form.has_header for form in forms)
        self.forms: list[Format] = [] if in_lines else forms
        self.missed = 0

    def redact(self, text: pl.Series) -> Redacted:
        """As ``Redactor.redact``, and then what the policy says of the columns that these records have.

        Args:
            text: Records, in their order.
        """
        redacted = self._redactor.redact(text)
        records = pl.DataFrame(
            {"text": redacted.text, "redaction_count": redacted.counts, "header": self._header(text)}
        )
        records, parsed = settled(records, self._parsed, self._redactor, redacted.tally)
        self.missed += self._not_taken(records["text"], parsed)
        return Redacted(records["text"], redacted.tally)

    def _parsed(self, records: pl.DataFrame) -> pl.DataFrame:
        text = records["header"] + records["text"]
        return parse.parse(
            text, self._choice, observed=datetime.now(UTC), timezone=self._timezone, formats=self._formats
        )

    def _header(self, text: pl.Series) -> pl.Series:
        """The header lines in force before each record, where they are not those that the choice has."""
        given = self._headers.apply(pl.DataFrame({"text": text})).with_columns(own=text)
        return given.select(pl.col("text").str.strip_suffix(pl.col("own"))).to_series()

    def _not_taken(self, text: pl.Series, parsed: pl.DataFrame) -> int:
        taken = parsed.filter(pl.col("parse_error").is_null())["row"]
        missed = pl.DataFrame({"text": text}).with_row_index("row").filter(~pl.col("row").is_in(taken.implode()))
        return missed.filter(pl.col("text").str.contains(r"\S") & (pl.col("text") != UNREDACTABLE)).height

    def _chosen(self, target: Target, format_text: str) -> Choice:
        sample = _sample(target)
        if format_text == AUTO:
            choice = detect.detect(sample, formats=self._formats).choice
            if not choice.formats:
                policy = self._redactor.policy
                raise RedactionError(
                    f"cannot sanitize {target.path} with policy {policy.name}: its [columns] "
                    f"({', '.join(policy.columns)}) are parts of parsed lines, and no format takes these; "
                    "name theirs with --format, or give a policy without [columns]"
                )
            return choice
        choice = registry.check(Choice.parse(format_text), self._formats)
        forms = [registry.find(name, self._formats) for name in choice.formats]
        bound = [(headers.found(form, sample) if form.has_header and not form.header else None) for form in forms]
        return replace(choice, formats=tuple((one or form).spelling for one, form in zip(bound, forms, strict=True)))


def _sample(target: Target) -> pl.Series:
    """Lines to tell the format by; of standard input what has come, since waiting for more would hold up a pipe."""
    if target.locator != streams.STDIN or target.codec != "plain" or target.encoding != "utf-8":
        return files.sample(target)
    data = streams.once(streams.STDIN).peek_some(_PEEK_BYTES)
    return texts(data[: data.rfind(b"\n") + 1] or data)
