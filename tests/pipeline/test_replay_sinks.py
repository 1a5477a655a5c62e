from __future__ import annotations

import json
import os
import re
import socket
import threading
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from tests.alerts.servers import datagrams, stream, web
from tests.ports import free_port

from logshed.errors import ReplayError, UsageError
from logshed.pipeline import replay_http
from logshed.pipeline.replay_records import FRAME, microseconds
from logshed.pipeline.replay_sinks import Stream, opened

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from logshed.pipeline.replay_sinks import Sink

NOON = datetime(2026, 11, 20, 12, 0, 0, 120_500, tzinfo=UTC)
READ = 8192
"""Bytes of a datagram that the listener reads; the system takes none that is longer than 65,507."""
HOSTILE = [
    "plain",
    "two\nlines",
    "",
    "ümlaut \u2028 line",
    'a "quoted" \\ one',
    "<script>alert(1)</script>",
    "9 8 <14>1 -",
]


def records(texts: Sequence[str], **fields: Any) -> pl.DataFrame:
    found = {"at": microseconds(NOON), "collection": "web", **fields}
    rows = [{**dict.fromkeys(FRAME), **found, "text": text} for text in texts]
    return pl.DataFrame(rows, schema=FRAME)


def sent(sink: Sink, texts: Sequence[str], **fields: Any) -> None:
    """Send them in two parts, as two ticks do."""
    payload = sink.make(records(texts, **fields))
    sink.send(payload, 0, len(texts) // 2)
    sink.send(payload, len(texts) // 2, len(texts))
    sink.close()


def test_records_are_added_to_a_file_that_only_its_owner_reads(tmp_path: Path) -> None:
    for _ in range(2):
        sent(opened(str(tmp_path / "out.log"), "line"), HOSTILE)
    assert (tmp_path / "out.log").read_text() == "".join(f"{text}\n" for text in HOSTILE) * 2
    assert (tmp_path / "out.log").stat().st_mode & 0o777 == 0o600


def test_a_part_of_a_frame_goes_out_as_it_is(tmp_path: Path) -> None:
    sink = opened(str(tmp_path / "out.log"), "line")
    frame = records([f"{number}" * number for number in range(50)])
    sink.send(sink.make(frame.slice(10, 20)), 5, 8)
    sink.close()
    assert (tmp_path / "out.log").read_text().split() == [f"{n}" * n for n in (15, 16, 17)]


def test_a_full_disk_and_a_wrong_path_are_told(tmp_path: Path) -> None:
    with pytest.raises(ReplayError, match="cannot write to /dev/full: No space left on device; make room"):
        sent(opened("/dev/full", "line"), HOSTILE)
    with pytest.raises(ReplayError, match=f"cannot write to {tmp_path}: Is a directory"):
        opened(str(tmp_path), "line")
    with pytest.raises(ReplayError, match="No such file or directory; correct --to"):
        opened(str(tmp_path / "none" / "out.log"), "line")


@pytest.mark.parametrize("to", ["ftp://127.0.0.1/x", "syslog+udp://127.0.0.1", "http://", "syslog://", "syslog://h:x"])
def test_an_address_that_is_none_is_told(to: str) -> None:
    with pytest.raises(UsageError, match="cannot replay"):
        opened(to, "line")


def test_people_are_shown_no_signs_that_move_their_cursor() -> None:
    reader, writer = os.pipe()
    sent(Stream(writer, "the terminal", terminal=True), ["\x1b[2Jhi\x07\t\x9b31m", "a\nb\r\u202eevil"])
    os.close(writer)
    assert os.read(reader, 1000).decode() == "\\x1b[2Jhi\\x07\t\\x9b31m\na\nb\\x0d\\u202eevil\n"
    os.close(reader)


def test_datagrams_are_messages_of_rfc_5424_with_the_time_of_the_record() -> None:
    with datagrams() as got:
        texts = [*HOSTILE, "x" * 70_000]
        sent(
            opened(f"syslog://127.0.0.1:{got.port}", "line"),
            texts,
            host="web 1",
            service="s" * 99,
            process=7,
            severity=17,
        )
        deadline = time.monotonic() + 60
        while len(got.packets) < len(texts) and time.monotonic() < deadline:
            time.sleep(0.01)
    head = f"<11>1 2026-11-20T12:00:00.120500Z web_1 {'s' * 48} 7 - - "
    assert sorted(got.packets) == sorted((head + text).encode()[:READ] for text in texts)


@pytest.mark.parametrize(
    ("severity", "priority"), [(24, 10), (21, 10), (17, 11), (13, 12), (9, 14), (5, 15), (1, 15), (0, 14), (None, 14)]
)
def test_severities_become_those_of_syslog(severity: int | None, priority: int) -> None:
    with stream() as got:
        sent(opened(f"syslog+tcp://127.0.0.1:{got.port}", "line"), ["x"], severity=severity)
        assert got.wait() == f"47 <{priority}>1 2026-11-20T12:00:00.120500Z - web - - - x".encode()


def test_over_tcp_each_message_has_its_length_before_it() -> None:
    with stream() as got:
        sent(opened(f"syslog+tcp://127.0.0.1:{got.port}", "line"), HOSTILE)
        assert unframed(got.wait()) == HOSTILE


def unframed(data: bytes) -> list[str]:
    found = []
    while data:
        length, _, rest = data.partition(b" ")
        message, data = rest[: int(length)].decode(), rest[int(length) :]
        found.append(re.sub(r"^<\d+>1 \S+ \S+ \S+ \S+ - - ", "", message))
    return found


def test_a_connection_that_is_reset_is_made_again() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        sink = opened(f"syslog+tcp://127.0.0.1:{server.getsockname()[1]}", "line")
        first, _ = server.accept()
        payload = sink.make(records(["one", "two"]))
        sink.send(payload, 0, 1)
        assert first.recv(1000).endswith(b"one")
        first.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # close is a reset
        first.close()
        sink.send(payload, 1, 2)
        second, _ = server.accept()
        sink.close()
        assert second.recv(1000).endswith(b"two")
        second.close()


def test_a_listener_that_stays_away_is_told_after_a_few_tries() -> None:
    with pytest.raises(ReplayError, match=r"cannot send to 127\.0\.0\.1:.*: Connection refused; start its listener"):
        opened(f"syslog+tcp://127.0.0.1:{free_port()}", "line")
    server = socket.create_server(("127.0.0.1", 0))
    sink = opened(f"syslog+tcp://127.0.0.1:{server.getsockname()[1]}", "line")
    server.accept()[0].close()
    server.close()
    begun = time.monotonic()
    with pytest.raises(ReplayError, match="Connection refused"):
        sent(sink, HOSTILE)
    assert 1 < time.monotonic() - begun < 60


def test_lines_are_posted_as_json_in_batches() -> None:
    with web() as got:
        sent(opened(got.url, "line"), HOSTILE * 3)
    rows = [json.loads(line) for body in got.bodies for line in body.decode().removesuffix("\n").split("\n")]
    assert rows == [
        {"timestamp": "2026-11-20T12:00:00.120500+00:00", "collection": "web", "line": text} for text in HOSTILE * 3
    ]
    assert {headers["Content-Type"] for headers in got.headers} == {"application/x-ndjson"}
    assert 1 <= len(got.bodies) <= 2


def test_documents_are_posted_as_they_are_and_no_batch_is_large() -> None:
    texts = [json.dumps({"n": number, "x": "y" * 1000}) for number in range(3000)]
    with web() as got:
        sink = opened(got.url, "json")
        sink.send(sink.make(records(texts)), 0, len(texts))
        sink.close()
    assert b"".join(got.bodies).decode().split("\n") == [*texts, ""]
    assert max(map(len, got.bodies)) <= replay_http.BATCH_BYTES


def test_a_server_that_fails_for_a_while_gets_every_batch_once_more() -> None:
    with web() as got:
        got.answers = [(503, {"Retry-After": "0"}, b"busy"), (500, {}, b""), (200, {}, b"ok")]
        sent(opened(got.url, "json"), ["1", "2"])
    assert b"".join(got.bodies[2:]) == b"1\n2\n"
    assert got.bodies[0] == got.bodies[1] == got.bodies[2]


def test_a_server_that_fails_for_ever_is_told_after_a_few_tries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replay_http, "FIRST_WAIT", 0.01)
    with web() as got:
        got.always = (503, {}, b"busy")
        with pytest.raises(
            ReplayError, match=r"cannot send to 127\.0\.0\.1: it answered 503 busy; it may be over soon"
        ):
            sent(opened(got.url, "line"), ["secret-looking"])
        assert len(got.bodies) == replay_http.TRIES


def test_a_server_that_refuses_is_told_at_once_and_nothing_waits_for_it() -> None:
    with web() as got:
        got.always = (401, {}, b"no")
        with pytest.raises(ReplayError, match=r"127\.0\.0\.1: it answered 401 no; check the address") as told:
            sent(opened(got.url, "json"), ["x" * 100_000] * 200)
        assert "planted-secret-path" not in str(told.value)
        assert len(got.bodies) == 1


def test_a_slow_server_holds_the_replay_back_instead_of_filling_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replay_http, "WAITING_BYTES", 200_000)
    monkeypatch.setattr(replay_http, "BATCH_BYTES", 100_000)
    gate = threading.Event()
    monkeypatch.setattr(replay_http.http, "post", _gated(gate, replay_http.http.post))
    with web() as got:
        sink = opened(got.url, "json")
        payload = sink.make(records(["x" * 999] * 1000))
        sender = threading.Thread(target=sink.send, args=(payload, 0, 1000))
        sender.start()
        sender.join(0.3)
        assert sender.is_alive()
        gate.set()
        sender.join(60)
        sink.close()
    assert b"".join(got.bodies) == (b"x" * 999 + b"\n") * 1000


def _gated(gate: threading.Event, post: Any) -> Any:
    def wait(*words: Any, **options: Any) -> None:
        gate.wait(60)
        post(*words, **options)

    return wait
