"""What no text from outside may do to a terminal or to a log of lines: control signs are written out."""

from __future__ import annotations

import logging
import re

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
"""What could end a line, move a terminal's cursor, colour it, or turn the direction of its text around."""


def visible(text: str) -> str:
    """A text as one line that is safe to print."""
    return _CONTROL.sub(_escaped, text)


class Lines(logging.Formatter):
    """Writes each message of our own log as one line, whatever names and values are in it."""

    def __init__(self) -> None:
        super().__init__("%(levelname)s: %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the library's name
        """The line, without what is known of an exception, which is ours."""
        record.message = visible(record.message)
        return super().formatMessage(record)


def _escaped(found: re.Match[str]) -> str:
    code = ord(found[0])
    return {9: "\\t", 10: "\\n", 13: "\\r"}.get(code, f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}")  # noqa: PLR2004
