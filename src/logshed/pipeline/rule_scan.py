"""Finds the records that meet rules' conditions: all rules in one pass over the rows.

A rule's guard names texts of which a record must hold one. All guards' texts are looked for at once in the distinct
values of each field; only the records that hold some go to the rules that ask for it, and only there the whole
condition is computed. Rules without a guard are computed together.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import polars as pl

from logshed.detections.requests import MADE, with_made
from logshed.pipeline.rule_guards import Guards
from logshed.schema import SILVER_BY_NAME, UNMAPPED
from logshed.sql.frames import Frames

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from logshed.detections.model import Field, Rule

KEY = ("source", "generation", "offset", "item")
"""What names a record."""
META = (*KEY, "timestamp", "collection", "batch", "client_address", "user_id", "service_name", "host_name")
"""What every hit brings along."""
CHUNK_ROWS = 500_000
"""Rows that are looked at together; above a million the frames no longer stay in a few GB."""

_SHOWN, _MOST_FIELDS = 200, 12
"""Characters of a value, and fields, that an explained hit shows."""
_WORD = re.compile(r'"?\b([a-z_][a-z0-9_]*)\b"?')


class Scan:
    """Rules, ready to be looked for.

    Args:
        rules: Rules with a condition on one record; correlations' own rules among them.
        carry: More columns that hits bring along.
        explained: Names of rules whose hits tell the values of the fields that they look at.
    """

    def __init__(self, rules: Sequence[Rule], carry: Iterable[str] = (), explained: Collection[str] = ()) -> None:
        self._explained = explained
        self._rules = [rule for rule in rules if rule.predicate is not None]
        self.carried = (*META, *sorted(set(carry) - set(META)))
        fields = {one.sql: one for rule in self._rules for one in _predicate_fields(rule)}
        self._made = {one.name for one in fields.values() if not one.sql}
        self._made |= {one.name for rule in self._rules for one in _predicate_fields(rule) if not one.sql}
        texts = [one.sql for rule in self._rules for one in _predicate_fields(rule)] + [
            rule.where for rule in self._rules
        ]
        used = {word for text in texts for word in _WORD.findall(text) if word in SILVER_BY_NAME}
        used |= {column for name in self._made for column in MADE[name]}
        used |= {key.partition(".")[0] if key.startswith(UNMAPPED) else key for key in self.carried}
        self.columns = tuple(name for name in SILVER_BY_NAME if name in used)
        self._guards = Guards([rule for rule in self._rules if rule.predicate and rule.predicate.guards])
        self._open = [rule for rule in self._rules if rule.predicate and not rule.predicate.guards]

    def select(self, where: str = "") -> str:
        """The statement whose rows ``hits`` looks at."""
        listed = ", ".join(f'"{name}"' for name in self.columns)
        return f"SELECT {listed} FROM logs{f' WHERE {where}' if where else ''}"

    def hits(self, rows: pl.DataFrame) -> pl.DataFrame:
        """The records that meet a rule's condition.

        Args:
            rows: Rows of ``select``.

        Returns:
            Columns ``rule``, ``matched`` (a JSON object of fields, where it is explained) and the carried ones; one row
            a rule and record.
        """
        parts = [self._in_chunk(rows.slice(start, CHUNK_ROWS)) for start in range(0, rows.height, CHUNK_ROWS)]
        return pl.concat(parts) if parts else self._none(rows)

    def places(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Which rows meet which rule's condition.

        Args:
            rows: Rows of ``select``; what the hits would carry need not be there.

        Returns:
            Columns ``rule``, ``row`` (its place) and ``matched``, in the order of the rules.
        """
        parts = [
            places.select(rule=pl.lit(name), row=pl.col("row") + start, matched="matched")
            for start in range(0, rows.height, CHUNK_ROWS)
            for name, places in self._found(self._numbered(rows.slice(start, CHUNK_ROWS)))
        ]
        none = pl.DataFrame(schema={"rule": pl.String, "row": pl.UInt32, "matched": pl.String})
        return pl.concat(parts).cast(none.schema) if parts else none

    def _numbered(self, rows: pl.DataFrame) -> pl.DataFrame:
        return with_made(rows, self._made).with_row_index("row")

    def _found(self, rows: pl.DataFrame) -> list[tuple[str, pl.DataFrame]]:
        """Rules that some of the numbered rows meet, and which."""
        with Frames() as frames:
            frames.put("chunk", rows)
            live = _live(frames, {rule.where for rule in self._rules})
            found = [*self._guarded(frames, rows, live), *self._unguarded(frames, live)]
        return [(name, places) for name, places in found if not places.is_empty()]

    def _in_chunk(self, rows: pl.DataFrame) -> pl.DataFrame:
        rows = self._numbered(rows)
        hit = self._found(rows)
        if not hit:
            return self._none(rows)
        carried = _carried(rows, self.carried)
        return pl.concat(
            [
                carried[places["row"]]
                .with_columns(places["matched"], rule=pl.lit(name))
                .select("rule", "matched", *self.carried)
                for name, places in hit
            ]
        )

    def _guarded(self, frames: Frames, rows: pl.DataFrame, live: set[str]) -> Iterator[tuple[str, pl.DataFrame]]:
        for rule, places in self._guards.candidates(frames, rows, live):
            frames.put("candidates", rows[places])
            shown = f"{self._matched(rule)} AS matched FROM {_shown(rule, 'candidates')}"
            yield rule.name, frames.ask(f"SELECT row, {shown} WHERE {_sql(rule)} ORDER BY row")

    def _matched(self, rule: Rule) -> str:
        """What the fields of a rule that is explained hold, as SQL for a JSON object."""
        if rule.name not in self._explained:
            return "CAST(NULL AS VARCHAR)"
        pairs = (
            f"'{one.name.replace(chr(39), chr(39) * 2)}', left(CAST({_quoted(one.raw)} AS VARCHAR), {_SHOWN})"
            for one in _predicate_fields(rule)[:_MOST_FIELDS]
        )
        return f"CAST(json_object({', '.join(pairs)}) AS VARCHAR)"

    def _unguarded(self, frames: Frames, live: set[str]) -> Iterator[tuple[str, pl.DataFrame]]:
        """All rules about the same records in one statement."""
        for rules in _together([rule for rule in self._open if rule.where in live]):
            flags = ", ".join(f"coalesce({_sql(rule)}, false) AS h{place}" for place, rule in enumerate(rules))
            told = ", ".join(
                f"CASE WHEN h{place} THEN {self._matched(rule)} END AS m{place}" for place, rule in enumerate(rules)
            )
            either = " OR ".join(f"h{place}" for place in range(len(rules)))
            inner = f"(SELECT *, {flags} FROM {_shown_all(rules, 'chunk')}) AS flagged"
            own = ", ".join(f"h{place}" for place in range(len(rules)))
            found = frames.ask(f"SELECT row, {own}, {told} FROM {inner} WHERE {either} ORDER BY row")
            for place, rule in enumerate(rules):
                yield rule.name, found.filter(f"h{place}").select("row", matched=f"m{place}")

    def _none(self, rows: pl.DataFrame) -> pl.DataFrame:
        empty = _carried(rows.clear(), self.carried)
        return empty.with_columns(rule=pl.lit(None, pl.String), matched=pl.lit(None, pl.String)).select(
            "rule", "matched", *self.carried
        )


