"""Reads rules and policies from their data files, ours and users' by the same path."""

from __future__ import annotations

import re
import tomllib
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast, get_args

import polars as pl

from logshed import plugins
from logshed.errors import RedactionError
from logshed.redaction import keyed
from logshed.redaction.checks import CHECKS
from logshed.redaction.model import Action, Example, Pattern, Policy, Rule, RuleClass

if TYPE_CHECKING:
    from collections.abc import Iterable
    from importlib.resources.abc import Traversable

T = TypeVar("T")

HARMLESS = (
    r"(?i)^(?:null|nil|none|undefined|\(null\)|true|false|-+|[*]+|x{3,}"
    r"|<[a-z_ ]*>|\$\{[^}]*\}?|%[a-z]|\[\s*\]|\{\s*\})$"
)
"""What stands in place of a value in any log: nothing, a flag, a mask, a placeholder."""

_TAG = re.compile(r"[A-Z][A-Z0-9_]*")
_NOTHING = r"[^\s\S]"


def load_policy(name_or_path: str, extra: Iterable[Path] = ()) -> Policy:
    """A policy and the rules that it turns on.

    Args:
        name_or_path: A shipped or installed policy's name, or the path of a policy file.
        extra: More roots to look in (the ``plugins`` path of logshed.toml).

    Raises:
        RedactionError: There is no such policy, or a key of its file or of a rule's file is wrong.
    """
    roots = tuple(extra)
    found = plugins.data_files("redaction/policies", ".toml", roots)
    path = Path(name_or_path)
    if name_or_path in found:
        return _policy(name_or_path, found[name_or_path], load_rules(roots))
    if path.suffix == ".toml" or path.is_file():
        return _policy(path.stem, path, load_rules(roots))
    raise RedactionError(
        f"cannot load policy {name_or_path}: there is none of that name; use one of {', '.join(found)} or a file's path"
    )


def load_rules(extra: Iterable[Path] = ()) -> dict[str, Rule]:
    """Every rule by its name, in the order in which they are applied.

    Raises:
        RedactionError: A key of a rule's file is wrong.
    """
    return dict(_load_rules(tuple(extra)))


def rule_failures(rule: Rule) -> list[str]:
    """What of a rule's own examples it gets wrong, one sentence each; empty where all is well."""
    from logshed.redaction.engine import Redactor  # noqa: PLC0415 - the engine needs the policies that are made here

    redactor = Redactor(Policy(rule.name, rule.title, (rule,), {rule.name: f"[{rule.tag}]"}))
    texts = [example.text for example in rule.true] + list(rule.false)
    wanted = [example.redacted for example in rule.true] + list(rule.false)
    got = redactor.redact(pl.Series(texts, dtype=pl.String)).text.to_list()
    return [
        f"{rule.name}: {text!r} became {is_!r}, not {should!r}"
        for text, is_, should in zip(texts, got, wanted, strict=True)
        if is_ != should
    ]


@lru_cache(maxsize=8)
def _load_rules(roots: tuple[Path, ...]) -> tuple[tuple[str, Rule], ...]:
    rules = [_rule(name, file) for name, file in plugins.data_files("redaction", ".toml", roots).items()]
    return tuple((rule.name, rule) for rule in sorted(rules, key=lambda rule: (rule.order, rule.name)))


class _Table:
    """Takes typed values out of a data file and names the file and the key of a wrong one."""

    def __init__(self, values: dict[str, Any], what: str) -> None:
        self._values = dict(values)
        self._what = what

    def take(self, key: str, kind: type[T], default: T | None = None) -> T:
        value = self._values.pop(key, default)
        if value is None:
            raise self.error(key, "it is missing", "add it")
        if not isinstance(value, kind):
            raise self.error(key, f"it is a {type(value).__name__}, not a {kind.__name__}", "correct it")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        values = self.take(key, list, [])
        if not all(isinstance(value, str) and value for value in values):
            raise self.error(key, "it must be a list of texts that are not empty", "correct it")
        return tuple(values)

    def regex(self, key: str, value: str) -> str:
        try:
            pl.Series([""]).str.contains(value)
        except pl.exceptions.ComputeError as error:
            raise self.error(key, f"'{value}' is no regular expression ({_first_line(error)})", "correct it") from error
        return value

    def one_of(self, key: str, value: str, allowed: Iterable[str]) -> str:
        if value not in allowed:
            raise self.error(key, f"'{value}' is unknown", f"use one of {', '.join(allowed)}")
        return value

    def tag(self, key: str, value: str) -> str:
        if not _TAG.fullmatch(value):
            raise self.error(key, f"'{value}' is no tag", "use capitals, digits and _, such as EMAIL")
        return value

    def finish(self) -> None:
        for key in self._values:
            raise self.error(key, "no such key is known", "remove it")

    def error(self, key: str, cause: str, remedy: str) -> RedactionError:
        return RedactionError(f"cannot load {self._what}: {key}: {cause}; {remedy}")


