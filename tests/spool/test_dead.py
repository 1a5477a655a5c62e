from __future__ import annotations

import hashlib
import json
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from logshed import spool
from logshed.errors import SpoolError, SpoolFullError
from logshed.sources.spool import SPOOL, SpoolFile, targets
from logshed.spool import Spool
from logshed.spool.dead import DeadLetters
from logshed.spool.letters import letter
from logshed.spool.replaying import Replayed, replay

if TYPE_CHECKING:
    from pathlib import Path

PUTTING = """
import sys
from pathlib import Path
from logshed.spool.dead import DeadLetters
dead = DeadLetters(Path(sys.argv[1]))
for number in range(10_000):
    dead.put(protocol="hec", reason="no event", redacted_text=f"text {number}")
    print(number, flush=True)
"""
REPLAYING = """
import sys
from pathlib import Path
from logshed.spool import Spool, replaying
from logshed.spool.dead import DeadLetters
replaying.BATCH_BYTES = 200
root = Path(sys.argv[1])
with Spool(root) as opened:
    print("begun", flush=True)
    replaying.replay(DeadLetters(root / "dead"), opened, "c")
"""


def text(root: Path, source: str) -> str:
    target = next(target for target in targets(f"{SPOOL}{root}") if target.source == source)
    return SpoolFile(target.locator).read(2**30).decode()


def test_a_letter_says_when_from_whom_and_why_and_is_nobody_elses_to_read(tmp_path: Path) -> None:
    folder = tmp_path / "dead"
    DeadLetters(folder).put(
        protocol="loki",
        reason="no labels",
        peer="192.0.2.7",
        collection="web",
        data=b"user=ada",
        redacted_text="user=<user>",
    )
    (path,) = folder.glob("*.jsonl")
    told = json.loads(path.read_text())
    when = told.pop("when")
    assert path.name.startswith(when[:10])
    assert told == {
        "protocol": "loki",
        "reason": "no labels",
        "peer": "192.0.2.7",
        "collection": "web",
        "text": "user=<user>",
        "size": 8,
    }
    assert path.stat().st_mode & 0o077 == folder.stat().st_mode & 0o077 == 0


def test_of_what_is_no_text_nothing_but_its_hash_and_size_is_kept(tmp_path: Path) -> None:
    DeadLetters(tmp_path).put(protocol="otlp", reason="bytes after the end", data=b"\x00secret\xff")
    (path,) = tmp_path.glob("*.jsonl")
    assert b"secret" not in path.read_bytes()
    told = json.loads(path.read_text())
    assert (told["size"], told["sha256"]) == (8, hashlib.sha256(b"\x00secret\xff").hexdigest())
    assert "text" not in told


def test_the_oldest_letters_go_first_and_are_counted(tmp_path: Path) -> None:
    dead = DeadLetters(tmp_path, limit_bytes=20_000)
    for number in range(200):
        dead.put(protocol="hec", reason="no event", redacted_text=f"{number:04d}" * 20)
    standing = dead.standing()
    assert 15_000 < standing.bytes <= 20_000
    assert standing.dropped + standing.waiting == 200
    texts = [json.loads(line)["text"][:4] for path in dead.waiting() for line in path.read_text().splitlines()]
    assert texts == [f"{number:04d}" for number in range(standing.dropped, 200)]
    assert sum(path.stat().st_size for path in tmp_path.rglob("*.jsonl")) <= 20_000


def test_many_letters_at_once_and_one_that_is_too_long_stay_within_the_limit(tmp_path: Path) -> None:
    dead = DeadLetters(tmp_path, limit_bytes=16_000)
    dead.put_all([letter("hec", "no event", redacted_text=f"{number:05d}") for number in range(1_000)])
    dead.put(protocol="hec", reason="too long", redacted_text="\x01" * 100_000)
    standing = dead.standing()
    assert standing.bytes <= 16_000
    assert standing.waiting + standing.dropped == 1_001
    last = json.loads(dead.waiting()[-1].read_text().splitlines()[-1])
    assert set(last["text"]) == {"\x01"}
    assert len(last["text"]) + last["cut"] == 100_000


