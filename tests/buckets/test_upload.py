from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.buckets.dbfs_server import TOKEN, DbfsServer

from logshed import sanitizing
from logshed.buckets import Access, Address
from logshed.buckets.sinks import Local, sink
from logshed.errors import BucketError, RedactionError, UsageError
from logshed.pipeline.uploading import Uploader, destination

if TYPE_CHECKING:
    from tests.conftest import Run
    from tests.object_servers import FaultyProxy
    from tests.started import Starter

    from logshed.pipeline.uploading import Upload
    from logshed.settings import Settings

ROOT = Path(__file__).parents[2]
BUCKET = "logs-bucket"
DIRTY = "2026-01-01 mail bob@example.com\n"
MIB = 1024 * 1024


def upload(settings: Settings, local: Path, to: str, **options: Any) -> list[Upload]:
    return Uploader(settings, **options).run(local, destination(Address.parse(to), local)).files


def keys(s3: Any) -> list[str]:
    return [one["Key"] for one in s3.list_objects_v2(Bucket=BUCKET).get("Contents", ())]


def test_only_what_is_sanitised_is_uploaded_under_todays_date(s3: Any, settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "app.log").write_text(DIRTY)
    (tmp_path / "image").write_bytes(bytes(range(32)) * 100)
    [refused] = upload(settings, tmp_path / "app.log", f"s3://{BUCKET}")
    assert refused.status == "refused"
    assert "it is not sanitised, it holds 1 email; sanitize it first" in refused.problem
    [unknown] = upload(settings, tmp_path / "image", f"s3://{BUCKET}")
    assert "nobody can tell whether it is sanitised" in unknown.problem
    assert not keys(s3)

    out, report = tmp_path / "clean.log", tmp_path / "r.json"
    sanitizing.sanitize_files([str(tmp_path / "app.log")], str(out), report=report, settings=settings)
    assert [one.status for one in upload(settings, out, f"s3://{BUCKET}", dry=True)] == ["would be uploaded"]
    assert not keys(s3)
    [found] = upload(settings, out, f"s3://{BUCKET}")
    today = time.strftime("%Y-%m-%d", time.gmtime())
    assert (found.status, found.to) == ("uploaded", f"s3://{BUCKET}/raw-logs/{today}/clean.log")
    assert keys(s3) == [f"raw-logs/{today}/clean.log"]
    [again] = upload(settings, out, f"s3://{BUCKET}", report=report)
    assert again.status == "already there"
    [other] = upload(settings, tmp_path / "app.log", f"s3://{BUCKET}", report=report)
    assert "the report names no output of these bytes" in other.problem
    [raw] = upload(settings, tmp_path / "app.log", f"s3://{BUCKET}/x/", raw=True)
    assert raw.status == "uploaded"


def test_a_report_counts_only_by_the_policy_in_force_and_as_it_was_signed(
    s3: Any, settings: Settings, tmp_path: Path
) -> None:
    (tmp_path / "app.log").write_text(DIRTY)
    report = tmp_path / "r.json"
    sanitizing.sanitize_files([str(tmp_path / "app.log")], str(tmp_path / "o"), report=report, settings=settings)
    with pytest.raises(RedactionError, match="by another policy"):
        Uploader(settings.model_copy(update={"policy": "none"}), report=report)
    document = json.loads(report.read_text())
    document["signature"] = {"algorithm": "HMAC-SHA-256", "key": "k1", "value": "0" * 64}
    report.write_text(json.dumps(document))
    with pytest.raises(RedactionError):
        Uploader(settings, report=report)
    (tmp_path / "bob@example.com.log").write_text("clean\n")
    [named] = upload(settings, tmp_path / "bob@example.com.log", f"s3://{BUCKET}")
    assert "its name holds what the policy forbids" in named.problem
    assert not keys(s3)


def test_a_folder_goes_up_whole_and_nothing_is_replaced_unless_told(
    s3: Any, settings: Settings, proxy: FaultyProxy, tmp_path: Path
) -> None:
    local = tmp_path / "logs"
    (local / "sub").mkdir(parents=True)
    (local / "a.log").write_text("one\n")
    (local / "sub" / "b.log").write_text("two\n")
    (local / ".hidden").write_text("no\n")
    turns = iter(["slow down", "cut", "slow down"])
    proxy.fault = lambda method, _path, _headers: next(turns, "") if method == "PUT" else ""
    assert [one.status for one in upload(settings, local, f"s3://{BUCKET}/p")] == ["uploaded"] * 2
    assert keys(s3) == ["p/a.log", "p/sub/b.log"]
    (local / "a.log").write_text("other\n")
    found = upload(settings, local, f"s3://{BUCKET}/p/")
    assert [one.status for one in found] == ["refused", "already there"]
    assert "something else is at" in found[0].problem
    assert next(one.status for one in upload(settings, local, f"s3://{BUCKET}/p", force=True)) == "uploaded"
    with pytest.raises(UsageError, match="nothing is written without credentials"):
        destination(Address.parse(f"s3://anonymous@{BUCKET}/"), local)


