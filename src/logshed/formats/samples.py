"""Checks a format against the samples in its file."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import polars as pl

from logshed.formats.choice import Choice
from logshed.formats.parse import parse

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from logshed.formats.model import Format, Sample

_OBSERVED = datetime(2030, 1, 1, tzinfo=UTC)
"""When samples are read: after every date in them."""


def choice_of(form: Format) -> Choice:
    """The choice under which a sample of this format is parsed."""
    return Choice(envelopes=(form.name,)) if form.envelope else Choice(formats=(form.name,))


def samples_fail(form: Format, formats: Mapping[str, Format] | None = None) -> list[str]:
    """What is wrong with the samples: one sentence for each difference, none if all hold."""
    table = {form.name: form} if formats is None else formats
    if not form.samples:
        return [f"{form.name} has no samples"]
    parsed = partial(parse, choice=choice_of(form), observed=_OBSERVED, formats=table, alone=True)
    lines = [sample.line for sample in form.samples]
    together = parsed(pl.Series(lines))
    if together.height == len(lines) and not _problems(form, together.rows(named=True)):
        return []
    return _problems(form, [parsed(pl.Series([line])).row(0, named=True) for line in lines])


def _problems(form: Format, rows: Sequence[dict[str, Any]]) -> list[str]:
    return [
        f"{form.name}, sample {number}: {problem}"
        for number, (sample, row) in enumerate(zip(form.samples, rows, strict=True), 1)
        for problem in _differences(row, sample)
    ]


def _differences(row: dict[str, Any], sample: Sample) -> list[str]:
    if row["parse_error"]:
        return [f"did not parse ({row['parse_error']})"]
    found = []
    for name, wanted in sample.expect.items():
        value = _value(row, name)
        if not _same(value, wanted):
            found.append(f"{name} is {value!r} but should be {wanted!r}")
    found.extend(
        f"{name} is {_value(row, name)!r} but should be null" for name in sample.absent if _value(row, name) is not None
    )
    return found


def _value(row: dict[str, Any], name: str) -> Any:
    if name.startswith("attributes."):
        attributes: Any = row["attributes"] or {}
        pairs = (
            attributes.items() if isinstance(attributes, dict) else ((one["key"], one["value"]) for one in attributes)
        )
        return dict(pairs).get(name.removeprefix("attributes."))
    return row.get(name)


def _same(value: Any, wanted: Any) -> bool:
    if isinstance(value, datetime):
        return value == (wanted if isinstance(wanted, datetime) else datetime.fromisoformat(str(wanted)))
    return bool(value == wanted)
