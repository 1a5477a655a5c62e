"""Sanitizing by a policy with columns parses the lines, and they stay the same lines in the same format."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

import logshed
from logshed.api import Lake
from logshed.pipeline import gathering, whole
from logshed.redaction.keyring import add_key
from logshed.sanitizing import sanitize_files
from logshed.settings import Settings

if TYPE_CHECKING:
    from logshed.pipeline.sanitizing import Outcome

ACCESS = '10.0.0.1 - {} [01/Jan/2026:00:00:0{} +0000] "GET /x HTTP/1.1" 200 1'
COLUMNS = 'title = "t"\nextends = "default"\n[columns]\nuser_id = "tag"\n'


@pytest.fixture
def own(tmp_path: Path) -> Settings:
    (tmp_path / "own.toml").write_text(COLUMNS)
    return Settings(lake=Path("nowhere"), policy=str(tmp_path / "own.toml"))


def _sanitized(folder: Path, text: str | bytes, own: Settings, **more: str) -> tuple[bytes, Outcome]:
    (folder / "a.log").write_bytes(text if isinstance(text, bytes) else text.encode())
    done = sanitize_files([folder / "a.log"], folder / "b.log", settings=own, force=True, **more)
    return (folder / "b.log").read_bytes() if (folder / "b.log").exists() else b"", done


def test_a_column_is_replaced_where_only_the_format_tells_it_and_lines_keep_their_ends(
    tmp_path: Path, own: Settings
) -> None:
    given_lines = f"{ACCESS.format('ada', 1)}\r\n{ACCESS.format('-', 2)}\n{ACCESS.format('bob', 3)}"
    clean, done = _sanitized(tmp_path, given_lines, own)
    assert clean.decode() == given_lines.replace("ada", "[USER_ID]").replace("bob", "[USER_ID]")
    assert not done.problems
    assert done.rules == {"rewritten": 2}


def test_what_an_ingest_stores_of_the_same_lines_is_the_same_text(tmp_path: Path, own: Settings) -> None:
    text = "".join(f"{ACCESS.format(who, 1)}\n" for who in ("ada", "bob@example.com", "-"))
    clean, _ = _sanitized(tmp_path, text, own)
    lake = Lake.open(tmp_path / "lake", create=True, settings=own)
    lake.ingest([tmp_path / "a.log"])
    rows = lake.query('SELECT text FROM lines ORDER BY "offset"').pl()["text"]
    assert clean.decode() == "".join(f"{row}\n" for row in rows)


def test_json_stays_json_where_the_column_is_a_bare_number(tmp_path: Path, own: Settings) -> None:
    record = {"time": "2026-01-01T00:00:00Z", "user_id": 7, "msg": "hello"}
    clean, done = _sanitized(tmp_path, json.dumps(record) + "\n", own)
    assert json.loads(clean) == {**record, "user_id": "[USER_ID]"}
    assert not done.problems


def test_a_header_that_changes_says_where_the_column_is(tmp_path: Path, own: Settings) -> None:
    text = (
        "#Fields: date time cs-username c-ip\n2026-01-01 00:00:00 ada 10.0.0.1\n"
        "#Fields: date time c-ip cs-username\n2026-01-01 00:00:00 10.0.0.1 bob\n"
    )
    clean, done = _sanitized(tmp_path, text, own)
    assert clean.decode() == text.replace("ada", "[USER_ID]").replace("bob", "[USER_ID]")
    assert not done.problems


def test_a_format_that_is_named_takes_its_header_from_the_text(tmp_path: Path, own: Settings) -> None:
    text = "time,user_id,msg\n2026-01-01T00:00:00Z,ada,hello\n"
    clean, _ = _sanitized(tmp_path, text, own, format="csv")
    assert clean.decode() == text.replace("ada", "[USER_ID]")


def test_a_column_in_a_records_later_lines_is_replaced_and_the_lines_stay_as_many(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text('title = "t"\n[columns]\nexception_message = "tag"\n')
    own = Settings(lake=Path("nowhere"), policy=str(tmp_path / "own.toml"))
    text = (
        "2026-01-01 00:00:00,000 ERROR [main] com.acme.Shop - failed\n"
        "java.lang.IllegalStateException: ada owes 12\n\tat com.acme.Shop.run(Shop.java:12)\n"
        "2026-01-01 00:00:01,000 INFO [main] com.acme.Shop - goes on\n"
    )
    clean, done = _sanitized(tmp_path, text, own)
    assert clean.decode() == text.replace("ada owes 12", "[EXCEPTION_MESSAGE]")
    assert not done.problems


def test_lines_that_no_format_takes_are_refused_with_the_column_and_what_to_do(tmp_path: Path, own: Settings) -> None:
    clean, done = _sanitized(tmp_path, "hello\nworld\n", own)
    assert clean == b""
    (problem,) = done.problems
    assert problem.startswith("cannot sanitize ")
    assert "[columns] (user_id)" in problem
    assert problem.endswith("name theirs with --format, or give a policy without [columns]")


def test_single_lines_that_the_format_does_not_take_are_told(tmp_path: Path, own: Settings) -> None:
    clean, done = _sanitized(tmp_path, f"{ACCESS.format('ada', 1)}\nan odd line\n\n", own)
    assert clean.decode() == f"{ACCESS.format('[USER_ID]', 1)}\nan odd line\n\n"
    assert "cannot apply [columns] (user_id) to 1 records" in done.problems[0]


def test_a_text_is_parsed_in_pieces_and_a_line_too_long_to_be_parsed_is_left_out(
    tmp_path: Path, own: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(whole, "FRAME_BYTES", 4096)
    monkeypatch.setattr(whole.Whole.__init__, "__kwdefaults__", {"frame_bytes": 4096, "forms": None})
    monkeypatch.setattr(whole, "LONG_BYTES", 1024)
    lines = [ACCESS.format("ada", number % 10) for number in range(300)]
    text = "\n".join([*lines, ACCESS.format("ada" + "a" * 10_000, 1), lines[0]]) + "\n"
    clean, done = _sanitized(tmp_path, text, own)
    wanted = [line.replace("ada", "[USER_ID]") for line in lines]
    assert clean.decode().splitlines() == [*wanted, "[REDACTED]", wanted[0]]
    assert "cannot keep all of line 301" in done.problems[0]


def test_a_record_without_end_is_passed_on_in_parts(
    tmp_path: Path, own: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gathering.records, "MAX_LINES", 50)
    monkeypatch.setattr(whole.Whole.__init__, "__kwdefaults__", {"frame_bytes": 1024, "forms": None})
    text = "2026-01-01T00:00:00Z INFO x\n" + "  goes on\n" * 1000
    clean, _ = _sanitized(tmp_path, text, own)
    assert clean.decode() == text


def test_compressed_files_and_overrides_are_parsed_too(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text(
        'title = "t"\nextends = "default"\n[[override]]\nsource = "*.gz"\n[override.columns]\nuser_id = "tag"\n'
    )
    own = Settings(lake=Path("nowhere"), policy=str(tmp_path / "own.toml"))
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.log.gz").write_bytes(gzip.compress(f"{ACCESS.format('ada', 1)}\n".encode()))
    (tmp_path / "in" / "b.log").write_text(f"{ACCESS.format('ada', 1)}\n")
    sanitize_files([tmp_path / "in"], tmp_path / "out", settings=own)
    assert b"[USER_ID]" in gzip.decompress((tmp_path / "out" / "a.log.gz").read_bytes())
    assert b"ada" in (tmp_path / "out" / "b.log").read_bytes()


def test_the_keys_of_a_record_are_columns(tmp_path: Path) -> None:
    add_key(tmp_path / "keys")
    (tmp_path / "own.toml").write_text(
        'title = "t"\nextends = "default"\n[columns]\nuser_id = "pseudonym"\nsession_id = "drop"\nbody = "tag"\n'
    )
    own = Settings(lake=Path("nowhere"), policy=str(tmp_path / "own.toml"), keys=str(tmp_path / "keys"))
    record = {
        "user_id": 7, "session_id": "s", "body": ["a", {"b": 1}], "host_name": "7", "note": "7 of bob@example.com",
        "inner": {"body": "stays"}, "attributes": {"user_id": "-", "body": "x"}, "exception_type": None,
    }  # fmt: skip
    clean = logshed.sanitize(record, settings=own)
    assert clean["user_id"].startswith("user:k1:")
    assert {**clean, "user_id": 7} == {
        **record,
        "session_id": "",
        "body": "[BODY]",
        "note": "7 of [EMAIL]",
        "attributes": {"user_id": "-", "body": "[BODY]"},
    }
    assert logshed.sanitize(clean, settings=own) == clean


USERS = st.lists(st.sampled_from(["ada", "-", "bob@example.com", "x y", '"', "[01/Jan"]), max_size=5)


@hypothesis_settings(deadline=None, max_examples=30)
@given(users=USERS, ends=st.booleans())
def test_any_lines_stay_as_many(tmp_path_factory: pytest.TempPathFactory, users: list[str], *, ends: bool) -> None:
    folder = tmp_path_factory.mktemp("any")
    (folder / "own.toml").write_text(COLUMNS)
    own = Settings(lake=Path("nowhere"), policy=str(folder / "own.toml"))
    lines = [ACCESS.format(user, 1) for user in ("first", *users)]
    text = "\n".join(lines) + "\n" * ends
    clean, _ = _sanitized(folder, text, own)
    assert clean.count(b"\n") == text.count("\n")
    assert b" ada " not in clean
