from __future__ import annotations

import gzip
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from backports import zstd
from tests.pipeline.samples import accesses

from logshed import files, sanitizing
from logshed.errors import UsageError
from logshed.sources import files as sources
from logshed.sources import objects

if TYPE_CHECKING:
    from tests.object_servers import FaultyProxy
    from tests.started import Starter

    from logshed.api import Lake
    from logshed.pipeline.outcome import IngestReport
    from logshed.settings import Settings

ROOT = Path(__file__).parents[2]
BUCKET = "logs-bucket"


def put(s3: Any, key: str, body: str | bytes) -> None:
    s3.put_object(Bucket=BUCKET, Key=key, Body=body)


def fates(report: IngestReport) -> dict[str, tuple[str, int]]:
    """Status and lines by key."""
    return {one.path.partition(f"{BUCKET}/")[2]: (one.status, one.counts.read) for one in report.files}


def told(report: IngestReport) -> str:
    return "\n".join(one.error for one in report.files if one.error)


def assert_once(lake: Lake, lines: int) -> None:
    """Every line is in the lake, once, and the audit finds no gap."""
    found = lake.query('SELECT count(*), count(DISTINCT ("source", "generation", "offset")) FROM lines').rows()
    assert found == [(lines, lines)]
    assert lake.audit().as_dict()["ok"]


def test_a_prefix_is_listed_page_by_page_and_what_is_known_by_its_etag_is_not_opened_again(
    lake: Lake, s3: Any, proxy: FaultyProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("logshed.buckets.s3.PAGE_KEYS", 100)
    line = accesses(0, 1)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: put(s3, f"many/{n % 7}/{n:04d}.log", line), range(210)))
    lake.ingest([f"s3://{BUCKET}/many/0/0*"], format="apache_combined")
    assert_once(lake, 30)
    assert proxy.count("GET") == 1 + 30, "a small object is fetched once"
    proxy.seen.clear()
    assert {one.status for one in lake.ingest([f"s3://{BUCKET}/many/0/0*"]).files} == {"unchanged"}
    assert [(method, path.partition("?")[0]) for method, path in proxy.seen] == [
        ("HEAD", f"/{BUCKET}/many/0/0*".replace("*", "%2A")),
        ("GET", f"/{BUCKET}"),
    ]
    proxy.seen.clear()
    assert len(sources.discover([f"s3://{BUCKET}/many/"], look=False).targets) == 210
    assert proxy.count("GET") == 3, "100 keys a page"


def test_objects_of_every_form_give_their_lines_whatever_their_keys(lake: Lake, s3: Any) -> None:
    text = accesses(0, 50)
    put(s3, "app/plain no newline.log", text[:-1])
    put(s3, "app/a//ü#?%41.log", text)
    put(s3, "app/old.log.gz", gzip.compress(text.encode()))
    put(s3, "app/old.log.zst", zstd.compress(text.encode()))
    put(s3, "app/windows.log", text.encode("utf-16"))
    pl.DataFrame({"line": text.splitlines()}).write_parquet(Path(lake.root).parent / "x")
    put(s3, "app/rows.parquet", (Path(lake.root).parent / "x").read_bytes())
    put(s3, "app/", b"")
    put(s3, "app/picture.png", b"\x89PNG\r\n")
    put(s3, "app/../../hidden.log", text)
    put(s3, "apple.log", text)
    report = lake.ingest([f"s3://{BUCKET}/app", f"s3://{BUCKET}/app/*.parquet", f"s3://{BUCKET}/app/**/ü*"])
    ends = ("plain no newline.log", "a//ü#?%41.log", "old.log.gz", "old.log.zst", "windows.log", "rows.parquet")
    taken = {key: lines for key, (status, lines) in fates(report).items() if status == "ingested"}
    assert taken == {f"app/{end}": 50 for end in ends}
    assert_once(lake, 300)
    assert {one.status for one in lake.ingest([f"s3://{BUCKET}/app/"]).files} == {"unchanged", "skipped"}
    path = lake.query("SELECT DISTINCT log_file_path FROM logs WHERE log_file_path LIKE '%gz'").rows()
    assert path == [(f"s3://{BUCKET}/app/old.log.gz",)]


