"""Reads policies from their data files, ours and users' by the same path."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from logshed import plugins
from logshed.errors import RedactionError
from logshed.redaction.keyring import DEFAULT, KEY_BYTES, NEW_KEY, Key, load_keys
from logshed.redaction.masks import Mask
from logshed.redaction.model import Override, Policy, RuleClass
from logshed.redaction.registry import load_rules
from logshed.redaction.tables import read_table
from logshed.redaction.treatments import DIGITS, PSEUDONYM, Pseudonyms, Treatment
from logshed.schema import SILVER

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from importlib.resources.abc import Traversable

    from logshed.redaction.model import Action, Rule
    from logshed.redaction.tables import Table

_COLUMNS = tuple(column.name for column in SILVER if column.kind == "string")
_EVERY = "*"
"""Stands for every rule that has no tag of its own in a policy."""
_DEEPEST = 8
"""Policies that a policy may extend, one by the other."""


def load_policy(name_or_path: str, extra: Iterable[Path] = (), *, keys: str = "") -> Policy:
    """A policy and the rules that it turns on.

    Args:
        name_or_path: A shipped or installed policy's name, or the path of a policy file.
        extra: More roots to look in (the ``plugins`` path of logshed.toml).
        keys: Where the keys of pseudonyms are, as ``keyring.load_keys`` takes it.

    Raises:
        RedactionError: There is no such policy, a key of its file or of a rule's file is wrong, or it makes pseudonyms
            and there is no key.
    """
    roots = tuple(extra)
    return _Reader(roots, load_rules(roots), keys).read(name_or_path)


def describe_policy(name_or_path: str, extra: Iterable[Path] = ()) -> Policy:
    """A policy to look at: as ``load_policy`` gives it, without need of a key; its pseudonyms are not to be used.

    Raises:
        RedactionError: There is no such policy, or a key of its file or of a rule's file is wrong.
    """
    roots = tuple(extra)
    reader = _Reader(roots, load_rules(roots), "")
    reader.pretend()
    return reader.read(name_or_path)


@dataclass(frozen=True, slots=True)
class Forms:
    """How a policy writes pseudonyms.

    Attributes:
        kinds: What rules and columns make pseudonyms of.
        form: Their form.
        digits: Hex digits of the digest.
    """

    kinds: tuple[str, ...]
    form: str
    digits: int

    def of(self, kind: str, key: Key) -> Pseudonyms:
        """How pseudonyms of a kind are made with a key."""
        return Pseudonyms(kind, key, self.form, self.digits)


def forms(name_or_path: str, extra: Iterable[Path] = ()) -> Forms:
    """How a policy writes pseudonyms, whether it makes any itself or not.

    Raises:
        RedactionError: There is no such policy, or a key of its file or of a rule's file is wrong.
    """
    roots = tuple(extra)
    rules = load_rules(roots)
    said = _Reader(roots, rules, "").said(name_or_path)
    kinds = {rule.pseudonym for rule in rules.values() if rule.kind == "identifier"}
    pseudonymised = [one for one, action in said.rules.items() if action == "pseudonym"]
    kinds |= {rules[one].pseudonym for one in pseudonymised} | {_kind_of(column) for column in said.columns}
    return Forms(tuple(sorted(kinds | {_kind_of("user_id"), _kind_of("session_id")})), said.form, said.digits)


def strictest(name_or_path: str, extra: Iterable[Path] = (), *, keys: str = "") -> Policy:
    """A policy that keeps nothing: what the given one keeps becomes a tag, everything else stays as it treats it.

    Raises:
        RedactionError: As ``load_policy``.
    """
    roots = tuple(extra)
    rules = load_rules(roots)
    policy = load_policy(name_or_path, roots, keys=keys)
    return replace(_all_of(policy, rules), overrides=())


def _all_of(policy: Policy, rules: Mapping[str, Rule]) -> Policy:
    treatments = {name: policy.treatments.get(name, Treatment(f"[{rule.tag}]")) for name, rule in rules.items()}
    return replace(policy, name=f"strictest on {policy.name}", rules=tuple(rules.values()), treatments=treatments)


def policy_names(extra: Iterable[Path] = ()) -> list[str]:
    """The policies that there are, ours and the user's."""
    return list(plugins.data_files("redaction/policies", ".toml", tuple(extra)))


@dataclass(frozen=True, slots=True)
class _Said:
    """What a policy file says, over what the one that it extends says."""

    title: str = ""
    covers: str = ""
    classes: Mapping[str, Action] = field(default_factory=dict)
    rules: Mapping[str, Action] = field(default_factory=dict)
    columns: Mapping[str, Action] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    allow: tuple[str, ...] = ()
    mask: Mask = field(default_factory=lambda: Mask("last"))
    form: str = PSEUDONYM
    digits: int = DIGITS
    overrides: tuple[Table, ...] = ()

    def actions(self, table: Table, rules: Mapping[str, Rule]) -> _Said:
        """The same with other actions."""
        return replace(
            self,
            classes={**self.classes, **table.actions("classes", get_args(RuleClass))},
            rules={**self.rules, **table.actions("rules", rules)},
            columns={**self.columns, **table.actions("columns", _COLUMNS)},
        )

    def file(self, table: Table, rules: Mapping[str, Rule]) -> _Said:
        """The same with all that a file says."""
        tags = table.take("tags", dict, {})
        for rule, tag in tags.items():
            table.one_of("tags", rule, (*rules, _EVERY))
            table.tag(f"tags.{rule}", str(tag))
        form, digits = _form(table.table("pseudonyms"), self)
        return replace(
            self.actions(table, rules),
            title=table.take("title", str),
            covers=table.take("covers", str, self.covers).strip(),
            tags={**self.tags, **tags},
            allow=(*self.allow, *(table.regex("allow", one) for one in table.texts("allow"))),
            mask=_mask(table.table("masks"), self.mask),
            form=form,
            digits=digits,
            overrides=(*table.tables("override"), *self.overrides),
        )


