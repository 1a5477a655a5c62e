"""Grok patterns: ``%{NAME:field}`` expanded to one regular expression; the names are those that Logstash users know."""

from __future__ import annotations

import re
import tomllib
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING

from logshed.errors import FormatError

if TYPE_CHECKING:
    from collections.abc import Mapping

_REFERENCE = re.compile(r"%\{([A-Za-z0-9_]+)(?::([^}:]+)(?::(?:int|long|float|double|boolean|string))?)?\}")
_NAMED = re.compile(r"\(\?P?<([A-Za-z_@\[][^>]*)>")
_LOOK_AROUND = re.compile(r"\(\?(?:=|!|<=|<!)")
_DEEPEST = 20


def expand(
    pattern: str, where: str, extra: Mapping[str, str] | None = None, groups: Mapping[str, str] | None = None
) -> tuple[str, dict[str, str]]:
    """A Grok pattern as a regular expression.

    Args:
        pattern: ``%{IP:client} %{WORD:verb}``; plain regular expressions and ``(?<name>…)`` may stand in it.
        where: The file, named in errors.
        extra: Patterns of the user's own, by name.
        groups: Field to target, before the known field names.

    Returns:
        The expression, whose groups are numbered names, and what each of them fills.

    Raises:
        FormatError: A pattern name is unknown, patterns hold each other, or look-around is used.
    """
    known, names = _library()
    text = _filled(pattern, {**known, **(extra or {})}, where, 0)
    text = re.sub(r"\(\?>", "(?:", text)
    if _LOOK_AROUND.search(text):
        raise FormatError(
            f"cannot read format {where}: its pattern looks ahead or behind, which the engine cannot; "
            "write what comes there as part of the pattern"
        )
    targets: dict[str, str] = {}

    def numbered(match: re.Match[str]) -> str:
        field = re.sub(r"\]\[", ".", match[1]).strip("[]")
        name = f"g{len(targets)}"
        targets[name] = (groups or {}).get(field) or names.get(field) or field
        return f"(?P<{name}>"

    return _NAMED.sub(numbered, text), targets


@lru_cache(maxsize=1)
def _library() -> tuple[dict[str, str], dict[str, str]]:
    """Patterns by name, and targets by the field names that users know."""
    data = tomllib.loads((files("logshed.formats") / "patterns" / "grok.toml").read_text(encoding="utf-8"))
    return data["patterns"], data["names"]


def _filled(pattern: str, known: Mapping[str, str], where: str, depth: int) -> str:
    if depth > _DEEPEST:
        raise FormatError(f"cannot read format {where}: Grok patterns hold each other; mend their definitions")

    def one(match: re.Match[str]) -> str:
        name, field = match[1], match[2]
        if name not in known:
            import difflib  # noqa: PLC0415 - only for the error

            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]}?" if near else "define it in the table [grok]"
            raise FormatError(f"cannot read format {where}: there is no Grok pattern {name}; {hint}")
        inner = _filled(known[name], known, where, depth + 1)
        return f"(?P<{field}>{inner})" if field else f"(?:{inner})"

    return _REFERENCE.sub(one, pattern)
