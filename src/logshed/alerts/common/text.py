"""Makes text of logs harmless: whoever is logged chooses what stands in a finding, and people and programs read it."""

from __future__ import annotations

import re

_CONTROLS = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u115f\u1160\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff"
    "\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]+"
)
"""Control characters, line ends, marks that turn the direction of writing, invisible letters, halves of surrogates."""

_MENTION = re.compile(r"@(?=\w)")
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>~:$&])")
_STYLED = re.compile(r"(`|(?<!\w)[*_~]|[*_~](?!\w))")
"""Marks that style text in Slack; inside a word, as in a rule's name, they style nothing."""

BREAK = "\u2060"
"""A word joiner: invisible, and no program sees a name behind an ``@`` that is followed by it."""


def clean(text: object, limit: int = 1024) -> str:
    """One line of visible text, at most ``limit`` characters; what is cut ends in ``…``."""
    line = _CONTROLS.sub(" ", str(text)[: limit * 4]).strip()
    return cut(line, limit)


def cut(text: str, limit: int) -> str:
    """At most ``limit`` characters."""
    return text if len(text) <= limit else text[: max(limit - 1, 0)] + "…"


def cut_bytes(text: str, limit: int) -> str:
    """At most ``limit`` bytes of UTF-8, whole characters."""
    data = text.encode()
    return text if len(data) <= limit else data[: max(limit - 3, 0)].decode("utf-8", "ignore") + "…"


def defanged(text: str) -> str:
    """Addresses that no program makes a link of, and names that none calls."""
    return _MENTION.sub(f"@{BREAK}", text.replace("://", "[:]//"))


def slack(text: str) -> str:
    """Text inside Slack's mrkdwn: its three control characters escaped, as its documentation asks."""
    escaped = defanged(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _STYLED.sub(rf"{BREAK}\1{BREAK}", escaped)


def markdown(text: str) -> str:
    """Text inside Markdown: every character with a meaning escaped."""
    return _MARKDOWN.sub(r"\\\1", defanged(text))
