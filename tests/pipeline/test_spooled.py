"""Lines of a spool come into a lake exactly once, each stream as what it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from logshed import spool
from logshed.spool import Piece, Spool

if TYPE_CHECKING:
    from pathlib import Path

    from logshed.api import Lake


def piece(source: str, first: int, count: int, collection: str = "shop") -> Piece:
    lines = "".join(
        f"2026-01-05T10:00:{number % 60:02d}.{number:06d}Z stdout F INFO line {number} of {source}\n"
        for number in range(first, first + count)
    )
    resource = (("container.name", source.rpartition("/")[2]), ("host.name", "web1"))
    return Piece(source, collection, lines.encode(), {"line": first + count}, resource=resource)


def test_streams_are_ingested_once_with_their_resource_and_collection(lake: Lake, tmp_path: Path) -> None:
    root = tmp_path / "spool"
    with Spool(root) as opened:
        opened.append([piece("docker:web1/shop", 0, 100), piece("docker:web1/db", 0, 10, "data")])
        opened.append([piece("journal:web1", 0, 3)])
        lake.ingest([f"spool:{root}"])
        opened.append([piece("docker:web1/shop", 100, 50), piece("journal:web1", 3, 3)])
        for _ in range(2):
            lake.ingest([f"spool:{root}"])
    rows = lake.query(
        "SELECT source, collection, container_name, host_name, log_iostream, count(*), count(DISTINCT body) "
        "FROM logs GROUP BY 1, 2, 3, 4, 5 ORDER BY 1"
    ).rows()
    assert rows == [
        ("docker:web1/db", "data", "db", "web1", "stdout", 10, 10),
        ("docker:web1/shop", "shop", "shop", "web1", "stdout", 150, 150),
        ("journal:web1", "shop", "journal:web1", "web1", "stdout", 6, 6),
    ]
    assert lake.audit().ok


def test_a_stream_whose_beginning_was_taken_away_goes_on_in_the_lake(lake: Lake, tmp_path: Path) -> None:
    root = tmp_path / "spool"
    with Spool(root, segment_bytes=5_000) as opened:
        for first in range(0, 400, 20):
            opened.append([piece("docker:web1/shop", first, 20)])
            if first % 100 == 80:
                lake.ingest([f"spool:{root}"])
                (stream,) = opened.index.streams.values()
                spool.note_done(root, {stream.generation: stream.end})
                assert opened.trim()
    assert lake.query("SELECT count(*), count(DISTINCT body) FROM logs").rows() == [(400, 400)]
    assert lake.audit().ok


def test_a_spool_that_is_none_is_told_and_stops_nothing(lake: Lake, tmp_path: Path, logs: Path) -> None:
    (logs / "a.log").write_text("2026-01-05T10:00:00Z INFO fine\n")
    report = lake.ingest([f"spool:{tmp_path}/nowhere", logs / "a.log"])
    assert [one.status for one in report.files] == ["failed", "ingested"]
    assert "cannot read the spool" in report.files[0].error
