"""Runs statements on ClickHouse's engine, which may read below the folder that it runs in, and prints answers."""

from __future__ import annotations

import json
import sys

import clickhouse_connect


def main() -> None:
    """Read ``{"statements", "asked"}`` from standard input."""
    given = json.load(sys.stdin)
    client = clickhouse_connect.get_client(interface="chdb")
    for statement in given["statements"]:
        client.command(statement)
    json.dump([client.query(sql).result_rows for sql in given["asked"]], sys.stdout, default=str)


if __name__ == "__main__":
    main()
