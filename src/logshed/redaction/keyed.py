"""Expressions that find the value under a sensitive name: in JSON at several depths, queries, forms, ``key=value``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from logshed.redaction.model import Pattern

if TYPE_CHECKING:
    from collections.abc import Iterable

# Words that follow "password: " or "token: " in prose; "invalid token: unexpected end" names no secret.
_PROSE = (
    "a|an|and|are|at|bad|cannot|could|denied|disabled|does|empty|enabled|error|expired|failed|failure|for|found|from|has|if|in|"
    "incorrect|invalid|is|it|mismatch|missing|must|no|not|of|ok|on|or|please|rejected|required|reset|sent|should|"
    "success|that|the|this|to|too|unable|unexpected|unknown|use|user|valid|was|while|will|with|wrong|yes|you|your"
)
_ARROW = r"\s{0,8}(?:=>|[:=])\s{0,8}"
_FIRST = r"[^\s,}\]:;)\"'\\]"  # a quote after "token=" may close the text around it: then a separator follows it
_PLAIN = r"(?:[^\s&\"'<>;,)}\]|\\]|\\\\?[^\"'\\nrtu\s])"
_PLAIN_FIRST = r"(?:\[[A-Z][A-Z0-9_]*\]|[^\s&\"'<>;,()\[\]{}|\\=:]|[(\[{][^\s&\"'<>;,)}\]|\\])"
_SEGMENT = r"(?:[,;)}\]|]+[^\s&\"'<>;,)}\]|\\=]+)"
_END = r"(?:[\s&\"'<>,;)}\]|\\]|$)"
_BARE = rf"(?P<value>{_PLAIN_FIRST}{_PLAIN}*{_SEGMENT}*)(?P<post>{_END})"
_CLOSING = r"(?:\]|%(?:25)*5[Dd]|%(?:25)*2[27])*"
_EQUALS = r"(?:=|[ \t]+=[ \t]+|[ \t]*=>[ \t]*)(?:%(?:25)*2[27])?"
# Inside an encoded query an encoded & or quote ends the value, as a bare one does in a query.
_ENCODED_EQUALS = r"%(?:25)*3[AaDd](?:%(?:25)*2[27])?"
_ENCODED = (
    r"(?P<value>\[[A-Z][A-Z0-9_]*\]"
    r"|(?:[^\s&\"'<>;,(){}\[\]|\\%=]|%(?:25)*(?:[013-9A-Fa-f][0-9A-Fa-f]|2[0134789A-Fa-f]))+)"
)
_COLON_AFTER_QUOTE = r"\]?(?P<quote>\\*[\"])[ \t\r\n]*:[ \t\r\n]*"
_ELEMENTS = (
    # between a tag and its end tag; with attributes only where these are well-formed: else the name may be in one
    (
        r"(?P<pre>[\"']?\s*>|(?:\s+[A-Za-z_:][A-Za-z0-9_:.\-]*=\"[^<>\"]*\")+\s*>)"
        r"(?P<value>[^<>\s][^<>]*)(?P<post></[^<>\s\"]{1,60}>)"
    ),
    r"(?P<pre>\s*>\s*<!\[CDATA\[)(?P<value>\[[A-Z][A-Z0-9_]*\]|[^\]<>]+)",
    r"(?P<pre>&gt;)(?P<value>[^&<>\s]+)(?P<post>&lt;/)",
    r"(?P<pre>&(?:quot|#34);\s*:\s*&(?:quot|#34);)(?P<value>[^&\"<>]+)",
)
_WRAPPED = (
    # "" inside a field of CSV; Some("x") of Rust, string(1) "x" and s:1:"x" of PHP; a form's part, a block of YAML
    r"(?P<pre>(?:\"\")?\s{0,8}[:=]\s{0,8}\"\")(?P<value>[^\"\\]+(?:\"{4}[^\"\\]+)*)(?P<post>\"\")",
    (
        r"(?P<pre>\\*[\"']?\s{0,8}[:=]\s{0,8}[A-Z][A-Za-z]{2,}\(+\\*\""
        r"|\\*\"\]\s*=>\s*string\([0-9]+\)\s*\\*\"|\\*\";s:[0-9]+:\\*\")"
        r"(?P<value>[^\"\\]+)"
    ),
    r"(?P<pre>\\*\"(?:\r?\n|\\r\\n|\\n){2}|[ \t]*:[ \t]*[|>][+\-]?[ \t]*\n[ \t]+)(?P<value>[^\s\\]+)",
)
_BESIDE = (
    # a list of pairs, whose lists and tuples have two members; a list of fields that are named is none
    r"(?P<pre>\"\s*,\s*\")(?P<value>(?:[^\"\\]|\\.)+)(?P<post>\"\s*\]\s*(?:\]|,\s*\[))",
    r"(?P<pre>\\\"\s*,\s*\\\")(?P<value>[^\"\\]+)(?P<post>\\\"\s*\]\s*(?:\]|,\s*\[))",
    r"(?P<pre>'\s*,\s*b?')(?P<value>(?:[^'\\\n]|\\.)+)(?P<post>'\s*\)\s*(?:\]|,\s*\())",
    r"(?P<pre>[\"']?,?[ \t]+(?i-u:value)=\")(?P<value>(?:[^\"\\]|\\.)+)",
    (
        r"(?P<pre>[ \t]+->[ \t]+|[\"']?,[ \t]*(?i-u:value)="
        r"|[\"']?[ \t]*(?:\n|\\n)[ \t]*(?i-u:value)[ \t]*:[ \t]*\\*[\"']?)"
        r"(?P<value>[^\s\"'<>;,(){}\[\]\\]+)"
    ),
)
_ATTRIBUTE = r"(?P<pre>[\"']\s+(?i-u:value)=[\"'])(?P<value>[^\"'<>]+)"
_VALUE_FIRST = r"(?P<pre>\"(?i-u:value|val)\"\s*:\s*\")(?P<value>(?:[^\"\\]|\\.)+)"
_NAME_AFTER = r"\"\s*,\s*\"(?i-u:name|key)\"\s*:\s*\"[A-Za-z0-9_.\- ]{0,40}?"
_URN = (
    r"(?-u:\b)(?:arn|urn):[^\s\"'<>,]+"  # has colons of its own, as in arn:aws:secretsmanager:eu-west-1:1:secret:name
)
_DELIMITED = r"(?:[\\\]\"'`%>=:,&]|\s+(?:[>=:]|->|[Vv]alue|[A-Za-z:]+=\"))"
_DEPTHS = 4


def names(keys: Iterable[str]) -> str:
    """One expression for sensitive names.

    ``*password`` also ends a longer word, ``pass`` stands alone or after ``_``, ``-``, ``.`` or a capital.
    Between the words of ``api_key`` may stand ``_``, ``-``, ``.``, a blank or nothing.
    """
    return "(?:" + "|".join(_name(key) for key in keys) + ")"


def guard(keys: Iterable[str]) -> str:
    """A cheap expression that every text with one of these names matches."""
    words = sorted(dict.fromkeys(key.lstrip("*") for key in keys), key=len)
    shortest = [word for place, word in enumerate(words) if not word.endswith(tuple(words[:place]))]
    return rf"(?i-u:{'|'.join(_words(word) for word in shortest)}){_DELIMITED}"


def other(names: str) -> str:
    """An expression for the names of fields that end like sensitive ones and are none."""
    return rf"(?:{names})\]?(?:$|[.\[])"


def key_column(keys: Iterable[str]) -> str:
    """An expression for the names of fields that hold such a value, or of something inside one (``a.password.0``)."""
    return rf"(?:{names(keys)})\]?(?:$|[.\[])"


def patterns(keys: Iterable[str], harmless: str, others: str = "") -> tuple[Pattern, ...]:
    """What finds the values under these names, the most closely delimited first.

    Names that ``others`` matches are passed over.
    """
    name = names(keys)
    skip = rf"(?P<skip>(?:{others})[^A-Za-z0-9])|" if others else ""
    skip_or_urn = rf"(?P<skip>{_URN}|(?:{others})[^A-Za-z0-9])" if others else rf"(?P<skip>{_URN})"
    return (
        Pattern(rf"{_VALUE_FIRST}(?P<post>{_NAME_AFTER}{name}\")", harmless=harmless),
        Pattern(rf"{skip}(?P<pre>{name})(?:{_delimited()})", harmless=harmless),
        Pattern(
            rf"{skip}(?P<pre>{name}{_COLON_AFTER_QUOTE})(?P<value>-?[0-9][0-9.eE+-]*|[^\s,}}\]\"'\[{{0-9tfn\\][^\s,}}\]\"\\]*)",
            harmless=harmless,
        ),
        Pattern(
            rf"{skip_or_urn}|(?P<pre>{name}{_CLOSING}[ \t]?:[ \t]{{0,2}}){_BARE}",
            harmless=rf"(?:{harmless})|^//|(?i)^(?:{_PROSE})[.!]?$",
        ),
    )


def container(keys: Iterable[str]) -> str:
    """An expression for a sensitive name whose value is an array, an object or a string too deep for ``patterns``."""
    run = 2**_DEPTHS - 1
    return rf'(?P<pre>{names(keys)}{_COLON_AFTER_QUOTE})(?P<open>[\[{{][ \t\r\n]*[^ \t\r\n\]}}]|\\{{{run},}}")'


def _name(key: str) -> str:
    word = key.lstrip("*")
    if key.startswith("*"):
        return f"(?i-u:{_words(word)})"
    return rf"(?:(?-u:\b)|_)(?i-u:{_words(word)})|[a-z0-9]{re.escape(word[0].upper())}(?i-u:{_words(word[1:])})"


def _words(key: str) -> str:
    return r"[_\-. ]?".join(re.escape(word) for word in re.split(r"[_\-. ]", key))


def _delimited() -> str:
    alternatives = [alternative for depth in range(_DEPTHS) for alternative in _double(depth)]
    alternatives += [*_single(), *_ELEMENTS, _ATTRIBUTE, *_WRAPPED, *_BESIDE, rf"(?P<pre>{_CLOSING}{_EQUALS}){_BARE}"]
    alternatives.append(rf"(?P<pre>{_CLOSING}{_ENCODED_EQUALS}){_ENCODED}")
    return "|".join(_numbered(alternative, number) for number, alternative in enumerate(alternatives))


def _double(depth: int) -> tuple[str, ...]:
    """Double quotes inside ``depth`` JSON strings: 2^depth - 1 backslashes stand before each quote."""
    run = 2**depth - 1
    whole = 2 * (run + 1)
    quote = rf'\\{{{run}}}"' if run else '"'
    inside = rf'\\{{{whole}}}|\\{{{whole - 1}}}"|\\{{1,{whole - 1}}}[^"\\]'
    after_key = rf'(?P<pre>\]?{quote}{_ARROW}{quote})(?P<value>(?:[^"\\]|{inside})+)'
    after_word = rf'(?P<pre>\]?{_ARROW}{quote})(?P<value>(?:{_FIRST}|{inside})(?:[^"\\]|{inside})*)'
    in_pair = rf'(?P<pre>{quote}\s*,\s*{quote}(?i-u:value|val){quote}\s*:\s*{quote})(?P<value>(?:[^"\\]|{inside})+)'
    return after_key, after_word, in_pair


def _single() -> tuple[str, str]:
    pre = rf"(?P<pre>(?:\]|['`\"]){{0,2}}{_ARROW}[bruN]?')"
    closed = rf"{pre}(?P<value>(?:{_FIRST}|\\.)(?:[^'\\\n]|\\.)*)(?P<post>'(?:\s*[,)}}\]]|\s|$))"
    cut = rf"{pre}(?P<value>(?:{_FIRST}|\\[^\"])(?:[^'\"\\\n]|\\[^\"])*)"
    return closed, cut


def _numbered(alternative: str, number: int) -> str:
    return re.sub(r"\(\?P<(pre|value|post)>", rf"(?P<\g<1>{number}>", alternative)


def for_python(expression: str) -> str:
    """The same expression in the syntax of Python's ``re``, to be compiled with ``re.ASCII``."""
    return expression.replace("(?i-u:", "(?i:").replace(r"(?-u:\b)", r"\b")
