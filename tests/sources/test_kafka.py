"""Topics of Kafka come into the lake, every message once, with the offsets in the ledger."""

from __future__ import annotations

import json
import ssl
import sys
import threading
from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest
import trustme
from tests.kafka_servers import Broker, Encrypted, Tansu

from logshed.api import Lake
from logshed.errors import UsageError
from logshed.kafka_settings import Kafka, KafkaAccess
from logshed.sources import kafka_client
from logshed.sources.kafka import Messages, identified, targets
from logshed.sources.kafka_address import TopicAddress
from logshed.work import Checkpoint, Split

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.conftest import Run

    from logshed.pipeline.outcome import FileReport

_names = count()


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    with Broker(tmp_path_factory.mktemp("broker")) as started:
        yield started


@pytest.fixture(scope="module")
def tansu(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tansu]:
    with Tansu(tmp_path_factory.mktemp("tansu")) as started:
        yield started


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake.open(tmp_path / "lake", create=True)


@pytest.fixture
def topic() -> str:
    return f"topic-{next(_names)}"


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    yield
    kafka_client.use(KafkaAccess())


def rows(lake: Lake, sql: str) -> list[dict[str, Any]]:
    """What a question gives."""
    return lake.query(sql).pl().to_dicts()


def one(lake: Lake, url: str, **given: Any) -> FileReport:
    """Ingest the only partition of a topic."""
    report = lake.ingest([url], **given)
    assert len(report.files) == 1
    return report.files[0]


def numbered(start: int, end: int) -> list[bytes]:
    """Messages that can be told apart."""
    return [
        b'{"time":"2026-11-26T10:00:00Z","level":"info","msg":"number=%d"}' % number for number in range(start, end)
    ]


def test_each_message_is_taken_once_from_every_partition_and_only_new_ones_later(
    broker: Broker, lake: Lake, topic: str
) -> None:
    broker.create(topic, 3)
    for partition in range(3):
        broker.send(topic, numbered(100 * partition, 100 * partition + 50), partition=partition)
    assert lake.ingest([broker.url(topic)]).totals.stored == 150
    assert lake.ingest([broker.url(topic)]).totals.read == 0
    broker.send(topic, numbered(150, 160), partition=1)
    assert lake.ingest([broker.url("topic-*")]).totals.stored == 10
    found = rows(
        lake,
        'SELECT count(*) AS n, count(DISTINCT body) AS d, count(DISTINCT source) AS s, max("offset") AS o FROM logs',
    )
    assert found == [{"n": 160, "d": 160, "s": 3, "o": 59}]
    assert lake.audit().ok


def test_key_headers_time_and_place_of_a_message_become_attributes(broker: Broker, lake: Lake, topic: str) -> None:
    broker.create(topic)
    headers = [("trace", b"t1"), ("trace", b"t2"), ("none", None)]
    broker.send(topic, [b"plain words"], key=b"k1", headers=headers, timestamp=1714557600123)
    one(lake, broker.url(topic))
    (found,) = rows(lake, "SELECT timestamp::text AS t, body, source, attributes FROM logs")
    assert (found["t"], found["body"]) == ("2024-05-01 10:00:00.123+00", "plain words")
    assert found["source"].startswith("kafka:")
    assert found["source"].endswith(f"/{topic}/0")
    assert found["attributes"] == {
        "messaging.kafka.message.key": "k1",
        "messaging.kafka.message.header.trace": "t1",
        "messaging.kafka.message.header.trace.1": "t2",
        "messaging.kafka.message.header.none": "",
        "messaging.system": "kafka",
        "messaging.destination.name": topic,
        "messaging.destination.partition.id": "0",
    }


def test_what_the_policy_forbids_is_redacted_in_keys_and_headers_too(broker: Broker, lake: Lake, topic: str) -> None:
    broker.create(topic)
    broker.send(topic, [b"paid by amy@example.com"], key=b"bob@example.com", headers=[("from", b"eve@example.com")])
    assert one(lake, broker.url(topic)).counts.redacted == {"email": 3}
    assert "@example" not in json.dumps(rows(lake, "SELECT text FROM lines"))


