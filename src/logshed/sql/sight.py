"""What somebody may see of a lake: the condition on ``collection`` that each table gets, and which tables there are."""

from __future__ import annotations

import fnmatch
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from logshed.sql.filters import LONGEST, both
from logshed.sql.views import literal, quoted

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from logshed.sql.tables import TableColumn, Tables

COLUMN = "collection"
"""The column by which a row belongs to somebody; a table without it is nobody's but theirs who see all."""
EVERY = "*"
_NEVER = "false"
"""The row filter that nothing passes."""

_PLAIN = re.compile(r"[^*?\[]*")
_PRUNABLE = re.compile(r"[^\\%\x00-\x1f\x7f-\x9f\u2028\u2029]*")
"""Texts that PyIceberg's row filters take as they are."""
_NOTHING = "[^\\x00-\\x{10FFFF}]"


@dataclass(frozen=True, slots=True)
class Sight:
    """What somebody sees: the collections that one of some globs matches, as ``fnmatch.fnmatchcase`` does.

    Attributes:
        scopes: The globs; none see nothing.
    """

    scopes: tuple[str, ...]

    @classmethod
    def of(cls, scopes: Iterable[str] | None) -> Sight | None:
        """The sight of these globs; None where they see all."""
        given = None if scopes is None else tuple(dict.fromkeys(scopes))
        return None if given is None or EVERY in given else cls(given)

    def condition(self, column: str = quoted(COLUMN)) -> str:
        """What is true of the rows to see, in DuckDB's dialect.

        Args:
            column: The column's name there.
        """
        exact = [literal(scope) for scope in self.scopes if _PLAIN.fullmatch(scope)]
        parts = [f"{column} IN ({', '.join(exact)})"] if exact else []
        for scope in self.scopes:
            if (start := _prefix(scope)) is not None:
                parts.append(f"starts_with({column}, {literal(start)})")
            elif not _PLAIN.fullmatch(scope):
                parts.append(f"regexp_full_match({column}, {literal(expression(scope))}, 's')")
        return f"({' OR '.join(parts)})" if parts else "false"

    def row_filter(self) -> str | None:
        """A PyIceberg row filter that all rows to see pass; None where nothing is known."""
        if not self.scopes:
            return _NEVER
        parts = []
        for scope in dict.fromkeys(self.scopes):
            start = _PLAIN.match(scope)
            known = "" if start is None else start[0]
            if not _PRUNABLE.fullmatch(known) or (not known and scope):
                return None
            text = literal(known if known == scope else f"{known}%")
            parts.append(f"{COLUMN} {'=' if known == scope else 'like'} {text}")
        joined = " or ".join(parts)
        return joined if len(joined) <= LONGEST else None


class Seen:
    """Tables as a sight shows them: those that are there, and the files that may hold rows to see.

    Args:
        tables: All tables.
        sight: What may be seen of them; which rows of a file may be, its condition says.
    """

    def __init__(self, tables: Tables, sight: Sight) -> None:
        self._tables = tables
        self._filter = sight.row_filter()

    def names(self) -> list[str]:
        """The names of the tables that may hold something to see."""
        closed = set(self._tables.closed())
        return [name for name in self._tables.names() if name not in closed]

    def closed(self) -> list[str]:
        """None: those are not there."""
        return []

    def columns(self, table: str) -> Sequence[TableColumn]:
        """The columns of a table; none where its rows belong to no collection."""
        columns = self._tables.columns(table) if table in self.names() else ()
        return columns if any(column.name == COLUMN for column in columns) else ()

    def files(self, table: str, where: str | None) -> Sequence[str]:
        """The data files that may hold rows that may be seen and that pass ``where``."""
        if self._filter == _NEVER:
            return ()
        return self._tables.files(table, both(where, self._filter)) if self.columns(table) else ()

    def filesystem(self) -> Any | None:
        """What opens the addresses of files that lie elsewhere."""
        return self._tables.filesystem()

    def renamed(self, table: str) -> bool:
        """Whether data files may call columns otherwise than the table does."""
        return self._tables.renamed(table)


def _prefix(scope: str) -> str | None:
    """What is before the only ``*``, at the end of a glob."""
    start = scope.removesuffix("*")
    return start if start != scope and _PLAIN.fullmatch(start) else None


def expression(scope: str) -> str:
    """A glob as a regular expression for RE2 that matches whole names as ``fnmatch.fnmatchcase`` does."""
    found, place = [], 0
    while place < len(scope):
        one = scope[place]
        end = _bracket_end(scope, place) if one == "[" else 0
        if end:
            found.append(_class(scope[place:end]))
        else:
            found.append({"*": ".*", "?": "."}.get(one) or re.escape(one))
        place = end or place + 1
    return "".join(found)


def _bracket_end(scope: str, place: int) -> int:
    """The place behind a ``[…]``; 0 where it is not closed."""
    first = place + 1 + scope.startswith("!", place + 1)
    return scope.find("]", first + 1) + 1


def _class(bracket: str) -> str:
    """Python knows what a bracket means in all its odd forms; RE2 takes the same but for ``[:`` and an empty one."""
    translated = fnmatch.translate(bracket)
    inner = translated[len("(?s:") : translated.rindex(")")]
    if inner in {"(?!)", "."}:
        return _NOTHING if inner == "(?!)" else inner
    members = re.sub(r"\\.|\[", lambda match: match[0] if match[0] != "[" else r"\[", inner[1:-1], flags=re.DOTALL)
    return f"[{members}]"
