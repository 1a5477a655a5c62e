"""JSON documents as clients send them: read, also where they bend the rules, and laid flat to attributes."""

from __future__ import annotations

import json
import math
import re
import secrets
from itertools import islice
from typing import TYPE_CHECKING, Any

import orjson

from logshed.receivers.common.records import TOO_DEEP, TOO_MANY, UnfitError, bounded, crowded, keyed
from logshed.receivers.model import DEEPEST

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_AT_ONCE = 2_000
"""Documents that are in memory as objects at a time."""
_MARK = secrets.randbits(29)
_MARK_BETWEEN = b",%d," % _MARK
_LOWEST, _HIGHEST = -(2**63), 2**64 - 1
_DIGITS = 20
_BETWEEN = re.compile(rb"\}\s*\{")
_ESCAPED_COLON = re.compile(rb"\\u003[aA]")
_ESCAPES = re.compile(
    r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(?P<half>u[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)


class BrokenError(UnfitError):
    """A piece of what follows each other that is no document.

    Attributes:
        data: Its bytes.
    """

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(reason)
        self.data = text.encode()


def documents(lines: Iterable[bytes]) -> Iterator[Any]:
    """The document of each line; an UnfitError in the place of one that is none.

    Many lines are read by one call, which is quicker than a call a line. Between them stands a number that nobody
    outside knows: where each is found again, no line has ended in another.
    """
    rest = iter(lines)
    while some := list(islice(rest, _AT_ONCE)):
        joined = b"[" + _MARK_BETWEEN.join(some) + b"]"
        if crowded(joined):
            yield from map(attempt, some)
            continue
        try:
            found = orjson.loads(joined)
            marks = [_MARK] * (len(some) - 1)
            whole = len(found) == len(some) + len(marks) and found[1::2] == marks and _exact(joined, found)
        except (orjson.JSONDecodeError, orjson.JSONEncodeError):
            whole = False
        if whole:
            yield from (_shallow(value, line) for value, line in zip(found[::2], some, strict=True))
        else:
            yield from map(attempt, some)


def attempt(data: bytes) -> Any:
    """The document, or the UnfitError that says why it is none."""
    try:
        return document(data)
    except UnfitError as error:
        return error


def document(data: bytes) -> Any:
    """The document in some bytes.

    Raises:
        UnfitError: They are no JSON, nested too deeply, or have too many parts.
    """
    if crowded(data):
        raise UnfitError(TOO_MANY)
    try:
        value = orjson.loads(data)
        exact = _exact(data, value)
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):
        exact = False
    if not exact:
        value = _mended(data)
    if isinstance(value := _shallow(value, data), UnfitError):
        raise value
    return value


def concatenated(data: bytes) -> list[Any]:
    """Documents that follow each other, whatever whitespace is between them; a BrokenError where one is none.

    What is no JSON ends them, since nobody knows where the next would begin.

    Raises:
        BadRequestError: There are too many.
    """
    if crowded(data):
        return [BrokenError(TOO_MANY, data.decode("utf-8", "replace"))]
    # No text may hold a line feed as it is: what stands in a text is not read, and no text is changed.
    between = _BETWEEN.sub(b"},\n{", data)
    try:
        found = orjson.loads(b"[" + between + b"]")
        if _exact(between, found) and not too_deep(found, 1):
            return list(found)
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):
        pass
    return _one_by_one(_whole_escapes(data.decode("utf-8", "replace")))


def flat(value: Mapping[str, Any]) -> dict[str, Any]:
    """Attributes with dotted keys, lists as JSON text; what is null is left out.

    Where two make the same key, the last has it, and those before it are ``<key>.1``, ``<key>.2`` ...
    """
    found: dict[str, Any] = {}
    if _lay(value, "", found) > len(found):
        return keyed(_pairs(value, ""))
    return found


def put(found: dict[str, Any], key: str, value: Any) -> None:
    """Set a key, and keep what it had under a numbered one."""
    if key in found:
        again = 1
        while f"{key}.{again}" in found:
            again += 1
        found[f"{key}.{again}"] = found[key]
    found[key] = value


