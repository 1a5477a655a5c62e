"""What could not be decoded is kept, redacted, in its order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from logshed.doors.guard import EVERYTHING
from logshed.doors.receive_counts import Counts
from logshed.enrichment import sources
from logshed.pipeline.planning import Options, job_of
from logshed.pipeline.receive_dead import LARGEST, DeadRecords
from logshed.pipeline.receive_safe import Safe
from logshed.receivers.model import Came, Decoded, Refused
from logshed.redaction.policy_files import load_policy
from logshed.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any


def dead(folder: Path, counts: Counts) -> DeadRecords:
    settings = Settings.load(folder, environ={})
    job = job_of(settings, Options(), load_policy("default", ()), sources.opened(settings.enrichment))
    return DeadRecords(folder, Safe(job, lambda *_: None), counts)


def letters(folder: Path) -> list[dict[str, Any]]:
    return [orjson.loads(line) for path in (folder / "dead").glob("*.jsonl") for line in path.read_bytes().splitlines()]


def test_text_is_kept_redacted_and_what_is_none_by_its_hash_and_size(tmp_path: Path) -> None:
    counts = Counts()
    refused = (
        Refused(0, "it names ann@example.com", b'{"mail": "ann@example.com", "password": "hunter2"'),
        Refused(3, "it is no JSON", b"\xff\xfe hunter2"),
        Refused(4, "it is no JSON", b"two\nlines of ben@example.com"),
    )
    dead(tmp_path, counts).keep(Came("elastic", Decoded((), refused), EVERYTHING, "192.0.2.7", "web"))
    found = letters(tmp_path)
    assert [one.get("text") for one in found] == [
        '{"mail": "[EMAIL]", "password": "[PASSWORD]"',
        None,
        "two\nlines of [EMAIL]",
    ]
    assert [one["size"] for one in found] == [len(one.data) for one in refused]
    assert found[0]["reason"] == "it names [EMAIL]"
    assert counts.total("logshed_receive_refused_records") == 3
    for path in tmp_path.rglob("*"):
        assert path.is_dir() or b"hunter2" not in path.read_bytes()


def test_a_body_that_is_too_large_is_kept_by_its_hash(tmp_path: Path) -> None:
    dead(tmp_path, Counts()).body("otlp", "it is cut", "192.0.2.7", "web", b"x" * (LARGEST + 1))
    (one,) = letters(tmp_path)
    assert (one.get("text"), one["size"], one["collection"]) == (None, LARGEST + 1, "web")
