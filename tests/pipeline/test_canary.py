"""A canary says which of its lines are missing, twice, late or out of order, whatever door they went through."""

from __future__ import annotations

import random
import threading
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
import polars as pl
import pytest
import trustme
from tests.alerts.servers import stream, web
from tests.doors_open import Doors, opened
from tests.in_process import called
from tests.ports import free_port

from logshed.errors import DeliveryError, UsageError
from logshed.pipeline import canary_book, canary_check, canary_senders
from logshed.pipeline.canary import Canary, Plan, check, new_run
from logshed.pipeline.canary_book import Book, Sent, newest, ranges
from logshed.pipeline.canary_senders.model import Batch, iso
from logshed.pipeline.sinks import Sink, token_of
from logshed.receivers.forward import Secrets
from logshed.redaction.engine import Redactor
from logshed.redaction.policy_files import load_policy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from logshed.pipeline.canary_report import Report

KEY = "planted-shared-key"
DOORS = {
    "otlp+http": "http", "otlp+grpc": "grpc", "elastic+http": "http", "loki+http": "http", "splunk+http": "http",
    "raw+http": "http", "syslog+tcp": "tcp", "syslog+udp": "udp", "forward+tcp": "forward",
}  # fmt: skip
"""Which of the open doors takes what."""


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    """Doors of all protocols and their lake, drained when a test looks."""
    with opened(tmp_path_factory.mktemp("doors"), Secrets(KEY), every=0.3) as found:
        yield found


def sink(doors: Doors, kind: str, token: str = "") -> Sink:
    return Sink.of(f"{kind}://127.0.0.1:{doors.ports[DOORS[kind]]}", token)


def batch(book: Book, count: int = 5, first: int = 0) -> Batch:
    """Lines of a run's first stream, sent one microsecond after the other."""
    micros = [book.begun + number for number in range(first, first + count)]
    texts = [
        canary_check.FORM.format(iso=iso(when), run=book.run, stream=0, number=number)
        for number, when in enumerate(micros, first)
    ]
    return Batch(f"canary-{book.run}-0-{first}", "canary", first, micros, texts)


def booked(count: int = 5) -> Book:
    """The book of a run whose lines are all acknowledged."""
    book = Book(new_run(), "somewhere", int(time.time() * 1e6), streams=[Sent()])
    book.streams[0].add(np.full(count, book.begun, np.int64))
    book.streams[0].take(0, count)
    return book


def ran(doors: Doors, kind: str, **plan: Any) -> Report:
    """A run that is as short as it can be."""
    given = {"rate": 100, "seconds": 0.3, "wait": 60, **plan}
    return Canary(sink(doors, kind), Plan(**given), doors.lake.query, doors.lake.root).run(threading.Event())


def test_lines_come_to_the_lake_as_they_are_through_every_door(doors: Doors) -> None:
    books = {kind: booked() for kind in DOORS}
    for kind, book in books.items():
        sender = canary_senders.opened(sink(doors, kind, KEY if kind == "forward+tcp" else ""))
        sender.send(batch(book))
        assert sender.acknowledges != kind.startswith("syslog")
        sender.close()
    deadline = time.monotonic() + 90
    while doors.lake.query("SELECT count(*) FROM logs").rows() != [(5 * len(DOORS),)] and time.monotonic() < deadline:
        time.sleep(0.3)
    for kind, book in books.items():
        found = canary_check.examine(doors.lake.query, book)
        assert (found.stored, found.missing, found.duplicates, found.disordered) == (5, 0, 0, 0), kind
        asked = kind.split("+")[0] in {"loki", "splunk", "raw"}
        assert found.collections == {"canary" if asked else "door": 5}, kind
    times = "SELECT count(*) FROM logs WHERE body LIKE 'canary run%' AND timestamp_source <> 'event'"
    assert doors.lake.query(times).rows() == [(0,)]


