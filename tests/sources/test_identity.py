from __future__ import annotations

import gzip
import os
import shutil
from contextlib import nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logshed.errors import SourceError
from logshed.sources import files

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Reader

OLD = [f"10:00:{number:02} old line" for number in range(10)]
MORE = [f"10:01:{number:02} more" for number in range(5)]
NEW = [f"11:00:{number:02} new line" for number in range(7)]
BIG = [f"{number:06} a line of a longer log" for number in range(1_000)]


def append(path: Path, lines: list[str]) -> None:
    with path.open("a") as file:
        file.writelines(f"{line}\n" for line in lines)


def rename(path: Path) -> None:
    path.rename(path.with_name("app.log.1"))
    append(path, NEW)


def copy_and_truncate(path: Path) -> None:
    shutil.copy(path, path.with_name("app.log.1"))
    os.truncate(path, 0)
    append(path, NEW)


def rename_with_a_date(path: Path) -> None:
    path.rename(path.with_name("app.log-20261122"))
    append(path, NEW)


def compress(path: Path) -> None:
    path.with_name("app.log.2.gz").write_bytes(gzip.compress(path.read_bytes()))
    path.unlink()
    append(path, NEW)


def compress_and_keep_the_last_one(path: Path) -> None:
    rename(path)
    path.with_name("app.log.1.gz").write_bytes(gzip.compress(path.with_name("app.log.1").read_bytes()))


def move_to_any_name(path: Path) -> None:
    path.rename(path.with_name("saved-by-hand"))
    append(path, NEW)


ROTATIONS = [
    rename,
    copy_and_truncate,
    rename_with_a_date,
    compress,
    compress_and_keep_the_last_one,
    move_to_any_name,
]


@pytest.mark.parametrize("old", [OLD, BIG], ids=["short", "long"])
def test_logs_that_move_on_after_they_were_looked_at_are_read_where_they_are(
    old: list[str], write: Callable[..., Path], reader: Reader
) -> None:
    path, older = write("app.log", old), write("app.log.1", old[::-1])
    assert sorted(reader.ingest(older, path)) == sorted(2 * old)
    append(path, MORE)

    def shift() -> None:
        older.rename(path.with_name("app.log.2"))
        path.rename(older)
        append(path, NEW)

    assert reader.ingest(older, path, meanwhile=shift) == MORE
    assert reader.ingest(path, older, path.with_name("app.log.2")) == NEW


@pytest.mark.parametrize("name", ["app.log", "app.log.gz"])
def test_what_is_written_into_an_empty_file_after_it_was_looked_at_is_read_once(
    name: str, write: Callable[..., Path], reader: Reader
) -> None:
    path = write(name, [])
    path.write_bytes(gzip.compress(b"") if path.suffix == ".gz" else b"")
    lines = "".join(f"{line}\n" for line in OLD).encode()
    begun = gzip.compress(lines) if path.suffix == ".gz" else lines
    refused = pytest.raises(SourceError, match="overwritten since") if path.suffix == ".gz" else nullcontext()
    with refused:
        assert reader.ingest(path, meanwhile=lambda: path.write_bytes(begun)) == []
    assert reader.ingest(path) == OLD
    assert reader.ingest(path) == []


@pytest.mark.parametrize("old", [OLD, BIG], ids=["short", "long"])
@pytest.mark.parametrize("rotation", ROTATIONS)
def test_a_rotated_log_is_neither_lost_nor_doubled(
    rotation: Callable[[Path], None], old: list[str], write: Callable[..., Path], reader: Reader
) -> None:
    path = write("app.log", old)
    assert reader.ingest(path) == old
    rotation(path)
    assert reader.ingest(path.parent) == NEW
    assert reader.ingest(path.parent) == []


@pytest.mark.parametrize("old", [OLD, BIG], ids=["short", "long"])
@pytest.mark.parametrize("rotation", ROTATIONS)
def test_lines_written_before_a_rotation_and_not_yet_read_are_read_under_the_new_name(
    rotation: Callable[[Path], None], old: list[str], write: Callable[..., Path], reader: Reader
) -> None:
    path = write("app.log", old)
    reader.ingest(path)
    append(path, MORE)
    rotation(path)
    append(path, OLD)
    assert sorted(reader.ingest(path.parent)) == sorted([*MORE, *NEW, *OLD])
    sources = {(one.source, one.end) for one in reader.ledger}
    assert {source for source, _ in sources} == {f"file:{path}"}
    assert reader.ingest(path.parent) == []


@given(steps=st.lists(st.sampled_from(["write", "ingest", "rename", "copytruncate", "compress"]), max_size=9))
@settings(max_examples=100, deadline=None)
def test_any_order_of_writing_reading_and_rotating_takes_each_line_once(
    steps: list[str], new_reader: type[Reader], tmp_path_factory: pytest.TempPathFactory
) -> None:
    reader, folder = new_reader(), tmp_path_factory.mktemp("logs")
    log, written, read = folder / "app.log", 0, []
    log.touch()
    for step in [*steps, "ingest"]:
        if step == "write":
            append(log, [f"line {written + number}" for number in range(3)])
            written += 3
        elif step == "ingest":
            read += reader.ingest(folder)
        elif step == "compress":
            for older in folder.glob("app.log.?"):
                older.with_name(f"{older.name}.gz").write_bytes(gzip.compress(older.read_bytes()))
                older.unlink()
        else:
            for older in sorted(folder.glob("app.log.*"), reverse=True):
                number = int(older.name.split(".")[2])
                older.rename(folder / older.name.replace(f".{number}", f".{number + 1}"))
            if step == "rename":
                log.rename(folder / "app.log.1")
            else:
                shutil.copy(log, folder / "app.log.1")
                os.truncate(log, 0)
            log.touch()
    assert sorted(read) == sorted(f"line {number}" for number in range(written))


