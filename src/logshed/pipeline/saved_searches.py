"""Keeps searches that people saved: a SQLite file; one's own, and those that somebody shares with all."""

from __future__ import annotations

import json
import secrets
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from logshed.access.private import PrivateFile
from logshed.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

FILE = "logshed-searches.db"
LONGEST_NAME, LONGEST_VIEW = 100, 20_000
MOST = 500
"""Searches of one person."""
_TABLE = """
CREATE TABLE IF NOT EXISTS searches (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, owner TEXT NOT NULL, shared INTEGER NOT NULL, view TEXT NOT NULL,
    created REAL NOT NULL, updated REAL NOT NULL
) STRICT
"""
_COLUMNS = "id, name, owner, shared, view, created, updated"


class Saved(NamedTuple):
    """A saved search.

    Attributes:
        id: Its id.
        name: What its owner calls it.
        owner: Who saved it.
        shared: Whether all may use it.
        view: What the page shows: the search, its time, its columns, as the page's address has them.
        created: Seconds since 1970.
        updated: The same of its last change.
    """

    id: str
    name: str
    owner: str
    shared: bool
    view: dict[str, str]
    created: float
    updated: float


class SavedSearches:
    """The saved searches; may be used by several threads and processes at once.

    Args:
        path: The file, which is made (mode 600) when the first search is saved.
    """

    def __init__(self, path: Path) -> None:
        self._file = PrivateFile(path, (_TABLE,), what="saved searches", setting="lake")

    def seen_by(self, owner: str) -> list[Saved]:
        """Somebody's own searches and those that are shared, by name.

        Raises:
            AccessError: The file cannot be used.
        """
        if not self._file.there:
            return []
        with self._file.opened() as file:
            rows = file.execute(
                f"SELECT {_COLUMNS} FROM searches WHERE owner = ? OR shared ORDER BY lower(name), id", (owner,)
            )
            return [_saved(row) for row in rows]

    def save(self, owner: str, name: str, view: Mapping[str, str], *, shared: bool = False) -> Saved:
        """Save a search.

        Args:
            owner: Who saves it.
            name: What they call it.
            view: What the page shows.
            shared: Whether all may use it.

        Raises:
            UsageError: The name or the view is empty or too long, or they have too many.
            AccessError: The file cannot be used.
        """
        check(name, view)
        now = time.time()
        saved = Saved(secrets.token_hex(8), name, owner, shared, dict(view), now, now)
        with self._file.opened(create=True) as file:
            (has,) = file.execute("SELECT count(*) FROM searches WHERE owner = ?", (owner,)).fetchone()
            if has >= MOST:
                raise UsageError(f"cannot save the search: {MOST} of yours are saved; delete one")
            file.execute(
                f"INSERT INTO searches ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)",
                (saved.id, name, owner, int(shared), json.dumps(saved.view), now, now),
            )
        return saved

    def change(self, owner: str, saved_id: str, name: str, view: Mapping[str, str], *, shared: bool) -> Saved | None:
        """Change one's own search; None where it is not there, or somebody else's.

        Raises:
            UsageError: The name or the view is empty or too long.
            AccessError: The file cannot be used.
        """
        check(name, view)
        if not self._file.there:
            return None
        with self._file.opened() as file:
            file.execute(
                "UPDATE searches SET name = ?, view = ?, shared = ?, updated = ? WHERE id = ? AND owner = ?",
                (name, json.dumps(dict(view)), int(shared), time.time(), saved_id, owner),
            )
            row = file.execute(
                f"SELECT {_COLUMNS} FROM searches WHERE id = ? AND owner = ?", (saved_id, owner)
            ).fetchone()
        return None if row is None else _saved(row)

    def delete(self, owner: str, saved_id: str) -> bool:
        """Delete one's own search; False where it is not there, or somebody else's.

        Raises:
            AccessError: The file cannot be used.
        """
        if not self._file.there:
            return False
        with self._file.opened() as file:
            return file.execute("DELETE FROM searches WHERE id = ? AND owner = ?", (saved_id, owner)).rowcount > 0


def check(name: str, view: Mapping[str, str]) -> None:
    """Refuse what is no name, or is too long.

    Raises:
        UsageError: It is.
    """
    if not name.strip() or len(name) > LONGEST_NAME:
        raise UsageError(f"cannot save the search: its name has no sign, or more than {LONGEST_NAME}; give another")
    if len(json.dumps(dict(view))) > LONGEST_VIEW:
        raise UsageError(f"cannot save the search: it has more than {LONGEST_VIEW:,} signs; shorten it")


def _saved(row: Sequence[Any]) -> Saved:
    saved_id, name, owner, shared, view, created, updated = row
    return Saved(saved_id, name, owner, bool(shared), json.loads(view), created, updated)
