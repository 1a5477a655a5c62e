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

    def __init__(self, tag_of: Callable[[str], str | None], redact: Callable[[str], str]) -> None:
        """Make a rewriter.

        Args:
            tag_of: The tag for a field's name, or None where the name is not sensitive.
            redact: Redacts a decoded string.
        """
        self._tag_of = tag_of
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
        tag = self._tag_of(key)
        if tag is None or value in (None, "", tag) or isinstance(value, bool):
            return self._value(value, levels)
        self.count += 1
        return tag

    def _string(self, value: str, levels: int) -> str:
        clean = self._redact(value)
        self.count += clean != value
        return self._text(clean, levels - 1) if levels and _OPENING.search(clean) else clean


def replace_values(text: str, values: Iterable[tuple[str, str]]) -> tuple[str, int]:
    """The text with each value replaced by its tag wherever it stands, plain or escaped as JSON does, once or twice."""
    count = 0
    for value, tag in values:
        for form in _forms(value):
            count += text.count(form)
            text = text.replace(form, tag)
    return text, count


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
