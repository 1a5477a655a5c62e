"""Turns the optimizer's filter texts into a PyIceberg row filter that lets through at least the same rows.

The texts are DuckDB's own rendering of an expression. Whatever is not surely understood is left out: of an AND only
that part, of an OR the whole.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from logshed.sql.rendering import Item, NotUnderstoodError, Token, by_commas, lines_of, split, texts_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from logshed.sql.tables import TableColumn

LONGEST = 20_000
"""Characters of a filter beyond which planning without it is quicker than reading it."""

_MOST_VALUES = 100
_SIMPLE_TEXT = re.compile(r"[^\\\x00-\x1f\x7f-\x9f\u2028\u2029]*")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_FLIPPED = {"=": "=", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_OPAQUE = {"CASE", "WHEN", "THEN", "ELSE", "END", "LIKE", "ILIKE", "DISTINCT", "ESCAPE", "EXISTS"}
_LONGEST_UNIT = {
    "second": timedelta(seconds=1),
    "minute": timedelta(minutes=1),
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(days=7),
    "month": timedelta(days=31),
    "quarter": timedelta(days=92),
    "year": timedelta(days=366),
}


def row_filter(texts: Sequence[str], columns: Mapping[str, TableColumn], *, utc: bool = True) -> str | None:
    """A filter that every row which passes all texts passes too.

    Args:
        texts: Expressions, one or several to a text (a line each); an empty text says nothing.
        columns: The columns by the names that the texts have for them.
        utc: Whether days and times that name no zone are UTC's; else nothing is learned from them.

    Returns:
        A PyIceberg row filter, or None where nothing is known.
    """
    known: list[str] = []
    for text in texts:
        try:
            parts = [_condition(line, columns) for line in lines_of(text) if utc or not _zoneless(line)]
        except (NotUnderstoodError, RecursionError):
            continue
        known += [part for part in parts if part is not None]
    joined = " and ".join(sorted(set(known)))
    return joined if 0 < len(joined) <= LONGEST else None


def either(filters: Sequence[str | None]) -> str | None:
    """A filter that lets through what any of these does."""
    known = list(dict.fromkeys(text for text in filters if text is not None))
    if not known or None in filters:
        return None
    joined = " or ".join(f"({text})" for text in known) if len(known) > 1 else known[0]
    return joined if len(joined) <= LONGEST else None


def both(left: str | None, right: str | None) -> str | None:
    """A filter that lets through at least what both do."""
    if left is None or right is None or left == right:
        return left or right
    joined = f"({left}) and ({right})"
    return joined if len(joined) <= LONGEST else left


def _condition(items: list[Item], columns: Mapping[str, TableColumn]) -> str | None:
    """What is surely true of a row for which this expression is true."""
    items = _without_optional(items)
    if len(items) == 1 and isinstance(items[0], list):
        return _condition(items[0], columns)
    words = {item.text for item in items if isinstance(item, Token) and item.kind == "word"}
    if words & _OPAQUE or {"AND", "OR"} <= words:
        return None
    if "BETWEEN" in words:
        return _between(items, columns)
    if "AND" in words:
        known = [said for part in split(items, "AND") if (said := _condition(part, columns)) is not None]
        return " and ".join(known) if known else None
    if "OR" in words:
        parts = [_condition(part, columns) for part in split(items, "OR")]
        known = [part for part in parts if part is not None]
        return "(" + " or ".join(f"({part})" for part in known) + ")" if len(known) == len(parts) else None
    return (
        _flag(items, columns) or _null_check(items, columns) or _membership(items, columns) or _compared(items, columns)
    )


def _zoneless(items: Sequence[Item]) -> bool:
    """Whether an expression speaks of days, of other truncated times, or of a time that names no zone."""
    texts = [item.text if isinstance(item, Token) else "" for item in items]
    times = [place for place, text in enumerate(texts) if text == "TIMESTAMP"]
    if {"DATE", "date_trunc"} & set(texts) or any(texts[place + 1 : place + 2] != ["WITH"] for place in times):
        return True
    return any(_zoneless(item) for item in items if not isinstance(item, Token))


def _without_optional(items: list[Item]) -> list[Item]:
    """DuckDB marks a filter that follows from others as optional; it is as true as they are."""
    if len(items) > 2 and texts_of(items[:2]) == ["optional", ":"]:  # noqa: PLR2004 - the mark's two tokens
        return items[2:]
    return items


def _column(item: Item, columns: Mapping[str, TableColumn]) -> TableColumn | None:
    column = columns.get(item.text) if isinstance(item, Token) and item.kind == "word" else None
    return column if column is not None and _NAME.fullmatch(column.name) else None


def _flag(items: list[Item], columns: Mapping[str, TableColumn]) -> str | None:
    """``flag`` and ``NOT flag``."""
    column = _column(items[-1], columns) if items else None
    if column is None or column.kind != "boolean" or texts_of(items[:-1]) not in ([], ["NOT"]):
        return None
    return f"{column.name} = {'true' if len(items) == 1 else 'false'}"


def _null_check(items: list[Item], columns: Mapping[str, TableColumn]) -> str | None:
    column = _column(items[0], columns) if items else None
    words = texts_of(items[1:])
    if column is None or column.kind == "map" or words not in (["IS", "NULL"], ["IS", "NOT", "NULL"]):
        return None
    return f"{column.name} {' '.join(words).lower()}"


def _membership(items: list[Item], columns: Mapping[str, TableColumn]) -> str | None:
    """``column IN (values)``; of a long list only its range."""
    if len(items) != 3 or texts_of(items[1:2]) != ["IN"] or not isinstance(items[2], list):  # noqa: PLR2004 - x IN ()
        return None
    column = _column(items[0], columns)
    values = [_value(part, column) for part in by_commas(items[2])] if column is not None else []
    known = [value for value in values if value is not None]
    if column is None or not known or len(known) != len(values):
        return None
    if len(known) <= _MOST_VALUES:
        return f"{column.name} in ({', '.join(known)})"
    numbers = column.kind in {"int", "long"}
    ordered = sorted(known, key=int) if numbers else sorted(known, key=lambda text: text[1:-1].replace("''", "'"))
    return f"{column.name} >= {ordered[0]} and {column.name} <= {ordered[-1]}"


def _compared(items: list[Item], columns: Mapping[str, TableColumn]) -> str | None:
    """``operand sign operand``, one of them a column or a truncated time."""
    places = [place for place, text in enumerate(texts_of(items)) if text in _FLIPPED]
    if len(places) != 1:
        return None
    left, sign, right = items[: places[0]], texts_of(items)[places[0]], items[places[0] + 1 :]
    return _one_sided(left, sign, right, columns) or _one_sided(right, _FLIPPED[sign], left, columns)


def _between(items: list[Item], columns: Mapping[str, TableColumn]) -> str | None:
    """``operand BETWEEN low AND high``."""
    left, right = split(items, "BETWEEN")[0], split(items, "BETWEEN")[1:]
    ends = split(right[0], "AND") if len(right) == 1 else []
    if len(ends) != 2 or any(text in _FLIPPED for text in texts_of(items)):  # noqa: PLR2004 - low and high
        return None
    known = [_one_sided(left, ">=", ends[0], columns), _one_sided(left, "<=", ends[1], columns)]
    return " and ".join(part for part in known if part is not None) or None


def _one_sided(left: list[Item], sign: str, right: list[Item], columns: Mapping[str, TableColumn]) -> str | None:
    if len(left) == 1 and (column := _column(left[0], columns)) is not None:
        value = _value(right, column)
        return f"{column.name} {sign} {value}" if value is not None else None
    truncated = _truncated(left, columns)
    start = _moment(right)
    if truncated is None or start is None:
        return None
    return _within(truncated[0].name, sign, start, truncated[1])


def _value(items: list[Item], column: TableColumn | None) -> str | None:
    """A literal of the column's type as PyIceberg reads it.

    A double has none: DuckDB puts NaN above every number, the files' statistics leave it out.
    """
    if column is None or not items or not isinstance(items[0], Token):
        return None
    first, cast = items[0], texts_of(items[1:])
    if column.kind in {"int", "long"} and first.kind == "number" and not cast:
        return first.text if re.fullmatch(r"-?[0-9]+", first.text) else None
    if column.kind == "string" and first.kind == "string" and not cast:
        return first.text if _SIMPLE_TEXT.fullmatch(first.text) else None
    if column.kind == "boolean" and first.text in {"true", "false"} and not cast:
        return first.text
    if column.kind == "timestamptz" and cast == ["::", "TIMESTAMP", "WITH", "TIME", "ZONE"]:
        moment = _moment(items)
        return _written(moment) if moment is not None else None
    return None


def _truncated(items: list[Item], columns: Mapping[str, TableColumn]) -> tuple[TableColumn, timedelta] | None:
    """``CAST(time AS DATE)`` and ``date_trunc('unit', time)``: the column and the longest that the unit lasts.

    Days and hours are UTC's here: of a connection with another zone such expressions are not looked at.
    """
    if len(items) != 2 or not isinstance(items[1], list):  # noqa: PLR2004 - a function's name and its arguments
        return None
    name, arguments = texts_of(items)[0], items[1]
    if name == "CAST" and texts_of(arguments)[-2:] == ["AS", "DATE"]:
        unit, inner = "day", arguments[:-2]
    elif name == "date_trunc" and len(parts := by_commas(arguments)) == 2:  # noqa: PLR2004 - its two arguments
        unit, inner = "".join(texts_of(parts[0])).strip("'").lower(), parts[1]
    else:
        return None
    if texts_of(inner) == ["timezone", "()"] and isinstance(inner[1], list):
        zone, *rest = by_commas(inner[1])
        inner = rest[0] if texts_of(zone) == ["'UTC'"] and len(rest) == 1 else []
    column = _column(inner[0], columns) if len(inner) == 1 else None
    longest = _LONGEST_UNIT.get(unit)
    return (column, longest) if column is not None and column.kind == "timestamptz" and longest is not None else None


def _within(name: str, sign: str, start: datetime, longest: timedelta) -> str | None:
    """What a comparison of a truncated time says of the time: truncation takes off less than ``longest``."""
    try:
        end = _written(start + longest)
    except OverflowError:
        return None
    after, before = f"{name} >= {_written(start)}", f"{name} < {end}"
    if sign == "=":
        return f"{after} and {before}"
    return {">": after, ">=": after, "<": before, "<=": before}.get(sign)


def _moment(items: list[Item]) -> datetime | None:
    """``'…'::DATE``, ``'…'::TIMESTAMP`` (UTC) or ``'…'::TIMESTAMP WITH TIME ZONE``."""
    if not items or not isinstance(items[0], Token) or items[0].kind != "string":
        return None
    cast = " ".join(texts_of(items[1:]))
    if cast not in {":: DATE", ":: TIMESTAMP", ":: TIMESTAMP WITH TIME ZONE"}:
        return None
    try:
        moment = datetime.fromisoformat(items[0].text[1:-1])
    except ValueError:
        return None  # infinity, years before 1 or after 9999
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)


def _written(moment: datetime) -> str:
    return f"'{moment.isoformat()}'"