class _Reader:
    """Reads one policy and those that it extends."""

    def __init__(self, roots: tuple[Path, ...], rules: dict[str, Rule], keys: str) -> None:
        self._files = plugins.data_files("redaction/policies", ".toml", roots)
        self._rules = rules
        self._where = keys
        self._key: Key | None = None

    def pretend(self) -> None:
        """Go on without a key, where pseudonyms are only talked of."""
        self._key = Key("{key}", "", bytes(KEY_BYTES))

    def said(self, name_or_path: str) -> _Said:
        """All that a policy's file says, with those that it extends."""
        return self._said(name_or_path, ())

    def read(self, name_or_path: str) -> Policy:
        """A policy."""
        name, file = self._file(name_or_path)
        said = self._said(name_or_path, ())
        source = file.read_text(encoding="utf-8")
        policy = replace(self._policy(name, said), source=source)
        overrides = []
        for table in said.overrides:
            collection, source_glob = table.take("collection", str, "*"), table.take("source", str, "*")
            changed = said.actions(table, self._rules)
            table.finish()
            overrides.append(Override(collection, source_glob, replace(self._policy(name, changed), source=source)))
        return replace(policy, overrides=tuple(overrides))

    def _file(self, name_or_path: str) -> tuple[str, Traversable | Path]:
        path = Path(name_or_path)
        if name_or_path in self._files:
            return name_or_path, self._files[name_or_path]
        if path.suffix == ".toml" or path.is_file():
            return path.stem, path
        raise RedactionError(
            f"cannot load policy {name_or_path}: there is none of that name; "
            f"use one of {', '.join(self._files)} or a file's path"
        )

    def _said(self, name_or_path: str, below: tuple[str, ...]) -> _Said:
        table = read_table("policy", self._file(name_or_path)[1])
        extends = table.take("extends", str, "")
        if name_or_path in below or len(below) > _DEEPEST:
            raise table.error("extends", f"'{name_or_path}' extends itself", "name another policy")
        base = self._said(extends, (*below, name_or_path)) if extends else _Said()
        said = base.file(table, self._rules)
        table.finish()
        return said

    def _policy(self, name: str, said: _Said) -> Policy:
        treatments = {}
        for rule in self._rules.values():
            treatment = self._treatment(
                name, said, said.rules.get(rule.name, said.classes.get(rule.kind, "keep")), rule
            )
            if treatment is not None:
                treatments[rule.name] = treatment
        columns = {column: self._of_column(name, said, action, column) for column, action in said.columns.items()}
        return Policy(
            name=name,
            title=said.title,
            rules=tuple(rule for rule in self._rules.values() if rule.name in treatments),
            treatments=treatments,
            columns={column: treatment for column, treatment in columns.items() if treatment is not None},
            allowed="|".join(f"(?:{one})" for one in said.allow),
            covers=said.covers,
        )

    def _treatment(self, name: str, said: _Said, action: Action, rule: Rule) -> Treatment | None:
        tag = "" if action == "drop" else f"[{said.tags.get(rule.name, said.tags.get(_EVERY, rule.tag))}]"
        return self._made(name, said, action, tag, rule.mask, rule.pseudonym)

    def _of_column(self, name: str, said: _Said, action: Action, column: str) -> Treatment | None:
        tag = "" if action == "drop" else f"[{column.upper()}]"
        kind = "network" if column.endswith("_address") else "last"
        return self._made(name, said, action, tag, kind, _kind_of(column))

    def _made(self, name: str, said: _Said, action: Action, tag: str, mask: str, kind: str) -> Treatment | None:
        if action == "keep":
            return None
        if action == "mask":
            return Treatment(tag, mask=replace(said.mask, kind=mask))
        if action == "pseudonym":
            return Treatment(tag, pseudonyms=Pseudonyms(kind, self._current(name), said.form, said.digits))
        return Treatment(tag)

    def _current(self, policy: str) -> Key:
        if self._key is None:
            if not self._where and not DEFAULT.expanduser().exists():
                raise RedactionError(f"cannot use policy {policy}: it makes pseudonyms and there is no key; {NEW_KEY}")
            self._key = load_keys(self._where).current
        return self._key


def _kind_of(column: str) -> str:
    return column.removesuffix("_id").removesuffix("_name")


def _mask(table: Table, base: Mask) -> Mask:
    found = replace(
        base,
        ipv4=table.number("ipv4", base.ipv4, 0, 32),
        ipv6=table.number("ipv6", base.ipv6, 0, 128),
        shown=table.number("shown", base.shown, 0, 8),
        filler=table.take("filler", str, base.filler),
    )
    table.finish()
    return found


def _form(table: Table, base: _Said) -> tuple[str, int]:
    form = table.take("form", str, base.form)
    digits = table.number("digits", base.digits, 16, 64)
    table.finish()
    try:
        shown = form.format(kind="user", key="k1", digest="0")
    except (KeyError, ValueError, IndexError) as error:
        raise table.error("form", f"'{form}' is no form ({error})", "use {kind}, {key} and {digest}") from error
    if "{digest}" not in form or any(character in shown for character in " \t\"'\\<>[]{}"):
        raise table.error("form", f"'{form}' lacks {{digest}} or holds a blank, a quote or a bracket", "correct it")
    return form, digits
