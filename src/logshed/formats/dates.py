"""Dates and times in any common written form, taken apart: month names in four languages, zones by name, am and pm."""

from __future__ import annotations

import polars as pl

from logshed.formats.columns import nothing, where

MONTHS = {
    "jan": 1, "feb": 2, "mar": 3, "apr": 4, "may": 5, "jun": 6, "jul": 7, "aug": 8, "sep": 9, "oct": 10, "nov": 11,
    "dec": 12, "sept": 9, "january": 1, "february": 2, "march": 3, "april": 4, "june": 6, "july": 7, "august": 8,
    "september": 9, "october": 10, "november": 11, "december": 12,
    "januar": 1, "februar": 2, "märz": 3, "mär": 3, "mrz": 3, "mai": 5, "juni": 6, "juli": 7, "okt": 10, "oktober": 10,
    "dez": 12, "dezember": 12,
    "janvier": 1, "janv": 1, "février": 2, "févr": 2, "fév": 2, "mars": 3, "avril": 4, "avr": 4, "juin": 6,
    "juillet": 7, "juil": 7, "août": 8, "aoû": 8, "septembre": 9, "octobre": 10, "novembre": 11, "décembre": 12,
    "déc": 12,
    "enero": 1, "ene": 1, "febrero": 2, "marzo": 3, "abril": 4, "abr": 4, "mayo": 5, "junio": 6, "julio": 7,
    "agosto": 8, "ago": 8, "septiembre": 9, "octubre": 10, "noviembre": 11, "diciembre": 12, "dic": 12,
}  # fmt: skip
ZONES = {
    "z": 0, "utc": 0, "gmt": 0, "wet": 0, "west": 60, "bst": 60, "cet": 60, "cest": 120, "mez": 60, "mesz": 120,
    "met": 60, "mest": 120, "eet": 120, "eest": 180, "msk": 180, "est": -300, "edt": -240, "cdt": -300,
    "mst": -420, "mdt": -360,
    "pst": -480, "pdt": -420, "akst": -540, "akdt": -480, "hst": -600, "jst": 540, "kst": 540, "aest": 600, "aedt": 660,
    "acst": 570, "acdt": 630, "awst": 480, "nzst": 720, "nzdt": 780, "sast": 120, "hkt": 480, "sgt": 480,
}  # fmt: skip
"""Minutes east of UTC of zone names that mean one zone in practice; others (CST, IST) name several."""
_WEEKDAY = r"(?:\p{L}{2,10}\.?,? +)?"
_NAME = r"(?P<b>\p{L}{3,10})\.?"
_REST = r"(?P<rest>(?:[T ,:_].*)?|[+-][0-9]{2}:?[0-9]{2})$"
_DATES = (
    r"^(?P<Y>[0-9]{4})(?:[-/.:]|年| )(?P<m>[0-9]{1,2})(?:[-/.:]|月| )(?P<d>[0-9]{1,2})日?" + _REST,
    r"^(?P<Y>[0-9]{4})[-/. ]" + _NAME + "[-/. ](?P<d>[0-9]{1,2})" + _REST,
    "^" + _WEEKDAY + r"(?P<d>[0-9]{1,2})(?:st|nd|rd|th|\.)?[-/ ]*(?:de +)?" + _NAME
    + r"(?:[-/ ]|, ?| +de +)'?(?P<Y>[0-9]{4})" + _REST,
    "^" + _WEEKDAY + r"(?P<d>[0-9]{1,2})(?:st|nd|rd|th|\.)?[-/ ]*(?:de +)?" + _NAME
    + r"(?:[-/ ]|, ?| +de +)'?(?P<Y>[0-9]{2})(?P<rest>(?:[T ,_].*)?)$",
    "^" + _WEEKDAY + _NAME + r"(?: +|-)(?P<d>[0-9]{1,2})(?:[SsNnRrTt][TtDdHh])?"
    + r"(?:,? +'?(?P<Y>[0-9]{4}|'[0-9]{2})|-(?P<Y2>[0-9]{4}))?" + _REST,
    r"^(?P<Y>[0-9]{4})(?P<m>[0-9]{2})(?P<d>[0-9]{2})(?P<rest>[T ]?[0-9]{2}.*)?$",
    r"^(?P<Y>[0-9]{2})(?P<m>[0-9]{2})(?P<d>[0-9]{2})(?P<rest> +[0-9]{1,2}:.*)$",
    r"^(?P<d>[0-9]{1,2})\.(?P<m>0?[1-9]|1[0-2])\.(?P<Y>[0-9]{4}|[0-9]{2})" + _REST,
    r"^(?P<one>[0-9]{1,2})[/.:-](?P<two>[0-9]{1,2})[/.:-](?P<Y>[0-9]{4}|[0-9]{2})" + _REST,
    "^" + _WEEKDAY + r"(?P<d>[0-9]{1,2})\.? " + _NAME + _REST,
    r"^(?P<Y>[0-9]{4})-(?P<m>[0-9]{2})(?P<d>)(?P<rest>)$",
)  # fmt: skip
_CLOCK = (
    r"(?P<H>[0-9]{1,2}):(?P<M>[0-9]{1,2})(?::(?P<S>[0-9]{1,2})(?:[.,:](?P<f>[0-9]{1,9})[0-9]*)?)?"
    r" ?(?P<p>[AaPp]\.?[Mm]\.?)?"
)
_ZONE = (
    r" ?(?:(?P<n>[A-Za-z]{1,5})?(?P<z>[+-](?:[0-9]{2}(?::?[0-9]{2})?|[0-9]{2}[05]))?)"
    r"(?: +(?:[A-Z]{2,5}|[+-][0-9]{2}(?::?[0-9]{2})?|\([^)]*\)|m=[+-][0-9.]+))*(?: +(?P<Y>[0-9]{4}))?(?: \([^)]*\))?$"
)
_TIMES = (
    r"^(?:[T ,:_]|[Aa][Tt] )*" + _CLOCK + _ZONE,
    r"^[T ]?(?P<H>[0-9]{2})(?P<M>[0-9]{2})(?:(?P<S>[0-9]{2})(?:[.,]?(?P<f>[0-9]{3,9}))?)?" + _ZONE,
    r"^(?:[ ,]|[Aa][Tt] )*(?P<H>[0-9]{1,2}) ?(?P<p>[AaPp]\.?[Mm]\.?)" + _ZONE,
    r"^(?P<z>[+-][0-9]{2}:?[0-9]{2})?$",
)
PARTS = ("Y", "m", "d", "H", "M", "S", "f", "p", "z", "n")


