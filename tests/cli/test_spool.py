from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from logshed.spool import Piece, Spool
from logshed.spool.dead import DeadLetters

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Run


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    """A spool with two streams, where settings say that it is."""
    root = tmp_path / "kept"
    (tmp_path / "logshed.toml").write_text('spool = "kept"\nspool_bytes = "2MiB"\n')
    with Spool(root) as opened:
        for name, lines in (("docker:web1/shop:stdout", b"one\ntwo\n"), ("ssh:db1/var/log/x.log", b"uno\n")):
            opened.append([Piece(name, "c", lines, {"at": 1})])
    return root


def test_status_tells_what_waits(logshed: Run, spool: Path) -> None:
    told = json.loads(logshed("spool", "status", "--json").stdout)
    assert (told["spool"], told["limit_bytes"]) == (str(spool), 2**21)
    assert [(one["source"], one["waiting_bytes"]) for one in told["streams"]] == [
        ("docker:web1/shop:stdout", 8),
        ("ssh:db1/var/log/x.log", 4),
    ]
    shown = logshed("spool", "status").stdout
    assert "docker:web1/shop:stdout" in shown
    assert "of 2.1 MB, 1 segments, 2 streams." in shown


def test_what_is_in_a_lake_waits_no_more(logshed: Run, spool: Path, tmp_path: Path) -> None:
    done = logshed("ingest", f"spool:{spool}", "--lake", tmp_path / "lake")
    assert done.returncode == 0, done.stderr
    assert {one["waiting_bytes"] for one in json.loads(logshed("spool", "status", "--json").stdout)["streams"]} == {0}


def test_lines_are_exported_as_json_lines(logshed: Run, spool: Path, tmp_path: Path) -> None:
    done = logshed("spool", "export", spool, "--source", "docker:*")
    assert [json.loads(line) for line in done.stdout.splitlines()] == [
        {"source": "docker:web1/shop:stdout", "collection": "c", "offset": 0, "line": "one"},
        {"source": "docker:web1/shop:stdout", "collection": "c", "offset": 4, "line": "two"},
    ]
    assert "3 lines written to all.jsonl" in logshed("spool", "export", "-o", "all.jsonl").stderr
    assert len((tmp_path / "all.jsonl").read_text().splitlines()) == 3


def test_damage_is_told_and_repaired(logshed: Run, spool: Path) -> None:
    assert "every frame is as it was written" in logshed("spool", "verify").stdout
    (segment,) = spool.glob("*.seg")
    segment.write_bytes(segment.read_bytes().replace(b"one\ntwo", b"one\n7wo"))
    done = logshed("spool", "verify")
    assert done.returncode == 1
    assert "bytes at byte 0 are damaged." in done.stdout
    assert "1 places were mended." in logshed("spool", "repair").stdout
    assert logshed("spool", "verify").returncode == 0


def test_a_spool_that_is_not_there_is_told(logshed: Run) -> None:
    done = logshed("spool", "status", "nowhere")
    assert done.returncode == 1
    assert done.stderr == "error: cannot read the spool nowhere: No such file or directory; check the path\n"


def test_dead_letters_are_shown_and_replayed(logshed: Run, spool: Path) -> None:
    dead = DeadLetters(spool / "dead")
    dead.put(protocol="hec", reason="no \x1bevent", redacted_text="a line")
    dead.put(protocol="otlp", reason="not protobuf", data=b"\xff")
    shown = logshed("spool", "status").stdout
    assert "2 dead letters, 1 of them with text; 0 older ones had to go." in shown
    assert "1 otlp: not protobuf" in shown
    assert "\x1b" not in shown
    assert json.loads(logshed("spool", "status", "--json").stdout)["dead"]["waiting"] == 2
    assert "1 dead letters are in the spool now; 1 have no text." in logshed("spool", "replay").stdout
    lines = logshed("spool", "export", "--source", "dead:*").stdout
    assert json.loads(lines)["line"] == "a line"
