from __future__ import annotations

import bz2
import gzip
import lzma
import random
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from logshed.sources import files, streams

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Reader

COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zstd": lambda data: zstd.compress(data, options={zstd.CompressionParameter.checksum_flag: 1}),
}
LINES = [f"{number} {random.Random(number).getrandbits(200):x}" for number in range(5_000)]  # noqa: S311 - no secret
DATA = "".join(f"{line}\n" for line in LINES).encode()

every_codec = pytest.mark.parametrize("codec", COMPRESS)


@every_codec
def test_a_compressed_file_is_told_by_its_bytes_and_read_as_its_lines(
    codec: str, write: Callable[..., Path], reader: Reader
) -> None:
    path = write("named-like-none", COMPRESS[codec](DATA))
    assert reader.target(path).codec == codec
    assert list(files.sample(reader.target(path)))[:200] == LINES[:200]
    assert reader.ingest(path) == LINES
    assert reader.ingest(path) == []


@every_codec
def test_all_members_of_a_compressed_file_are_read_and_padding_is_none(
    codec: str, write: Callable[..., Path], reader: Reader
) -> None:
    pack = COMPRESS[codec]
    path = write("many", b"".join(pack(DATA[at : at + 7_001]) for at in range(0, len(DATA), 7_001)) + bytes(512))
    assert reader.ingest(path) == LINES
    assert reader.ledger[0].end == len(DATA)


@every_codec
def test_lines_of_an_appended_member_are_the_only_new_ones(
    codec: str, write: Callable[..., Path], reader: Reader
) -> None:
    first, second = COMPRESS[codec](DATA[:20_000]), COMPRESS[codec](DATA[20_000:])
    path = write("grows", first)
    before = reader.ingest(path, final=False)
    path.write_bytes(first + second)
    joined = [*before[:-1], before[-1] + reader.ingest(path)[0]]
    assert "\n".join(joined) == DATA[: sum(len(line) + 1 for line in joined) - 1].decode()


@every_codec
def test_of_a_truncated_file_the_whole_lines_are_kept_and_the_break_is_named(
    codec: str, write: Callable[..., Path], reader: Reader
) -> None:
    packed = COMPRESS[codec](DATA) + COMPRESS[codec](DATA)
    path = write("cut.log", packed[:-200])
    [split] = files.plan(reader.target(path), reader.identify(path), format="x")
    rows, reading = reader.lines(split)
    assert [row[0] for row in rows] == (LINES + LINES)[: len(rows)]
    assert len(rows) >= len(LINES)
    assert f"truncated {codec} data after" in reading.problem
    assert reading.problem.endswith("what came before is kept")
    assert reading.end == sum(len(line) + 1 for line in (LINES + LINES)[: len(rows)])


@every_codec
def test_damage_is_named_and_does_not_raise(codec: str, write: Callable[..., Path], reader: Reader) -> None:
    packed = bytearray(COMPRESS[codec](DATA))
    middle = len(packed) // 2
    packed[middle : middle + 64] = bytes(64)
    path = write("damaged.log", bytes(packed))
    [split] = files.plan(reader.target(path), reader.identify(path), format="x")
    _, reading = reader.lines(split)
    assert f"damaged {codec} data" in reading.problem


def test_what_follows_a_compressed_file_and_is_no_member_is_named(write: Callable[..., Path], reader: Reader) -> None:
    path = write("garbage.gz", gzip.compress(DATA) + b"plain text behind it\n")
    [split] = files.plan(reader.target(path), reader.identify(path), format="x")
    rows, reading = reader.lines(split)
    assert len(rows) == len(LINES)
    assert "no gzip data where more was expected" in reading.problem


def test_the_last_line_of_a_whole_compressed_file_needs_no_line_feed(
    write: Callable[..., Path], reader: Reader
) -> None:
    assert reader.ingest(write("old.gz", gzip.compress(b"one\ntwo"))) == ["one", "two"]


def test_a_truncated_file_that_became_whole_is_read_on(write: Callable[..., Path], reader: Reader) -> None:
    packed = gzip.compress(DATA)
    path = write("copying.gz", packed[: len(packed) // 2])
    before = reader.ingest(path)
    assert 0 < len(before) < len(LINES)
    path.write_bytes(packed)
    assert before + reader.ingest(path) == LINES


def test_a_bomb_is_decoded_in_small_pieces(write: Callable[..., Path]) -> None:
    path = write("bomb.gz", gzip.compress(bytes(50_000_000)))
    stream = streams.decoded(streams.open_raw(str(path)), "gzip", "utf-8")
    sizes = []
    while piece := stream.read(65_536):
        sizes.append(len(piece))
    stream.close()
    assert sum(sizes) == 50_000_000
    assert max(sizes) <= 65_536


def test_two_threads_can_read_one_file(write: Callable[..., Path], reader: Reader) -> None:
    path = write("shared.gz", gzip.compress(DATA))
    [split] = files.plan(reader.target(path), reader.identify(path), format="x")
    found: list[int] = []
    threads = [threading.Thread(target=lambda: found.append(len(reader.lines(split)[0]))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [len(LINES)] * 4