def test_a_big_object_is_read_by_ranges_and_by_several_splits(
    lake: Lake, s3: Any, proxy: FaultyProxy, settings: Settings
) -> None:
    body = accesses(0, 12_000)
    put(s3, "big.log", body)
    asked: list[str] = []

    def fault(_method: str, _path: str, headers: Any) -> str:
        asked.append(headers.get("Range", ""))
        return ""

    proxy.fault = fault
    settings = settings.model_copy(update={"split_bytes": 200_000, "batch_bytes": 100_000})
    report = type(lake).open(lake.root, settings=settings).ingest([f"s3://{BUCKET}/big.log"])
    assert fates(report) == {"big.log": ("ingested", 12_000)}
    assert_once(lake, 12_000)
    sizes = [1 + int(end) - int(start) for start, end in (one[6:].split("-") for one in asked if one)]
    assert len(sizes) > 8
    assert max(sizes) <= 512 * 1024 < len(body)


def test_an_overwritten_object_is_a_new_generation_and_one_that_was_appended_to_goes_on(lake: Lake, s3: Any) -> None:
    put(s3, "a.log", accesses(0, 100))
    lake.ingest([f"s3://{BUCKET}/a.log"])
    put(s3, "a.log", accesses(0, 130))
    assert fates(lake.ingest([f"s3://{BUCKET}/a.log"])) == {"a.log": ("ingested", 30)}
    put(s3, "a.log", accesses(500, 520))
    report = lake.ingest([f"s3://{BUCKET}/a.log"])
    assert fates(report) == {"a.log": ("ingested", 20)}
    assert "overwritten" in report.files[0].note
    put(s3, "a.log", accesses(0, 130))
    assert fates(lake.ingest([f"s3://{BUCKET}/a.log"])) == {"a.log": ("unchanged", 0)}, "it was here before"
    assert_once(lake, 150)


def test_throttling_and_cut_connections_are_waited_out(lake: Lake, s3: Any, proxy: FaultyProxy) -> None:
    for number in range(3):
        put(s3, f"a{number}.log", accesses(100 * number, 100 * number + 100))
    put(s3, "b.log.gz", gzip.compress(accesses(300, 5300).encode()))
    turns: dict[str, int] = {}

    def fault(_method: str, path: str, _headers: Any) -> str:
        turns[path] = turns.get(path, 0) + 1
        return {1: "slow down", 2: "cut"}.get(turns[path], "")

    proxy.fault = fault
    report = lake.ingest([f"s3://{BUCKET}/"])
    assert not told(report)
    assert_once(lake, 5300)


