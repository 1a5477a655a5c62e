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
from logshed.schema import SILVER_BY_NAME, UNMAPPED
from logshed.sql.frames import Frames

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from logshed.detections.model import Field, Rule

KEY = ("source", "generation", "offset", "item")
"""What names a record."""
META = (*KEY, "timestamp", "collection", "batch", "client_address", "user_id", "service_name", "host_name")
"""What every hit brings along."""
CHUNK_ROWS = 500_000
"""Rows that are looked at together; above a million the frames no longer stay in a few GB."""

_FEW = 1_000
"""Candidates of a rule that are not worth thinning out."""
_AT_ONCE = 8
"""Fields that are computed in one statement: each statement reads the rows anew, and each field takes memory."""
_WORD = re.compile(r'"?\b([a-z_][a-z0-9_]*)\b"?')
_ATTRIBUTE = re.compile(rf"^{UNMAPPED}\['((?:[^']|'')+)'\]$")


class Scan:
    """Rules, ready to be looked for.

    Args:
        rules: Rules with a condition on one record; correlations' own rules among them.
        carry: More columns that hits bring along.
    """

    def __init__(self, rules: Sequence[Rule], carry: Iterable[str] = ()) -> None:
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
        self._guards = _Guards([rule for rule in self._rules if rule.predicate and rule.predicate.guards])
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
            Columns ``rule`` and the carried ones; one row a rule and record.
        """
        parts = [self._in_chunk(rows.slice(start, CHUNK_ROWS)) for start in range(0, rows.height, CHUNK_ROWS)]
        return pl.concat(parts) if parts else self._none(rows)

    def _in_chunk(self, rows: pl.DataFrame) -> pl.DataFrame:
        rows = with_made(rows, self._made).with_row_index("row")
        with Frames() as frames:
            frames.put("chunk", rows)
            live = _live(frames, {rule.where for rule in self._rules})
            found = [*self._guarded(frames, rows, live), *self._unguarded(frames, live)]
        hit = [(name, place) for name, place in found if len(place)]
        if not hit:
            return self._none(rows)
        carried = _carried(rows, self.carried)
        return pl.concat(
            [carried[place].with_columns(rule=pl.lit(name)).select("rule", *self.carried) for name, place in hit]
        )

    def _guarded(self, frames: Frames, rows: pl.DataFrame, live: set[str]) -> Iterator[tuple[str, pl.Series]]:
        for rule, places in self._guards.candidates(frames, rows, live):
            frames.put("candidates", rows[places])
            yield rule.name, frames.ask(f"SELECT row FROM {_shown(rule, 'candidates')} WHERE {_sql(rule)}")["row"]

    def _unguarded(self, frames: Frames, live: set[str]) -> Iterator[tuple[str, pl.Series]]:
        """All rules about the same records in one statement."""
        for rules in _together([rule for rule in self._open if rule.where in live]):
            flags = ", ".join(f"coalesce({_sql(rule)}, false) AS h{place}" for place, rule in enumerate(rules))
            either = " OR ".join(f"h{place}" for place in range(len(rules)))
            found = frames.ask(f"SELECT * FROM (SELECT row, {flags} FROM {_shown_all(rules, 'chunk')}) WHERE {either}")
            for place, rule in enumerate(rules):
                yield rule.name, found["row"].filter(found[f"h{place}"])

    def _none(self, rows: pl.DataFrame) -> pl.DataFrame:
        empty = _carried(rows.clear(), self.carried)
        return empty.with_columns(rule=pl.lit(None, pl.String)).select("rule", *self.carried)


class _Guards:
    """The guards of all rules, by field."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = rules
        self._fields: dict[str, Field] = {}
        self._wanted: list[list[list[tuple[str, str]]]] = []
        for rule in rules:
            predicate = rule.predicate
            guards = predicate.guards if predicate else ()
            keyed = [[(_key(predicate.fields[name]), text) for name, text in guard] for guard in guards if predicate]
            self._wanted.append(keyed)
            self._fields |= {_key(one): one for one in (predicate.fields.values() if predicate else ())}

    def candidates(self, frames: Frames, rows: pl.DataFrame, live: set[str]) -> Iterator[tuple[Rule, pl.Series]]:
        """Each rule about some of the rows that some rows may meet, and these rows' places."""
        rules = [pair for pair in zip(self._rules, self._wanted, strict=True) if pair[0].where in live]
        texts: dict[str, set[str]] = {}
        for key, text in (pair for _, guards in rules for guard in guards for pair in guard):
            texts.setdefault(key, set()).add(text)
        found: dict[tuple[str, str], pl.Series] = {}
        for key, values in self._values(frames, rows, list(texts)):
            found |= {(key, text): places for text, places in _holding(values, sorted(texts[key]))}
        for rule, guards in rules:
            held = [[found[pair] for pair in guard if pair in found] for guard in guards]
            if all(held):
                places = _all_of(held)
                if len(places):
                    yield rule, places

    def _values(self, frames: Frames, rows: pl.DataFrame, keys: list[str]) -> Iterator[tuple[str, pl.DataFrame]]:
        """For each field the rows' texts in small letters: columns ``row`` and ``text``."""
        keyed = {found[1].replace("''", "'"): key for key in keys if (found := _ATTRIBUTE.match(key))}
        if keyed:
            yield from _attributes(rows, keyed)
        asked = []
        for key in keys:
            one = self._fields[key]
            if key in keyed.values():
                continue
            if not one.sql:
                yield key, rows.select("row", text=pl.col(one.lower))
            else:
                asked.append(key)
        for start in range(0, len(asked), _AT_ONCE):
            some = asked[start : start + _AT_ONCE]
            shown = ", ".join(f"lower(CAST({self._fields[key].sql} AS VARCHAR)) AS t{n}" for n, key in enumerate(some))
            values = frames.ask(f"SELECT row, {shown} FROM chunk")
            for n, key in enumerate(some):
                yield key, values.select("row", text=pl.col(f"t{n}"))


