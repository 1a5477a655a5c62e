"""Files are known again by their bytes, whatever rotation does with their names."""

from __future__ import annotations

import asyncio
import os
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from logshed.errors import SourceError
from logshed.sources.known_files import Found, KnownFiles

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

HEADER = "#Version: 1.0\n" * 40
"""Longer than what is compared of a head: every file begins with it."""


class Handle:
    """An open file."""

    def __init__(self, path: str) -> None:
        self.data = Path(path).read_bytes()
        self.size, self.changed = len(self.data), int(Path(path).stat().st_mtime)

    async def read(self, start: int, size: int) -> bytes:
        """Some of its bytes."""
        return self.data[start : start + size]


class Folder:
    """A folder and what is known of its files."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.looked: list[str] = []
        self._known = KnownFiles(self._opened)

    def write(self, name: str, text: str, changed: int) -> None:
        """Append to a file."""
        with (self.path / name).open("a") as file:
            file.write(text)
        os.utime(self.path / name, (changed, changed))

    def names(self) -> dict[str, str]:
        """What the files are called by now."""
        self.looked.clear()
        listed = self.listed()
        entries = asyncio.run(self._known.entries("all", listed, again=True))
        return {Path(one.path).name: one.inode for one in entries or []}

    def listed(self) -> list[Found]:
        """What lies there."""
        stats = [(str(one), one.stat()) for one in sorted(self.path.iterdir())]
        return [Found(path, status.st_size, int(status.st_mtime)) for path, status in stats]

    def is_torn(self, listed: list[Found]) -> bool:
        """Whether a listing is to be done again."""
        return asyncio.run(self._known.entries("all", listed)) is None

    @asynccontextmanager
    async def _opened(self, path: str) -> AsyncIterator[Handle]:
        self.looked.append(Path(path).name)
        if path.endswith(".locked"):
            raise SourceError(f"cannot read {path}: permission denied; let the user read it")
        yield Handle(path)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def test_a_file_keeps_its_name_when_it_grows_and_is_renamed(folder: Folder) -> None:
    folder.write("a.log", HEADER + "one\n", 100)
    folder.write("a.log.1", HEADER + "zero\n", 50)
    first = folder.names()
    folder.write("a.log", "two\n", 101)
    assert folder.names() == first
    (folder.path / "a.log.1").rename(folder.path / "a.log.2")
    (folder.path / "a.log").rename(folder.path / "a.log.1")
    folder.write("a.log.1", "three\n", 103)
    folder.write("a.log", HEADER + "the new one\n" * 50, 103)
    now = folder.names()
    assert (now["a.log.1"], now["a.log.2"]) == (first["a.log"], first["a.log.1"])
    assert now["a.log"] not in first.values()


def test_a_file_that_is_renamed_while_the_folder_is_listed_keeps_its_name_by_a_second_look(folder: Folder) -> None:
    folder.write("a.log", HEADER + "one\n", 100)
    first, listed = folder.names(), folder.listed()
    assert not folder.is_torn(listed)
    (folder.path / "a.log").rename(folder.path / "a.log.1")
    folder.write("a.log", HEADER + "two\n", 101)
    assert folder.is_torn(listed)
    assert not folder.is_torn(folder.listed())
    assert folder.names()["a.log.1"] == first["a.log"]


def test_a_file_that_is_truncated_is_another_also_where_it_is_longer_by_then(folder: Folder) -> None:
    folder.write("a.log", HEADER + "one\n", 100)
    first = folder.names()["a.log"]
    (folder.path / "a.log").write_text("")
    empty = folder.names()["a.log"]
    folder.write("a.log", HEADER + "two\n" * 300, 102)
    longer = folder.names()["a.log"]
    assert len({first, empty, longer}) == 3


def test_a_copy_is_another_file_until_the_first_is_truncated_and_keeps_its_name_then(folder: Folder) -> None:
    folder.write("a.log", "one\n", 100)
    first = folder.names()["a.log"]
    folder.write("a.log.1", "one\n", 101)
    both = folder.names()
    assert both["a.log"] == first != both["a.log.1"]
    (folder.path / "a.log").write_text("")
    assert folder.names()["a.log.1"] == both["a.log.1"]


def test_another_file_of_the_same_size_and_second_is_another(folder: Folder) -> None:
    folder.write("a.log", "one\n", 100)
    folder.write("b.log", "old\n", 60)
    first = folder.names()
    (folder.path / "a.log").write_text("two\n")
    os.utime(folder.path / "a.log", (100, 100))
    now = folder.names()
    assert now["a.log"] != first["a.log"]
    assert now["b.log"] == first["b.log"]


def test_only_what_changed_or_is_the_newest_is_looked_into(folder: Folder) -> None:
    for number in range(20):
        folder.write(f"{number}.log", f"{number}\n", 100 + number)
    folder.names()
    assert len(folder.looked) == 20
    folder.names()
    assert folder.looked == ["19.log"]
    folder.write("3.log", "more\n", 200)
    folder.names()
    assert sorted(folder.looked) == ["19.log", "3.log"]


def test_what_cannot_be_read_is_an_entry_for_who_tries_to_say_why(folder: Folder) -> None:
    folder.write("a.locked", "one\n", 100)
    first = folder.names()
    folder.write("a.locked", "two\n", 101)
    assert folder.names() == first
