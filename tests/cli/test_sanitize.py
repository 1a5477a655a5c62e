from __future__ import annotations

import gzip
import json
import os
import resource
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from logshed.redaction.keyring import add_key

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Run

PLANTED = "Zq7x9Kw2mPq"
LINE = f"user=ada mail=bob@example.com password={PLANTED}\n"
CLEAN = "user=ada mail=[EMAIL] password=[PASSWORD]\n"


def _all_bytes(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def test_a_file_is_written_again_without_what_the_policy_forbids(logshed: Run, tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text(LINE * 3)
    done = logshed("sanitize", "a.log", "-o", "b.log")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "b.log").read_text() == CLEAN * 3
    assert "3 lines in 1 file" in done.stdout
    assert "3 email, 3 password" in done.stdout
    assert "cannot write b.log: it exists" in logshed("sanitize", "a.log", "-o", "b.log").stderr
    assert logshed("sanitize", "a.log", "-o", "b.log", "--force").returncode == 0
    assert logshed("sanitize", "a.log", "-o", "a.log", "--force").returncode == 2


def test_standard_input_goes_to_standard_output(logshed: Run) -> None:
    done = logshed("sanitize", "-", stdin=LINE + "no line feed")
    assert done.stdout == CLEAN + "no line feed"
    assert "2 lines" in done.stderr
    assert logshed("sanitize", "-", "-o", "-", stdin=gzip.compress(LINE.encode())).stdout == CLEAN
    assert json.loads(logshed("sanitize", "-", "--json", stdin=LINE).stderr)["rules"] == {"email": 1, "password": 1}


def test_what_comes_by_a_pipe_is_passed_on_before_the_pipe_ends(environment: dict[str, str], tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "logshed", "sanitize", "-"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=tmp_path, env=environment,
    ) as process:  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None
        for _ in range(2):
            process.stdin.write(LINE.encode())
            process.stdin.flush()
            assert process.stdout.readline() == CLEAN.encode()
        process.stdin.close()
        assert process.wait(20) == 0


def test_a_tree_is_mirrored_and_what_is_no_text_is_told_and_passed_over(logshed: Run, tmp_path: Path) -> None:
    deep = tmp_path / "in" / "deep"
    deep.mkdir(parents=True)
    (tmp_path / "in" / "a.log").write_text(LINE)
    (deep / "b.log.gz").write_bytes(gzip.compress(LINE.encode()))
    (deep / "core").write_bytes(bytes(range(256)) * 100)
    (deep / ".hidden").write_text(LINE)
    done = logshed("sanitize", "in", "missing.log", "-o", "out")
    assert done.returncode == 1
    assert "missing.log" in done.stderr
    assert "core" in done.stderr
    assert (tmp_path / "out" / "in" / "a.log").read_text() == CLEAN
    assert gzip.decompress((tmp_path / "out" / "in" / "deep" / "b.log.gz").read_bytes()).decode() == CLEAN
    assert sorted(path.name for path in (tmp_path / "out").rglob("*") if path.is_file()) == ["a.log", "b.log.gz"]
    done = logshed("sanitize", "in/a.log", "-o", "new/deep/c.log")
    assert (done.returncode, (tmp_path / "new" / "deep" / "c.log").read_text()) == (0, CLEAN)
    assert logshed("sanitize", "in/deep/core", "-o", "core.txt").returncode == 1
    assert not (tmp_path / "core.txt").exists()


def test_a_damaged_file_is_told_and_what_came_before_is_kept(logshed: Run, tmp_path: Path) -> None:
    noise = os.urandom(50_000).hex()
    packed = gzip.compress((LINE + noise).encode())
    (tmp_path / "a.log.gz").write_bytes(packed[: len(packed) // 2])
    done = logshed("sanitize", "a.log.gz", "-o", "b.log")
    assert done.returncode == 1
    assert "truncated gzip data" in done.stderr
    assert (tmp_path / "b.log").read_text().startswith(CLEAN)


def test_a_full_disk_is_told_and_leaves_nothing(tmp_path: Path, environment: dict[str, str]) -> None:
    (tmp_path / "a.log").write_text(LINE * 200_000)
    before = sorted(tmp_path.rglob("*"))
    done = subprocess.run(
        [sys.executable, "-m", "logshed", "sanitize", "a.log", "-o", "new/b.log", "--report", "r.json"],
        check=False, capture_output=True, text=True, cwd=tmp_path, env=environment, timeout=60,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000)),
    )  # fmt: skip
    assert done.returncode == 1
    assert "cannot write new/b.log: File too large; nothing of it was left" in done.stderr
    assert sorted(tmp_path.rglob("*")) == before


def test_a_stop_leaves_nothing_half_done(tmp_path: Path, environment: dict[str, str]) -> None:
    with (tmp_path / "a.log").open("w") as file:
        for _ in range(60):
            file.write(LINE * 20_000)
    with subprocess.Popen(
        [sys.executable, "-m", "logshed", "sanitize", "a.log", "-o", "b.log"],
        cwd=tmp_path, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        end = time.monotonic() + 60
        while not any(tmp_path.glob(".b.log.*.part")):
            assert time.monotonic() < end, "it has not begun"
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
    assert [path.name for path in tmp_path.iterdir()] == ["a.log"]


def test_a_report_tells_all_but_the_values_and_its_signature_shows_a_change(logshed: Run, tmp_path: Path) -> None:
    home = tmp_path / "home"
    add_key(home / ".config" / "logshed" / "keys")
    secret = (home / ".config" / "logshed" / "keys").read_text().split()[1]
    (tmp_path / "bob@example.com").mkdir()
    (tmp_path / "bob@example.com" / "a.log").write_text(LINE * 5)
    env = {"HOME": str(home)}
    words = ("sanitize", "bob@example.com/a.log", "-o", "out/b.log", "--report", "out/r.json", "--sign")
    done = logshed(*words, env=env)
    assert done.returncode == 0, done.stderr
    written = _all_bytes(tmp_path / "out").decode()
    assert PLANTED not in written
    assert "bob@" not in written
    assert secret not in written
    report = json.loads((tmp_path / "out" / "r.json").read_text())
    assert report["found"] == {"classes": {"personal": 5, "secret": 5}, "rules": {"email": 5, "password": 5}}
    assert report["examples"]["password"][0]["value"] == "*********Pq"
    assert [one["line"] for one in report["examples"]["password"]] == [1, 2, 3]
    assert report["policy"]["name"] == "default"
    assert len(report["policy"]["sha256"]) == len(report["files"][0]["sha256"]) == 64
    rule = next(rule for rule in report["rules"] if rule["rule"] == "email")
    assert set(rule) == {"rule", "title", "class", "tag", "action", "source", "examples", "sha256"}
    assert report["signature"]["key"] == "k1"
    done = logshed("sanitize", "--verify", "out/r.json", env=env)
    assert (done.returncode, done.stdout[:4]) == (0, "yes:")
    changed = tmp_path / "changed.json"
    changed.write_text(json.dumps({**report, "lines": 6}))
    done = logshed("sanitize", "--verify", "changed.json", env=env)
    assert (done.returncode, done.stdout[:3]) == (1, "no:")
    assert json.loads(logshed("sanitize", "--verify", "changed.json", "--json", env=env).stdout)["verified"] is False
    assert logshed(*words, env=env).returncode == 2


def test_signing_needs_a_key_and_a_report(logshed: Run, tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text(LINE)
    env = {"HOME": str(tmp_path / "home")}
    done = logshed("sanitize", "a.log", "-o", "b.log", "--report", "r.json", "--sign", env=env)
    assert (done.returncode, (tmp_path / "b.log").exists()) == (1, False)
    assert logshed("sanitize", "a.log", "-o", "b.log", "--sign").returncode == 2
    assert logshed("sanitize", "a.log", "-o", "b.log", "--report", "r.txt").returncode == 2
    assert logshed("sanitize").returncode == 2


def test_the_page_asks_for_nothing_from_elsewhere(logshed: Run, tmp_path: Path) -> None:
    (tmp_path / "<b>&.log").write_text(LINE)
    assert logshed("sanitize", "<b>&.log", "-o", "b.log", "--report", "r.html").returncode == 0
    page = (tmp_path / "r.html").read_text()
    assert not any(word in page for word in ("<script", "<link", "<img", "http:", "https:", "url(", "@import", "<b>&"))
    assert "&lt;b&gt;&amp;.log" in page
    assert (tmp_path / "r.json").exists()


def test_a_scan_tells_places_and_masked_values(logshed: Run, tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("fine\n" + LINE * 4)
    done = logshed("scan", "a.log", "--limit", "2")
    assert done.returncode == 0
    assert PLANTED not in done.stdout
    assert "a.log:2" in done.stdout
    assert "a.log:4" not in done.stdout
    assert "*********Pq" in done.stdout
    assert "8 values in 5 lines of 1 file." in done.stdout
    found = json.loads(logshed("scan", "a.log", "--json").stdout)
    assert found["finds"][0] == {
        "file": "a.log", "rule": "email", "class": "personal", "count": 4,
        "examples": [{"line": line, "value": "*************om"} for line in (2, 3, 4)],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("wanted", "code"),
    [("secret", 1), ("password", 1), ("email", 1), ("payment_card", 0), ("personal", 1), ("nothing", 2)],
)
def test_a_scan_fails_on_what_it_is_told_to(logshed: Run, wanted: str, code: int) -> None:
    assert logshed("scan", "-", "--fail-on", "jwt", "--fail-on", wanted, stdin=LINE).returncode == code


def test_a_scan_names_the_line_inside_a_longer_record(logshed: Run, tmp_path: Path) -> None:
    document = {"a": {"b": [1, {"card": 4111111111111111}]}, "password": {"x": 1}, "mail": "bob@example.com"}
    text = "first\n" + json.dumps(document, indent=1) + "\n"
    (tmp_path / "a.log").write_text(text)
    lines = text.split("\n")
    places = {
        find["rule"]: find["examples"][0]["line"]
        for find in json.loads(logshed("scan", "a.log", "--json").stdout)["finds"]
    }
    for rule, word in (("payment_card", "4111"), ("password", "password"), ("email", "bob@")):
        assert word in lines[places[rule] - 1]


@pytest.mark.truth
def test_real_files_are_scanned(logshed: Run, shared: Path) -> None:
    done = logshed("scan", shared / "truth" / "files" / "cloudtrail", "--json", "--fail-on", "aws_key_id")
    assert done.returncode == 1
    assert {find["rule"]: find["count"] for find in json.loads(done.stdout)["finds"]} == {
        "aws_key_id": 716,
        "token": 36,
    }
