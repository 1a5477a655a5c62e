"""Redacts the planted lines and judges each: found, leaked, overreached; the look-alikes: changed or not."""

from __future__ import annotations

import codecs
import html
import json
import re
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from urllib.parse import unquote, unquote_plus

import polars as pl
from tests.truth_redaction.lookalikes import lookalikes
from tests.truth_redaction.planting import KINDS, SEED, Kind, Planted, plants

from logshed.redaction import Policy, Redactor, load_policy, load_rules
from logshed.redaction.treatments import Treatment

if TYPE_CHECKING:
    from collections.abc import Sequence

PIECE = 6
"""So many characters of a value that still stand in the text are a leak."""
_TAG = re.compile(r"(?:\\*\"|%(?:25)*22)?\[[A-Z][A-Z0-9_]*\](?:\\*\"|%(?:25)*22)?")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one planted value.

    Attributes:
        planted: The line.
        clean: The line as redacted.
        outcome: ``found``, ``leaked`` or ``overreached``.
    """

    planted: Planted
    clean: str
    outcome: str


@dataclass(frozen=True, slots=True)
class Score:
    """Everything that was measured.

    Attributes:
        policy: The policy's name.
        verdicts: One for each planted value.
        false: Kind, context, line and redacted line of the look-alikes that changed.
        lookalikes: How many look-alikes there are, by kind.
        broken: A property that does not hold and a line of which it does not.
        ruled: The rules that are there for each class; empty where there is none.
    """

    policy: str
    verdicts: list[Verdict]
    false: list[tuple[str, str, str, str]]
    lookalikes: Counter[str]
    broken: list[tuple[str, str]] = field(default_factory=list)
    ruled: dict[str, list[str]] = field(default_factory=dict)


def policy_of(name: str) -> Policy:
    """A policy by its name or path; ``all`` is every rule there is."""
    if name != "all":
        return load_policy(name)
    rules = tuple(load_rules().values())
    return Policy("all", "Every rule", rules, {rule.name: Treatment(f"[{rule.tag}]") for rule in rules})


def rules_for(kind: Kind, policy: Policy) -> list[str]:
    """The policy's rules that are there for a class."""
    return [rule.name for rule in policy.rules if re.fullmatch(kind.rules, rule.name)]


def measured(name: str = "default", *, each: int, alike: int, seed: int = SEED) -> Score:
    """Plant, redact, judge."""
    policy = policy_of(name)
    redactor = Redactor(policy)
    planted = list(plants(each, seed))
    once = _redacted(redactor, [one.line for one in planted])
    verdicts = [Verdict(one, clean, outcome(one, clean)) for one, clean in zip(planted, once, strict=True)]
    others = list(lookalikes(alike, seed))
    kept = _redacted(redactor, [line for _, _, line in others])
    return Score(
        policy.name,
        verdicts,
        [(*one, clean) for one, clean in zip(others, kept, strict=True) if one[2] != clean],
        Counter(kind for kind, _, _ in others),
        broken(redactor, planted, once),
        {kind.name: rules_for(kind, policy) for kind in KINDS},
    )


def outcome(planted: Planted, clean: str) -> str:
    """What became of the value and of what stands around it."""
    if _only_the_value_changed(planted, clean):
        return "found"
    if leaked(planted, clean):
        return "leaked"
    spelled_out = replace(
        planted,
        before=decoded(planted.before),
        lead=decoded(planted.lead),
        spelled=decoded(planted.spelled),
        after=decoded(planted.after),
    )
    return "found" if _only_the_value_changed(spelled_out, decoded(clean)) else "overreached"


def _only_the_value_changed(planted: Planted, clean: str) -> bool:
    for before in (planted.before + planted.lead, planted.before):
        if clean.startswith(before) and clean.endswith(planted.after):
            inside = clean[len(before) : len(clean) - len(planted.after)]
            if _TAG.fullmatch(inside):
                return True
            if planted.before.endswith('"') and _TAG.fullmatch(f'"{inside}'):
                return True
    return False


def leaked(planted: Planted, clean: str) -> bool:
    """Whether the value or a piece of it still stands in the text, also when that is decoded."""
    around = _readings(f"{planted.before}{planted.lead}\n{planted.after}")
    texts = _readings(clean)
    value = planted.value
    size = min(PIECE, len(value))
    pieces = {value[place : place + size] for place in range(len(value) - size + 1)}
    return any(piece in texts and piece not in around for piece in pieces)


def _readings(text: str) -> str:
    """The text, and what it says when it is decoded, with a plus sign as it is and as a blank."""
    plain = decoded(text)
    return f"{text}\n{plain}\n{unquote_plus(plain)}"


def decoded(text: str) -> str:
    """Without any URL encoding, JSON escapes and XML entities, to every depth."""
    for _ in range(4):
        plain = html.unescape(unquote(text))
        if "\\" in plain:
            plain = re.sub(r"\\u[0-9a-fA-F]{4}|\\[nrtbf\"\\/]", _unescaped, plain)
        if plain == text:
            break
        text = plain
    return text


def _unescaped(found: re.Match[str]) -> str:
    return codecs.decode(found[0].replace("\\/", "/"), "unicode_escape")


def broken(redactor: Redactor, planted: Sequence[Planted], once: Sequence[str]) -> list[tuple[str, str]]:
    """The properties that hold for no matter what text, and the lines of which they do not."""
    found = []
    for one, clean, again in zip(planted, once, _redacted(redactor, once), strict=True):
        if clean != again:
            found.append(("redacting twice changes nothing", one.line))
        if "\n" not in one.value and clean.count("\n") != one.line.count("\n"):
            found.append(("the lines stay as many", one.line))
        if one.context.json and not _is_json(clean):
            found.append(("JSON stays JSON", one.line))
    return found


def _redacted(redactor: Redactor, lines: Sequence[str]) -> list[str]:
    clean: list[str] = redactor.redact(pl.Series(lines, dtype=pl.String)).text.to_list()
    if len(clean) != len(lines):
        raise AssertionError(f"{len(lines)} records became {len(clean)}")
    return clean


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True