def test_a_run_tells_that_all_is_well_and_how_long_lines_took(doors: Doors) -> None:
    states: list[Any] = []
    plan = Plan(rate=100, seconds=0.4, streams=2, wait=60)
    canary = Canary(sink(doors, "raw+http"), plan, doors.lake.query, doors.lake.root, states.append)
    report = canary.run(threading.Event())
    told = report.as_dict()
    assert report.ok
    assert report.spotless, report.verdict
    assert report.verdict.startswith("All 40 lines that were acknowledged are in the lake once and in order; half were")
    assert (told["sent"], told["acknowledged"], told["stored"], told["missing"]) == (40, 40, 40, 0)
    assert 0 < told["delay_seconds"]["p50"] <= told["delay_seconds"]["p99"] <= told["delay_seconds"]["max"] < 60
    assert states[-1].seen == states[-1].sent == 40
    again = check(doors.lake.query, doors.lake.root, report.run)
    assert (again.ok, again.sent, again.taken, again.found.stored) == (True, 40, 40, 40)


def test_what_is_missing_twice_and_out_of_order_is_told(doors: Doors) -> None:
    def spoil(_: str, data: bytes) -> bytes:
        lines = data.splitlines(keepends=True)
        number = {int(line.rsplit(b" ", 1)[1]): line for line in lines}
        kept = [line for key, line in number.items() if key not in (3, 4, 9)]
        if 6 in number and 7 in number:
            at = kept.index(number[6])
            kept[at], kept[at + 1] = kept[at + 1], kept[at]
        return b"".join([*kept, *([number[1]] if 1 in number else [])])

    doors.spoil = spoil
    try:
        sender, book = canary_senders.opened(sink(doors, "raw+http")), booked(12)
        sender.send(batch(book, 12))
    finally:
        doors.spoil = lambda _, data: data
    until(doors, book, 9)
    found = canary_check.examine(doors.lake.query, book)
    assert (found.stored, found.missing, found.duplicates, found.disordered) == (9, 3, 1, 1)
    assert list(map(str, found.gaps)) == ["0:3-4", "0:9"]
    book.save(doors.lake.root)
    report = check(doors.lake.query, doors.lake.root, book.run)
    assert not report.ok
    assert report.verdict == (
        "LOST: 3 of 12 lines that were acknowledged are not in the lake (0:3-4, 0:9). "
        "1 is there more than once. 1 stands out of order."
    )


def until(doors: Doors, book: Book, count: int) -> None:
    """Wait until so many lines are in the lake."""
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        if len(canary_check.look(doors.lake.query, book.run, 0).get(0, ())) >= count:
            return
        time.sleep(0.3)
    raise AssertionError(book.run)


def test_what_is_not_taken_is_sent_again_and_is_there_once_where_lines_have_ids(doors: Doors) -> None:
    doors.refuse += [503, 429]
    doors.fall_silent = 1
    report = ran(doors, "elastic+http")
    assert report.spotless, report.verdict
    assert report.tries == 3


def test_a_line_whose_acknowledgement_was_lost_is_there_twice_where_it_has_none(doors: Doors) -> None:
    sender, book = canary_senders.opened(sink(doors, "raw+http")), booked(5)
    doors.fall_silent = 1
    with pytest.raises(DeliveryError, match="it answered 503"):
        sender.send(batch(book))
    sender.send(batch(book))
    until(doors, book, 10)
    found = canary_check.examine(doors.lake.query, book)
    assert (found.stored, found.duplicates, found.missing, found.disordered) == (5, 5, 0, 0)


def test_what_is_refused_ends_the_run_and_names_no_token(doors: Doors, tmp_path: Path) -> None:
    with web() as got:
        got.always = (401, {}, b"no")
        to = Sink.of(got.url.replace("http://", "splunk+http://").partition("/services")[0], "planted-token")
        canary = Canary(to, Plan(rate=50, seconds=5, wait=5), doors.lake.query, tmp_path)
        report = canary.run(threading.Event())
    assert got.headers[0]["Authorization"] == "Splunk planted-token"
    assert not report.ok
    assert report.failure == "cannot send to 127.0.0.1: it answered 401 no; check the address and its rights"
    assert "planted-token" not in f"{report.verdict}{to!r}{(tmp_path / 'canary' / f'{report.run}.json').read_text()}"


