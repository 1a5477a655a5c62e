"""A lake with everything that an engine may read wrongly, and what every engine is asked of it.

The sample logs in several batches, one of them of a later month; compacted files beside small ones; a gold table and
findings; texts in maps; a column that was taken out and put in again, so that old files hold values under its name that
are not its own; and a gold table's column that was renamed, so that no file holds its name.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from logshed.api import Lake
from logshed.lake.names import LOGS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from logshed.settings import Settings

Row = dict[str, Any]
Answer = list[list[Any]]
Rows = dict[str, list[Row]]

TABLES = {
    "logs": "silver.logs",
    "lines": "bronze.lines",
    "findings": "security.findings",
    "traffic_hourly": "gold.traffic_hourly",
}
LATER = datetime(2026, 11, 1, tzinfo=UTC)
"""The month of the batch that came after the schema had changed."""

WORDS = {
    "duckdb": {"day": "CAST(CAST({} AS DATE) AS VARCHAR)", "us": "epoch_us({})", "pairs": "cardinality({})",
               "bytes": "strlen({})"},
    "clickhouse": {"day": "CAST(toDate({}) AS String)", "us": "toUnixTimestamp64Micro({})", "pairs": "length({})",
                   "bytes": "length({})"},
    "spark": {"day": "CAST(CAST({} AS DATE) AS STRING)", "us": "unix_micros({})", "pairs": "size({})",
              "bytes": "octet_length({})"},
}  # fmt: skip
"""What the engines call the day of a moment, its microseconds, the number of a map's pairs and a text's bytes."""


def made(folder: Path, examples: Path, settings: Settings) -> Lake:
    """Make the lake.

    Args:
        folder: Where its folder and its logs shall lie.
        examples: The sample logs.
        settings: Where its catalog and its files are.
    """
    lake = Lake.open(folder / "lake", create=True, settings=settings)
    lake.ingest([examples / "access.log"], collection="web")
    lake.ingest([examples / "auth.log", examples / "docker-json.log"], collection="hosts")
    lake.aggregate(["traffic_hourly"])
    lake.security.detect(["*ssh*", "*scan*"])
    lake.maintain(["compact"])
    store = lake._opened()
    with store.table(LOGS).update_schema(allow_incompatible_changes=True) as update:
        update.delete_column("log_iostream")
    assert store.fit(LOGS)
    with store.gold_table("traffic_hourly").update_schema() as update:
        update.rename_column("requests", "hits")
    log = folder / "later.log"
    moments = (LATER + timedelta(hours=hour) for hour in range(5))
    log.write_text(
        "".join(f'{{"log":"late\\n","stream":"stderr","time":"{when:%Y-%m-%dT%H:%M:%S}.25Z"}}\n' for when in moments)
    )
    lake.ingest([log], collection="later")
    return Lake.open(lake.root, settings=settings)


@dataclass(frozen=True)
class Asked:
    """A question.

    Attributes:
        sql: As every engine is asked it, tables and ``WORDS`` in braces.
        slowly: The same in plain Python, over all rows of the tables.
    """

    sql: str
    slowly: Callable[[Rows], Answer]

    def of(self, dialect: str, tables: Mapping[str, str]) -> str:
        """The statement for an engine.

        Args:
            dialect: One of ``WORDS``.
            tables: What it calls each of ``TABLES``.
        """

        class Word:
            def __init__(self, text: str) -> None:
                self._text = text

            def __getitem__(self, column: str) -> str:
                return self._text.format(column)

        words = {name: Word(text) for name, text in WORDS[dialect].items()}
        return self.sql.format(**words, **tables)


def us(moment: datetime) -> int:
    """Microseconds since 1970."""
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def grouped(rows: Iterable[Row], key: Callable[[Row], tuple[Any, ...]]) -> list[tuple[tuple[Any, ...], list[Row]]]:
    """Rows by a key, in its order."""
    found: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
    for row in rows:
        found[key(row)].append(row)
    return sorted(found.items())


def total(rows: Iterable[Row], column: str) -> Any:
    """A column's sum; None where it has no value."""
    values = [row[column] for row in rows if row[column] is not None]
    return sum(values) if values else None


def _look_up(row: Row, key: str) -> str | None:
    value: str | None = dict(row["attributes"] or []).get(key)
    return value


