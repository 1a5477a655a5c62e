"""Makes requests that attack and requests that only look so: the same ones every time.

An attack is a template of a family (from public cheat sheets' ideas, written anew), its holes filled by chance, then
written in one of the ways that tools use against filters. Benign values are what people and programs put into
parameters. The templates are in ``payloads.txt``.
"""

from __future__ import annotations

import base64
import json
import random
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

SEED = 20_261_126
KINDS = ("sql", "xss", "traversal", "command")
"""Kinds of attacks that are measured."""
PLACES = (("/search", "q"), ("/product", "id"), ("/index.php", "page"), ("/api/v1/items", "name"), ("/go", "url"))
"""Paths and parameters that payloads are put into."""
_HOLE = re.compile(r"<<(\w+)>>")
_HEAD = re.compile(r"\[\[(\w+) (\w.*)\]\]")


def _sections() -> dict[str, dict[str, list[str]]]:
    """The templates by kind and family, as ``payloads.txt`` lists them."""
    found: dict[str, dict[str, list[str]]] = {}
    templates: list[str] = []
    for line in Path(__file__).with_name("payloads.txt").read_text(encoding="utf-8").split("\n"):
        if head := _HEAD.fullmatch(line):
            templates = found.setdefault(head[1], {}).setdefault(head[2], [])
        elif line:
            templates.append(line)
    return found


TEXTS = _sections()


@dataclass(frozen=True, slots=True)
class Payload:
    """A value of a parameter.

    Attributes:
        kind: One of ``KINDS``, or ``benign``.
        family: What it is an example of.
        text: The value as the program behind the server gets it.
        query: How it stands in the request.
    """

    kind: str
    family: str
    text: str
    query: str


def attacks(kind: str, each: int) -> list[Payload]:
    """Distinct attacks of a kind.

    Args:
        kind: Of ``KINDS``.
        each: How many of each family at most; a family of few templates gives fewer.
    """
    draw = random.Random(f"{SEED} {kind}")  # noqa: S311 - the same ones every time
    made: dict[str, Payload] = {}
    for family, templates in TEXTS[kind].items():
        count = 0
        for turn in range(each * 3):
            text = _filled(templates[turn % len(templates)], draw)
            if turn >= len(templates):
                text = draw.choice(_WAYS[kind])(text, draw)
            if text not in made and count < each:
                made[text] = Payload(kind, family, text, _written(text, draw))
                count += 1
    return list(made.values())


def benign(each: int) -> list[Payload]:
    """Distinct values that are no attack; ``each`` is how many of each family at most."""
    draw = random.Random(f"{SEED} benign")  # noqa: S311
    made: dict[str, Payload] = {}
    for family, templates in TEXTS["benign"].items():
        count = 0
        for turn in range(each * 3):
            text = _filled(templates[turn % len(templates)], draw)
            if text not in made and count < each:
                made[text] = Payload("benign", family, text, _written(text, draw))
                count += 1
    return list(made.values())


def lines(payloads: Sequence[Payload]) -> Iterator[str]:
    """Lines of a combined access log, each payload a parameter of a request from its own address."""
    for number, one in enumerate(payloads):
        address = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
        path, key = PLACES[number % len(PLACES)]
        yield (
            f"{address} - - [05/Jan/2026:10:{number // 60 % 60:02}:{number % 60:02} +0000] "
            f'"GET {path}?{key}={one.query} HTTP/1.1" 200 512 "-" '
            '"Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"'
        )


def _filled(template: str, draw: random.Random) -> str:
    return _HOLE.sub(lambda found: _fill(found[1], draw), template)


def _fill(name: str, draw: random.Random) -> str:
    if name in _MADE:
        return _MADE[name](draw)
    return _filled(draw.choice(TEXTS["fill"][name]), draw)


def _number(draw: random.Random) -> str:
    return str(draw.choice((draw.randrange(1, 9), draw.randrange(10, 99), draw.randrange(1000, 9999))))


def _letters(draw: random.Random) -> str:
    return "".join(draw.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(draw.randrange(3, 8)))


def _base64(draw: random.Random) -> str:
    return base64.b64encode(bytes(draw.randrange(256) for _ in range(draw.randrange(6, 60)))).decode()


def _json(draw: random.Random) -> str:
    return json.dumps({_fill("word", draw): draw.choice((1, True, None, _fill("name", draw), [1, 2, 3]))})


