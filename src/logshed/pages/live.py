"""The live map's pages, and the files that they are made of."""

from __future__ import annotations

import hashlib
from functools import cache
from typing import NamedTuple

from logshed.pages.render import asset, template

KINDS = {".css": "text/css", ".js": "text/javascript", ".json": "application/json", ".svg": "image/svg+xml"}

FILES = (
    "page.css", "map.css", "icon.svg", "world.json",
    "map.js", "map_lists.js", "map_look.js", "map_pulses.js", "map_world.js",
)  # fmt: skip


class File(NamedTuple):
    """A file as it is sent.

    Attributes:
        content: Its bytes.
        kind: Their type.
        tag: What changes when they do.
    """

    content: bytes
    kind: str
    tag: str


@cache
def static() -> dict[str, File]:
    """The files of the pages by name."""
    found = {}
    for name in FILES:
        content = asset(name).encode()
        kind = next(kind for ending, kind in KINDS.items() if name.endswith(ending))
        found[name] = File(content, f"{kind}; charset=utf-8", f'"{hashlib.sha256(content).hexdigest()[:32]}"')
    return found


def map_page(*, version: str, tokens: bool, stored: bool) -> str:
    """The map.

    Args:
        version: Of Logshed.
        tokens: Whether one may leave, having come in by a token.
        stored: Whether totals are those of a store; else of what was seen since the door opened.
    """
    made: str = template("map.html").render(version=version, tokens=tokens, stored=stored)
    return made


def login_page(*, version: str, refused: bool) -> str:
    """The form that asks for a token."""
    made: str = template("login.html").render(version=version, refused=refused)
    return made
