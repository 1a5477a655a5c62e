"""Reads the values of a search: numbers, sizes, durations, levels, times, networks."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from logshed.errors import UsageError
from logshed.networks import of_version_4
from logshed.search.model import Mistake, Value

if TYPE_CHECKING:
    from collections.abc import Callable

    ReadTime = Callable[[str], datetime]

LEVELS = {"trace": 1, "debug": 5, "info": 9, "warn": 13, "error": 17, "fatal": 21}
"""The first severity number of each level; each has four."""
STEPS = 4
_OTHER_LEVELS = {"warning": "warn", "err": "error", "critical": "fatal", "crit": "fatal", "information": "info"}
_NUMBER = re.compile(r"([+-]?[0-9]{1,30}(?:\.[0-9]{1,30})?(?:[eE][+-]?[0-9]{1,2})?)\s*([A-Za-zµ]*)")
_SIZES = {"": 1, "b": 1} | {
    f"{letter}{end}": base**power
    for power, letter in enumerate("kmgt", 1)
    for end, base in (("", 1000), ("b", 1000), ("ib", 1024))
}
_DURATIONS = {"": 1.0, "us": 0.001, "µs": 0.001, "ms": 1.0, "s": 1e3, "m": 6e4, "min": 6e4, "h": 3.6e6, "d": 8.64e7}
_CLASS = re.compile(r"([1-5])xx", re.IGNORECASE)
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_MINUTE = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?!:)")
_SECOND = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?!\.)")
_PERIODS = {"today": timedelta(days=1), "yesterday": timedelta(days=1)}
_LARGEST = 2**63


@dataclass(frozen=True, slots=True)
class Span:
    """The values that a text stands for: from ``first`` to ``last``, or up to before ``last`` where it is ``open``.

    Attributes:
        first: The least of them.
        last: The greatest, or the least that is too great.
        open: Whether ``last`` is too great already.
    """

    first: float | datetime
    last: float | datetime
    open: bool = False


def number(value: Value, text: str | None = None) -> Span:
    """A number without a unit."""
    return _scaled(value, value.text if text is None else text, {"": 1.0}, "number", "write digits, such as 404")


def integer(value: Value, text: str | None = None) -> Span:
    """A whole number, or ``5xx`` for a class of statuses."""
    shown = value.text if text is None else text
    if statuses := _CLASS.fullmatch(shown):
        return Span(int(statuses[1]) * 100, int(statuses[1]) * 100 + 99)
    return number(value, text)


def size(value: Value, text: str | None = None) -> Span:
    """Bytes: ``10MB`` are 10,000,000, ``10MiB`` 10,485,760."""
    shown = value.text if text is None else text
    return _scaled(value, shown, _SIZES, "size", "write bytes, or a unit as in 10kB, 10MB, 1GiB")


def duration(value: Value, text: str | None = None) -> Span:
    """Milliseconds: ``1.5s`` are 1500."""
    shown = value.text if text is None else text
    return _scaled(value, shown, _DURATIONS, "duration", "write milliseconds, or a unit as in 20ms, 1.5s, 2m, 1h")


def level(value: Value, text: str | None = None) -> Span:
    """The severity numbers of a level's name, or one number."""
    shown = (value.text if text is None else text).lower()
    name = _OTHER_LEVELS.get(shown, shown)
    if name in LEVELS:
        return Span(LEVELS[name], LEVELS[name] + STEPS - 1)
    if re.fullmatch(r"\d{1,2}", shown):
        return Span(int(shown), int(shown))
    raise _wrong(value, "level", f"take one of {', '.join(LEVELS)}, or write severity_text:{shown}")


def time(value: Value, read: ReadTime, text: str | None = None) -> Span:
    """A moment; a day, a minute or a second stands for all of it."""
    shown = value.text if text is None else text
    try:
        first = read(shown)
    except UsageError:
        raise _wrong(value, "time", "write 2026-11-01, 2026-11-01T10:00, 2h (ago), today") from None
    lasts = _PERIODS.get(shown.lower())
    if _DAY.fullmatch(shown):
        lasts = timedelta(days=1)
    elif _MINUTE.match(shown):
        lasts = timedelta(minutes=1)
    elif _SECOND.match(shown):
        lasts = timedelta(seconds=1)
    try:
        return Span(first, first + lasts, open=True) if lasts else Span(first, first)
    except OverflowError:
        raise _wrong(value, "time", "write one before the year 9999") from None


def boolean(value: Value) -> bool:
    """True or false."""
    known = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
    if value.text.lower() not in known:
        raise _wrong(value, "truth value", "write true or false")
    return known[value.text.lower()]


def network(value: Value) -> str | None:
    """The regular expression of an IPv4 network's addresses, or None where the text names no network."""
    if "/" not in value.text:
        return None
    try:
        found = ipaddress.ip_network(value.text, strict=False)
    except ValueError:
        raise _wrong(value, "network", "write one such as 10.0.0.0/8") from None
    if isinstance(found, ipaddress.IPv6Network):
        raise Mistake(
            "only networks of IPv4 are known here", "write the prefix with *: 2001:db8:*", value.at, value.end
        )
    return f"^{of_version_4(found)}$"


def _scaled(value: Value, text: str, units: dict[str, float], what: str, advice: str) -> Span:
    found = _NUMBER.fullmatch(text)
    unit = found[2] if found else ""
    factor = units.get(unit.lower())
    if found is None or factor is None:
        raise _wrong(value, what, advice)
    whole = found[1].lstrip("+-").isdigit()
    # What is no whole number in binary, such as 1.005 MB, is one in what was meant.
    amount: float = int(found[1]) * factor if whole else round(float(found[1]) * factor, 6)
    if abs(amount) >= _LARGEST:
        raise _wrong(value, f"{what} below 2^63", advice)
    return Span(amount, amount)


def _wrong(value: Value, what: str, advice: str) -> Mistake:
    return Mistake(f"{value.text!r} is no {what}", advice, value.at, value.end)
