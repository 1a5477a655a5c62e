from __future__ import annotations

import json
from typing import TYPE_CHECKING

import polars as pl
import pytest

from logshed.errors import UsageError
from logshed.sources import encodings, files

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Reader

LINES = ["GET /a 200", "naïve 日本 🪵", "", "last"]
TEXT = "".join(f"{line}\r\n" for line in LINES)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_unicode_is_told_by_its_mark_or_by_its_nuls(encoding: str, write: Callable[..., Path], reader: Reader) -> None:
    path = write("u.log", (TEXT * 10).encode(encoding))
    assert reader.ingest(path) == LINES * 10
    path.write_bytes((TEXT * 11).encode(encoding))
    assert reader.ingest(path) == LINES


@pytest.mark.parametrize("mark", ["utf-16-le", "utf-16-be"])
def test_offsets_are_those_of_the_text_in_utf_8_with_its_mark(
    mark: str, write: Callable[..., Path], reader: Reader
) -> None:
    path = write("u.log", "\ufeffé\nb\n".encode(mark))
    [split] = files.plan(reader.target(path), reader.identify(path), format="x")
    rows, _ = reader.lines(split, chunk_bytes=3)
    assert [row[:2] for row in rows] == [("é", 0), ("b", 6)]


def test_a_lone_surrogate_is_escaped_and_half_a_character_is_named(write: Callable[..., Path], reader: Reader) -> None:
    path = write("u.log", "\ufeffa".encode("utf-16-le") + b"\x00\xd8\n\0b\0\n\0c")
    [split] = files.plan(reader.target(path), reader.identify(path), format="x", final=True)
    rows, reading = reader.lines(split)
    assert [(row[0], row[3]) for row in rows] == [("a\\xed\\xa0\\x80", True), ("b", False)]
    assert "the last 1 bytes are half a character" in reading.problem


def test_bytes_that_a_declared_encoding_lacks_stay_visible(write: Callable[..., Path], reader: Reader) -> None:
    path = write("w.log", b"caf\xe9\nbad \x81 byte\\\n")
    target = files.discover([str(path)], encoding="cp1252").targets[0]
    [split] = files.plan(target, files.identify(target, []), format="x")
    rows, _ = reader.lines(split)
    assert [row[0] for row in rows] == ["café", "bad \\x81 byte\\\\"]


def test_invalid_utf_8_touches_only_its_own_line(write: Callable[..., Path], reader: Reader) -> None:
    path = write("mixed.log", b"C:\\dir\nC:\\d\xe9r\nnul \0 \xc3\xa9\n")
    [split] = files.plan(reader.target(path), reader.identify(path), format="x")
    rows, _ = reader.lines(split)
    assert [(row[0], row[3]) for row in rows] == [("C:\\dir", False), ("C:\\\\d\\xe9r", True), ("nul \0 é", False)]


def test_an_unknown_encoding_is_a_usage_error() -> None:
    for name in ("utf-9", "rot13", "hex"):
        with pytest.raises(UsageError, match=f"cannot read text as '{name}': no such encoding; name one such as"):
            encodings.canonical(name)


DECLARED = {
    "generic_enc_big5": "big5", "generic_enc_gb18030": "gb18030", "generic_enc_gbk": "gbk", "generic_enc_sjis": "cp932",
    "generic_enc_win1250": "cp1250", "generic_enc_win1251": "cp1251", "generic_enc_win1252": "cp1252",
    "generic_enc_win1253": "cp1253", "generic_enc_win1254": "cp1254", "generic_enc_win1255": "cp1255",
    "generic_enc_win1256": "cp1256",
}  # fmt: skip


@pytest.mark.truth
@pytest.mark.parametrize("name", DECLARED)
def test_legacy_encodings_decode_as_another_collector_decodes_them(name: str, shared: Path, reader: Reader) -> None:
    folder = shared / "truth" / "files" / "encodings"
    target = files.discover([str(folder / "input" / f"{name}.log")], encoding=DECLARED[name]).targets[0]
    [split] = files.plan(target, files.identify(target, []), format="x")
    rows, _ = reader.lines(split)
    expected = (folder / "expected" / f"{name}.out").read_text().splitlines()
    texts = [json.loads(line)["log"] for line in expected if line]
    assert [row[0] for row in rows][: len(texts)] == texts
    assert len(rows) - len(texts) <= 1  # the other collector's files leave out the last line


@pytest.mark.truth
def test_real_utf_16_files_are_told_and_read(shared: Path, reader: Reader) -> None:
    for path in sorted((shared / "truth" / "files" / "encodings" / "input").glob("unicode_*.log")):
        expected = path.read_bytes().decode("utf-16").splitlines()
        assert reader.ingest(path) == expected


def test_an_escaped_text_is_readable_again_but_for_its_stray_bytes() -> None:
    line = b'{"path": "C:\\\\x41", "name": "h\xc3\xa9 \xff"}'
    escaped = encodings.escape(line).decode()
    assert encodings.unescape(escaped) == line
    assert encodings.readable(pl.Series([escaped])).to_list() == [line.decode("utf-8", "replace")]


def test_a_legacy_encoding_is_told_by_its_letters() -> None:
    russian = ("2024-01-01 ошибка: соединение потеряно, повтор через минуту\n" * 20).encode("cp1251")
    japanese = ("2024-01-01 エラー: データベースへの接続が失われました\n" * 20).encode("cp932")
    assert encodings.detect(russian) == "cp1251"
    assert encodings.detect(japanese) == "cp932"


def test_a_few_stray_bytes_leave_a_text_utf8() -> None:
    assert encodings.detect(b"caf\xe9 and nothing else\n" * 3) == "utf-8"
    assert encodings.detect("größe ".encode() * 50 + b"\xff\xfe\xfa" * 30) == "utf-8"
