"""Redacts what only a decoder can see: text by text in plain Python, for the few records that verification stopped."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_DECODER = json.JSONDecoder(strict=False)
_OPENING = re.compile(r"[{\[]")
_LEVELS = 20
_ATTEMPTS = 100
"""A text may open that many brackets that begin no JSON; the rest of it is then left to the caller."""


class Rewriter:
    """Decodes the JSON in a text, replaces what stands under sensitive names, and encodes it again."""

    def __init__(self, treat: Callable[[str, str | None], str | None], redact: Callable[[str], str]) -> None:
        """Make a rewriter.

        Args:
            treat: What stands in place of a field's value, given its name and value (None for what is no single
                value); None where it stays.
            redact: Redacts a decoded string.
        """
        self._treat = treat
        self._redact = redact
        self.count = 0

    def rewrite(self, text: str) -> str:
        """The text with every JSON value in it redacted; what is not JSON stays."""
        return self._text(text, _LEVELS)

    def _text(self, text: str, levels: int) -> str:
        pieces: list[str] = []
        place = failures = 0
        while failures < _ATTEMPTS and (opening := _OPENING.search(text, place)):
            try:
                value, end = _DECODER.raw_decode(text, opening.start())
            except (ValueError, RecursionError):
                pieces.append(text[place : opening.end()])
                place = opening.end()
                failures += 1
                continue
            before = self.count
            clean = self._value(value, levels)
            same = self.count == before
            pieces += [text[place : opening.start()], text[opening.start() : end] if same else _encode(clean)]
            place = end
        return "".join([*pieces, text[place:]])

    def _value(self, value: Any, levels: int) -> Any:
        if isinstance(value, dict):
            return {key: self._member(key, member, levels) for key, member in value.items()}
        if isinstance(value, list):
            return [self._value(member, levels) for member in value]
        return self._string(value, levels) if isinstance(value, str) else value

    def _member(self, key: str, value: Any, levels: int) -> Any:
        if value in (None, "") or isinstance(value, bool):
            return self._value(value, levels)
        single = None if isinstance(value, (dict, list)) else value if isinstance(value, str) else _encode(value)
        meant = self._treat(key, single)
        if meant is None:
            return self._value(value, levels)
        self.count += 1
        return meant

    def _string(self, value: str, levels: int) -> str:
        clean = self._redact(value)
        self.count += clean != value
        return self._text(clean, levels - 1) if levels and _OPENING.search(clean) else clean


def encodable(text: str) -> str:
    r"""A text with the halves of surrogate pairs that JSON may hold alone as JSON writes them, ``\ud800``."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def with_halves(text: str) -> str:
    """What ``encodable`` made the text of."""
    return re.sub(r"\\u(d[89a-f][0-9a-f]{2})", lambda half: chr(int(half[1], 16)), text)


def replace_values(text: str, values: Iterable[tuple[str, str]]) -> tuple[str, int]:
    """The text with each value replaced wherever it stands, plain or escaped as JSON does, once or twice."""
    count = 0
    for value, meant in values:
        for form in _forms(value):
            count += text.count(form)
            text = text.replace(form, meant)
    return text, count


def replace_words(text: str, values: Iterable[tuple[str, str]]) -> tuple[str, int]:
    """The text with each value replaced where it stands as a word; 0 as the count where one of them does not."""
    total = 0
    for value, meant in values:
        pieces = []
        begin = place = 0
        while (place := text.find(value, place)) >= 0:
            end = place + len(value)
            if _joins(text[place - 1 : place], value[0]) or _joins(value[-1], text[end : end + 1]):
                place += 1
                continue
            pieces += [text[begin:place], meant]
            begin = place = end
        if not pieces:
            return text, 0
        total += len(pieces) // 2
        text = "".join([*pieces, text[begin:]])
    return text, total


def _joins(left: str, right: str) -> bool:
    """Whether two characters beside each other are in one word."""
    return (left.isalnum() or left == "_") and (right.isalnum() or right == "_")


def cut_at(text: str, words: Iterable[tuple[re.Pattern[str], str]]) -> str:
    """The text up to the first sensitive word, its tag in place of the rest; ``[REDACTED]`` where there is none."""
    found = [(match, tag) for word, tag in words if (match := word.search(text))]
    if not found:
        return "[REDACTED]"
    match, tag = min(found, key=lambda item: (item[0].start(), -item[0].end()))
    return f"{text[: match.end()]} {tag}"


def _forms(value: str) -> list[str]:
    once = _encode(value)[1:-1]
    return list(dict.fromkeys([_encode(once)[1:-1], once, value]))


def _encode(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
