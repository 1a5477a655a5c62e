"""Times that a format string spells out by strftime's directives: patterns for their parts, the time they make."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import polars as pl

from logshed.formats.columns import column_or_nothing

if TYPE_CHECKING:
    from collections.abc import Callable

_WEEKDAYS = {
    "mon": 1, "tue": 2, "wed": 3, "thu": 4, "fri": 5, "sat": 6, "sun": 7,
    "mo": 1, "di": 2, "mi": 3, "do": 4, "fr": 5, "sa": 6, "so": 7, "die": 2, "mit": 3, "don": 4, "fre": 5, "sam": 6,
    "son": 7, "lun": 1, "mar": 2, "mer": 3, "jeu": 4, "ven": 5, "dim": 7, "mié": 3, "jue": 4, "vie": 5, "sáb": 6,
    "dom": 7,
}  # fmt: skip
"""The first letters of weekdays in English, German, French and Spanish; 1 is Monday."""
_PREFIX = "\0time."
_TWO, _WORD = "[0-9]{1,2}", r"[^\s0-9\[\]]+"
_SIMPLE = {
    "Y": ("Y", "[0-9]{4}"), "y": ("y", "[0-9]{2}"), "m": ("m", _TWO), "d": ("d", _TWO), "e": ("d", " ?[0-9]{1,2}"),
    "H": ("H", _TWO), "k": ("H", " ?[0-9]{1,2}"), "I": ("H", _TWO), "l": ("H", " ?[0-9]{1,2}"), "M": ("M", _TWO),
    "S": ("S", _TWO), "b": ("b", _WORD), "B": ("b", _WORD), "h": ("b", _WORD), "p": ("p", "[A-Za-z.]{2,4}"),
    "P": ("p", "[A-Za-z.]{2,4}"), "z": ("z", "[+-][0-9]{2}:?[0-9]{2}|Z"), "Z": ("z", "[A-Za-z]+"),
    "s": ("s", "[0-9]+"), "j": ("j", "[0-9]{1,3}"), "G": ("G", "[0-9]{4}"), "V": ("V", _TWO), "u": ("u", "[1-7]"),
    "a": ("a", _WORD), "A": ("a", _WORD), "w": ("w", "[0-6]"), "C": ("", _TWO), "g": ("", _TWO), "U": ("", _TWO),
    "W": ("", _TWO), "f": ("f", "[0-9]+"), "n": ("", r"\s+"), "t": ("", r"\s+"),
}  # fmt: skip
_COMPOUND = {
    "T": "%H:%M:%S", "D": "%m/%d/%y", "F": "%Y-%m-%d", "R": "%H:%M", "r": "%I:%M:%S %p", "c": "%a %b %e %H:%M:%S %Y",
    "x": "%m/%d/%y", "X": "%H:%M:%S", "+": "%a %b %e %H:%M:%S %Z %Y",
}  # fmt: skip
_SPECIAL = {
    "sec": ("s", "[0-9]+"), "msec": ("s", "[0-9]+"), "usec": ("s", "[0-9]+"), "msec_frac": ("f", "[0-9]{3}"),
    "usec_frac": ("f", "[0-9]{6}"),
}  # fmt: skip


def pattern(form: str) -> tuple[str, tuple[str, ...]]:
    """A pattern for times of this form (``-`` where there is none), and the targets of its groups."""
    form = re.sub("^(?:begin|end):?", "", form)
    if not form:
        return r"(?:\[([^\]]*)\]|-)", ("timestamp",)
    if form in _SPECIAL:
        part, digits = _SPECIAL[form]
        return f"(?:({digits})|-)", (_PREFIX + part,)
    for letter, longer in _COMPOUND.items():
        form = re.sub(f"(?<!%)((?:%%)*)%{re.escape(letter)}", rf"\g<1>{longer}", form)
    built, targets = [], []
    for literal, letter in re.findall(r"([^%]+)|%[EO_-]?(.)", form):
        if literal:
            built.append(re.escape(literal).replace("\\ ", " +" if literal.isspace() else " "))
        elif letter in _SIMPLE:
            part, text = _SIMPLE[letter]
            built.append(f"({text})" if part else f"(?:{text})")
            targets.extend([_PREFIX + part] if part else [])
        else:
            built.append(re.escape(letter))
    return f"(?:{''.join(built)}|-)", tuple(targets)


def composed(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with the parts of times put together as ``timestamp`` in a common form."""
    parts = {name.removeprefix(_PREFIX): name for name in frame.columns if name.startswith(_PREFIX)}
    if not parts:
        return frame
    text = _texts(lambda part: pl.col(parts[part]) if part in parts else None)
    known = frame.select(text.alias("timestamp")).to_series()
    return frame.drop(list(parts.values())).with_columns(column_or_nothing(frame, "timestamp").fill_null(known))


def _texts(part: Callable[[str], pl.Expr | None]) -> pl.Expr:
    """``2019-05-06 12:09:43.123456 -0400`` or its kin; an epoch; null where the parts make no date."""
    fraction = part("f")
    fraction_text = pl.lit("") if fraction is None else "." + fraction.fill_null("0")
    epoch = part("s")
    if epoch is not None:
        return epoch + fraction_text
    day = _date(part)
    hour = part("H")
    if day is None or hour is None:
        return pl.lit(None, dtype=pl.String)
    clock = hour.str.strip_chars()
    for name in ("M", "S"):
        more = part(name)
        clock = clock + ":" + (pl.lit("00") if more is None else more)
    clock = clock + fraction_text
    half, zone = part("p"), part("z")
    clock = clock if half is None else clock + " " + half
    return day + " " + (clock if zone is None else clock + " " + zone)


def _date(part: Callable[[str], pl.Expr | None]) -> pl.Expr | None:
    week = _week_date(part)
    if week is not None:
        return week
    year, short, day, month, name = part("Y"), part("y"), part("d"), part("m"), part("b")
    if year is None and short is not None:
        year = pl.when(short.cast(pl.Int32, strict=False) < 69).then("20" + short).otherwise("19" + short)  # noqa: PLR2004 - POSIX
    if day is None:
        days = part("j")
        if year is None or days is None:
            return None
        date = (year + "-" + days.str.zfill(3)).str.to_date("%Y-%j", strict=False)
        return date.dt.to_string("%Y-%m-%d")
    day = day.str.strip_chars()
    if name is not None:
        return name + " " + day if year is None else day + " " + name + " " + year
    return None if year is None or month is None else year + "-" + month + "-" + day


def _week_date(part: Callable[[str], pl.Expr | None]) -> pl.Expr | None:
    """A date by its ISO week."""
    year, week, number, name = part("G"), part("V"), part("u"), part("a")
    if number is None and name is not None:
        letters = name.str.to_lowercase().str.slice(0, 3).str.strip_chars(".")
        number = letters.replace_strict(_WEEKDAYS, default=None, return_dtype=pl.Int32).cast(pl.String)
    if year is None or week is None or number is None:
        return None
    date = (year + "-" + week.str.zfill(2) + "-" + number).str.to_date("%G-%V-%u", strict=False)
    return date.dt.to_string("%Y-%m-%d")