def _together(rules: Sequence[Rule]) -> Iterator[list[Rule]]:
    """Rules that one statement can answer: about the same records, no fields that differ in letter case only."""
    groups: list[tuple[str, dict[str, tuple[str, str]], list[Rule]]] = []
    for rule in rules:
        own = {one.name.lower(): (one.name, one.sql) for one in _predicate_fields(rule)}
        for where, named, group in groups:
            if where == rule.where and all(named.get(key, said) == said for key, said in own.items()):
                named.update(own)
                group.append(rule)
                break
        else:
            groups.append((rule.where, dict(own), [rule]))
    yield from (group for *_, group in groups)


def _live(frames: Frames, wheres: set[str]) -> set[str]:
    """The log sources that some rows are of; rules about others need no look."""
    asked = sorted(wheres - {""})
    flags = ", ".join(f"coalesce(bool_or({where}), false) AS w{place}" for place, where in enumerate(asked))
    if not asked:
        return {""}
    held = frames.ask(f"SELECT {flags} FROM chunk").row(0)
    return {"", *(where for where, any_ in zip(asked, held, strict=True) if any_)}


def _shown(rule: Rule, source: str) -> str:
    return _shown_all([rule], source)


def _shown_all(rules: Sequence[Rule], source: str) -> str:
    """A subquery with the columns of these rules' fields; they are all about the same records."""
    fields = {one.name: one for rule in rules for one in _predicate_fields(rule)}
    parts = ["row"]
    for one in fields.values():
        raw, lower = _quoted(one.raw), _quoted(one.lower)
        if one.sql:
            parts += [f"{one.sql} AS {raw}", f"lower(CAST({one.sql} AS VARCHAR)) AS {lower}"]
        else:
            parts += [raw, lower]
    where = f" WHERE {rules[0].where}" if rules[0].where else ""
    return f"(SELECT {', '.join(parts)} FROM {source}{where})"


def statement(rule: Rule) -> str:
    """The rule as one statement over ``logs``, for people and for other engines.

    Fields that the scanner makes have no expression in SQL: their columns of ``logs`` stand for them, undecoded.
    """
    parts = []
    for one in _predicate_fields(rule):
        columns = MADE.get(one.name, ())
        sql = one.sql or (columns[0] if len(columns) == 1 else f"concat_ws('?', {', '.join(columns)})")
        parts += [f"{sql} AS {_quoted(one.raw)}", f"lower(CAST({sql} AS VARCHAR)) AS {_quoted(one.lower)}"]
    where = f" WHERE {rule.where}" if rule.where else ""
    shown = ", ".join(["*", *parts])
    return f"SELECT record_id, timestamp FROM (SELECT {shown} FROM logs{where}) AS shown WHERE {_sql(rule)}"


def _predicate_fields(rule: Rule) -> list[Field]:
    return list(rule.predicate.fields.values()) if rule.predicate else []


def _sql(rule: Rule) -> str:
    return rule.predicate.sql if rule.predicate else "false"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _carried(rows: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
    attributes = [name for name in names if name.startswith(f"{UNMAPPED}.")]
    made = [_attribute(name).alias(name) for name in attributes]
    return rows.select(*(name for name in names if name not in attributes), *made)


def _attribute(name: str) -> pl.Expr:
    key = name.removeprefix(f"{UNMAPPED}.")
    entries = pl.col(UNMAPPED).cast(pl.List(pl.Struct({"key": pl.String, "value": pl.String})))
    return entries.list.eval(
        pl.element().filter(pl.element().struct.field("key") == key).struct.field("value")
    ).list.first()
