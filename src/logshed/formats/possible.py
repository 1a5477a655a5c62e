"""Rules out the formats that take no line of a sample, by what costs a fraction of trying them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from logshed.formats import apache
from logshed.formats.beginnings import Beginnings
from logshed.formats.literals import Sample

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from logshed.formats.model import Format

_DOCUMENTS = ("[", "{")


class Possible:
    """What may be said of some lines without trying a format on them.

    Args:
        tried: The formats in question.
        text: The lines, each with more than blanks.
    """

    def __init__(self, tried: Sequence[Format], text: pl.Series) -> None:
        self._lines = text.to_list()
        self._sample = Sample(self._lines)
        self._documents = any(line.lstrip().startswith(_DOCUMENTS) for line in self._lines)
        self._headed = any(line.startswith("#") or "\n" in line for line in self._lines)
        self._names = self._matching([form for form in tried if self._may_take(form)], text)

    def __contains__(self, form: Format) -> bool:
        """Whether the format may take any of the lines."""
        headless = form.has_header and form.header is None and not form.fields
        return form.name in self._names and (self._headed or not headless)

    def may_begin(self, form: Format) -> bool:
        """Whether there may be a header of the format among the lines."""
        return form.has_header and (self._headed or form.kind == "csv")

    def _may_take(self, form: Format) -> bool:
        if form.whole and form.kind in ("regex", "grok"):
            return any(self._sample.holds(one.pattern) for one in form.shapes)
        ask = _KINDS.get(form.kind)
        return ask is None or ask(self, form)

    def _matching(self, forms: Sequence[Format], text: pl.Series) -> set[str]:
        """Those whose patterns match a line: matching is several times as quick as taking the groups."""
        begun = Beginnings(self._lines)
        needed = {
            form.name: [one for one in patterns if self._sample.may_match(one) and begun.may_match(one)]
            for form in forms
            if (patterns := _patterns(form)) is not None
        }
        asked = sorted({pattern for patterns in needed.values() for pattern in patterns})
        places = (pl.col("text").str.contains(pattern).any().alias(str(place)) for place, pattern in enumerate(asked))
        held = pl.DataFrame({"text": text}).select(places).row(0) if asked else ()
        there = {pattern for pattern, holds in zip(asked, held, strict=True) if holds}
        return {form.name for form in forms} - {name for name, each in needed.items() if there.isdisjoint(each)}

    def _holds_pairs(self, _: Format) -> bool:
        return any("=" in line for line in self._lines)

    def _holds_list(self, form: Format) -> bool:
        ends = (path.rpartition("/")[2] for path in form.items)
        return self._documents and any(end in ("", ".") or self._sample.has(f'"{end}"') for end in ends)

    def _holds_fields(self, form: Format) -> bool:
        fewest = form.fewest or len(form.fields)
        if form.has_header or not form.delimiter:
            return True
        return any(line.count(form.delimiter) >= fewest - 1 for line in self._lines)


_KINDS: dict[str, Callable[[Possible, Format], bool]] = {
    "logfmt": Possible._holds_pairs,  # noqa: SLF001 - its own
    "items": Possible._holds_list,  # noqa: SLF001 - its own
    "csv": Possible._holds_fields,  # noqa: SLF001 - its own
}


def _patterns(form: Format) -> list[str] | None:
    """The patterns of which one must match a line that the format takes; None where it has none."""
    if form.whole or form.has_header:
        return None
    if form.kind == "apache":
        return [one.text for one in apache.patterns(form)]
    return [one.pattern for one in form.shapes] if form.kind in ("regex", "grok") else None
