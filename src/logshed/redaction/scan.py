"""Looks in texts and fields that rest for what a policy forbids: which rule finds how much where, examples masked."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import polars as pl

from logshed import schema
from logshed.redaction import keyed, verify
from logshed.redaction.engine import Redactor
from logshed.redaction.treatments import Done, Treatment

if TYPE_CHECKING:
    from logshed.redaction.model import Policy, RuleClass

EXAMPLES = 3
"""Examples of what a rule found that are told."""
LONGEST = 64
"""Characters of an example."""


@dataclass(frozen=True, slots=True)
class Hit:
    """What one rule found in one column.

    Attributes:
        rule: The rule's name, or the column's where the policy names it.
        column: The column.
        count: Values found.
        row: A row in which one stands.
        examples: The values with their letters and digits hidden.
    """

    rule: str
    column: str
    count: int
    row: int
    examples: tuple[str, ...]


class Scanner:
    """A policy, ready to look for what it forbids; what it has put there itself, or keeps, is nothing that it finds."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self._kinds: dict[str, RuleClass] = {rule.name: rule.kind for rule in policy.rules}
        self._plain = Redactor(policy)
        made = [one.pseudonyms for one in (*policy.treatments.values(), *policy.columns.values())]
        # A value of which a part is a pseudonym was treated. Sixteen hex digits alone prove nothing.
        forms = {one.pattern.removeprefix("[a-z][a-z0-9_]*:") for one in made if one is not None and not one.bare}
        self._treated = "|".join(sorted(forms)) or r"[^\s\S]"
        self._listening = {name: _Listening.to(one, self._treated) for name, one in policy.treatments.items()}
        self._telling = Redactor(replace(policy, treatments=self._listening))
        self._done = Done([*policy.treatments.values(), *policy.columns.values()], policy.allowed)
        keyed_rules = [(rule, policy.treatments[rule.name]) for rule in policy.rules if rule.keys]
        self._watched = [(rule.name, verify.Watched.of(rule, one)) for rule, one in keyed_rules]
        self._watched += [(name, verify.Watched.of_column(name, one)) for name, one in policy.columns.items()]
        self._names = [re.compile(keyed.for_python(watch.names), re.ASCII) for _, watch in self._watched]

    def texts(self, column: str, text: pl.Series, names: pl.Series | None = None) -> list[Hit]:
        """What the rules find in texts.

        Args:
            column: What to call the column.
            text: The texts (String); the same one many times costs as much as once.
            names: What each stands under, such as an attribute's name: ``1.2.0.2`` under a version's is no address.
        """
        distinct = text.unique().drop_nulls()
        if distinct.is_empty():
            return []
        leaking = distinct.filter(self._plain.redact(distinct).counts > 0)
        if leaking.is_empty():
            return []
        rows = text.is_in(leaking.implode()).fill_null(value=False).arg_true()
        texts = text.gather(rows) if names is None else _named(names.gather(rows), text.gather(rows))
        for one in self._listening.values():
            one.heard.clear()
        found = self._telling.redact(texts)
        return [self._hit(rule, column, count, rows, texts) for rule, count in sorted(found.by_rule.items())]

    def fields(self, frame: pl.DataFrame) -> list[Hit]:
        """What stands in columns and attributes with a sensitive name.

        Args:
            frame: Rows of a table; ``attributes`` is a map.
        """
        named = [name for name, kind in frame.schema.items() if kind == pl.String]
        places = [
            (name, rule, watch)
            for (rule, watch), names in zip(self._watched, self._names, strict=True)
            for name in named
            if names.search(name)
        ]
        if schema.UNMAPPED in frame.columns:
            attributes = frame.select(schema.UNMAPPED)
            if len(verify.leaking(attributes, [watch for _, watch in self._watched], self._done)):
                places += [(schema.UNMAPPED, rule, watch) for rule, watch in self._watched]
        hits = []
        for column, rule, watch in places:
            found = verify.leaking(frame.select(column), [watch], self._done)
            found = found.filter(~pl.col("value").str.contains(self._treated))
            if len(found):
                values = found["value"].unique(maintain_order=True).head(EXAMPLES).to_list()
                examples = tuple(self._hidden(rule, value) for value in values)
                hits.append(Hit(rule, column, len(found), int(found["index"][0]), examples))
        return hits

    def shown(self, text: str) -> str:
        """A text that may be told: itself, redacted."""
        return str(self._plain.redact(pl.Series([text], dtype=pl.String)).text[0])

    def _hit(self, rule: str, column: str, count: int, rows: pl.Series, texts: pl.Series) -> Hit:
        heard = self._listening[rule].heard if rule in self._listening else {}
        values = list(heard)[:EXAMPLES]
        places = texts.str.contains(values[0], literal=True).arg_true() if values else rows.head(0)
        row = int(rows[places[0]] if len(places) else rows[0])
        return Hit(rule, column, count, row, tuple(self._hidden(rule, value) for value in values))

    def _hidden(self, rule: str, value: str) -> str:
        """A value as it may be told: of a secret its length, else its shape."""
        if self._kinds.get(rule, "identifier") == "secret":
            return f"{len(value)} characters"
        return hidden(value)


def _named(names: pl.Series, values: pl.Series) -> pl.Series:
    """Values as JSON would have them under the last part of their names."""
    frame = pl.DataFrame({"name": names.str.extract(r"([^.]*)$"), "value": values})
    encoded = pl.struct("value").struct.json_encode().str.strip_prefix('{"value":').str.strip_suffix("}")
    return frame.select(pl.lit('{"') + pl.col("name") + pl.lit('":') + encoded + pl.lit("}")).to_series()


def hidden(value: str) -> str:
    """A value with x for its letters and 9 for its digits."""
    shape = "".join("9" if one.isdigit() else "x" if one.isalnum() or not one.isprintable() else one for one in value)
    return shape if len(shape) <= LONGEST else f"{shape[: LONGEST - 1]}…"


@dataclass(frozen=True, slots=True)
class _Listening(Treatment):
    """A treatment that remembers the values that it was given and that it would change.

    Attributes:
        treated: An expression for values of which a part was treated; they stay.
        heard: The first values that it would change.
    """

    treated: str = ""
    heard: dict[str, None] = field(default_factory=dict, compare=False)

    @classmethod
    def to(cls, treatment: Treatment, treated: str) -> _Listening:
        return cls(treatment.tag, treatment.mask, treatment.pseudonyms, treated)

    @property
    def constant(self) -> bool:
        return False

    def of(self, values: pl.Series) -> pl.Series:
        meant = Treatment(self.tag, self.mask, self.pseudonyms).of(values)
        meant = values.zip_with(values.str.contains(self.treated), meant)
        room = EXAMPLES - len(self.heard)
        if room > 0:
            self.heard.update(dict.fromkeys(values.filter(values != meant).head(room).to_list()))
        return meant
