"""The units that are shipped are what systemd takes, say what Logshed knows, and let it do no more than it has to."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.servers import found

FOLDER = Path(__file__).parent.parent.parent / "deploy" / "systemd"
UNITS = sorted([*FOLDER.glob("*.service"), *FOLDER.glob("*.timer")])
SERVICES = [unit for unit in UNITS if unit.suffix == ".service"]
PROGRAM = "/opt/logshed/bin/logshed"


@pytest.fixture
def units(tmp_path: Path) -> Path:
    """The units with a program that is there: systemd looks for it."""
    for unit in UNITS:
        (tmp_path / unit.name).write_text(unit.read_text().replace(PROGRAM, sys.executable))
    return tmp_path


def test_systemd_takes_every_unit_and_finds_little_exposed(units: Path) -> None:
    program = found("systemd-analyze", "systemd")
    paths = [units / unit.name for unit in UNITS]
    done = subprocess.run([program, "verify", "--man=no", *paths], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    for path in SERVICES:
        words = ["security", "--offline=true", "--no-pager", "--threshold=15", units / path.name]  # tenths: at most 1.5
        looked = subprocess.run([program, *words], capture_output=True, text=True, check=False)
        assert looked.returncode == 0, looked.stdout


def test_what_is_misspelt_in_a_unit_is_found(units: Path) -> None:
    program = found("systemd-analyze", "systemd")
    path = units / "logshed.service"
    path.write_text(path.read_text().replace("NoNewPrivileges", "NoNewPrivilege"))
    done = subprocess.run([program, "verify", "--man=no", path], capture_output=True, text=True, check=False)
    assert "NoNewPrivilege" in done.stderr


@pytest.mark.parametrize("path", SERVICES, ids=lambda path: path.stem)
def test_a_unit_starts_a_command_that_is_there_and_holds_no_secret(path: Path, logshed: Any) -> None:
    text = path.read_text()
    started = re.findall(rf"^ExecStart={PROGRAM} (.+)$", text, re.MULTILINE)
    assert len(started) == 1
    words = started[0].split()
    command = words[: 2 if words[0] in ("collect", "live") else 1]
    helped = logshed(*command, "--help")
    assert helped.returncode == 0, helped.stderr
    assert all(word in helped.stdout for word in words if word.startswith("--"))
    assert "PASSWORD" not in text
    secrets = re.findall(r"^LoadCredential=(\w+):/etc/logshed/credentials/", text, re.MULTILINE)
    assert all(f"%d/{name}" in text for name in secrets)


def test_the_settings_that_go_with_them_are_sound_and_write_where_units_may(logshed: Any, tmp_path: Path) -> None:
    shutil.copy(FOLDER / "logshed.toml", tmp_path)
    told = logshed("check", "--json")
    assert told.returncode == 0, told.stdout + told.stderr
    assert json.loads(told.stdout)
    places = re.findall(r'^(?:lake|spool|tokens) = "(.+)"', (FOLDER / "logshed.toml").read_text(), re.MULTILINE)
    assert len(places) == 3
    assert all(place.startswith("/var/lib/logshed/") for place in places)
    assert all("StateDirectory=logshed\n" in path.read_text() for path in SERVICES)