def test_what_cannot_be_read_to_its_end_is_told_and_taken_whole_the_next_time(
    lake: Lake, s3: Any, proxy: FaultyProxy, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Behind its first bytes an object is cut every time: of a compressed one nothing may be taken until it is read."""
    monkeypatch.setattr("logshed.buckets.body._FIRST_WAIT_S", 0.001)
    put(s3, "a.log", accesses(0, 6000))
    put(s3, "b.log.gz", gzip.compress(os.urandom(100_000).hex().encode() + b"\n" + accesses(0, 2000).encode()))
    put(s3, "c.log", accesses(9000, 9010))

    def fault(method: str, _path: str, headers: Any) -> str:
        return "cut" if method == "GET" and not headers.get("Range", "bytes=0-").startswith("bytes=0-") else ""

    proxy.fault = fault
    settings = settings.model_copy(update={"split_bytes": 100_000})
    report = type(lake).open(lake.root, settings=settings).ingest([f"s3://{BUCKET}/"])
    assert fates(report)["b.log.gz"] == ("failed", 0)
    assert fates(report)["c.log"] == ("ingested", 10)
    assert "the connection was cut 5 times" in told(report)
    proxy.fault = lambda *_: ""
    assert not told(lake.ingest([f"s3://{BUCKET}/"]))
    assert_once(lake, 6000 + 2001 + 10)


def test_an_object_that_changes_while_it_is_read_is_told_and_taken_the_next_time(
    lake: Lake, s3: Any, proxy: FaultyProxy
) -> None:
    put(s3, "a.log", accesses(0, 6000))
    changes = iter([accesses(7000, 13_000)])

    def fault(method: str, _path: str, headers: Any) -> str:
        if method == "GET" and headers.get("Range", "").startswith("bytes=65536"):
            for body in changes:
                put(s3, "a.log", body)
        return ""

    proxy.fault = fault
    report = lake.ingest([f"s3://{BUCKET}/a.log"])
    assert "overwritten or deleted while it was read; run it again" in told(report)
    assert fates(lake.ingest([f"s3://{BUCKET}/a.log"])) == {"a.log": ("ingested", 6000)}
    assert_once(lake, 6000)


def test_two_objects_with_equal_bytes_are_two(lake: Lake, s3: Any) -> None:
    put(s3, "one/a.log", accesses(0, 10))
    put(s3, "two/a.log", accesses(0, 10))
    lake.ingest([f"s3://{BUCKET}/one/"])
    lake.ingest([f"s3://{BUCKET}/two/"])
    assert_once(lake, 20)


def test_a_public_bucket_is_read_without_a_signature(
    lake: Lake, s3: Any, proxy: FaultyProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    s3.put_object(Bucket=BUCKET, Key="a.log", Body=accesses(0, 10), ACL="public-read")
    s3.put_bucket_acl(Bucket=BUCKET, ACL="public-read")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    objects.buckets.door._opened.clear()
    signed: list[bool] = []

    def fault(_method: str, _path: str, headers: Any) -> str:
        signed.append("Authorization" in headers)
        return ""

    proxy.fault = fault
    assert "no credentials" in told(lake.ingest([f"s3://{BUCKET}/a.log"]))
    report = lake.ingest([f"s3://anonymous@{BUCKET}/a.log"])
    assert fates(report) == {"a.log": ("ingested", 10)}, told(report)
    assert signed
    assert not any(signed)
    objects.buckets.door._opened.clear()


def test_what_is_wrong_with_an_address_is_told(lake: Lake, s3: Any) -> None:
    causes = {
        "s3://no-such-bucket/": "there is no such bucket; check its name",
        f"s3://{BUCKET}/nothing/": "it holds no objects",
        f"s3://{BUCKET}/*.gz": "no object matches; check the pattern",
        "s3://": "it names no bucket",
        f"s3://key:secret@{BUCKET}/": "no place for credentials",
        "https://example.com/a.log": "https is no object store",
        f"az://{BUCKET}/": "no account is named; set AZURE_STORAGE_ACCOUNT_NAME",
    }
    put(s3, "a.log", accesses(0, 10))
    report = lake.ingest([*causes, f"s3://{BUCKET}/a.log"])
    assert_once(lake, 10)
    for (path, cause), one in zip(causes.items(), report.files, strict=False):
        assert cause in one.error, path
        assert "secret" not in one.error


def test_a_killed_ingest_of_a_bucket_loses_and_doubles_nothing(
    lake: Lake, s3: Any, proxy: FaultyProxy, starter: Starter, tmp_path: Path
) -> None:
    put(s3, "a.log", accesses(0, 5000))
    put(s3, "b.log.gz", gzip.compress(accesses(5000, 7_000).encode()))
    asked: list[str] = []

    def fault(_method: str, path: str, _headers: Any) -> str:
        time.sleep(0.02)
        asked.append(path)
        return ""

    proxy.fault = fault
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}", "LOGSHED_OBJECTS_ENDPOINT": proxy.url}
    environment |= {"LOGSHED_SPLIT_BYTES": "100 kB", "LOGSHED_BATCH_BYTES": "100 kB"}
    for requests in (6, 9):
        asked.clear()
        with Path(os.devnull).open("rb") as nothing, (tmp_path / "told").open("ab") as out:
            words = ["ingest", f"s3://{BUCKET}/", "--lake", str(lake.root)]
            process = starter.start(words, tmp_path, environment, [nothing.fileno(), out.fileno(), out.fileno()])
            while len(asked) < requests and process.poll() is None:
                time.sleep(0.005)
            assert process.poll() is None, (tmp_path / "told").read_text()
            os.kill(process.pid, signal.SIGKILL)
            process.wait(20)
    lake.ingest([f"s3://{BUCKET}/"])
    assert_once(lake, 7_000)


def test_objects_are_looked_into_and_converted_but_not_followed(
    lake: Lake, s3: Any, settings: Settings, tmp_path: Path
) -> None:
    put(s3, "in/a//../../x.log", "mail bob@example.com\n")
    put(s3, "in/b.log", "mail eve@example.com\n")
    done = sanitizing.sanitize_files(
        [f"s3://{BUCKET}/in/b.log", f"s3://{BUCKET}/in/**"], str(tmp_path / "out"), settings=settings
    )
    assert [Path(one.output).relative_to(tmp_path / "out").as_posix() for one in done.files] == [f"{BUCKET}/in/b.log"]
    assert "eve" not in (tmp_path / "out" / BUCKET / "in/b.log").read_text()
    rows = files.convert([f"s3://{BUCKET}/in/b.log"], passing=files.reader(settings), columns=["body"])
    assert len(rows.rows()) == 1
    with pytest.raises(UsageError, match="objects do not grow"):
        lake.follow([f"s3://{BUCKET}/in/"], Event())