ASKED = {
    "records a day": Asked(
        "SELECT collection, {day[timestamp]} AS d, count(*), sum(http_response_body_size), sum(redaction_count) "
        "FROM {logs} GROUP BY 1, 2 ORDER BY 1, 2",
        lambda rows: [
            [*key, len(found), total(found, "http_response_body_size"), total(found, "redaction_count")]
            for key, found in grouped(
                rows["logs"], lambda row: (row["collection"], f"{row['timestamp'].astimezone(UTC):%Y-%m-%d}")
            )
        ],
    ),
    "first and last moment": Asked(
        "SELECT min({us[timestamp]}), max({us[timestamp]}), max({us[observed_timestamp]}), "
        "max(http_response_status_code) FROM {logs}",
        lambda rows: [
            [
                min(us(row["timestamp"]) for row in rows["logs"]),
                max(us(row["timestamp"]) for row in rows["logs"]),
                max(us(row["observed_timestamp"]) for row in rows["logs"]),
                max(row["http_response_status_code"] or 0 for row in rows["logs"]),
            ]
        ],
    ),
    "one key of a map": Asked(
        "SELECT attributes['ssh.auth.method'] AS m, count(*), count(attributes['ssh.invalid_user']) FROM {logs} "
        "WHERE attributes['ssh.auth.method'] IS NOT NULL GROUP BY 1 ORDER BY 1",
        lambda rows: [
            [method, len(found), sum(_look_up(row, "ssh.invalid_user") is not None for row in found)]
            for (method,), found in grouped(
                (row for row in rows["logs"] if _look_up(row, "ssh.auth.method") is not None),
                lambda row: (_look_up(row, "ssh.auth.method"),),
            )
        ],
    ),
    "all pairs of maps": Asked(
        "SELECT collection, count(*), sum({pairs[attributes]}) FROM {logs} WHERE {pairs[attributes]} > 0 "
        "GROUP BY 1 ORDER BY 1",
        lambda rows: [
            [*key, len(found), sum(len(row["attributes"]) for row in found)]
            for key, found in grouped((row for row in rows["logs"] if row["attributes"]), lambda r: (r["collection"],))
        ],
    ),
    "a column that was put in again": Asked(
        "SELECT collection, count(*), count(log_iostream), min(log_iostream) FROM {logs} GROUP BY 1 ORDER BY 1",
        lambda rows: [
            [*key, len(found), len(told), min(told, default=None)]
            for key, found in grouped(rows["logs"], lambda row: (row["collection"],))
            for told in [[row["log_iostream"] for row in found if row["log_iostream"] is not None]]
        ],
    ),
    "lines and their bytes": Asked(
        "SELECT collection, count(*), sum({bytes[text]}), max({us[observed_timestamp]}) FROM {lines} "
        "GROUP BY 1 ORDER BY 1",
        lambda rows: [
            [
                *key,
                len(found),
                sum(len(row["text"].encode()) for row in found),
                max(us(row["observed_timestamp"]) for row in found),
            ]
            for key, found in grouped(rows["lines"], lambda row: (row["collection"],))
        ],
    ),
    "findings": Asked(
        "SELECT rule_name, level, count(*), sum(event_count), min({us[timestamp]}) FROM {findings} "
        "GROUP BY 1, 2 ORDER BY 1, 2",
        lambda rows: [
            [*key, len(found), total(found, "event_count"), min(us(row["timestamp"]) for row in found)]
            for key, found in grouped(rows["findings"], lambda row: (row["rule_name"], row["level"]))
        ],
    ),
    "a column that was renamed": Asked(
        "SELECT status_class, count(*), sum(hits), sum(bytes) FROM {traffic_hourly} "
        "WHERE status_class IS NOT NULL GROUP BY 1 ORDER BY 1",
        lambda rows: [
            [*key, len(found), total(found, "hits"), total(found, "bytes")]
            for key, found in grouped(
                (row for row in rows["traffic_hourly"] if row["status_class"] is not None),
                lambda row: (row["status_class"],),
            )
        ],
    ),
    "the later month": Asked(
        "SELECT count(*), min({us[timestamp]}), min(log_iostream), min(body) FROM {logs} "
        "WHERE collection = 'later' AND timestamp >= TIMESTAMP '2026-11-01 00:00:00'",
        lambda rows: [
            [len(found), min(us(row["timestamp"]) for row in found), found[0]["log_iostream"], found[0]["body"]]
            for found in [[r for r in rows["logs"] if r["collection"] == "later" and r["timestamp"] >= LATER]]
        ],
    ),
}
"""By what they are about."""
