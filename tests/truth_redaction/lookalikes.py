"""Draws what only looks like such data, and must stay."""

from __future__ import annotations

import base64
import uuid
from random import Random
from typing import TYPE_CHECKING

from tests.truth_redaction.checksums import isbn13, luhn
from tests.truth_redaction.contexts import CONTEXTS, phrase
from tests.truth_redaction.personal import digits, grouped
from tests.truth_redaction.planting import SEED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

EACH = 15
"""Look-alikes of each kind in each context."""


def _hex(draw: Random, count: int) -> str:
    return f"{draw.getrandbits(4 * count):0{count}x}"


def _no_card(draw: Random) -> str:
    """Sixteen digits in Visa's range whose check digit is wrong."""
    right = luhn(f"4{digits(draw, 14)}")
    return right[:-1] + str((int(right[-1]) + draw.randrange(1, 10)) % 10)


def _version(draw: Random) -> str:
    numbers = [str(draw.randrange(60)) for _ in range(3)]
    return draw.choice(("{}.{}.{}", "v{}.{}.{}-rc.1", "{}.{}.{}+build.5", "lib{}-{}.{}.jar")).format(*numbers)


def _image(draw: Random) -> str:
    head = base64.b64encode(b"\x89PNG\r\n\x1a\n" + draw.randbytes(90)).decode()
    return f"data:image/png;base64,{head}"


def _epoch(draw: Random) -> str:
    """In seconds, milli-, micro- or nanoseconds."""
    return f"{1_700_000_000 + draw.randrange(10**8)}{digits(draw, draw.choice((0, 3, 6, 9)))}"


def _phone_like(draw: Random) -> str:
    return draw.choice(
        (
            f"{digits(draw, 4)}-{digits(draw, 4)}",
            f"INV-{digits(draw, 3)}-{digits(draw, 5)}",
            f"2026-03-05-{digits(draw, 4)}",
        )
    )


def _isbn(draw: Random) -> str:
    text = isbn13(f"978{digits(draw, 9)}")
    return draw.choice((text, f"{text[:3]}-{text[3]}-{text[4:6]}-{text[6:12]}-{text[12]}"))


LOOKALIKES: dict[str, tuple[Callable[[Random], str], str]] = {
    "version": (_version, "version"),
    "version of four numbers": (
        lambda draw: f"{draw.randrange(1, 9)}.{draw.randrange(20)}.0.{draw.randrange(9)}",
        "version",
    ),
    "SHA-256": (lambda draw: _hex(draw, 64), "sha256"),
    "SHA-1, git commit": (lambda draw: _hex(draw, 40), "commit"),
    "git commit, short": (lambda draw: _hex(draw, 7), "commit"),
    "MD5, trace id": (lambda draw: _hex(draw, 32), "trace_id"),
    "span id": (lambda draw: _hex(draw, 16), "span_id"),
    "UUID": (lambda draw: str(uuid.UUID(int=draw.getrandbits(128), version=4)), "request"),
    "order number": (lambda draw: digits(draw, draw.randrange(7, 13)), "no"),
    "number like a card": (_no_card, "no"),
    "epoch time": (_epoch, "ts"),
    "time": (lambda draw: f"2026-03-{draw.randrange(10, 29)}T06:25:01.{digits(draw, 6)}Z", "at"),
    "base64 image": (_image, "image"),
    "base64": (lambda draw: base64.b64encode(draw.randbytes(30)).decode(), "blob"),
    "ISBN": (_isbn, "isbn"),
    "price": (lambda draw: f"{draw.randrange(10_000)}.{digits(draw, 2)}", "price"),
    "coordinates": (
        lambda draw: f"{draw.randrange(-89, 90)}.{digits(draw, 6)}, {draw.randrange(180)}.{digits(draw, 6)}",
        "at",
    ),
    "phone-like id": (_phone_like, "doc"),
    "file with @": (lambda draw: f"icon-{digits(draw, 2)}@2x.png", "file"),
    "class name": (lambda draw: f"com.example.shop.Cart{digits(draw, 2)}$Inner@{_hex(draw, 8)}", "obj"),
    "tracking number": (lambda draw: f"1Z{_hex(draw, 6).upper()}{digits(draw, 10)}", "parcel"),
    "grouped digits": (lambda draw: grouped(digits(draw, 9), 3), "sum"),
    "word with a prefix": (
        lambda draw: draw.choice(("sk-learn", "ghp_table", "npm_config_cache", "task-9", "AKIA", "SG.1")),
        "word",
    ),
}


def lookalikes(each: int = EACH, seed: int = SEED) -> Iterator[tuple[str, str, str]]:
    """Kind, context and line; every kind in every context that can hold it."""
    for name, (make, key) in LOOKALIKES.items():
        for context in CONTEXTS:
            draw = Random(f"{seed} {name} {context.name}")  # noqa: S311 - the same lines every time
            for _ in range(each):
                value = make(draw)
                number = value.isdecimal() and value[0] != "0"
                if (context.number and not number) or (context.name == "logfmt bare" and " " in value):
                    continue
                line = context.build(draw, key, phrase(draw, None)).replace("QZHEREQZ", context.spell(value))
                yield name, context.name, line
