"""Small splits are refined together, and each comes out as it would have alone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from logshed.api import Lake
from logshed.pipeline import together as reading
from logshed.pipeline.stages import Stages
from logshed.settings import Settings
from logshed.spool import Piece, Spool

if TYPE_CHECKING:
    from logshed.pipeline.outcome import FileReport
    from logshed.work import Split

TRUTH = Path(__file__).parents[3] / "shared" / "truth" / "files"
LINES = {
    "web1/shop": "2026-01-05T10:00:0{0}.5Z stdout F INFO order {0} of bob{0}@example.com password=hunter{0}2\n",
    "web1/till": "2026-01-05T10:00:0{0}.7Z stderr F ERROR till {0} is shut\n",
    "web2/shop": '2026-01-05T10:00:0{0}.9Z stdout F {{"level":"warn","msg":"slow {0}","user":"ann@example.com"}}\n',
    "web2/none": "no time at all {0}\n",
    "web3/us": "2026-01-05T10:00:0{0}.1Z stdout F 05/25/2025 10:00:0{0} INFO american\n",
    "web3/uk": "2026-01-05T10:00:0{0}.1Z stdout F 03/04/2025 10:00:0{0} INFO neither\n",
}


def spooled(root: Path) -> str:
    with Spool(root) as opened:
        opened.append(
            [
                Piece(
                    f"docker:{name}",
                    "till" if name.endswith("till") else "shop",
                    "".join(line.format(number) for number in range(8)).encode(),
                    {},
                    format="cri/json,bracket_level",
                    resource=(("container.name", name), *([("team", "red")] if name.endswith("shop") else [])),
                )
                for name, line in LINES.items()
            ]
        )
    return f"spool:{root}"


def ingested(folder: Path, paths: list[str], **given: Any) -> tuple[list[FileReport], list[Any], list[Any]]:
    lake = Lake.open(folder, create=True, settings=Settings.model_validate({"workers": 1, **given}))
    report = lake.ingest(paths)
    assert lake.audit().ok
    order = 'ORDER BY source, generation, "offset"'
    lines = lake.query(f"SELECT * EXCLUDE (batch, observed_timestamp) FROM lines {order}").rows()
    logs = lake.query(
        "SELECT * EXCLUDE (batch, observed_timestamp, timestamp, attributes), attributes::VARCHAR, "
        "CASE WHEN timestamp_source = 'observed' THEN NULL ELSE timestamp END "
        f"FROM logs {order}, item"
    ).rows()
    return report.files, lines, logs


def together(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many splits each turn of the stages has."""
    sizes: list[int] = []
    begin = Stages.__init__

    def counted(self: Stages, job: Any, split: Split, watch: Any = None, others: Any = ()) -> None:
        sizes.append(1 + len(others))
        begin(self, job, split, watch, others)

    monkeypatch.setattr(Stages, "__init__", counted)
    return sizes


def test_streams_that_are_alike_come_out_as_they_would_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = spooled(tmp_path / "spool")
    sizes = together(monkeypatch)
    jointly = ingested(tmp_path / "one", [path])
    assert max(sizes) == len(LINES) - 2, "those whose dates are told from others' come alone"
    monkeypatch.setattr(reading, "SMALL_BYTES", -1)
    assert jointly == ingested(tmp_path / "two", [path])
    assert sum(one.counts.rejected for one in jointly[0]) == 8


def test_streams_under_different_policies_drops_and_transforms_come_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = spooled(tmp_path / "spool")
    sizes = together(monkeypatch)
    rules = {
        "drop": [{"name": "shut", "source": "docker:web1/*", "match": "till 3"}],
        "transform": [{"name": "slow", "source": "docker:web2/*", "set": {"service_name": "'x'"}}],
    }
    jointly = ingested(tmp_path / "one", [path], **rules)
    assert max(sizes) == 1
    monkeypatch.setattr(reading, "SMALL_BYTES", -1)
    assert jointly == ingested(tmp_path / "two", [path], **rules)
    assert [one.counts.dropped for one in jointly[0] if one.counts.dropped] == [{"shut": 1}]


@pytest.mark.truth
@pytest.mark.skipif(not TRUTH.is_dir(), reason="needs ../shared/truth beside the checkout")
def test_small_real_files_come_out_as_they_would_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = tmp_path / "files"
    files.mkdir()
    found = sorted(path for path in TRUTH.rglob("*.log") if path.stat().st_size)[:30]
    for number, path in enumerate(found):
        lines = path.read_bytes()[:50_000].splitlines(keepends=True)
        (files / f"{number:03d}.log").write_bytes(b"".join(lines[:40]))
        (files / f"{number:03d}-again.log").write_bytes(b"".join(lines[40:60]) or b"x\n")
    sizes = together(monkeypatch)
    jointly = ingested(tmp_path / "one", [str(files)])
    assert max(sizes) > 1
    monkeypatch.setattr(reading, "SMALL_BYTES", -1)
    alone = ingested(tmp_path / "two", [str(files)])
    assert jointly == alone
