"""What clients send is redacted before it rests, many streams in one turn, each with its own lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson
import polars as pl
import pytest
from tests.pipeline.samples import access, java

from logshed.enrichment import sources
from logshed.errors import FormatError
from logshed.formats import detect
from logshed.pipeline.planning import Options, job_of
from logshed.pipeline.receive_formats import AT_ONCE, StreamFormats
from logshed.pipeline.receive_safe import Arrived, Safe
from logshed.receivers.model import RECEIVED
from logshed.redaction.policy_files import load_policy
from logshed.settings import Settings
from logshed.spool import Spool

if TYPE_CHECKING:
    from pathlib import Path

    from logshed.pipeline.job import Job
    from logshed.spool import Piece

KEY = [
    "-----BEGIN PRIVATE KEY-----",
    *("MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj" for _ in range(6)),
    "-----END PRIVATE KEY-----",
]


@pytest.fixture
def job(tmp_path: Path) -> Job:
    settings = Settings.load(tmp_path, environ={})
    return job_of(settings, Options(), load_policy("default", ()), sources.opened(settings.enrichment))


@pytest.fixture
def safe(job: Job) -> Safe:
    return Safe(job, lambda *_: None)


def lines_of(lines: list[str]) -> Arrived:
    return Arrived("lines:app", "default", "".join(f"{line}\n" for line in lines).encode())


SECRETS = {"password": "hunter2", "note": "token=abc123secret"}


def record(body: str, **attributes: str) -> bytes:
    told = {"observed_time_unix_nano": 1_780_000_000_000_000_000, "body": body, "attributes": attributes}
    return orjson.dumps(told) + b"\n"


def by_source(pieces: list[Piece]) -> dict[str, list[str]]:
    return {piece.source: piece.lines.decode().splitlines() for piece in pieces}


def test_many_streams_are_redacted_in_one_turn_and_keep_their_own_lines(safe: Safe) -> None:
    arrived = [
        Arrived(f"otlp:{number % 7}", "web", record(f"line {number} of ann{number}@example.com"), RECEIVED)
        for number in range(100)
    ]
    found = by_source(safe.pieces(arrived))
    assert sorted(found) == [f"otlp:{number}" for number in range(7)]
    for number in range(7):
        bodies = [orjson.loads(line)["body"] for line in found[f"otlp:{number}"]]
        assert bodies == [f"line {one} of [EMAIL]" for one in range(number, 100, 7)]


def test_a_secret_in_an_attribute_is_gone_however_it_is_written(safe: Safe) -> None:
    (piece,) = safe.pieces([Arrived("otlp:x", "web", record("in", **SECRETS), RECEIVED)])
    assert b"hunter2" not in piece.lines
    assert b"abc123secret" not in piece.lines


def test_lines_of_a_request_are_joined_to_records_and_their_format_is_told(safe: Safe) -> None:
    text = "".join(java(number, frames=3) for number in range(20))
    (piece,) = safe.pieces([Arrived("lines:app", "default", text.encode())])
    assert piece.lines.decode() == text
    assert "java" in piece.format


def test_a_private_key_that_three_requests_bring_rests_in_none(safe: Safe) -> None:
    for lines in (["begins", *KEY[:3]], KEY[3:5], [*KEY[5:], "ends"]):
        for piece in safe.pieces([lines_of(lines)]):
            assert b"MIIEvQ" not in piece.lines
            last = piece.lines
        safe.kept()
    assert b"ends" in last


def test_a_private_key_whose_end_comes_again_since_it_could_not_be_written_rests_nowhere(safe: Safe) -> None:
    safe.pieces([lines_of(KEY[:3])])
    safe.kept()
    for _ in range(2):
        (piece,) = safe.pieces([lines_of([*KEY[3:], "ends"])])
        assert piece.lines == b"[PRIVATE_KEY]\nends\n"
    safe.kept()
    (piece,) = safe.pieces([lines_of([KEY[1], "later"])])
    assert KEY[1].encode() in piece.lines, "it is a key's line no more"


def test_a_private_key_that_goes_on_after_a_restart_rests_nowhere(job: Job, tmp_path: Path) -> None:
    for lines, expected in [(KEY[:3], [b""]), (KEY[3:5], [b""]), ([*KEY[5:], "ends"], [b"ends\n"])]:
        with Spool(tmp_path / "spool") as spool:
            safe = Safe(job, lambda *stream, spool=spool: spool.index.streams.get(stream))  # type: ignore[misc]
            pieces = safe.pieces([lines_of(lines)])
            assert [piece.lines.removeprefix(b"[PRIVATE_KEY]\n") for piece in pieces] == expected
            spool.append(pieces)


def test_a_private_key_that_never_ends_hides_no_more_after_restarts_than_without_them(job: Job, tmp_path: Path) -> None:
    many = ["x" * 80] * 200
    hidden = []
    for lines in (KEY[:1], many, many, many, ["last"]):
        with Spool(tmp_path / "spool") as spool:
            safe = Safe(job, lambda *stream, spool=spool: spool.index.streams.get(stream))  # type: ignore[misc]
            pieces = safe.pieces([lines_of(lines)])
            spool.append(pieces)
        hidden.append(lines[-1].encode() not in b"".join(piece.lines for piece in pieces))
    assert hidden[1:] == [True, True, False, False]


def test_lines_without_an_end_and_blank_ones_cost_no_other_stream_its_lines(safe: Safe) -> None:
    found = safe.pieces(
        [
            Arrived("a:1", "default", b"\n\n", RECEIVED),
            Arrived("b:1", "default", record("b").rstrip(), RECEIVED),
            Arrived("c:1", "default", b"no json\r\n", RECEIVED),
            Arrived("d:1", "default", record("d"), RECEIVED),
        ]
    )
    lines = by_source(found)
    assert orjson.loads(lines["b:1"][0])["body"] == "b"
    assert lines["c:1"] == ["no json"]
    assert orjson.loads(lines["d:1"][0])["body"] == "d"


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many lines each look at a sample saw."""
    seen: list[int] = []
    real = detect.detect

    def counted(sample: pl.Series, **how: object) -> detect.Detection:
        seen.append(sample.len())
        return real(sample, **how)  # type: ignore[arg-type]

    monkeypatch.setattr(detect, "detect", counted)
    return seen