def test_nobody_listening_is_told_and_an_end_ends_it(doors: Doors, tmp_path: Path) -> None:
    stop, troubles = threading.Event(), []

    def look(state: Any) -> None:
        troubles.append(state.trouble)
        if state.trouble:
            stop.set()

    to = Sink.of(f"forward+tcp://127.0.0.1:{free_port()}")
    report = Canary(to, Plan(seconds=0, wait=0.5), doors.lake.query, tmp_path, look).run(stop)
    assert "Connection refused; start what listens there" in troubles[-1]
    assert (report.ok, report.taken, report.found.missing) == (False, 0, 0)
    assert report.verdict.endswith("were not acknowledged.")


def test_a_wrong_shared_key_is_refused(doors: Doors) -> None:
    sender = canary_senders.opened(sink(doors, "forward+tcp", "another"))
    with pytest.raises(DeliveryError, match="it does not take the key; correct the file of --token-file"):
        sender.send(batch(booked()))


def test_tls_is_spoken_to_whoever_shows_a_certificate_that_is_trusted(tmp_path: Path) -> None:
    import ssl  # noqa: PLC0415 - of this test alone

    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    book = booked()
    with stream(context) as got:
        to = f"syslog+tls://127.0.0.1:{got.port}"
        with pytest.raises(DeliveryError, match="its certificate is not trusted"):
            canary_senders.opened(Sink.of(to)).send(batch(book))
        got.done.clear()
        sender = canary_senders.opened(Sink.of(to, ca_file=tmp_path / "ca.pem"))
        sender.send(batch(book, 1))
        sender.close()
        message = got.wait().decode()
    length, _, rest = message.partition(" ")
    assert int(length) == len(rest)
    assert rest.endswith(f" - - {iso(book.begun)} INFO canary run {book.run} stream 0 line 0")