def test_a_killed_upload_goes_on_where_it_was_and_what_has_changed_begins_anew(
    s3: Any, settings: Settings, proxy: FaultyProxy, starter: Starter, tmp_path: Path
) -> None:
    file = tmp_path / "big.log"
    file.write_bytes(random.Random(1).randbytes(20 * MIB))  # noqa: S311 - only data
    sent: list[str] = []

    def fault(method: str, path: str, _headers: Any) -> str:
        if method == "PUT" and "partNumber" in path:
            sent.append(path)
            time.sleep(0.0 if len(sent) < 3 else 5.0)
        return ""

    proxy.fault = fault
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "LOGSHED_OBJECTS_ENDPOINT": proxy.url}
    with Path(os.devnull).open("rb") as nothing, (tmp_path / "told").open("ab") as out:
        words = ["upload", str(file), f"s3://{BUCKET}/x/", "--raw"]
        process = starter.start(words, tmp_path, environment, [nothing.fileno(), out.fileno(), out.fileno()])
        while len(sent) < 3:
            assert process.poll() is None, (tmp_path / "told").read_text()
            time.sleep(0.01)
        os.kill(process.pid, signal.SIGKILL)
        process.wait(20)
    assert not keys(s3), "nothing is seen before it is whole"
    proxy.fault = lambda *_: ""
    [found] = upload(settings, file, f"s3://{BUCKET}/x/", raw=True)
    assert (found.status, found.resumed, found.verified) == ("uploaded", 16 * MIB, "SHA-256 told by the store")
    body = s3.get_object(Bucket=BUCKET, Key="x/big.log")
    assert hashlib.sha256(body["Body"].read()).hexdigest() == found.sha256 == body["Metadata"]["sha256"]

    begun = s3.create_multipart_upload(Bucket=BUCKET, Key="x/big.log")["UploadId"]
    s3.upload_part(Bucket=BUCKET, Key="x/big.log", UploadId=begun, PartNumber=1, Body=bytes(8 * MIB))
    file.write_bytes(b"0" + file.read_bytes()[1:])
    [anew] = upload(settings, file, f"s3://{BUCKET}/x/", raw=True, force=True)
    assert (anew.status, anew.resumed) == ("uploaded", 0)


@pytest.mark.usefixtures("s3")
def test_every_upload_is_in_the_audit_trail_and_told_as_json(settings: Settings, logshed: Run, tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("clean\n")
    own = {name: os.environ[name] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}
    own |= {"LOGSHED_OBJECTS_ENDPOINT": settings.objects.endpoint}
    done = logshed("upload", "a.log", f"s3://{BUCKET}/a.log", "--json", env=own)
    assert done.returncode == 0, done.stderr
    [told] = json.loads(done.stdout)["files"]
    assert (told["status"], told["to"]) == ("uploaded", f"s3://{BUCKET}/a.log")
    entry = json.loads((tmp_path / "logshed-tokens.audit.jsonl").read_text().splitlines()[-1])
    assert (entry["verb"], entry["outcome"]) == ("upload", "ok")
    assert json.loads(entry["details"])["first"][0]["sha256"] == told["sha256"]


def test_dbfs_takes_what_is_small_enough_and_is_read_back(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "a.log"
    data = ("a line of no meaning\n" * 100_000).encode()
    file.write_bytes(data)
    with DbfsServer() as server:
        monkeypatch.setenv("DATABRICKS_HOST", server.url)
        monkeypatch.setenv("DATABRICKS_TOKEN", TOKEN)
        server.throttles = 2
        [done] = upload(settings, file, "dbfs:/logs/", raw=True)
        assert (done.status, done.verified, done.to) == ("uploaded", "read back", "dbfs:/logs/a.log")
        assert server.files == {"/logs/a.log": data}
        assert upload(settings, file, "dbfs:/logs/", raw=True)[0].status == "already there"
        server.corrupt = True
        [broken] = upload(settings, file, "dbfs:/other/", raw=True)
        assert "another checksum" in broken.problem
        assert "/other/a.log" not in server.files
        with pytest.raises(BucketError, match="less than 2 GB; upload it to the S3, ADLS or GCS"):
            sink(Address.parse("dbfs:/"), Access()).put(Local(file, 2 * 1024**3, ""), "large.log", print)
        monkeypatch.setenv("DATABRICKS_TOKEN", "wrong")
        [denied] = upload(settings, file, "dbfs:/large/", raw=True)
        assert "check DATABRICKS_TOKEN" in denied.problem
