"""Reads what the files of SQL begin with: a TOML header in a block comment, then the statement."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING, Any

from logshed.errors import QueryError

if TYPE_CHECKING:
    from collections.abc import Mapping

PARAMETER = re.compile(r"\$([A-Za-z_][A-Za-z0-9_]*)")
_HEADER = re.compile(r"\s*/\*(.*?)\*/(.*)", re.DOTALL)


def split(what: str, text: str, keys: frozenset[str]) -> tuple[dict[str, Any], str]:
    """The header's values and the statement without its semicolon.

    Args:
        what: What the file is, for errors: ``the question top_paths``.
        text: The file's text.
        keys: The keys that the header may have.

    Raises:
        logshed.errors.QueryError: There is no header, or it has another key.
    """
    match = _HEADER.fullmatch(text)
    if match is None:
        raise wrong(what, "it begins with no /* header */", "begin it with its title, description and columns")
    try:
        header = tomllib.loads(match[1])
    except tomllib.TOMLDecodeError as error:
        raise wrong(what, f"its header is no TOML ({error})", "mend it") from error
    if unknown := sorted(set(header) - keys):
        raise wrong(what, f"its header has the unknown key {unknown[0]!r}", f"take {', '.join(sorted(keys))}")
    return header, match[2].strip().removesuffix(";")


def words(what: str, header: Mapping[str, Any], key: str) -> str:
    """A text of the header on one line.

    Raises:
        logshed.errors.QueryError: It is missing or empty.
    """
    value = header.get(key)
    if not isinstance(value, str) or not value.strip():
        raise wrong(what, f"{key} is missing or no text", f"write {key} = '...' in its header")
    return " ".join(value.split())


def names(what: str, header: Mapping[str, Any], key: str) -> tuple[str, ...]:
    """A list of names of the header; an absent one is empty.

    Raises:
        logshed.errors.QueryError: It is no list of texts.
    """
    value = header.get(key, [])
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise wrong(what, f"{key} is no list of texts", f"write {key} = ['...'] in its header")
    return tuple(value)


def wrong(what: str, cause: str, advice: str) -> QueryError:
    """The error of a file that cannot be loaded."""
    return QueryError(f"cannot load {what}: {cause}; {advice}")
