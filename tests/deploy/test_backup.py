"""A lake is backed up as docs/operations.md says, destroyed, restored, and goes on without losing or repeating."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from logshed.api import Lake
from logshed.errors import LakeError
from logshed.pipeline.trail import noted
from logshed.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parent.parent.parent
PAGE = ROOT / "docs" / "operations.md"
TOOLS = ("rsync", "sqlite3")
BATCH = 20


@pytest.fixture(autouse=True)
def _tools() -> None:
    for tool in TOOLS:
        if shutil.which(tool) is None:
            pytest.skip(f"needs {tool}, which is not installed")


def opened(folder: Path, name: str = "lake") -> Lake:
    return Lake.open(folder / name, create=True, settings=Settings.load(folder, environ={}))


def grown(folder: Path, batches: int) -> None:
    """Write so many further numbered lines into the log."""
    log = folder / "app.log"
    first = len(log.read_text().splitlines()) if log.exists() else 0
    with log.open("a") as file:
        for number in range(first, first + batches * BATCH):
            file.write(f'{{"timestamp":"2026-11-01T00:00:00Z","message":"line {number} of u{number}@example.com"}}\n')


def numbers(lake: Lake) -> list[int]:
    """The numbers of the lines that the lake holds, in order."""
    found = lake.query("SELECT CAST(regexp_extract(text, 'line ([0-9]+)', 1) AS INTEGER) FROM lines ORDER BY 1").rows()
    return [row[0] for row in found]


def page(name: str) -> str:
    """A block of commands of the page."""
    found = re.search(rf"<!-- test: {name} -->\n```sh\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert found is not None, name
    return found[1]


def as_the_page_says(
    name: str, folder: Path, given: dict[str, Path], tools: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run a block of commands of the page with its variables set."""
    path = f"{tools}{Path(sys.executable).parent}:/usr/sbin:/usr/bin:/sbin:/bin"
    variables = {"PATH": path, "DEPLOY": ROOT / "deploy", "PYTHONPATH": ROOT / "src", **given}
    words, env = ["bash", "-euc", page(name)], {key: str(value) for key, value in variables.items()}
    return subprocess.run(words, cwd=folder, env=env, capture_output=True, text=True, check=False, timeout=600)


@contextmanager
def written_between(folder: Path, write: Callable[[], None], names: tuple[str, ...] = TOOLS) -> Iterator[str]:
    """A folder of tools for the PATH: before each of them does what it does, something is written."""
    asked, answered = folder / "asked", folder / "answered"
    for pipe in (asked, answered):
        os.mkfifo(pipe)
    tools = folder / "tools"
    tools.mkdir()
    for tool in names:
        file = tools / tool
        real = shutil.which(tool)
        one = f"flock {folder}/turn sh -c 'echo go >{asked}; read -r _ <{answered}'"  # of two in a pipe, too
        file.write_text(f'#!/bin/sh\n{one}\nexec {real} "$@"\n')
        file.chmod(0o755)

    def answer() -> None:
        while asked.read_text().strip() != "end":
            write()
            answered.write_text("done\n")

    beside = threading.Thread(target=answer)
    beside.start()
    yield f"{tools}:"
    asked.write_text("end\n")
    beside.join()


def whole(folder: Path) -> Lake:
    """The lake, once its counts add up and its files are what was committed."""
    lake = opened(folder)
    assert lake.audit().ok, lake.audit().as_dict()
    assert lake.verify().problems == ()
    return lake


def test_a_lake_that_was_backed_up_while_it_was_written_is_restored_and_goes_on_exactly(tmp_path: Path) -> None:
    lake, given = opened(tmp_path), {"LAKE": tmp_path / "lake", "BACKUP": tmp_path / "backup"}

    def write() -> None:
        grown(tmp_path, 1)
        lake.ingest([tmp_path / "app.log"], format="json")
        noted(lake._opened(), lake.settings, "note", str(len(numbers(lake)) // BATCH))

    write()
    with written_between(tmp_path, write) as tools:
        done = as_the_page_says("backup", tmp_path, given, tools)
    assert done.returncode == 0, done.stderr
    every = numbers(lake)
    assert every == list(range(6 * BATCH)), "something was written before each of five steps"

    shutil.rmtree(tmp_path / "lake")
    restored = as_the_page_says("restore", tmp_path, given)
    assert restored.returncode == 0, restored.stdout + restored.stderr
    lake = opened(tmp_path)
    assert numbers(lake) == every[: 3 * BATCH], "the moment at which the catalog was copied"
    write()
    lake.maintain(grace="0h", alone=True)
    lake = whole(tmp_path)
    assert numbers(lake) == list(range(7 * BATCH))
    assert lake.query("SELECT count(*) FROM logs").rows() == [(7 * BATCH,)]
    notes = lake.query("SELECT target FROM audit WHERE verb = 'note' ORDER BY sequence").rows()
    assert [int(target) for (target,) in notes] == [*range(1, 7), 7]


def test_a_lake_that_is_restored_to_another_place_opens_by_a_link_at_the_old_one(tmp_path: Path) -> None:
    lake, given = opened(tmp_path), {"LAKE": tmp_path / "lake", "BACKUP": tmp_path / "backup"}
    grown(tmp_path, 1)
    lake.ingest([tmp_path / "app.log"], format="json")
    done = as_the_page_says("backup", tmp_path, given)
    assert done.returncode == 0, done.stderr
    (tmp_path / "lake").rename(tmp_path / "destroyed")
    with pytest.raises(LakeError, match="its tables name their files there; move it back, or link that path to it"):
        opened(tmp_path, "backup")
    there = {"OLD": tmp_path / "lake", "NEW": tmp_path / "elsewhere", **given}
    moved = as_the_page_says("elsewhere", tmp_path, there)
    assert moved.returncode == 0, moved.stdout + moved.stderr
    assert numbers(whole(tmp_path)) == list(range(BATCH))


def test_a_copy_that_lacks_a_file_is_told_of_and_so_is_a_folder_that_is_no_lake(tmp_path: Path) -> None:
    lake, given = opened(tmp_path), {"LAKE": tmp_path / "lake", "BACKUP": tmp_path / "backup"}
    Path(lake.stored(["logs"])["logs"].metadata.removeprefix("file://")).rename(tmp_path / "gone")
    assert as_the_page_says("backup", tmp_path, given).returncode != 0
    (tmp_path / "lake" / "catalog.db").unlink()
    done = as_the_page_says("backup", tmp_path, given)
    assert done.returncode != 0
    assert "no catalog.db and warehouse/ are in it" in done.stderr
