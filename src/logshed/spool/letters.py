"""A dead letter: something that a client sent and nothing could decode."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson

from logshed.errors import SpoolError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

REASON_CHARACTERS = 300


@dataclass(frozen=True, slots=True)
class Letter:
    """Something that came and could not be decoded.

    Attributes:
        protocol: The receiver's name.
        reason: Why it could not be, in a few words.
        peer: Who sent it.
        collection: Where it would have gone; empty where that is not known.
        text: What came, redacted; None where it is no text, so that no rule can redact it.
        sha256: Tells what came, where it is no text.
        size: Its bytes as they were sent.
        when: When it came, ISO 8601 UTC.
        cut: Bytes of the text that are not kept.
    """

    protocol: str
    reason: str
    peer: str = ""
    collection: str = ""
    text: str | None = None
    sha256: str = ""
    size: int = 0
    when: str = ""
    cut: int = 0


def letter(
    protocol: str,
    reason: str,
    peer: str = "",
    collection: str = "",
    *,
    data: bytes | None = None,
    redacted_text: str | None = None,
) -> Letter:
    """A letter that has come just now; see ``DeadLetters.put``."""
    sent = data if data is not None else (redacted_text or "").encode()
    return Letter(
        protocol,
        reason[:REASON_CHARACTERS],
        peer,
        collection,
        redacted_text,
        # of text it could be guessed from its hash what was redacted: a card's number is found in seconds
        hashlib.sha256(sent).hexdigest() if redacted_text is None else "",
        len(sent),
        datetime.now(UTC).isoformat(timespec="milliseconds"),
    )


def letters_of(path: Path) -> Iterator[Letter | None]:
    """The letters of a file, line by line; None for a line that is none.

    Raises:
        SpoolError: It cannot be read.
    """
    try:
        lines = path.read_bytes().split(b"\n")
    except FileNotFoundError:  # it was replayed or dropped meanwhile
        return
    except OSError as error:
        raise SpoolError(f"cannot read {path}: {error.strerror}; check the disk") from None
    for line in lines[:-1] if not lines[-1] else lines:
        try:
            told: dict[str, Any] = orjson.loads(line)
            yield Letter(**told)
        except (ValueError, TypeError):
            yield None
