"""Formats that a user gives on the command line or that a server's configuration holds, instead of a file of ours.

Such a format has its whole definition in its name, ``log_format:%25h%20%25l…``, safe in a choice, so that a split can
be sent to a worker and a bronze line be parsed again later.
"""

from __future__ import annotations

import re
import tomllib
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from logshed.errors import FormatError
from logshed.formats import apache
from logshed.formats.reader import format_from

if TYPE_CHECKING:
    from collections.abc import Callable

    from logshed.formats.model import Format

_SPECIFICITY = 90
"""Above our own: the user knows."""
_NULLS = ["-", ""]
_CONFIGURED = re.compile(
    r"""^[ \t]*(?:LogFormat|log_format|CustomLog)\b(?P<rest>(?:[^\n]*\\\n)*[^\n]*(?:\n[ \t]*['"][^\n]*)*)""",
    re.MULTILINE,
)
_QUOTED = re.compile(r""""((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'""", re.DOTALL)


def adhoc(kind: str, text: str, name: str = "") -> Format:
    """A format of the user's own.

    Args:
        kind: ``log_format`` (an Apache ``LogFormat``, an nginx ``log_format``, or the file of a server's configuration
            that holds some), ``regex`` (named groups are columns or attributes), ``grok``, or ``toml`` (a format file).
        text: The string itself; for ``toml`` the file's text.
        name: What ``log_format`` (the column) shall say, the kind by default.

    Returns:
        The format; ``str(Choice(formats=(found.spelling,)))`` names it for good.

    Raises:
        FormatError: The text is no such format; the message says where it is wrong.
    """
    if kind not in KINDS:
        raise FormatError(f"cannot use a format of kind {kind}: there is none; use one of {', '.join(KINDS)}")
    label = re.sub(r"[^A-Za-z0-9_.-]", "_", name) or kind
    return pinned(f"{kind}:{label}:{quote(text, safe='')}")


@lru_cache(maxsize=256)
def pinned(spelling: str) -> Format:
    """The format that a name of its own definition stands for.

    Raises:
        FormatError: It stands for none.
    """
    kind, _, rest = spelling.partition(":")
    label, _, text = rest.rpartition(":")
    data = KINDS[kind](unquote(text))
    data.setdefault("title", f"The user's own {kind}")
    data.setdefault("log_type", "application")
    data.setdefault("specificity", _SPECIFICITY)
    label = label or kind
    canonical = f"{kind}:{label}:{quote(unquote(text), safe='')}"
    return format_from(label, data | {"pin": canonical}, f"the given {kind.replace('_', ' ')}")


def configured(text: str) -> dict[str, str]:
    """The log formats in the configuration of an Apache or nginx server: name to format string, in their order."""
    found: dict[str, str] = {}
    for match in _CONFIGURED.finditer(text):
        rest = match["rest"].replace("\\\n", " ")
        pieces = [one[1] if one[1] is not None else one[2] for one in _QUOTED.finditer(rest)]
        pieces = [re.sub(r"\\([\"'\\])", r"\1", piece) for piece in pieces]
        outside = _QUOTED.sub(" ", rest).strip().rstrip(";").split()
        if match.group(0).lstrip().startswith("log_format"):
            name = outside[0] if outside else f"format{len(found) + 1}"
            string = "".join(pieces)
        else:
            name = outside[-1] if outside else f"format{len(found) + 1}"
            string = pieces[-1] if pieces else ""
        if apache.has_fields(string):
            found.setdefault(name, string)
    return found


def _log_format(text: str) -> dict[str, Any]:
    strings = configured(text) if "\n" in text.strip() or _CONFIGURED.match(text) else {}
    string = next(iter(strings.values()), text.strip("\n"))
    return {
        "kind": "apache", "log_type": "access", "log_format": string, "nulls": _NULLS, "unescape": True,
        "times": apache.times(string), "log_formats": list(strings.values())[1:], "extra": True,
    }  # fmt: skip


def _regex(text: str) -> dict[str, Any]:
    translated = re.sub(r"\(\?<(?![=!])", "(?P<", text)
    return {"kind": "grok", "pattern": translated, "nulls": _NULLS, "traces": True, "times": ["iso", "epoch", "any"]}


def _grok(text: str) -> dict[str, Any]:
    return {"kind": "grok", "pattern": text, "nulls": _NULLS, "traces": True, "times": ["iso", "epoch", "any"]}


def _toml(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise FormatError(f"cannot read the given format: {error}; mend the TOML") from error


KINDS: dict[str, Callable[[str], dict[str, Any]]] = {
    "log_format": _log_format, "regex": _regex, "grok": _grok, "toml": _toml,
}  # fmt: skip
"""What a user may give, and how its keys follow from it."""
