"""Says of each user agent who and what it is: fills ``user_agent_name``, ``user_agent_os``, ``user_agent_is_bot``.

The rules are in ``user_agents.toml``. A browser follows one grammar: products that are known, and a comment that names
a platform. Whatever says more than that, or does not follow it, is a program; most programs are told without knowing
their names.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Iterator

_AGENT = "user_agent_original"
_SOURCES = ("user_agent_name", "user_agent_os", "user_agent_is_bot")
_COMMENT = re.compile(r"\(([^()]*(?:\([^()]*\)[^()]*)*)\)?")
_PRODUCT = re.compile(r"[^\s/;,]+")
_VERSION = re.compile(r"^[vV]?[0-9][0-9A-Za-z._+-]*$|^[0-9A-F]{4,}$|^[a-z]{2}(?:[-_][A-Za-z]{2,4})?$")
_LONGEST = 2000
"""Characters that are looked at; the rest of a longer one tells nothing."""


@dataclass(frozen=True, slots=True)
class Agent:
    """What a user agent is.

    Attributes:
        name: The browser, or the program's own name for itself.
        os: The operating system it names; None where it names none.
        is_bot: Whether it is a program rather than a person's browser or application.
    """

    name: str | None
    os: str | None
    is_bot: bool


def enrich(frame: pl.DataFrame) -> pl.DataFrame:
    """Say of each user agent what it is; each distinct one is looked at once.

    Args:
        frame: Rows with ``user_agent_original`` (String); without that column nothing is added.

    Returns:
        The frame with ``user_agent_name``, ``user_agent_os`` (String) and ``user_agent_is_bot`` (Boolean); all null
        where the agent is empty or ``-``, and what the record itself says of them where it is null.
    """
    if _AGENT not in frame.columns:
        return frame
    distinct = frame[_AGENT].drop_nulls().unique()
    found = [describe(text) for text in distinct]
    table = pl.DataFrame(
        {
            _AGENT: distinct,
            "user_agent_name": pl.Series([one and one.name for one in found], dtype=pl.String),
            "user_agent_os": pl.Series([one and one.os for one in found], dtype=pl.String),
            "user_agent_is_bot": pl.Series([one and one.is_bot for one in found], dtype=pl.Boolean),
        }
    )
    own = [name for name in table.columns if name != _AGENT and name in frame.columns]
    others = frame.drop(*_SOURCES, strict=False).join(table, on=_AGENT, how="left", maintain_order="left")
    unsaid = others[_AGENT].is_null()
    return others.with_columns(others[name].zip_with(~unsaid, frame[name].cast(table.schema[name])) for name in own)


@lru_cache(maxsize=65_536)
def describe(text: str) -> Agent | None:
    """What this user agent is; None where it is empty or ``-``."""
    text = text.strip()[:_LONGEST]
    if text in ("", "-"):
        return None
    rules = _rules()
    is_bot = _is_bot(text, rules)
    return Agent(_name(text, rules, is_bot=is_bot), _first(rules.systems, text), is_bot)


@dataclass(frozen=True, slots=True)
class _Rules:
    words: re.Pattern[str]
    not_words: re.Pattern[str]
    browsers: frozenset[str]
    platform: re.Pattern[str]
    programs: tuple[str, ...]
    names: tuple[tuple[str, re.Pattern[str]], ...]
    systems: tuple[tuple[str, re.Pattern[str]], ...]


@lru_cache(maxsize=1)
def _rules() -> _Rules:
    data = tomllib.loads(files("logshed.enrichment").joinpath("user_agents.toml").read_text(encoding="utf-8"))
    return _Rules(
        words=re.compile("|".join(data["words"]), re.IGNORECASE),
        not_words=re.compile("|".join(data["not_words"]), re.IGNORECASE),
        browsers=frozenset(name.lower() for name in data["browsers"]),
        platform=re.compile(data["platform"]),
        programs=tuple(data["programs"]),
        names=tuple((one["name"], re.compile(one["pattern"])) for one in data["name"]),
        systems=tuple((one["name"], re.compile(one["pattern"])) for one in data["os"]),
    )


def _is_bot(text: str, rules: _Rules) -> bool:
    if rules.words.search(rules.not_words.sub("", text)):
        return True
    comments = _COMMENT.findall(text)
    if not _browsers_only(_COMMENT.sub(" ", text), rules):
        return True
    return not all(_tells_a_platform(comment, rules) for comment in comments)


def _browsers_only(products: str, rules: _Rules) -> bool:
    """Whether all that stands outside of comments is a browser's: known products, versions, languages."""
    named = [word for word in _words(products) if not _VERSION.match(word)]
    return bool(named) and all(_known(word, rules) for word in named)


def _words(products: str) -> Iterator[str]:
    for part in products.replace("[", " ").replace("]", " ").split():
        yield _PRODUCT.match(part)[0] if _PRODUCT.match(part) else part  # type: ignore[index]


def _known(word: str, rules: _Rules) -> bool:
    lower = word.lower()
    if lower in rules.browsers:
        return True
    head = re.match(
        r"[a-z]+", lower
    )  # feature phones write their model behind their maker: Nokia6230, SonyEricssonW800i
    return head is not None and head[0] != lower and head[0] in rules.browsers


def _tells_a_platform(comment: str, rules: _Rules) -> bool:
    """Whether a comment is a browser's: a platform, or parts that are none of a program's business.

    Phones and Internet Explorer with its add-ons put names of models and makers there, so theirs are not looked at.
    """
    if re.search(
        r"Android|Build/|iPhone|iPad|iPod|MSIE|Trident|Windows Phone|SymbianOS|BlackBerry|TV|Tizen|Mobile", comment
    ):
        return True
    parts = [part.strip() for part in comment.split(";")]
    if parts[0] == "compatible":
        return bool(re.search(r"MSIE|Konqueror|iCab|OmniWeb|Opera|Netscape", comment))
    return all(rules.platform.match(part) for part in parts if part)


def _name(text: str, rules: _Rules, *, is_bot: bool) -> str | None:
    """A browser's name, or a program's own word for itself: a product no browser has, else a part of a comment."""
    if not is_bot:
        return _first(rules.names, text)
    lower = text.lower()
    known = next((name for name in rules.programs if name.lower() in lower), None)
    if known:
        return known
    strange = [word for word in _words(_COMMENT.sub(" ", text)) if not _VERSION.match(word) and not _known(word, rules)]
    parts = [part.strip() for comment in _COMMENT.findall(text) for part in comment.split(";")]
    named = [
        part.split("/")[0]
        for part in parts
        if part and not rules.platform.match(part) and "://" not in part and "@" not in part
    ]
    own = next((one for one in (*strange, *named) if rules.words.search(f"{one}/")), None)
    return own or next(iter((*strange, *named)), None) or _first(rules.names, text)


def _first(rules: tuple[tuple[str, re.Pattern[str]], ...], text: str) -> str | None:
    return next((name for name, pattern in rules if pattern.search(text)), None)