_NUMBERS = (
    r"(?:^|[^0-9])(?:[0-9]{1,2}[/-][0-9]{1,2}[/-](?:[0-9]{4}|[0-9]{2})"
    r"|[0-9]{1,2}[.:](?:1[3-9]|2[0-9]|3[01])[.:](?:19|20)[0-9]{2})(?:[^0-9]|$)"
)


def may_mislead(text: pl.Series) -> bool:
    """Whether any text may have a date by which ``take_apart`` tells in which order others have day and month."""
    return bool(text.str.contains(_NUMBERS).any())


def take_apart(text: pl.Series, *, alone: bool = False) -> pl.DataFrame:
    """The parts of each time as text: ``PARTS``; ``m`` is a number, ``z`` an offset, ``n`` a zone's name; null if none.

    A date of three numbers of which either of the first two may be the month is read as the other values are that leave
    no doubt, month first where the clock has am or pm, else not at all; with ``alone`` the other values tell nothing.
    """
    trimmed = text.str.strip_chars(" []")
    dates = _first(trimmed, _DATES, ("Y", "Y2", "m", "b", "d", "one", "two", "rest"))
    times = _first(
        where(dates["rest"].is_not_null() | dates["d"].is_not_null(), dates["rest"].fill_null("")), _TIMES, PARTS
    )
    found = dates["d"].is_not_null() | dates["one"].is_not_null() | dates["m"].is_not_null()
    found &= times["_ok"]
    month = dates["b"].str.to_lowercase().replace_strict(MONTHS, default=None, return_dtype=pl.Int32).cast(pl.String)
    day, numbered = _ordered(dates["one"], dates["two"], times["p"], alone=alone)
    year = dates["Y"].fill_null(dates["Y2"]).fill_null(times["Y"]).str.strip_chars("'")
    short = year.str.len_bytes() == 2  # noqa: PLR2004 - 70 for 1970
    century = pl.DataFrame({"y": year}).select(
        pl.when(pl.col("y").cast(pl.Int32, strict=False) < 69).then(pl.lit("20")).otherwise(pl.lit("19"))  # noqa: PLR2004 - POSIX
    ).to_series()  # fmt: skip
    parts = times.drop("_ok").with_columns(
        (century + year).zip_with(short.fill_null(value=False), year).alias("Y"),
        dates["m"].fill_null(month).fill_null(numbered).alias("m"),
        dates["d"].fill_null(day).str.replace("^$", "1").alias("d"),
        times["H"].fill_null("0").alias("H"),
        times["M"].fill_null("0").alias("M"),
    )
    return parts.with_columns(where(found, parts[name]).alias(name) for name in PARTS)


def _first(text: pl.Series, patterns: tuple[str, ...], names: tuple[str, ...]) -> pl.DataFrame:
    """The groups of the first pattern that matches each row, and whether one did (``_ok``)."""
    found = pl.DataFrame({name: nothing(text.len()) for name in names})
    taken = pl.Series([False]).new_from_index(0, text.len())
    for pattern in patterns:
        rows = (~taken & text.str.contains(pattern).fill_null(value=False)).arg_true()
        if rows.is_empty():
            continue
        more = text.gather(rows).str.extract_groups(pattern).struct.unnest()
        found = found.with_columns(found[name].scatter(rows, more[name]) for name in names if name in more.columns)
        taken = taken.scatter(rows, values=True)
    return found.with_columns(taken.alias("_ok"))


def _ordered(one: pl.Series, two: pl.Series, half: pl.Series, *, alone: bool) -> tuple[pl.Series, pl.Series]:
    """Day and month of ``one/two``."""
    first, second = one.cast(pl.Int32, strict=False), two.cast(pl.Int32, strict=False)
    day_first, month_first = (first > 12).fill_null(value=False), (second > 12).fill_null(value=False)  # noqa: PLR2004 - months
    if not alone and day_first.any() != month_first.any():
        day_first |= first.is_not_null() if day_first.any() else False
        month_first |= first.is_not_null() if month_first.any() else False
    else:
        month_first |= half.is_not_null() & first.is_not_null() & ~day_first
    day = where(day_first, one).fill_null(where(month_first, two))
    return day, where(day_first, two).fill_null(where(month_first, one))
