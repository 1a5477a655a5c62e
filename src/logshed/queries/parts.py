"""Parts of statements that several questions and gold tables share: each a file, put in front as a WITH."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING

from logshed.plugins import data_files
from logshed.queries import parameters, resource_fields
from logshed.queries.header import names, split, words, wrong

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from logshed.queries.parameters import Parameter

PART = "part_"
"""What the names of their files begin with; in SQL their names do not have it."""

_KEYS = frozenset({"description", "uses", "parameters", "inline", "as"})
_WITH = re.compile(r"with\s", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Part:
    """A part of statements.

    Attributes:
        name: What SQL calls it.
        description: What its rows are.
        sql: One SELECT.
        uses: Other parts that it reads.
        parameters: Parameters that every question with it has too.
        fill: Writes the rules of shops into its statement; None where it has none.
        inline: Whether it is computed anew where it is read, of the columns wanted there; else once, with all of them.
    """

    name: str
    description: str
    sql: str
    uses: tuple[str, ...] = ()
    parameters: dict[str, Parameter] = field(default_factory=dict)
    inline: bool = False
    fill: Callable[[str], str] | None = None

    @property
    def entry(self) -> str:
        """Itself as an entry of WITH.

        Raises:
            logshed.errors.QueryError: A shop's file is wrong.
        """
        sql = self.sql if self.fill is None else self.fill(self.sql)
        body = "\n".join(f"    {line}" if line else line for line in sql.splitlines())
        return f"{self.name} AS {'NOT MATERIALIZED ' if self.inline else ''}(\n{body}\n)"


def load(extra: Iterable[Path] = ()) -> dict[str, Part]:
    """Every part by name: ours, installed packages', the user's.

    Raises:
        logshed.errors.QueryError: A header is wrong.
    """
    roots = tuple(extra)

    def fill(sql: str) -> str:
        from logshed.shops import filled  # noqa: PLC0415 - few questions are of shops

        return filled(sql, roots)

    made = Part(
        resource_fields.NAME, resource_fields.DESCRIPTION, resource_fields.sql(resource_fields.load(roots).values())
    )
    return {made.name: made} | {
        name.removeprefix(PART): parse(name.removeprefix(PART), file.read_text("utf-8"), fill)
        for name, file in data_files("queries", ".sql", roots).items()
        if name.startswith(PART)
    }


def parse(name: str, text: str, fill: Callable[[str], str] | None = None) -> Part:
    """A part from its file's text.

    Args:
        name: The file's stem without what parts begin with; SQL calls it so where its header has no ``as``.
        text: Its file's text.
        fill: Writes the rules of shops where the statement has ``{{...}}``.

    Raises:
        logshed.errors.QueryError: The header is wrong.
    """
    part = _understood(name, text)
    return replace(part, fill=fill) if "{{" in part.sql else part


@lru_cache(maxsize=256)  # each question reads them all: a text is understood once
def _understood(name: str, text: str) -> Part:
    what = f"the part {name}"
    header, sql = split(what, text, _KEYS)
    return Part(
        words(what, header, "as") if "as" in header else name,
        words(what, header, "description"),
        sql,
        names(what, header, "uses"),
        parameters.read(what, header),
        inline=header.get("inline") is True,
    )


def assembled(what: str, sql: str, uses: Iterable[str], parts: Mapping[str, Part]) -> tuple[str, dict[str, Parameter]]:
    """A statement with the parts that it uses in front, and the parameters that they bring.

    Raises:
        logshed.errors.QueryError: There is no such part, or parts use each other in a circle.
    """
    needed = _in_order(what, uses, parts)
    brought = {key: value for part in needed for key, value in part.parameters.items()}
    if not needed:
        return sql, brought
    with_parts = "WITH " + ",\n".join(part.entry for part in needed)
    own = _WITH.match(sql)
    return (f"{with_parts},\n{sql[own.end() :]}" if own else f"{with_parts}\n{sql}"), brought


def _in_order(what: str, uses: Iterable[str], parts: Mapping[str, Part], open_: tuple[str, ...] = ()) -> list[Part]:
    """Parts, each after those that it uses, none twice."""
    found: dict[str, Part] = {}
    for name in uses:
        if name not in parts:
            raise wrong(what, f"it uses the part {name!r}, which is none", f"take {', '.join(sorted(parts)) or 'none'}")
        if name in open_:
            raise wrong(what, f"the parts {' and '.join(open_)} use each other", "break the circle")
        before = _in_order(what, parts[name].uses, parts, (*open_, name))
        found |= {part.name: part for part in (*before, parts[name])}
    return list(found.values())
