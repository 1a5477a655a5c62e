"""Headers that say what the lines after them hold: ``#Fields`` of W3C logs, Zeek's ``#fields``, a CSV's first line.

A header that detection found is pinned in the choice. A record that stands right after header lines begins with them;
where a file's header changes, records after that are given the new one, so that each can be read on its own.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

import polars as pl

from logshed.formats.columns import where
from logshed.formats.model import Header

if TYPE_CHECKING:
    from collections.abc import Sequence

    from logshed.formats.model import Format

_DELIMITERS = (",", "\t", ";", "|")
_FEWEST_COLUMNS = 3
_CELL = re.compile(r"[A-Za-z_@#][A-Za-z0-9_.@()/#-]*(?: [A-Za-z0-9_()/-]+){0,3}")
_MARK = "#"
_DIRECTIVE = (
    r"^#(?:Fields|Date|Software|Version|Start-Date|End-Date|Remark|Comment|GMT-Offset)\b"
    r"|^#(?:separator|set_separator|empty_field|unset_field|path|open|close|fields|types)[\t ]"
)


def read(form: Format, text: str) -> Header | None:
    """What header lines say; None where they name no fields or lack those that the format requires."""
    header = _read_csv(form, text) if form.kind == "csv" else _read_directives(text)
    if header is None:
        return None
    names = {name.lower() for name in (*header.fields, *header.facts)}
    met = all(any(name.partition(" ~ ")[0].lower() in names for name in listed) for listed in form.requires)
    return header if met else None


def _read_directives(text: str) -> Header | None:
    r"""``#Fields: a b c``; Zeek's ``#separator \x09`` and what follows with that separator."""
    delimiter = ""
    facts: dict[str, str] = {}
    fields: tuple[str, ...] = ()
    for line in text.split("\n"):
        if line.startswith("#separator "):
            delimiter = re.sub(r"\\x([0-9a-fA-F]{2})", lambda hit: chr(int(hit[1], 16)), line.split(" ", 1)[1])
            continue
        name, _, rest = line.removeprefix(_MARK).partition(delimiter or ":")
        if name.lower() == "fields":
            fields = tuple(rest.split(delimiter)) if delimiter else tuple(rest.split())
        elif rest.strip():
            facts[f"#{name.lower()}"] = rest.strip()
    kept = {name: value for name, value in facts.items() if name in ("#path", "#software")}
    return Header(text, fields, delimiter, kept) if fields else None


def _read_csv(form: Format, text: str) -> Header | None:
    delimiters = (form.delimiter,) if form.delimiter and form.delimiter != "," else _DELIMITERS
    delimiter = max(delimiters, key=text.count)
    cells = tuple(cell.strip().strip('"') for cell in text.split(delimiter))
    if len(cells) < _FEWEST_COLUMNS or len(set(cells)) < len(cells):
        return None
    if not all(_CELL.fullmatch(cell) for cell in cells):
        return None
    wanted = {path.lower() for paths in form.columns.values() for path in paths}
    known = sum(cell.lower() in wanted for cell in cells)
    return Header(text, cells, delimiter) if known or not wanted else None


def bind(form: Format, text: str) -> Format | None:
    """The format with this header pinned to it; None where the header is none of its."""
    header = read(form, text)
    if header is None:
        return None
    return replace(form, header=header, pin=f"{form.name}:{quote(text, safe='')}")


def bound(form: Format, pinned: str) -> Format | None:
    """The format with a header as ``bind`` wrote it into the pin."""
    return bind(form, unquote(pinned))


def found(form: Format, lines: pl.Series) -> Format | None:
    """The format bound to the first header among some lines."""
    if form.kind == "csv":
        return bind(form, lines[0]) if lines.len() else None
    if not lines.str.contains(_DIRECTIVE).any():
        return None
    for block in _blocks(lines):
        one = bind(form, "\n".join(lines[block[0] : block[1]].to_list()))
        if one is not None:
            return one
    return None


def _blocks(lines: pl.Series) -> list[tuple[int, int]]:
    """Where runs of header lines begin and end."""
    marked = [*lines.str.contains(_DIRECTIVE).to_list(), False]
    blocks, start = [], -1
    for row, is_marked in enumerate(marked):
        if is_marked and start < 0:
            start = row
        elif not is_marked and start >= 0:
            blocks.append((start, row))
            start = -1
    return blocks


def is_header(form: Format, lines: pl.Series) -> pl.Series:
    """Whether each line is one of a header."""
    if form.kind == "w3c":
        return lines.str.contains(_DIRECTIVE).fill_null(value=False)
    return (lines == (form.header.text if form.header else "")).fill_null(value=False)


def split_own(form: Format, text: pl.Series) -> tuple[pl.Series | None, pl.Series]:
    """The header lines that records begin with (None where none does), and the records without them."""
    if form.kind == "w3c":
        marked = text.str.contains(_DIRECTIVE).fill_null(value=False)
        if not marked.any():
            return None, text
        parts = text.str.extract_groups(r"(?s)^((?:#[^\n]*\n)*(?:#[^\n]*$)?)(.*)$").struct.unnest().get_columns()
    else:
        begin = form.header.text if form.header else None
        marked = text.str.contains("\n", literal=True) if begin is None else text.str.starts_with(begin)
        marked = marked.fill_null(value=False)
        if not marked.any():
            return None, text
        parts = text.str.extract_groups(r"(?s)^([^\n]*\n?)(.*)$").struct.unnest().get_columns()
    return where(marked, parts[0].str.strip_chars_end("\n")), parts[1].zip_with(marked, text)


class Tracker:
    """Follows the header through a file and gives later records the one in force, where it is not the pinned one."""

    def __init__(self, forms: Sequence[Format], *, joined: bool = True) -> None:
        """Begin; ``joined`` is whether the line right after header lines will be joined to them."""
        self._joined = joined
        self._forms = [form for form in forms if form.has_header and form.kind == "w3c"]
        self._current: str | None = None
        self._block: list[str] = []

    def rebound(self, form: Format) -> Format:
        """The format with the header in force now, where that is not the pinned one."""
        if self._current is None or form not in self._forms:
            return form
        return bind(form, self._current) or form

    def apply(self, lines: pl.DataFrame) -> pl.DataFrame:
        """The lines, each that needs it behind the header in force."""
        if not self._forms:
            return lines
        text = lines["text"]
        marked = text.str.contains(_DIRECTIVE).fill_null(value=False)
        if not marked.any() and not self._block and self._current is None:
            return lines
        return lines.with_columns(self._prefixed(text, marked).alias("text"))

    def _prefixed(self, text: pl.Series, marked: pl.Series) -> pl.Series:
        pieces, position = [], 0
        runs = marked.rle()
        for length, is_header in zip(runs.struct.field("len"), runs.struct.field("value"), strict=True):
            part = text.slice(position, length)
            position += length
            if is_header:
                self._block.extend(part.to_list())
            else:
                after_header = bool(self._block)
                self._close()
                if self._current is not None:
                    given = self._current + "\n" + part
                    part = given if not (after_header and self._joined) else pl.concat([part.head(1), given.slice(1)])
            pieces.append(part)
        return pl.concat(pieces) if pieces else text

    def _close(self) -> None:
        """A run of header lines has ended: take what it says, if it names fields."""
        if not self._block:
            return
        block, self._block = "\n".join(self._block), []
        for form in self._forms:
            header = read(form, block)
            if header is None:
                continue
            pinned = form.header
            same = pinned is not None and (pinned.fields, pinned.facts) == (header.fields, header.facts)
            self._current = None if same else block
            return
