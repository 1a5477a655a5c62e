"""Answers statements on ClickHouse in a process of its own: chdb must not be where others fork. Pickles in and out.

Its words are lakes: every statement is asked of the first, then of the next; or of each its own, by its place.
"""

from __future__ import annotations

import pickle
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from logshed.errors import QueryError
from logshed.lake.store import Store
from logshed.pipeline.tables import LakeTables
from logshed.sql import connect

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


def main() -> None:
    asked = pickle.load(sys.stdin.buffer)  # noqa: S301 - from our own test
    own = asked if isinstance(asked, dict) else dict.fromkeys(sys.argv[1:], asked)
    answers = [answer for root in sys.argv[1:] for answer in of_lake(Path(root), own[root])]
    sys.stdout.buffer.write(pickle.dumps(answers))


def of_lake(root: Path, asked: Iterable[tuple[str, dict[str, Any]]]) -> Iterator[object]:
    store = Store.open(root, create=False)
    engine = connect("clickhouse", LakeTables(lambda: store))
    for sql, params in asked:
        try:
            result = engine.query(sql, params)
            yield result.columns, [str(field.type) for field in result.schema], result.rows()
        except QueryError as error:
            yield str(error)


if __name__ == "__main__":
    main()