@pytest.mark.parametrize("policy", ["default", "strict", "gdpr", "hipaa", "pci"])
def test_no_rule_of_redaction_touches_a_line(policy: str, tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keys.write_text("k1 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n")
    keys.chmod(0o600)
    redactor, draw = Redactor(load_policy(policy, keys=str(keys))), random.Random(11)  # noqa: S311 - a test's
    numbers = [0, 7, 378_282_246, *(draw.randrange(10 ** draw.randrange(1, 12)) for _ in range(300))]
    lines = [
        canary_check.FORM.format(
            iso=iso(draw.randrange(1_700_000_000_000_000, 1_900_000_000_000_000)),
            run=new_run(),
            stream=one % 64,
            number=one,
        )
        for one in numbers
    ]
    received = [
        orjson.dumps(
            {"observed_time_unix_nano": 1, "body": line, "resource": {"service.name": "logshed-canary"}}
        ).decode()
        for line in lines
    ]
    for texts in (lines, received):
        assert redactor.redact(pl.Series(texts)).text.to_list() == texts


def test_a_run_is_known_by_its_lines_where_its_book_is_elsewhere(doors: Doors, tmp_path: Path) -> None:
    book = booked(6)
    sender = canary_senders.opened(sink(doors, "raw+http"))
    sender.send(batch(book, 3))
    sender.send(batch(book, 1, first=5))
    until(doors, book, 4)
    report = check(doors.lake.query, tmp_path, book.run)
    assert (report.sent, report.found.stored, list(map(str, report.found.gaps))) == (6, 4, ["0:3-4"])
    with pytest.raises(UsageError, match="neither the lake nor its folder knows it"):
        check(doors.lake.query, tmp_path, new_run())
    with pytest.raises(UsageError, match="it is no id of a run"):
        check(doors.lake.query, tmp_path, "x' OR 1=1 --")


def test_a_book_keeps_what_was_acknowledged(tmp_path: Path) -> None:
    book = Book("bdfg", "raw+http://host:1", 5, streams=[Sent(), Sent()])
    for sent in book.streams:
        sent.add(np.arange(3000, dtype=np.int64))
    book.streams[1].take(10, 1500)
    book.streams[1].take(2000, 1)
    book.save(tmp_path)
    again = Book.load(tmp_path, "bdfg")
    assert again is not None
    assert [ranges(np.flatnonzero(sent.taken)) for sent in again.streams] == [[], [(10, 1509), (2000, 2000)]]
    assert book.streams[0].see(np.array([5, 5, 2999, 3000, -1]), 7) == 2
    assert book.streams[0].see(np.array([5]), 8) == 0


def test_the_oldest_books_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(canary_book, "KEPT", 2)
    for name in ("aaaa", "bbbb", "cccc"):
        Book(name, "raw+http://host:1", 5).end(tmp_path)
    assert sorted(path.stem for path in (tmp_path / "canary").iterdir()) == ["bbbb", "cccc"]


@pytest.mark.parametrize(
    ("to", "cause"),
    [
        ("raw+http://", "it is no address"),
        ("127.0.0.1:4318", "it is no address"),
        ("raw+http://user:secret@host", "holds more than a host and a path"),
        ("raw+http://host:x", "it is no address"),
        ("raw+http://logs.example.org", "anyone on the way can read it"),
    ],
)
def test_an_address_that_is_none_or_gives_secrets_away_is_refused(to: str, cause: str) -> None:
    with pytest.raises(UsageError, match=cause) as caught:
        Sink.of(to, "token")
    assert "secret" not in str(caught.value)


def test_a_protocol_that_there_is_not_and_a_token_that_there_is_not_are_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no such door; write one of elastic\+http://, .*syslog\+udp://"):
        canary_senders.opened(Sink.of("gopher+tcp://host"))
    assert Sink.of("loki+https://[::1]:1/x").url(3100, "/loki") == "https://[::1]:1/x"
    assert Sink.of("loki+https://host").url(3100, "/loki") == "https://host:3100/loki"
    with pytest.raises(UsageError, match="No such file or directory; write it there, mode 600"):
        token_of(tmp_path / "none")
    (tmp_path / "token").write_text("one\n")
    assert token_of(tmp_path / "token") == "one"
    assert token_of(None, {"LOGSHED_SINK_TOKEN": " two "}) == "two"


def test_the_command_ends_with_one_where_a_line_is_missing(doors: Doors) -> None:
    words = ["canary", "--lake", str(doors.lake.root)]
    to = ["--to", f"raw+http://127.0.0.1:{doors.ports['http']}", "--seconds", "0.2", "--wait", "10", "--json"]
    sent = called(*words, *to)
    told = orjson.loads(sent.stdout)
    assert (sent.exit_code, told["stored"], told["missing"]) == (0, 20, 0), sent.output
    book = Book.load(doors.lake.root, told["run"])
    assert book is not None
    book.streams[0].add(np.full(1, int(datetime.now(UTC).timestamp() * 1e6), np.int64))
    book.streams[0].take(20, 1)
    book.save(doors.lake.root)
    again = called(*words, "--run", told["run"])
    assert again.exit_code == 1, again.output
    assert "LOST: 1 of 21 lines that were acknowledged are not in the lake (0:20)." in again.stdout
    assert called(*words).exit_code == 2


def test_a_book_that_another_run_has_just_taken_away_is_left_out(tmp_path: Path) -> None:
    Book("bdfg", "raw+http://host:1", 5).save(tmp_path)
    (tmp_path / "canary" / "gone.json").symlink_to(tmp_path / "nowhere")  # as it is when it goes after it was listed
    assert [path.stem for path in newest(tmp_path)] == ["bdfg"]
    Book("bcde", "raw+http://host:1", 6).end(tmp_path)