def test_a_null_value_is_a_record_and_bytes_that_are_no_text_stay_readable(
    broker: Broker, lake: Lake, topic: str
) -> None:
    broker.create(topic)
    broker.send(topic, [None, b"a\\b\xff", b"two\nlines"], key=b"k")
    assert one(lake, broker.url(topic)).counts.stored == 3
    found = rows(lake, 'SELECT body, attributes FROM logs ORDER BY "offset"')
    assert [row["body"] for row in found] == [None, "a\\\\b\\xff", "two\nlines"]
    marks = [
        row["attributes"].get(f"messaging.kafka.message.{name}") for row in found for name in ("tombstone", "escaped")
    ]
    assert marks == ["true", None, None, "true", None, None]


def test_a_value_that_is_too_long_is_kept_cut_and_counted(broker: Broker, topic: str) -> None:
    broker.create(topic)
    broker.send(topic, [b"x" * 900_000, "ä".encode() * 1000, b"short"])
    with Messages(Split("s", f"{broker.url(topic)}#0", "g", 0, 3), 2**20, 1025) as reading:
        (frame,) = reading
    bodies = [json.loads(text)["body"] for text in frame["text"]]
    assert bodies == ["x" * 1025, "ä" * 512, "short"]
    assert frame["cut_bytes"].to_list() == [900_000 - 1025, 2000 - 1024, None]
    assert (reading.end, reading.problem) == (3, "")


def test_a_format_that_is_named_is_that_of_the_values(broker: Broker, lake: Lake, topic: str) -> None:
    broker.create(topic)
    broker.send(topic, [b'192.0.2.7 - - [26/Nov/2026:10:00:00 +0000] "GET /a HTTP/1.1" 200 5 "-" "curl/8"'])
    report = one(lake, broker.url(topic), format="combined")
    assert (report.format, report.counts.stored) == ("received/apache_combined", 1)
    assert rows(lake, "SELECT url_path, http_response_status_code AS s FROM logs") == [{"url_path": "/a", "s": 200}]


def test_what_retention_removed_unread_is_told_loudly_and_what_is_there_is_read(
    broker: Broker, lake: Lake, topic: str
) -> None:
    broker.create(topic)
    broker.send(topic, numbered(0, 10))
    one(lake, broker.url(topic))
    broker.send(topic, numbered(10, 20))
    broker.trim(topic, 15)
    report = lake.ingest([broker.url(topic)])
    assert report.files[0].counts.stored == 5
    assert report.failed
    assert "from offset 10: 5 offsets were removed before they were read" in report.failed[0].lost
    assert not lake.ingest([broker.url(topic)]).failed
    assert not lake.audit().ok


def test_a_topic_that_is_new_to_the_lake_begins_where_it_begins(broker: Broker, lake: Lake, topic: str) -> None:
    broker.create(topic)
    broker.send(topic, numbered(0, 10))
    broker.trim(topic, 4)
    report = one(lake, broker.url(topic))
    assert (report.counts.stored, report.lost, report.error) == (6, "", "")
    assert "begins at offset 4" in report.note
    assert lake.audit().ok


def test_aborted_transactions_are_not_read_and_their_marks_are_passed_over(
    broker: Broker, lake: Lake, topic: str
) -> None:
    broker.create(topic)
    producer = broker.client("Producer", **{"transactional.id": topic})
    producer.init_transactions(10)
    for ends_well in (True, False, True):
        producer.begin_transaction()
        for value in numbered(0, 3):
            producer.produce(topic, value=value, key=str(ends_well).encode())
        producer.flush(10)
        producer.commit_transaction(10) if ends_well else producer.abort_transaction(10)
    assert one(lake, broker.url(topic)).counts.stored == 6
    assert lake.ingest([broker.url(topic)]).totals.read == 0
    keys = "SELECT DISTINCT attributes['messaging.kafka.message.key'] AS key FROM logs"
    assert rows(lake, keys) == [{"key": "True"}]


def test_a_topic_made_anew_is_read_from_its_start_where_the_broker_tells_no_ids(
    broker: Broker, lake: Lake, topic: str
) -> None:
    for values in (numbered(0, 5), numbered(100, 103), numbered(200, 209)):
        broker.create(topic)
        broker.send(topic, values)
        report = one(lake, broker.url(topic))
        assert report.counts.stored == len(values)
        broker.delete(topic)
    assert "begins anew" in report.note
    assert rows(lake, "SELECT count(DISTINCT body) AS n, count(DISTINCT generation) AS g FROM logs") == [
        {"n": 17, "g": 3}
    ]


