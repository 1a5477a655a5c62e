"""Reads regimes (laws and standards, each with its points and what answers them) from their data files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, get_args

from logshed import plugins
from logshed.errors import RedactionError
from logshed.redaction.model import RuleClass
from logshed.redaction.tables import Table, read_table

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

FOLDER = "redaction/regimes"
CHECKS = (
    "removed",
    "pseudonymised",
    "keys_apart",
    "documented",
    "approval",
    "retention",
    "access",
    "erasure",
    "trail",
    "human",
)
"""What can answer a point."""


@dataclass(frozen=True, slots=True)
class Point:
    """One thing that a regime asks for.

    Attributes:
        id: A short name, unique in the regime.
        title: What is asked for, as a fact.
        source: Where the law or the standard says so.
        check: What answers it, one of ``CHECKS``.
        classes: Classes of rules that ``removed`` and ``pseudonymised`` look at.
        rules: Single rules that they look at too.
        ask: What a human has to look at.
    """

    id: str
    title: str
    source: str
    check: str
    classes: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    ask: str = ""


@dataclass(frozen=True, slots=True)
class Regime:
    """A law or a standard.

    Attributes:
        name: The file's stem.
        title: Its name, with the edition.
        points: What it asks for.
    """

    name: str
    title: str
    points: tuple[Point, ...]


def regime_names(extra: Iterable[Path] = ()) -> list[str]:
    """The regimes that there are, ours and the user's."""
    return list(plugins.data_files(FOLDER, ".toml", tuple(extra)))


def load_regime(name: str, extra: Iterable[Path] = ()) -> Regime:
    """A regime by its name.

    Raises:
        RedactionError: There is none of that name, or a key of its file is wrong.
    """
    files = plugins.data_files(FOLDER, ".toml", tuple(extra))
    if name not in files:
        raise RedactionError(f"cannot load regime {name}: there is none of that name; use one of {', '.join(files)}")
    table = read_table("regime", files[name])
    regime = Regime(name, table.take("title", str), tuple(_point(one) for one in table.tables("point")))
    table.finish()
    ids = [point.id for point in regime.points]
    if len(set(ids)) < len(ids) or not ids:
        raise table.error("point", "there is none, or two have the same id", "give each its own")
    return regime


def _point(table: Table) -> Point:
    check = table.one_of("check", table.take("check", str), CHECKS)
    classes = tuple(table.one_of("classes", one, get_args(RuleClass)) for one in table.texts("classes"))
    rules, ask = table.texts("rules"), table.take("ask", str, "")
    if check in ("removed", "pseudonymised") and not (classes or rules):
        raise table.error("classes", "nothing says which rules are meant", "add classes or rules")
    if check == "human" and not ask:
        raise table.error("ask", "nothing says what a human has to look at", "add it")
    point = Point(
        table.take("id", str), table.take("title", str), table.take("source", str), check, classes, rules, ask
    )
    table.finish()
    return point
