"""Finds the named questions: ours, installed packages' and the user's."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from logshed.errors import QueryError
from logshed.plugins import data_files
from logshed.queries import parts
from logshed.queries.gold import GOLD
from logshed.queries.model import Question, parse
from logshed.queries.parts import PART

if TYPE_CHECKING:
    from collections.abc import Iterable
    from importlib.resources.abc import Traversable
    from pathlib import Path


def load(extra: Iterable[Path] = (), broken: dict[str, str] | None = None) -> dict[str, Question]:
    """All questions by name.

    Args:
        extra: More roots to look in (the ``plugins`` path of logshed.toml).
        broken: Is given what is wrong with a question, by its name, which is left out then; None raises it.

    Raises:
        logshed.errors.QueryError: A file's header is wrong.
    """
    known = parts.load(extra)
    found: dict[str, Question] = {}
    for name, file in _questions(extra).items():
        try:
            found[name] = parse(name, file.read_text("utf-8"), known)
        except (QueryError, OSError, UnicodeDecodeError) as error:
            if broken is None:
                raise
            broken[name] = str(error)
    return found


def question(name: str, extra: Iterable[Path] = ()) -> Question:
    """One question; a mistake in another file does not matter.

    Raises:
        logshed.errors.QueryError: There is none of this name, or its header is wrong.
    """
    found = _questions(extra)
    if name not in found:
        near = difflib.get_close_matches(name, found, n=1, cutoff=0.5)
        advice = f"did you mean {near[0]}?" if near else "logshed run --list shows them"
        raise QueryError(f"cannot run the question {name!r}: there is none; {advice}")
    return parse(name, found[name].read_text("utf-8"), parts.load(extra))


def _questions(extra: Iterable[Path]) -> dict[str, Traversable]:
    """The files of questions; those of gold tables and of parts lie beside them."""
    found = data_files("queries", ".sql", extra)
    return {name: file for name, file in found.items() if not name.startswith((GOLD, PART))}
