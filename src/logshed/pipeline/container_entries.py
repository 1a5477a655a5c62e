"""Lines of containers as entries for people and programs: joined, redacted, each with its time and its level."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import polars as pl

from logshed.formats import registry
from logshed.formats.choice import Choice
from logshed.formats.multiline import Joiner
from logshed.pipeline.resting_stream import Rester, RestingStream
from logshed.pipeline.stages import Stages
from logshed.sources.feeds import Arrival
from logshed.sources.lines import LineCutter
from logshed.work import UNTIL_EOF, Split

if TYPE_CHECKING:
    from collections.abc import Sequence

    from logshed.pipeline.job import Job
    from logshed.sources.feeds import Stream

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
_LEAST = ((17, "ERROR"), (13, "WARNING"), (9, "INFO"), (1, "DEBUG"))
"""OpenTelemetry's severity numbers from which on a level holds."""
_WORDS = (
    (r"\b(?:ERROR|ERR|FATAL|CRITICAL|CRIT|SEVERE|PANIC|EMERG|ALERT)\b|(?i:\b(?:error|fatal|panic)[: ])", "ERROR"),
    (r"\b[A-Za-z]+(?:Error|Exception)\b|Traceback \(most recent", "ERROR"),
    (r"\b(?:WARNING|WARN)\b|(?i:\bwarning: )", "WARNING"),
    (r"\b(?:DEBUG|TRACE)\b", "DEBUG"),
)
"""What tells the level of a line whose format does not."""
CRITICAL = r"(?i)\b(?:fatal|critical|crit|panic|emerg(?:ency)?|out of memory|oom|segfault|segmentation fault)\b"
"""What makes an error a critical one."""
_MARK = "[0-9T:.-]+Z (?:stdout|stderr) [FP] ?"
_PIECE = r"(?m)^([0-9T:.-]+Z) (stdout|stderr) P (.*)\n[0-9T:.-]+Z (?:stdout|stderr) ([FP]) ?"
_KEPT_TIME = r"(?m)^([0-9T:.-]+Z) (?:stdout|stderr) [FP] "
_TIME = r"^([0-9T:.-]+Z) "


def entries(stream: Stream, lines: Sequence[bytes], name: str, job: Job) -> list[dict[str, Any]]:
    """The entries of one output of a container.

    Args:
        stream: The output.
        lines: What it brought, of format ``cri``.
        name: What the entries call the container.
        job: Policy, formats, sizes.

    Returns:
        ``container_name``, ``timestamp`` (ISO 8601), ``level``, ``message`` and ``raw_line`` of each record.
    """
    resting, rester = RestingStream(stream, job, stream.source, stream.resource), Rester(job)
    pieces = rester.pieces([(resting, resting.take([Arrival(stream, lines, lambda _: {})]))])
    pieces += rester.pieces([(resting, resting.close())])
    found = [piece for piece in pieces if piece.lines]
    if not found:
        return []
    data = b"".join(piece.lines for piece in found)
    return _entries(_records(data, found[-1].format, stream, job), name)


def _records(data: bytes, choice: str, stream: Stream, job: Job) -> pl.DataFrame:
    """Redacted records with ``text`` and the severity that their format tells."""
    formats = registry.load(job.plugins)
    frame, _ = LineCutter(0, job.max_line_bytes).read(io.BytesIO(data).readinto, len(data))
    joiner = Joiner(Choice.parse(choice), formats=formats)
    records = pl.concat([joiner.push(frame), joiner.finish()])
    split = Split(stream.source, "", "", 0, UNTIL_EOF, choice, stream.resource, collection=job.collection)
    refined = Stages(job, split).refine(records)
    told = refined.logs.filter(pl.col("item").fill_null(0) == 0).select("offset", "severity_number")
    return refined.lines.select("offset", "text").join(told, on="offset", how="left", maintain_order="left")


def _entries(records: pl.DataFrame, name: str) -> list[dict[str, Any]]:
    whole = _joined(records["text"])
    raw, message = whole.str.replace_all(_KEPT_TIME, "$1 "), whole.str.replace_all(f"(?m)^{_MARK}", "")
    level = pl.coalesce(
        *(pl.when(pl.col("severity_number") >= least).then(pl.lit(level)) for least, level in _LEAST),
        *(pl.when(pl.col("message").str.contains(pattern)).then(pl.lit(level)) for pattern, level in _WORDS),
        pl.lit("INFO"),
    )
    return (
        records.with_columns(timestamp=pl.col("text").str.extract(_TIME), message=message, raw_line=raw)
        .with_columns(level=level, container_name=pl.lit(name))
        .select("container_name", "timestamp", "level", "message", "raw_line")
        .to_dicts()
    )


def _joined(text: pl.Series) -> pl.Series:
    """Records whose pieces of one line are one line again."""
    while text.str.contains(_PIECE).any():
        text = text.str.replace_all(_PIECE, "$1 $2 $4 $3")
    return text
