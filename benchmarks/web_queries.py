"""Measures what pages ask of a lake: small statements, first rows of searches, histograms, and people's SQL.

``python benchmarks/web_queries.py`` takes the lake of ``answers.py``, made of 10,000,000 records once. Statements are
asked by somebody who sees all, and by somebody who sees some collections alone, as ours and in a sandbox. A figure is
the median of ``--repeat`` answers in a warm process; the first two are not counted. CPU seconds are of this process.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import answers
from logshed.pipeline.search import understood
from logshed.search import statements

if TYPE_CHECKING:
    from collections.abc import Callable

    from logshed.api import Lake

SMALL_S, FIRST_S, HISTOGRAM_S, SQL_S = 0.025, 1.0, 0.7, 1.5
"""Seconds that a statement over a small lake may take, a search to its first rows, a histogram, and people's SQL."""
SMALL_ROWS = 10_000
STATEMENTS = {
    "count": "SELECT count(*) FROM logs",
    "by status": "SELECT http_response_status_code, count(*) FROM logs GROUP BY 1 ORDER BY 2 DESC",
    "top 10 paths": "SELECT url_path, count(*) AS n FROM logs GROUP BY 1 ORDER BY n DESC LIMIT 10",
    "one day": "SELECT count(*), avg(http_response_body_size) FROM logs WHERE timestamp::date = '2026-01-05'",
    "LIKE on paths": "SELECT count(*) FROM logs WHERE url_path LIKE '%/cart/%'",
    "all columns of an hour": "SELECT * FROM logs WHERE timestamp BETWEEN '2026-01-05 09:00Z' AND '2026-01-05 10:00Z'",
}


def small(folder: Path, repeat: int) -> list[answers.Measured]:
    """The fixed costs of a statement, over a lake in which there is little to read."""
    whole = answers.filled(folder, SMALL_ROWS)
    some, sql = whole.seen_by(["def*"]), STATEMENTS["count"]
    return [
        asked("small, ours", lambda: len(whole.ask(sql)), repeat, SMALL_S),
        asked("small, ours, some collections", lambda: len(some.ask(sql)), repeat, SMALL_S),
        asked("small, alone", lambda: len(whole.query(sql)), repeat, SMALL_S),
        asked("small, sandbox", lambda: len(whole.query(sql, sandbox=True)), repeat, SMALL_S),
        asked("small, sandbox, some collections", lambda: len(some.query(sql)), repeat, 2 * SMALL_S),
    ]


def pages(lake: Lake, whose: str, repeat: int) -> list[answers.Measured]:
    """What the page of searches asks."""

    def first(text: str, limit: int | None = None) -> int:
        with lake.search(text, since="all", limit=limit) as result:
            return next(result.batches()).num_rows

    def histogram(text: str) -> int:
        return len(lake.ask(statements.histogram(understood(text, since="all"), 10_800)))

    return [
        asked(f"first rows of all, {whose}", lambda: first(""), repeat, FIRST_S),
        asked(f"200 rows of all, {whose}", lambda: first("", 200), repeat, FIRST_S),
        asked(f"200 rows of a status, {whose}", lambda: first("status:404", 200), repeat, FIRST_S),
        asked(f"200 rows of a rare word, {whose}", lambda: first('"/cart/77"', 200), repeat, FIRST_S),
        asked(f"histogram of all, {whose}", lambda: histogram(""), repeat, HISTOGRAM_S),
        asked(f"histogram of a status, {whose}", lambda: histogram("status>=500"), repeat, HISTOGRAM_S),
        asked(f"histogram of a word, {whose}", lambda: histogram("path:/cart/*"), repeat, HISTOGRAM_S),
    ]


def by_people(whole: Lake, some: Lake, repeat: int) -> list[answers.Measured]:
    """The same statements as ours and as people's."""
    found = []
    for name, sql in STATEMENTS.items():
        ways: dict[str, Callable[[str], int]] = {
            "ours": lambda text: len(whole.ask(text)),
            "ours, some collections": lambda text: len(some.ask(text)),
            "sandbox": lambda text: len(whole.query(text, sandbox=True)),
            "sandbox, some collections": lambda text: len(some.query(text)),
        }
        found += [
            asked(f"{name}, {how}", lambda ask=ask, sql=sql: ask(sql), repeat, SQL_S) for how, ask in ways.items()
        ]
    return found


def asked(what: str, ask: Callable[[], int], repeat: int, limit_s: float) -> answers.Measured:
    """What it takes, once all is warm."""
    ask()
    return answers.measured(what, ask, repeat, limit_s)


def main() -> None:
    """Make the lakes, ask, tell."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=answers.ROWS, help="records of the lake")
    parser.add_argument("--repeat", type=int, default=5, help="answers to each question")
    parser.add_argument("--data", type=Path, default=answers.HERE / "data", help="where the lakes are made")
    parser.add_argument("--output", type=Path, help="write the figures as JSON, too")
    given = parser.parse_args()
    whole = answers.filled(given.data, given.rows)
    some = whole.seen_by(["def*"])
    found = small(given.data, given.repeat)
    found += pages(whole, "all collections", given.repeat) + pages(some, "some collections", given.repeat)
    found += by_people(whole, some, given.repeat)
    over = [one.what for one in found if one.wall_s > one.limit_s]
    print(f"{len(found) - len(over)} of {len(found)} within their limits; over: {', '.join(over) or 'none'}")
    if given.output:
        given.output.write_text(json.dumps([asdict(one) for one in found], indent=1))


if __name__ == "__main__":
    main()
