"""Explains lines that somebody shows: which format they have, what comes out of them, and what other formats make."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from logshed.errors import FormatError, UsageError
from logshed.formats import detect, registry
from logshed.formats.choice import Choice
from logshed.formats.starts import Starts
from logshed.pipeline.batch_parse import Parse
from logshed.redaction.engine import Redactor
from logshed.redaction.naming import of_everything
from logshed.redaction.policy_files import load_policy

if TYPE_CHECKING:
    from collections.abc import Mapping

    from logshed.formats.model import Format
    from logshed.settings import Settings

MOST_BYTES = 200_000
MOST_RECORDS = 20
"""Records that are shown."""
MOST_OTHERS = 8
_HIDDEN = frozenset({"source", "generation", "offset", "item", "batch", "observed_timestamp", "collection"})
"""Columns that say where a line stands in a lake, which these do not."""


def explain(text: str, settings: Settings, choice: str = "auto") -> dict[str, Any]:
    """What lines are, as an ingest would take them; nothing is kept.

    Args:
        text: Lines.
        settings: Formats, policy, zone.
        choice: ``auto``, or a format choice to try.

    Returns:
        ``format``, ``why``, ``share`` and ``others`` (formats that take a line, each with its share), ``tie``,
        ``unmatched`` (lines that none takes), ``redacted`` (spans), ``records`` (each with its ``text`` and the
        ``fields`` that come out of it) and ``trouble`` (why nothing comes out).

    Raises:
        UsageError: There is no line, or too much.
        FormatError: There is no such format.
        RedactionError: The policy is wrong.
    """
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines or len(text.encode("utf-8", "replace")) > MOST_BYTES:
        cause = "it is too much" if lines else "there is no line"
        raise UsageError(f"cannot explain this: {cause}; give some lines of a log, {MOST_BYTES:,} bytes at most")
    formats = registry.load(settings.plugins)
    policy = load_policy(settings.policy, settings.plugins, keys=settings.keys)
    redacted = Redactor(of_everything(policy)).redact(pl.Series("text", lines))
    names = None if choice == "auto" else list(Choice.parse(choice).names)
    if names == []:
        raise FormatError(f"cannot use the format {choice!r}: it names none; give auto, or names as `logshed formats`")
    found = detect.detect(redacted.text, names=names, formats=formats)
    others = sorted(found.shares.items(), key=lambda one: (-one[1], one[0]))
    records, trouble = _records(redacted.text, found.choice, settings, formats)
    return {
        "format": str(found.choice),
        "winner": found.winner,
        "title": formats[found.winner].title if found.winner else "",
        "why": found.why,
        "share": found.share,
        "tie": list(found.tie),
        "others": [
            {"format": name, "title": formats[name].title, "share": share}
            for name, share in others
            if name not in found.choice.names
        ][:MOST_OTHERS],
        "unmatched": list(found.unmatched),
        "lines": len(lines),
        "redacted": int(redacted.counts.sum()),
        "records": records,
        "trouble": trouble,
    }


def _records(
    text: pl.Series, choice: Choice, settings: Settings, formats: Mapping[str, Format]
) -> tuple[list[dict[str, Any]], str]:
    """The first records with their fields, or why there are none."""
    if not choice.names:
        return [], ""
    if not choice.envelopes:  # an envelope has a record a line
        starts = Starts([registry.find(name, formats) for name in choice.formats]).of_text(text)
        numbered = pl.DataFrame({"record": np.cumsum(starts), "text": text})
        text = numbered.group_by("record", maintain_order=True).agg(pl.col("text").str.join("\n"))["text"]
    try:
        parsed = Parse(str(choice), settings=settings)(pl.DataFrame({"text": text.head(MOST_RECORDS)}).to_arrow())
    except FormatError as error:
        return [], str(error)
    rows = pl.from_arrow(parsed)
    assert isinstance(rows, pl.DataFrame)  # noqa: S101 - a table makes a frame
    return [_shown(row) for row in rows.drop(_HIDDEN & set(rows.columns)).iter_rows(named=True)], ""


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    attributes = dict(row.pop("attributes", None) or {})
    fields = {name: value for name, value in row.items() if value is not None and name != "redaction_count"}
    return {"fields": fields, "attributes": attributes}