def _live(frames: Frames, wheres: set[str]) -> set[str]:
    """The log sources that some rows are of; rules about others need no look."""
    asked = sorted(wheres - {""})
    flags = ", ".join(f"coalesce(bool_or({where}), false) AS w{place}" for place, where in enumerate(asked))
    if not asked:
        return {""}
    held = frames.ask(f"SELECT {flags} FROM chunk").row(0)
    return {"", *(where for where, any_ in zip(asked, held, strict=True) if any_)}


def _attributes(rows: pl.DataFrame, keyed: dict[str, str]) -> Iterator[tuple[str, pl.DataFrame]]:
    """The values of some attributes, of all rows at once: a map is gone through one time, not once a key."""
    entries = rows.lazy().select(
        "row", entry=pl.col(UNMAPPED).cast(pl.List(pl.Struct({"key": pl.String, "value": pl.String})))
    )
    long = (
        entries.explode("entry")
        .select(
            "row", pl.col("entry").struct.field("key").alias("key"), pl.col("entry").struct.field("value").alias("text")
        )
        .filter(pl.col("key").is_in(list(keyed)) & pl.col("text").is_not_null())
        .collect()
    )
    for (key,), part in long.partition_by("key", as_dict=True, include_key=False).items():
        yield keyed[str(key)], part.with_columns(pl.col("text").str.to_lowercase())


def _holding(values: pl.DataFrame, texts: list[str]) -> Iterator[tuple[str, pl.Series]]:
    """The texts that some rows hold, each with these rows; every distinct value is looked at once."""
    values = values.filter(pl.col("text").is_not_null())
    distinct = values.select(pl.col("text").unique())
    distinct = distinct.filter(pl.col("text").str.contains_any(texts))
    if distinct.is_empty():
        return
    held = distinct.with_columns(held=pl.col("text").str.extract_many(texts, overlapping=True).list.unique())
    rows = values.join(held, on="text", how="inner").explode("held").select("row", "held")
    for (text,), part in rows.partition_by("held", as_dict=True, include_key=False).items():
        yield str(text), part["row"]


def _key(one: Field) -> str:
    """Fields that are the same expression are looked at once."""
    return one.sql or one.name


def _all_of(held: list[list[pl.Series]]) -> pl.Series:
    """The places that hold something of each guard; few are few enough, whatever the others would take away."""
    places: pl.Series | None = None
    for parts in sorted(held, key=lambda parts: sum(map(len, parts))):
        if places is not None and len(places) <= _FEW:
            break
        own = parts[0] if len(parts) == 1 else pl.concat(parts).unique()
        places = own if places is None else places.filter(places.is_in(own.implode()))
    return pl.Series(dtype=pl.UInt32) if places is None else places.sort()


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