def test_a_growing_file_gives_only_what_was_appended(write: Callable[..., Path], reader: Reader) -> None:
    path = write("app.log", OLD)
    assert reader.ingest(path) == OLD
    append(path, MORE)
    assert reader.ingest(path) == MORE
    assert len({one.generation for one in reader.ledger}) == 1


def test_an_unfinished_line_waits_for_its_line_feed_unless_told_otherwise(
    write: Callable[..., Path], reader: Reader
) -> None:
    path = write("app.log", b"one\ntw")
    assert reader.ingest(path) == ["one"]
    assert reader.ingest(path) == []
    path.write_bytes(b"one\ntwo")
    assert reader.ingest(path) == []
    assert reader.ingest(path, final=True) == ["two"]
    path.write_bytes(b"one\ntwo more\n")
    assert reader.ingest(path) == [" more"]


def test_a_file_that_was_overwritten_in_place_is_a_new_generation(write: Callable[..., Path], reader: Reader) -> None:
    path = write("app.log", OLD)
    reader.ingest(path)
    write("app.log", NEW)
    assert "begins anew" in reader.identify(path).note
    assert reader.ingest(path) == NEW
    assert len({one.generation for one in reader.ledger}) == 2


def test_a_file_with_the_same_head_that_is_shorter_than_what_was_read_is_a_new_generation(
    write: Callable[..., Path], reader: Reader
) -> None:
    path = write("app.log", ["#header", *OLD])
    reader.ingest(path)
    write("app.log", ["#header"])
    assert reader.ingest(path) == ["#header"]
    append(path, NEW)
    assert reader.ingest(path) == NEW
    assert len({one.generation for one in reader.ledger}) == 2


def test_a_new_file_that_begins_like_the_renamed_one_is_read(write: Callable[..., Path], reader: Reader) -> None:
    path = write("app.log", ["service started"])
    assert reader.ingest(path) == ["service started"]
    path.rename(path.with_name("app.log.1"))
    write("app.log", ["service started"])
    assert reader.ingest(path) == ["service started"]
    assert reader.ingest(path.parent) == []


def test_a_file_that_was_copied_here_anew_with_more_in_it_goes_on(write: Callable[..., Path], reader: Reader) -> None:
    path = write("app.log", OLD)
    reader.ingest(path)
    path.unlink()
    write("other", b"takes the inode")
    write("app.log", [*OLD, *MORE])
    assert reader.ingest(path) == MORE


def test_equal_files_in_two_folders_or_of_two_names_are_two_sources(write: Callable[..., Path], reader: Reader) -> None:
    paths = [write(name, OLD) for name in ("a/app.log", "b/app.log", "a/other.log")]
    assert reader.ingest(*paths) == OLD * 3
    assert len({one.source for one in reader.ledger}) == 3


def test_a_copy_beside_a_log_is_not_read_again(write: Callable[..., Path], reader: Reader) -> None:
    path = write("app.log", BIG)
    reader.ingest(path)
    copy = path.with_name("app.log.bak")
    shutil.copy(path, copy)
    append(path, MORE)
    found = files.discover([str(copy), str(path)]).targets
    by_path = {target.path: identity for target, identity in files.identify_all(found, reader.ledger)}
    assert by_path[str(copy)].copy_of == str(path)
    assert reader.ingest(path.parent) == MORE


def test_a_compressed_file_beside_the_plain_one_that_it_was_made_of_is_not_read_too(
    write: Callable[..., Path], reader: Reader
) -> None:
    path = write("app.log.1", OLD)
    write("app.log.1.gz", gzip.compress(path.read_bytes()))
    assert reader.ingest(path.parent) == OLD


def test_two_ingests_at_one_time_agree_on_a_new_generation_while_the_file_grows(
    write: Callable[..., Path], reader: Reader
) -> None:
    path = write("app.log", OLD)
    first = reader.identify(path)
    append(path, MORE)
    second = reader.identify(path)
    assert first.head_hash != second.head_hash
    assert (first.source, first.generation) == (second.source, second.generation)


def test_generations_of_one_source_never_share_an_id(write: Callable[..., Path], reader: Reader) -> None:
    path = write("app.log", ["#header", "a"])
    for body in "bcdef":
        reader.ingest(path)
        write("app.log", ["#header", body])
    assert reader.ingest(path) == ["#header", "f"]
    assert len({one.generation for one in reader.ledger}) == 6


def test_a_checkpoint_whose_file_cannot_be_opened_any_more_is_no_match(
    write: Callable[..., Path], reader: Reader
) -> None:
    path = write("app.log", OLD)
    target = reader.target(path)
    reader.ingest(path)
    path.unlink()
    identity = files.identify(target, [replace(one, inode="") for one in reader.ledger])
    assert identity.start == 0
