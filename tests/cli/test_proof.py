from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Run

TRAIL = ("run", "access_trail", "--since", "all", "-p", "limit=20", "-o", "trail.csv")


@pytest.fixture
def signed(logshed: Run, lake: Path, tmp_path: Path) -> Path:
    """A trail that was exported with a signature, in the working directory."""
    logshed("key", "new", "--file", tmp_path / "keys", "--id", "a")
    (tmp_path / "logshed.toml").write_text('keys = "keys"\n')
    done = logshed(*TRAIL, "--lake", lake, "--sign")
    assert done.returncode == 0, done.stderr
    assert "proof written to trail.csv.proof.json" in done.stderr
    return tmp_path / "trail.csv"


def test_a_proof_tells_the_files_hash_and_what_was_asked_of_which_snapshots(signed: Path) -> None:
    told = json.loads(signed.with_name("trail.csv.proof.json").read_text())
    assert told["sha256"] == hashlib.sha256(signed.read_bytes()).hexdigest()
    assert told["bytes"] == signed.stat().st_size
    assert told["rows"] == 20 == len(signed.read_text().splitlines()) - 1
    assert (told["asked"]["question"], told["asked"]["params"]) == ("access_trail", {"limit": "20"})
    assert set(told["snapshots"]) == {"lines", "logs"}


def test_a_signed_export_is_verified_by_its_name_or_by_that_of_its_proof(logshed: Run, signed: Path) -> None:
    for name in (signed.name, f"{signed.name}.proof.json"):
        done = logshed("verify-export", name)
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith("yes: trail.csv (20 rows) is as it was when key a signed it, 20")


def test_a_changed_export_a_changed_proof_and_a_missing_key_are_told(logshed: Run, signed: Path) -> None:
    proof = signed.with_name("trail.csv.proof.json")
    whole, said = signed.read_text(), proof.read_text()
    signed.write_text(whole.replace("GET", "PUT", 1))
    done = logshed("verify-export", signed.name, "--json")
    assert done.returncode == 1
    assert "it is not as it was when the proof was made" in json.loads(done.stdout)["problem"]
    signed.write_text(whole)
    proof.write_text(said.replace('"rows": 20', '"rows": 21'))
    assert "it was changed since it was signed" in logshed("verify-export", signed.name).stdout
    proof.write_text(said.replace('"key": "a"', '"key": "b"'))
    assert "there is no key b" in logshed("verify-export", signed.name).stdout
    proof.write_text(said)
    signed.unlink()
    assert "put it beside its proof" in logshed("verify-export", signed.name).stdout


def test_a_proof_that_nobody_signed_still_tells_a_change(logshed: Run, lake: Path, tmp_path: Path) -> None:
    logshed("query", "SELECT 1 AS a", "-o", "a.json", "--proof", "--lake", lake)
    assert "which nobody signed" in logshed("verify-export", "a.json").stdout
    (tmp_path / "a.json").write_text("[]")
    assert logshed("verify-export", "a.json").returncode == 1


def test_a_proof_that_points_elsewhere_is_not_relied_on(logshed: Run, lake: Path, tmp_path: Path) -> None:
    logshed("query", "SELECT 1 AS a", "-o", "a.json", "--proof", "--lake", lake)
    proof = tmp_path / "a.json.proof.json"
    proof.write_text(proof.read_text().replace('"a.json"', '"../a.json"'))
    assert "it names no file beside it" in logshed("verify-export", proof.name).stdout


def test_what_goes_to_standard_output_cannot_be_proved_and_without_a_key_nothing_is_signed(
    logshed: Run, lake: Path, tmp_path: Path
) -> None:
    done = logshed("run", "access_trail", "--lake", lake, "--proof")
    assert (done.returncode, done.stdout) == (2, "")
    assert "cannot prove what goes to standard output: name its file with --output FILE" in done.stderr
    done = logshed(*TRAIL, "--lake", lake, "--sign")
    assert done.returncode == 1
    assert "`logshed key new` makes one" in done.stderr
    assert not (tmp_path / "trail.csv").exists()