def too_deep(value: Any, around: int = 0) -> bool:
    """Whether lists and objects are inside each other in more levels than are taken.

    Args:
        value: Of which it is asked.
        around: Levels that do not count.
    """
    level = [value] if isinstance(value, (dict, list)) else []
    for _ in range(DEEPEST + around):
        level = [
            inner
            for one in level
            for inner in (one.values() if isinstance(one, dict) else one)
            if isinstance(inner, (dict, list))
        ]
        if not level:
            return False
    return True


def _exact(data: bytes, value: Any) -> bool:
    """Whether no key came twice, of which the quick reader keeps one silently: then colons are missing.

    A colon that is written as an escape could stand in for one.
    """
    if data.count(b":") != orjson.dumps(value).count(b":"):
        return False
    return b"\\" not in data or b"\\u003" not in data or not _ESCAPED_COLON.search(data)


def _pieces(data: bytes) -> int:
    return data.count(b"{") + data.count(b"[")


def _shallow(value: Any, data: bytes) -> Any:
    if _pieces(data) > DEEPEST and too_deep(value):
        return UnfitError(TOO_DEEP)
    return value


def _lay(value: Mapping[str, Any], prefix: str, found: dict[str, Any]) -> int:
    """Lay an object flat; returns how many attributes it has, which is more than are found where some share a key."""
    count = 0
    for key, inner in value.items():
        kind = type(inner)
        if inner is None:
            continue
        if kind is dict and inner:
            count += _lay(inner, f"{prefix}{key}.", found)
        else:
            found[prefix + key] = orjson.dumps(inner).decode() if kind is dict or kind is list else inner
            count += 1
    return count


def _pairs(value: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for key, inner in value.items():
        if isinstance(inner, dict) and inner:
            yield from _pairs(inner, f"{prefix}{key}.")
        elif inner is not None:
            yield prefix + key, orjson.dumps(inner).decode() if isinstance(inner, (dict, list)) else inner


def _mended(data: bytes) -> Any:
    """What the quick reader refuses or drops: broken text, numbers without an end, keys that come again."""
    try:
        return json.loads(_whole_escapes(data.decode("utf-8", "replace")), **_READING)
    except RecursionError:
        raise UnfitError(TOO_DEEP) from None
    except json.JSONDecodeError as error:
        raise UnfitError(f"it is no JSON: {error.msg}, character {error.pos}") from None


def _one_by_one(text: str) -> list[Any]:
    found: list[Any] = []
    decoder, at = json.JSONDecoder(**_READING), 0
    space = re.compile(r"[\s,]*")
    while (at := space.match(text, at).end()) < len(text):  # type: ignore[union-attr]  # matches everywhere
        begin = at
        bounded(len(found))
        try:
            value, at = decoder.raw_decode(text, at)
        except RecursionError:
            return [*found, BrokenError(TOO_DEEP, text[begin:])]
        except json.JSONDecodeError as error:
            return [*found, BrokenError(f"it is no JSON: {error.msg}, character {error.pos}", text[begin:])]
        found.append(BrokenError(TOO_DEEP, text[begin:at]) if too_deep(value) else value)
    return found


def _whole_escapes(text: str) -> str:
    """Half a surrogate pair stands for no character."""
    return _ESCAPES.sub(lambda escape: "\\ufffd" if escape["half"] else escape[0], text)


def _integer(digits: str) -> int | str:
    if len(digits) > _DIGITS:
        return digits
    value = int(digits)
    return value if _LOWEST <= value <= _HIGHEST else digits


def _float(digits: str) -> float | str:
    value = float(digits)
    return value if math.isfinite(value) else digits


_READING: dict[str, Any] = {
    "object_pairs_hook": keyed,
    "parse_int": _integer,
    "parse_float": _float,
    "parse_constant": str,
    "strict": False,
}
