"""Makes messages whose template is known: what log templates are measured by. Always the same ones."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SEED = 20_150_517
Fill = dict[str, "Callable[[random.Random], str]"]


def _split(words: str) -> list[str]:
    return words.split()


_NAMES = _split(
    "alice bob carol dave erin frank grace heidi ivan judy mallory niaj olivia peggy rupert sybil trent victor "
    "walter wendy anna ben clara dan eva finn gina hans ida jan karl lena max nora otto paula quinn rosa sven "
    "tina uwe vera"
)
_NOUNS = _split(
    "order invoice basket parcel coupon refund address session token profile review rating stock price payment "
    "label carrier customer vendor product image thumbnail report export import mailing campaign segment banner "
    "page menu"
)
_SERVICES = ("checkout", "catalog", "accounts", "shipping", "search", "billing", "mailer", "gateway")
_HOSTS = [f"{name}{number:02d}" for name in ("web", "db", "cache", "worker") for number in range(1, 13)]
_CLASSES = _split(
    "NullPointerException IllegalStateException SocketTimeoutException IOException SQLException KeyError "
    "ValueError TimeoutError ConnectionResetError AssertionError"
)
_FOLDERS = ("var", "etc", "srv", "home", "opt", "usr", "data", "tmp", "log", "lib", "cache", "spool", "www")


def _number(draw: random.Random) -> str:
    return str(draw.randrange(10 ** draw.randrange(1, 7)))


def _path(draw: random.Random) -> str:
    folders = "/".join(draw.choice(_FOLDERS) for _ in range(draw.randrange(1, 5)))
    return f"/{folders}/{draw.choice(_NOUNS)}{draw.randrange(99)}.{draw.choice(('log', 'tmp', 'json'))}"


def _address(draw: random.Random) -> str:
    return ".".join(str(draw.randrange(1, 255)) for _ in range(4))


def _uuid(draw: random.Random) -> str:
    digits = f"{draw.getrandbits(128):032x}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def _words(draw: random.Random, between: str, most: int) -> str:
    return between.join(draw.choice(_NOUNS) for _ in range(draw.randrange(1, most)))


def _some(draw: random.Random, make: Callable[[random.Random], str], between: str) -> str:
    return between.join(make(draw) for _ in range(draw.randrange(1, 9)))


def _took(draw: random.Random) -> str:
    return draw.choice((f"{draw.randrange(1, 9000)}ms", f"{draw.random() * 9:.2f}s", f"{draw.randrange(1, 999)}us"))


VALUES: Fill = {
    "n": _number,
    "ip": _address,
    "port": lambda draw: str(draw.randrange(1024, 65_535)),
    "user": lambda draw: draw.choice(_NAMES),
    "noun": lambda draw: draw.choice(_NOUNS),
    "svc": lambda draw: draw.choice(_SERVICES),
    "host": lambda draw: draw.choice(_HOSTS),
    "cls": lambda draw: draw.choice(_CLASSES),
    "path": _path,
    "uuid": _uuid,
    "hex": lambda draw: f"{draw.getrandbits(48):012x}",
    "ptr": lambda draw: f"0x{draw.getrandbits(40):x}",
    "id": lambda draw: "".join(draw.choices("abcdefghkmnpqrstuvwxyz23456789", k=10)),
    "took": _took,
    "size": lambda draw: f"{draw.randrange(1, 999)}{draw.choice((' bytes', 'KB', ' MB', 'MiB'))}",
    "time": lambda draw: (
        f"2026-{draw.randrange(1, 13):02d}-{draw.randrange(1, 29):02d}T{draw.randrange(24):02d}:00:59Z"
    ),
    "url": lambda draw: f"https://{draw.choice(_SERVICES)}.example.com/{draw.choice(_NOUNS)}/{draw.randrange(9999)}",
    "mail": lambda draw: f"{draw.choice(_NAMES)}@example.org",
    "text": lambda draw: '"' + _words(draw, " ", 6) + '"',
    "f": lambda draw: f"{draw.random() * 100:.3f}",
    "mac": lambda draw: ":".join(f"{draw.randrange(256):02x}" for _ in range(6)),
}
"""What each placeholder stands for in both corpora."""

LISTS: Fill = {
    **VALUES,
    "commas": lambda draw: _words(draw, ", ", 9),
    "packed": lambda draw: _words(draw, ",", 9),
    "blanks": lambda draw: _words(draw, " ", 9),
    "numbers": lambda draw: _some(draw, _number, " "),
    "blocks": lambda draw: _some(draw, lambda one: f"blk_{one.randrange(-(10**9), 10**9)}", " "),
    "peers": lambda draw: _some(draw, lambda one: f"{_address(one)}:{one.randrange(1024, 65_535)}", ", "),
    "files": lambda draw: _some(draw, _path, " "),
    "fields": lambda draw: _some(draw, lambda one: f"{one.choice(_NOUNS)}={one.randrange(999)}", " "),
    "pairs": lambda draw: _some(draw, lambda one: f"{one.choice(_NOUNS)}={one.choice(_NAMES)}", ", "),
    "json": lambda draw: "{" + _some(draw, lambda one: f'"{one.choice(_NOUNS)}":{one.randrange(999)}', ",") + "}",
    "texts": lambda draw: _some(draw, lambda one: f"'{_words(one, ' ', 4)}'", ", "),
}
"""And those of no fixed length, in the hostile one."""


def messages(templates: tuple[str, ...], fill: Fill, count: int) -> Iterator[tuple[int, str]]:
    """So many messages, each with the number of its template; a few templates make most of them, as in real logs.

    Args:
        templates: Texts with ``{placeholders}``.
        fill: What each placeholder stands for.
        count: How many.
    """
    draw = random.Random(SEED)  # noqa: S311 - the same messages every time
    weights = [1 / (rank + 5) for rank in range(len(templates))]
    order = draw.sample(range(len(templates)), len(templates))
    parts = [_parts(template) for template in templates]
    for rank in draw.choices(range(len(templates)), weights, k=count):
        number = order[rank]
        yield number, "".join(fill[text](draw) if held else text for held, text in parts[number])


def _parts(template: str) -> list[tuple[bool, str]]:
    """The text between placeholders, and the placeholders' names."""
    found = []
    for piece in template.split("{"):
        name, closed, rest = piece.partition("}")
        found += [(True, name), (False, rest)] if closed else [(False, name)]
    return found