def test_a_stream_is_looked_at_until_its_lines_tell_its_format_and_then_seldom(looks: list[int]) -> None:
    formats = StreamFormats(clock=lambda: 0.0)
    sample = pl.Series([access(1).rstrip()])
    for _ in range(1000):
        found = formats.of("s", "", 20, lambda: sample)
    assert found == "apache_combined"
    assert len(looks) == 10 + 3


def test_a_stream_that_changes_what_it_holds_has_both_formats() -> None:
    now = 0.0
    formats = StreamFormats(clock=lambda: now)
    for text in [record("x"), record(access(1).rstrip()), record(java(1).rstrip())]:
        found = formats.of("s", RECEIVED, 100, lambda text=text: pl.Series([text.decode().rstrip()]))  # type: ignore[misc]
        now += 60
    assert found.startswith("received/apache_combined,")


def test_a_stream_of_syslog_keeps_what_it_holds_when_lines_come_that_hold_nothing_known() -> None:
    formats = StreamFormats()
    nginx, cron = (
        f"<156>1 2026-11-26T13:00:00Z web-1 {name} - - - {text}"
        for name, text in (("nginx", access(1).rstrip()), ("cron", "it is time"))
    )
    for text in (cron, nginx, cron):
        found = formats.of("s", "", 1, lambda text=text: pl.Series([text]))  # type: ignore[misc]
    assert found == "syslog_rfc5424/apache_combined"


def test_looks_at_streams_that_clients_invent_are_limited(looks: list[int]) -> None:
    now = 0.0
    formats = StreamFormats(clock=lambda: now)
    sample = pl.Series(["x"])
    for number in range(AT_ONCE * 3):
        assert formats.of(f"s{number}", RECEIVED, 1, lambda: sample) == RECEIVED
    assert len(looks) == AT_ONCE
    now = 1.0
    formats.of("late", RECEIVED, 1, lambda: sample)
    assert len(looks) == AT_ONCE + 1


def test_a_request_may_name_a_format_that_there_is_and_define_none() -> None:
    formats = StreamFormats()
    assert formats.checked("nginx_combined") == formats.checked("nginx_combined")
    for wrong in ("nginx_combine", "regex:(a+)+$"):
        with pytest.raises(FormatError):
            formats.checked(wrong)