def _words(draw: random.Random) -> str:
    return " ".join(_fill("word", draw) for _ in range(draw.randrange(3, 12)))


_MADE: dict[str, Callable[[random.Random], str]] = {
    "n": _number,
    "big": lambda draw: str(draw.randrange(10**6, 10**12)),
    "hex": lambda draw: f"{draw.getrandbits(64):016x}",
    "w": _letters,
    "nl": lambda _draw: "\n",
    "price": lambda draw: f"{draw.randrange(1, 999)}.{draw.randrange(100):02}",
    "b64": _base64,
    "json": _json,
    "words": _words,
}
"""What fills a hole and is no list of ``payloads.txt``."""


def _written(text: str, draw: random.Random) -> str:
    """URL-encoded, partly raw, or encoded twice."""
    match draw.randrange(10):
        case 0 | 1 | 2:
            return quote_plus(text)
        case 3 | 4 | 5:
            return quote(text, safe="")
        case 6 | 7 | 8:
            return quote(text, safe="'()*!:;@,/?=$<>[]{}|`^~-.")
    return quote(quote(text, safe=""), safe="")


def _same(text: str, _draw: random.Random) -> str:
    return text


def _cases(text: str, draw: random.Random) -> str:
    return "".join(one.upper() if draw.random() < 0.5 else one.lower() for one in text)


def _upper(text: str, _draw: random.Random) -> str:
    return text.upper()


def _blanks(text: str, draw: random.Random) -> str:
    blank = draw.choice(("/**/", "\t", "\n", "  ", "\x0c", "/*" + _fill("w", draw) + "*/", "\xa0", "\x0b"))
    return text.replace(" ", blank)


def _versioned(text: str, draw: random.Random) -> str:
    """MySQL runs what stands in a comment that names a version."""
    word = draw.choice(("union", "select", "and", "or", "sleep"))
    return re.sub(rf"\b{word}\b", f"/*!{draw.choice(('', '50000', '00000'))}{word}*/", text, flags=re.IGNORECASE)


def _unequal(text: str, draw: random.Random) -> str:
    return re.sub(r"(\d)=(\d)", draw.choice((r"\1 LIKE \2", r"\1 = \2", r"\1<=>\2")), text)


def _wide(text: str, draw: random.Random) -> str:
    """Full-width quotes and brackets."""
    table = {"'": "\uff07", "<": "\uff1c", ">": "\uff1e", "(": "\uff08", ")": "\uff09", "/": "\uff0f"}
    return "".join(table.get(one, one) if draw.random() < 0.8 else one for one in text)


def _entities(text: str, draw: random.Random) -> str:
    return "".join(
        draw.choice((f"&#{ord(one)};", f"&#x{ord(one):x};")) if one in "<>\"'():jas" and draw.random() < 0.4 else one
        for one in text
    )


def _unicode(text: str, draw: random.Random) -> str:
    return "".join(f"%u{ord(one):04x}" if one in "<>'\"/\\." and draw.random() < 0.7 else one for one in text)


def _overlong(text: str, draw: random.Random) -> str:
    """Dots and slashes in more bytes than they need; stands in the text as escapes of URLs."""
    table = draw.choice(
        (
            {"/": "%c0%af", "\\": "%c1%9c"},
            {".": "%c0%ae", "/": "%c0%af"},
            {".": "%e0%80%ae"},
            {".": "%2e", "/": "%2f", "\\": "%5c"},
        )
    )
    return "".join(table.get(one, one) for one in text)


def _deeper(text: str, draw: random.Random) -> str:
    return draw.choice(("/", "./", "", "../", "images/../")) + text


def _suffixed(text: str, draw: random.Random) -> str:
    return text + draw.choice(("\x00", "\x00.jpg", "?", "#", ".html", "", ";"))


_WAYS: dict[str, tuple[Callable[[str, random.Random], str], ...]] = {
    "sql": (_same, _same, _same, _cases, _upper, _blanks, _blanks, _versioned, _unequal, _wide),
    "xss": (_same, _same, _same, _cases, _upper, _entities, _wide, _unicode),
    "traversal": (_same, _same, _overlong, _overlong, _deeper, _suffixed, _unicode),
    "command": (_same, _same, _same),
}
"""Ways of writing an attack; those of a kind that leave it one."""
