"""The line of a record, as SQL: its message with its stack trace, or what a request's columns say.

The lake keeps no second copy of a line whose columns hold all of it, so an access log's line is put together of them.
"""

from __future__ import annotations

import re

from logshed.search.sql import literal

_REQUEST = (
    "client_address",
    "user_id",
    "http_request_method",
    "url_path || coalesce('?' || url_query, '')",
    "CAST(http_response_status_code AS VARCHAR)",
    "http_response_body_size || 'B'",
    "duration_ms || 'ms'",
    "nullif('\"' || http_referrer || '\"', '\"\"')",
    "'\"' || user_agent_original || '\"'",
)
_ELSE = ("event_name", "event_outcome", "user_id", "client_address", "parse_error")
_ATTRIBUTES = "array_to_string(list_transform(map_entries(attributes), lambda e: e.key || '=' || e.value), ' ')"
_TRACE = "coalesce(exception_stacktrace, nullif(concat_ws(': ', exception_type, exception_message), ''))"
_NO_REQUEST = "http_request_method IS NULL AND url_path IS NULL AND http_response_status_code IS NULL"
_SAID = f"CASE WHEN {_NO_REQUEST} THEN body ELSE concat_ws(' ', {', '.join(_REQUEST)}, body) END"
_TOLD = f"nullif(concat_ws(chr(10), nullif({_SAID}, ''), {_TRACE}), '')"
_BARE = f"concat_ws(' ', {', '.join(_ELSE)}, nullif({_ATTRIBUTES}, ''))"
TEXTS = (
    "body",
    "url_path",
    "url_query",
    "user_agent_original",
    "http_referrer",
    "client_address",
    "user_id",
    "http_request_method",
    "exception_type",
    "exception_message",
    "exception_stacktrace",
)
"""The columns with text that a line may be made of."""
_FIGURES = ("CAST(http_response_status_code AS VARCHAR)", "http_response_body_size || 'B'", "duration_ms || 'ms'")
_INSIDE = re.compile(r"[A-Za-z0-9_./-]{3,}")
"""Texts that stand in one column or in none: what a line is put together with is not in them."""
_PLAIN = re.compile(r"(?P<fold>\(\?i\))?(?P<text>[A-Za-z0-9_ /:=,|-]+)")
_FOLDED = re.compile(r"[A-JL-RT-Za-jl-rt-z0-9_./-]{3,}")
"""Likewise, without k and s, which signs outside of ASCII are the same as where letter case is not regarded."""


def line() -> str:
    """The line; it is never NULL."""
    plain = f"body IS NOT NULL AND exception_type IS NULL AND {_NO_REQUEST}"
    return f"CASE WHEN {plain} THEN body ELSE coalesce({_TOLD}, {_BARE}) END"


def contains(text: str, side: str) -> str:
    """The condition that a line contains a text.

    Columns are looked through first where that is enough to know of most lines: putting lines together takes longer.

    Args:
        text: What is looked for.
        side: The line, in SQL.
    """
    exact = f"contains({side}, {literal(text)})"
    inside = max(_INSIDE.findall(text), key=len, default="")
    return f"({_somewhere(inside)} AND {exact})" if inside and side == line() else exact


def matches(expression: str, side: str) -> str:
    """The condition that a line has what a regular expression matches, columns looked through first likewise.

    Args:
        expression: The expression; a dot in it takes line feeds too.
        side: The line, in SQL.
    """
    exact = f"regexp_matches({side}, {literal('(?s)' + expression)})"
    plain = _PLAIN.fullmatch(expression)
    if plain is None or side != line():
        return exact
    if not plain["fold"]:
        parts = [contains(text, side) for text in plain["text"].split("|") if text]
        return "(" + " OR ".join(parts) + ")" if len(parts) == plain["text"].count("|") + 1 else exact
    words = [max(_FOLDED.findall(text), key=len, default="") for text in plain["text"].split("|")]
    if not all(words):
        return exact
    return "((" + " OR ".join(_somewhere(word.lower(), fold=True) for word in words) + f") AND {exact})"


def _somewhere(inside: str, *, fold: bool = False) -> str:
    """The condition that one of the texts that a line is made of contains a text, which is small where ``fold`` is."""
    looked = (*TEXTS, *(_FIGURES if any(map(str.isdigit, inside)) else ()))

    def has(side: str) -> str:
        return f"contains({f'lower({side})' if fold else side}, {literal(inside)})"

    nothing = f"coalesce(body, '') = '' AND coalesce(url_path, '') = '' AND {_TOLD} IS NULL"
    return f"({' OR '.join(map(has, looked))} OR CASE WHEN {nothing} THEN {has(_BARE)} END)"


def size() -> str:
    """About the bytes of a line: those of its texts."""
    return " + ".join(f"coalesce(strlen({column}), 0)" for column in TEXTS)