def test_a_topic_made_anew_is_known_by_its_id(tansu: Tansu, lake: Lake, topic: str) -> None:
    tansu.create(topic)
    tansu.send(topic, numbered(0, 3))
    assert one(lake, tansu.url(topic)).counts.stored == 3
    tansu.send(topic, numbered(3, 5))
    assert one(lake, tansu.url(topic)).counts.stored == 2
    tansu.delete(topic)
    tansu.create(topic)
    tansu.send(topic, numbered(0, 5))
    report = one(lake, tansu.url(topic))
    assert report.counts.stored == 5
    assert "begins anew" in report.note
    assert rows(lake, "SELECT count(*) AS n, count(DISTINCT generation) AS g FROM logs") == [{"n": 10, "g": 2}]


def test_a_topic_whose_broker_tells_ids_only_since_an_upgrade_is_read_on(tansu: Tansu, topic: str) -> None:
    tansu.create(topic)
    tansu.send(topic, numbered(0, 5))
    (target,), _ = targets(tansu.url(topic))
    with Messages(Split(target.source, target.locator, "", 0, 3), 2**20, 2**20) as reading:
        assert [frame.height for frame in reading] == [3]
    before = Checkpoint(target.source, f"{0:016x}", 3, 0, "", reading.tail_size, reading.tail_hash)
    goes_on = identified(target, [before])
    assert (goes_on.generation, goes_on.start) == (before.generation, 3)
    anew = identified(target, [replace(before, tail_hash="another")])
    assert (anew.generation, anew.start) == (target.generation, 0)
    assert "begins anew" in anew.note


