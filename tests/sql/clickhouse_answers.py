"""Answers statements on ClickHouse in a process of its own: chdb must not be where others fork. Pickles in and out."""

from __future__ import annotations

import pickle
import sys
from pathlib import Path

from logshed.errors import QueryError
from logshed.lake.store import Store
from logshed.pipeline.tables import LakeTables
from logshed.sql import connect


def main() -> None:
    root = Path(sys.argv[1])
    store = Store.open(root, create=False)
    engine = connect("clickhouse", LakeTables(lambda: store))
    answers: list[object] = []
    for sql, params in pickle.load(sys.stdin.buffer):  # noqa: S301 - from our own test
        try:
            result = engine.query(sql, params)
            answers.append((result.columns, [str(field.type) for field in result.schema], result.rows()))
        except QueryError as error:
            answers.append(str(error))
    sys.stdout.buffer.write(pickle.dumps(answers))


if __name__ == "__main__":
    main()
