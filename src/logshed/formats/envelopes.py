"""Lines that carry other lines: Docker's json-file, the container runtime interface, syslog around anything."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from logshed.formats.columns import nothing
from logshed.formats.kinds import extract
from logshed.formats.regex import OK, merged

if TYPE_CHECKING:
    from logshed.formats.model import Format


@dataclass(frozen=True, slots=True)
class Unwrapped:
    """Physical lines without their envelope.

    Attributes:
        fields: The envelope's own fields as text and ``_ok``, one row a line; the payload is not among them.
        payload: The inner text; null where the line is no such envelope.
        partial: Whether the next line of the same stream goes on with this one.
        stream: What tells interleaved streams apart.
    """

    fields: pl.DataFrame
    payload: pl.Series
    partial: pl.Series
    stream: pl.Series


def unwrap(text: pl.Series, form: Format) -> Unwrapped:
    """Take the envelope off each line."""
    envelope = form.envelope
    if envelope is None:
        raise AssertionError(form.name)
    fields = extract(form, text)
    held = fields[envelope.payload] if envelope.payload in fields.columns else nothing(text.len())
    payload = held.alias("payload")
    if envelope.partial is None:
        partial = pl.Series("partial", [False]).new_from_index(0, text.len())
    else:
        told = fields[envelope.partial_field] if envelope.partial_field in fields.columns else nothing(text.len())
        partial = told.str.contains(envelope.partial).fill_null(value=False).alias("partial")
    names = [name for name in envelope.stream if name in fields.columns]
    if names:
        keys = [pl.col(name).fill_null("") for name in names]
        stream = fields.select(pl.concat_str(keys, separator="\x1f")).to_series()
    else:
        stream = pl.Series([""]).new_from_index(0, text.len())
    if envelope.trim:
        payload = payload.str.strip_suffix(envelope.trim)
    dropped = {envelope.payload, envelope.partial_field} if envelope.partial else {envelope.payload}
    return Unwrapped(fields.drop(dropped, strict=False), payload, partial, stream.alias("stream"))


def unwrap_records(text: pl.Series, form: Format) -> tuple[pl.DataFrame, pl.Series]:
    """Take the envelope off records whose physical lines are joined by line feeds.

    Returns:
        The fields of each record's first line, and the payloads put together again.
    """
    if not text.str.contains("\n", literal=True).any():
        unwrapped = unwrap(text, form)
        return unwrapped.fields, unwrapped.payload
    lines = pl.DataFrame({"row": pl.int_range(text.len(), dtype=pl.UInt32, eager=True), "text": text.str.split("\n")})
    lines = lines.explode("text")
    unwrapped = unwrap(lines["text"], form)
    whole = (
        pl.DataFrame(
            {
                "row": lines["row"],
                "payload": unwrapped.payload,
                "partial": unwrapped.partial,
                "ok": unwrapped.fields[OK],
            }
        )
        .with_columns(piece=pl.col("payload") + pl.when("partial").then(pl.lit("")).otherwise(pl.lit("\n")))
        .group_by("row", maintain_order=True)
        .agg(pl.col("piece").str.join(""), pl.col("ok").all().alias("whole"))
    )
    first = lines["row"].is_first_distinct()
    fields = unwrapped.fields.filter(first)
    payload = whole.select(pl.when("whole").then(pl.col("piece").str.strip_suffix("\n"))).to_series()
    fields = fields.with_columns((fields[OK] & whole["whole"]).alias(OK))
    left = (~whole["whole"]).arg_true()
    if not left.is_empty():  # the envelope may be around all the lines instead of each
        around = unwrap(text.gather(left), form)
        fields = merged(fields, around.fields, left)
        taken = around.fields[OK]
        payload = payload.scatter(left.filter(taken), around.payload.filter(taken))
    return fields, payload.alias("payload")