def _read(what: str, file: Traversable | Path) -> _Table:
    try:
        return _Table(tomllib.loads(file.read_text(encoding="utf-8")), f"{what} {file}")
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RedactionError(f"cannot load {what} {file}: {error}; correct the file") from error
    except OSError as error:
        raise RedactionError(f"cannot load {what} {file}: {error.strerror}; give a file that can be read") from error


def _rule(name: str, file: Traversable) -> Rule:
    table = _read("redaction rule", file)
    keys = table.texts("keys")
    harmless = table.regex("harmless", table.take("harmless", str, _NOTHING))
    rule = Rule(
        name=name,
        title=table.take("title", str),
        tag=table.tag("tag", table.take("tag", str)),
        kind=cast("RuleClass", table.one_of("class", table.take("class", str), get_args(RuleClass))),
        order=table.take("order", int, 50),
        guard=_guard(table, keys),
        patterns=_patterns(table, harmless) + (keyed.patterns(keys, f"{harmless}|{HARMLESS}") if keys else ()),
        keys=keys,
        harmless=f"{harmless}|{HARMLESS}",
        source=table.take("source", str),
        true=_examples(table),
        false=table.texts("false"),
    )
    table.finish()
    if not rule.patterns:
        raise table.error("patterns", "the rule has neither patterns nor keys", "add one of them")
    return rule


def _guard(table: _Table, keys: tuple[str, ...]) -> str:
    needles = "|".join(re.escape(needle) for needle in table.texts("needles"))
    own = table.regex("guard", table.take("guard", str, ""))
    parts = [f"(?i-u:{needles})" if needles else "", own, keyed.guard(keys) if keys else ""]
    if not any(parts):
        raise table.error("needles", "nothing says which texts may hold a span", "add needles, guard or keys")
    return "|".join(part for part in parts if part)


def _patterns(table: _Table, harmless: str) -> tuple[Pattern, ...]:
    check = table.take("check", str, "")
    if check:
        table.one_of("check", check, CHECKS)
    refuse = None if harmless == _NOTHING else harmless
    return tuple(
        Pattern(table.regex("patterns", regex), harmless=refuse, check=check or None)
        for regex in table.texts("patterns")
    )


def _examples(table: _Table) -> tuple[Example, ...]:
    examples = []
    for value in table.take("true", list):
        if not isinstance(value, dict) or set(value) != {"text", "redacted"}:
            raise table.error("true", "an example has exactly the keys text and redacted", "correct it")
        examples.append(Example(**value))
    return tuple(examples)


def _policy(name: str, file: Traversable | Path, rules: dict[str, Rule]) -> Policy:
    table = _read("policy", file)
    title = table.take("title", str)
    classes = _actions(table, "classes", get_args(RuleClass))
    exceptions = _actions(table, "rules", rules)
    renamed = table.take("tags", dict, {})
    for rule, tag in renamed.items():
        table.one_of("tags", rule, rules)
        table.tag(f"tags.{rule}", str(tag))
    table.finish()
    active = tuple(
        rule for rule in rules.values() if exceptions.get(rule.name, classes.get(rule.kind, "keep")) == "tag"
    )
    return Policy(name, title, active, {rule.name: f"[{renamed.get(rule.name, rule.tag)}]" for rule in active})


def _actions(table: _Table, key: str, known: Iterable[str]) -> dict[str, Action]:
    actions = table.take(key, dict, {})
    for name, action in actions.items():
        table.one_of(key, name, known)
        table.one_of(f"{key}.{name}", str(action), get_args(Action))
    return cast("dict[str, Action]", actions)


def _first_line(error: Exception) -> str:
    return next((line for line in reversed(str(error).splitlines()) if line.strip()), "")