def test_large_topics_are_read_in_splits_that_meet(
    broker: Broker, lake: Lake, topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    broker.create(topic)
    broker.send(topic, [value + b" " * 400 for value in numbered(0, 800)])
    monkeypatch.setattr(lake, "settings", lake.settings.model_copy(update={"split_bytes": 2**16}))
    one(lake, broker.url(topic))
    found = rows(lake, 'SELECT count(*) AS n, count(DISTINCT body) AS d, count(DISTINCT "offset") AS o FROM logs')
    assert found == [{"n": 800, "d": 800, "o": 800}]
    assert lake.audit().ok


def test_a_broker_that_is_away_is_an_error_and_its_offsets_stay(tmp_path: Path, topic: str) -> None:
    lake = Lake.open(tmp_path / "lake", create=True)
    settings = lake.settings.model_copy(update={"kafka": Kafka(seconds=1.5)})
    lake.settings = settings
    with Broker(tmp_path / "broker") as broker:
        broker.create(topic)
        broker.send(topic, numbered(0, 5))
        one(lake, broker.url(topic))
    (failed,) = lake.ingest([broker.url(topic)]).failed
    assert failed.error.startswith(f"cannot read kafka://{broker.address}: ")
    assert failed.error.endswith("check [kafka] in logshed.toml and the brokers")
    with broker:
        broker.send(topic, numbered(5, 7))
        assert one(lake, broker.url(topic)).counts.stored == 2


def test_an_unknown_topic_is_an_error_and_is_not_made_by_asking(broker: Broker, lake: Lake) -> None:
    for _ in range(2):
        (failed,) = lake.ingest([broker.url("no-such")]).failed
        assert "the cluster has no such topic or partition" in failed.error
    (failed,) = lake.ingest([broker.url("no-such-*")]).failed
    assert "no topic matches" in failed.error


def test_a_refused_login_is_told_without_the_password(tmp_path: Path, lake: Lake) -> None:
    class Locked(Tansu):
        def words(self) -> tuple[list[str], dict[str, str]]:
            words, environment = super().words()
            return [*words, "--authentication"], environment

    (tmp_path / "secret").write_text("opensesame\n")
    given = {"security": "sasl_plaintext", "user": "amy", "password": f"file:{tmp_path}/secret", "seconds": 1.5}
    lake.settings = lake.settings.model_copy(update={"kafka": Kafka.model_validate(given)})
    with Locked(tmp_path / "broker") as broker:
        (failed,) = lake.ingest([broker.url("orders")]).failed
    assert "SASL authentication error" in failed.error
    assert "opensesame" not in failed.error
    assert "opensesame" not in repr(lake.settings.kafka.access())


def test_brokers_are_reached_by_tls_and_only_with_a_certificate_that_is_trusted(
    tmp_path: Path, lake: Lake, topic: str
) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    trustme.CA().cert_pem.write_to_path(tmp_path / "other.pem")
    with Encrypted(tmp_path / "broker", context) as broker:
        options = {"security.protocol": "ssl", "ssl.ca.location": str(tmp_path / "ca.pem")}
        producer = broker.client("Producer", **options)
        producer.produce(topic, value=b"words")
        assert producer.flush(10) == 0
        for name, failed in (("ca.pem", 0), ("other.pem", 1)):
            given = Kafka.model_validate({"security": "ssl", "ca": tmp_path / name, "seconds": 1.5})
            lake.settings = lake.settings.model_copy(update={"kafka": given})
            report = lake.ingest([broker.url(topic)])
            assert len(report.failed) == failed, report.failed
            assert report.totals.stored == 1 - failed
        del producer
    assert "certificate verify failed" in report.failed[0].error


def test_topics_are_followed_also_when_their_broker_was_away(tmp_path: Path, topic: str) -> None:
    lake = Lake.open(tmp_path / "lake", create=True)
    lake.settings = lake.settings.model_copy(update={"kafka": Kafka(seconds=1)})
    stop, seen = threading.Event(), threading.Event()
    wanted = 5

    def watch(report: Any) -> None:
        if report.counts.stored >= wanted:
            seen.set()

    broker = Broker(tmp_path / "broker")
    with broker:
        broker.create(topic)
        broker.send(topic, numbered(0, 5))
    found: list[Any] = []
    given = {"every": 0.2, "progress": watch}
    runs = threading.Thread(target=lambda: found.append(lake.follow([broker.url(topic)], stop, **given)))
    runs.start()
    with broker:
        assert seen.wait(20)
        wanted = 8
        seen.clear()
        broker.send(topic, numbered(5, 8))
        assert seen.wait(20)
        stop.set()
        runs.join(20)
    assert found[0].failed == {}
    assert rows(lake, "SELECT count(*) AS n, count(DISTINCT body) AS d FROM logs") == [{"n": 8, "d": 8}]


def test_the_program_reads_topics_of_the_brokers_in_its_settings(
    broker: Broker, logshed: Run, tmp_path: Path, topic: str
) -> None:
    broker.create(topic)
    broker.send(topic, numbered(0, 3))
    (tmp_path / "logshed.toml").write_text(f'[kafka]\nbrokers = "{broker.address}"\nname = "shop"\n')
    done = logshed("ingest", f"kafka:///{topic}")
    assert done.returncode == 0, done.stderr
    assert "Took 3 lines: 3 stored" in done.stdout
    broker.send(topic, numbered(3, 6))
    broker.trim(topic, 5)
    done = logshed("ingest", f"kafka:///{topic}")
    assert done.returncode == 1
    assert "2 offsets were removed before they were read" in done.stdout


def test_a_missing_library_is_an_error_that_says_what_to_install(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "confluent_kafka", None)
    (failed,) = lake.ingest(["kafka://127.0.0.1:1/orders"]).failed
    assert "pip install 'logshed[kafka]'" in failed.error


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("kafka://b:9092", "that is no address of a topic"),
        ("kafka:///orders", "it names no brokers"),
        ("kafka://b:9092/a/b", "that is no address of a topic"),
        ("kafka://amy:secret@b:9092/orders", "an address holds no password"),
    ],
)
def test_an_address_that_is_none_is_told_without_secrets(text: str, cause: str) -> None:
    with pytest.raises(UsageError, match=cause) as told:
        TopicAddress.parse(text)
    assert "secret" not in str(told.value)


def test_topics_that_brokers_keep_for_themselves_fit_no_wildcard() -> None:
    every = TopicAddress.parse("kafka://b1:9092,b2:9092/*")
    assert every.fits("orders")
    assert not every.fits("__consumer_offsets")
    assert TopicAddress.parse("kafka://b/__*").fits("__consumer_offsets")
