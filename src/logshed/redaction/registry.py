"""Reads rules from their data files, ours and users' by the same path."""

from __future__ import annotations

import re
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, cast, get_args

import polars as pl

from logshed import plugins
from logshed.errors import RedactionError
from logshed.redaction import keyed
from logshed.redaction.checks import CHECKS
from logshed.redaction.masks import KINDS
from logshed.redaction.model import Example, Pattern, Policy, Rule, RuleClass
from logshed.redaction.tables import Table, read_table
from logshed.redaction.treatments import Treatment

if TYPE_CHECKING:
    from collections.abc import Iterable
    from importlib.resources.abc import Traversable
    from pathlib import Path


HARMLESS = (
    r"(?i)^(?:null|nil|none|undefined|\(null\)|true|false|-+|[*]+|x{3,}"
    r"|<[a-z_ ]*>|\$\{[^}]*\}?|\$\([^)]*\)?|\{\{?|[a-z]{3,}\(+|%[a-z]|\[\s*\]|\{\s*\}|\?|\$[0-9]{1,2}"
    r"|[*]{4,}[0-9a-z]{0,5}"
    r"|\[?(?:redacted|filtered|masked|hidden|removed|scrubbed)\]?|hidden_due_to_security_reasons)$"
)
"""What stands in place of a value in any log: nothing, a flag, a mask, a placeholder."""

_NOTHING = r"[^\s\S]"


def load_rules(extra: Iterable[Path] = ()) -> dict[str, Rule]:
    """Every rule by its name, in the order in which they are applied.

    Raises:
        RedactionError: A key of a rule's file is wrong.
    """
    return dict(_load_rules(tuple(extra)))


def rule_failures(rule: Rule) -> list[str]:
    """What of a rule's own examples it gets wrong, one sentence each; empty where all is well."""
    from logshed.redaction.engine import Redactor  # noqa: PLC0415 - the engine needs the policies that are made here

    redactor = Redactor(Policy(rule.name, rule.title, (rule,), {rule.name: Treatment(f"[{rule.tag}]")}))
    texts = [example.text for example in rule.true] + list(rule.false)
    wanted = [example.redacted for example in rule.true] + list(rule.false)
    got = redactor.redact(pl.Series(texts, dtype=pl.String)).text.to_list()
    return [
        f"{rule.name}: {text!r} became {is_!r}, not {should!r}"
        for text, is_, should in zip(texts, got, wanted, strict=True)
        if is_ != should
    ]


def rule_problems(extra: Iterable[Path] = ()) -> tuple[int, list[str]]:
    """How many rule files there are, and what is wrong with them: with the file, or with what its examples become."""
    found = plugins.data_files("redaction", ".toml", tuple(extra))
    problems: list[str] = []
    for name, file in found.items():
        try:
            problems += [f"{file}: true/false: {failure}" for failure in rule_failures(_rule(name, file))]
        except RedactionError as error:
            problems.append(str(error).removeprefix("cannot load redaction rule "))
    return len(found), problems


@lru_cache(maxsize=8)
def _load_rules(roots: tuple[Path, ...]) -> tuple[tuple[str, Rule], ...]:
    ours = str(files("logshed") / "redaction")
    rules = [
        _rule(name, file, trusted=str(file).startswith(ours))
        for name, file in plugins.data_files("redaction", ".toml", roots).items()
    ]
    return tuple((rule.name, rule) for rule in sorted(rules, key=lambda rule: (rule.order, rule.name)))


def _rule(name: str, file: Traversable, *, trusted: bool = False) -> Rule:
    table = read_table("redaction rule", file, trusted=trusted)
    keys = table.texts("keys")
    harmless = table.regex("harmless", table.take("harmless", str, _NOTHING))
    others = table.regex("others", table.take("others", str, ""))
    needles = table.texts("needles")
    own = table.regex("guard", table.take("guard", str, ""))
    if not (needles or own or keys):
        raise table.error("needles", "nothing says which texts may hold a span", "add needles, guard or keys")
    rule = Rule(
        name=name,
        title=table.take("title", str),
        tag=table.tag("tag", table.take("tag", str)),
        kind=cast("RuleClass", table.one_of("class", table.take("class", str), get_args(RuleClass))),
        order=table.take("order", int, 50),
        guard=_guard(needles, own, keys),
        needles=needles,
        own_guard=own,
        patterns=_patterns(table, harmless) + (keyed.patterns(keys, f"{harmless}|{HARMLESS}", others) if keys else ()),
        keys=keys,
        others=others,
        harmless=f"{harmless}|{HARMLESS}",
        mask=table.one_of("mask", table.take("mask", str, "last"), KINDS),
        pseudonym=table.kind("pseudonym", table.take("pseudonym", str, name)),
        source=table.take("source", str),
        true=_examples(table),
        false=table.texts("false"),
    )
    table.finish()
    if not rule.patterns:
        raise table.error("patterns", "the rule has neither patterns nor keys", "add one of them")
    return rule


def _guard(needles: tuple[str, ...], own: str, keys: tuple[str, ...]) -> str:
    """One expression for the texts that are worth a rule's patterns."""
    literal = "|".join(re.escape(needle) for needle in needles)
    parts = [literal, own, keyed.guard(keys) if keys else ""]
    return "|".join(part for part in parts if part)


def _patterns(table: Table, harmless: str) -> tuple[Pattern, ...]:
    check = table.take("check", str, "")
    if check:
        table.one_of("check", check, CHECKS)
    refuse = None if harmless == _NOTHING else harmless
    return tuple(
        Pattern(table.regex("patterns", regex), harmless=refuse, check=check or None)
        for regex in table.texts("patterns")
    )


def _examples(table: Table) -> tuple[Example, ...]:
    examples = []
    for value in table.take("true", list):
        if not isinstance(value, dict) or set(value) != {"text", "redacted"}:
            raise table.error("true", "an example has exactly the keys text and redacted", "correct it")
        examples.append(Example(**value))
    return tuple(examples)