def test_letters_that_were_kept_outlive_a_kill_and_half_a_line_is_passed_over(tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", PUTTING, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    for _ in range(25):
        kept = int(process.stdout.readline())
    process.send_signal(signal.SIGKILL)
    process.communicate()
    dead = DeadLetters(tmp_path)
    (path,) = dead.waiting()
    with path.open("ab") as file:
        file.write(b'{"protocol":"hec","rea')
    dead.put(protocol="hec", reason="no event", redacted_text="after")
    standing = dead.standing()
    assert standing.unreadable == 1
    assert standing.waiting >= kept + 2
    assert standing.reasons == (("hec", "no event", standing.waiting),)


def test_letters_with_text_are_replayed_once_as_raw_lines(tmp_path: Path) -> None:
    dead = DeadLetters(tmp_path / "dead")
    dead.put(protocol="hec", reason="no event", collection="web", redacted_text="one")
    dead.put(protocol="hec", reason="no event", redacted_text="two\nlines\n")
    dead.put(protocol="otlp", reason="not protobuf", data=b"\xff")
    with Spool(tmp_path) as opened:
        assert replay(dead, opened, "c") == Replayed(letters=2, unreadable=1, files=1)
        assert replay(dead, opened, "c") == Replayed(letters=0, unreadable=0, files=0)
        assert sorted(opened.index.streams) == [("dead:hec", "c"), ("dead:hec", "web")]
        dead.put(protocol="hec", reason="no event", redacted_text="later")
        assert replay(dead, opened, "c") == Replayed(letters=1, unreadable=0, files=1)
    assert sorted(
        text for target in targets(f"{SPOOL}{tmp_path}") for text in [SpoolFile(target.locator).read(99)]
    ) == [
        b"one\n",
        b"two\nlines\nlater\n",
    ]
    standing = dead.standing()
    assert (standing.waiting, standing.replayed) == (0, 4)


def test_what_a_full_spool_did_not_take_is_replayed_later_and_the_rest_is_not_again(tmp_path: Path) -> None:
    dead = DeadLetters(tmp_path / "dead", limit_bytes=2**26)
    dead.put_all([letter("hec", "no event", redacted_text=f"{number:03d}" * 20_000) for number in range(100)])
    with Spool(tmp_path, limit=5_000_000) as opened, pytest.raises(SpoolFullError, match="its limit of"):
        replay(dead, opened, "c")
    with Spool(tmp_path) as opened:
        assert 0 < replay(dead, opened, "c").letters < 100
    assert [line[:3] for line in text(tmp_path, "dead:hec").splitlines()] == [f"{number:03d}" for number in range(100)]


def test_a_replay_that_is_killed_again_and_again_brings_each_letter_once(tmp_path: Path) -> None:
    dead = DeadLetters(tmp_path / "dead", limit_bytes=4_000_000)
    dead.put_all(
        [letter("hec" if number % 3 else "loki", "no event", redacted_text=f"text {number}") for number in range(2_000)]
    )
    ended = []
    for _ in range(3):
        process = subprocess.Popen([sys.executable, "-c", REPLAYING, str(tmp_path)], stdout=subprocess.PIPE)
        assert process.stdout is not None
        process.stdout.readline()
        there = spool.read(tmp_path).bytes
        while spool.read(tmp_path).bytes < there + 3_000 and process.poll() is None:
            pass
        process.kill()
        process.communicate()
        ended.append(process.returncode)
    assert -signal.SIGKILL in ended
    with Spool(tmp_path) as opened:
        replay(dead, opened, "c")
    lines = [line for source in ("dead:hec", "dead:loki") for line in text(tmp_path, source).splitlines()]
    assert sorted(lines) == sorted(f"text {number}" for number in range(2_000))


def test_letters_that_cannot_be_written_are_told(tmp_path: Path) -> None:
    (tmp_path / "dead").write_text("no folder")
    with pytest.raises(SpoolError, match="cannot write to "):
        DeadLetters(tmp_path / "dead").put(protocol="hec", reason="no event")


def test_letters_that_are_replayed_while_they_are_counted_count_no_bytes(tmp_path: Path) -> None:
    dead = DeadLetters(tmp_path / "dead")
    dead.put(protocol="hec", reason="no event", redacted_text="x")
    known = dead.standing()
    (dead.folder / "2000-01-01.jsonl").symlink_to(tmp_path / "nowhere")  # as it is when it goes after it was listed
    assert dead.standing() == known
