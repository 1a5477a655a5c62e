"""Runs of the canary that this machine has kept books of: what each sent, and what of it the lake has now."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from logshed.pipeline.canary_book import Book, newest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from logshed.sql.result import Result

    Query = Callable[[str, Mapping[str, object]], Result]

STORED = r"""
SELECT
    regexp_extract(line, 'canary run ([a-z]+) ', 1) AS run,
    count(*) AS lines,
    count(DISTINCT line) AS stored
FROM (
    SELECT regexp_extract(body, 'canary run [a-z]+ stream \d+ line \d+$') AS line
    FROM logs
    WHERE body LIKE '%canary run % stream % line %' AND timestamp >= $since
)
WHERE line <> ''
GROUP BY 1
"""
MICROS = 1_000_000


def runs(root: Path, query: Query, limit: int = 20) -> list[dict[str, Any]]:
    """The newest runs first.

    Args:
        root: The lake's folder.
        query: Runs a statement.
        limit: How many.

    Returns:
        ``run``, ``to``, ``begun``, ``ended``, ``sent``, ``acknowledged``, ``stored`` (different lines in the lake),
        ``twice`` and ``missing`` (acknowledged and not there: retention takes lines away too).

    Raises:
        logshed.errors.LogshedError: A book cannot be read, or the lake not be asked.
    """
    books = [book for path in newest(root)[:limit] if (book := Book.load(root, path.stem)) is not None]
    if not books:
        return []
    since = datetime.fromtimestamp(min(book.begun for book in books) / MICROS, UTC)
    with query(STORED, {"since": since}) as result:
        stored = {run: (lines, kinds) for run, lines, kinds in result.rows()}
    return [_told(book, *stored.get(book.run, (0, 0))) for book in sorted(books, key=lambda one: -one.begun)]


def _told(book: Book, lines: int, stored: int) -> dict[str, Any]:
    taken = sum(int(sent.taken.sum()) for sent in book.streams)
    return {
        "run": book.run,
        "to": book.to,
        "begun": datetime.fromtimestamp(book.begun / MICROS, UTC),
        "ended": book.ended,
        "sent": sum(len(sent) for sent in book.streams),
        "acknowledged": taken,
        "stored": stored,
        "twice": lines - stored,
        "missing": max(0, taken - stored),
    }
