"""Who did what is written down, chained in the lake, once, and any change of it shows."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import polars as pl

from logshed.lake import trail as chain
from logshed.lake.names import TRAIL
from logshed.lake.store import Store
from logshed.pipeline.trail import Trail, broken

if TYPE_CHECKING:
    from pathlib import Path

    from logshed.api import Lake

WRITING = """
import sys
from pathlib import Path
from logshed.lake.store import Store
from logshed.pipeline.trail import Trail
root, name = Path(sys.argv[1]), sys.argv[2]
trail, store = Trail(root.parent / f"{name}.jsonl"), Store.open(root, create=False)
for number in range(10):
    trail.note("collect", f"{name} {number}", details={"number": number})
    trail.ship(store)
"""


def entries(lake: Lake) -> pl.DataFrame:
    return lake.query("SELECT * FROM audit ORDER BY sequence").pl()


def test_what_was_done_comes_into_the_lake_in_order_and_once(lake: Lake, tmp_path: Path) -> None:
    store = lake._opened()
    local = Trail(tmp_path / "audit.jsonl", lambda text: text.replace("bob@example.com", "[EMAIL]"))
    assert local.ship(store) == 0
    local.note("collect", "docker:web1 for bob@example.com")
    local.note("command", "docker:web1", "refused", {"words": ["docker", "exec"]}, collection="shop")
    for _ in range(3):
        assert local.ship(store) == 2
    local.note("collect", "docker:web1", "failed")
    assert local.ship(store) == 3
    found = entries(lake)
    assert found["target"].to_list() == ["docker:web1 for [EMAIL]", "docker:web1", "docker:web1"]
    assert found["outcome"].to_list() == ["ok", "refused", "failed"]
    assert found["collection"].to_list() == ["*", "shop", "*"]
    assert json.loads(found["details"][1]) == {"words": ["docker", "exec"]}
    assert found["prev_hash"].to_list() == [chain.NOTHING, *found["hash"].to_list()[:2]]
    assert lake.audit().ok


def test_the_chain_holds_when_several_processes_write_it(lake: Lake) -> None:
    store = lake._opened()
    running = [subprocess.Popen([sys.executable, "-c", WRITING, str(lake.root), name]) for name in ("a", "b", "c")]
    assert [one.wait(120) for one in running] == [0, 0, 0]
    found = entries(lake)
    assert found["sequence"].to_list() == list(range(1, 31))
    for name in ("a", "b", "c"):
        own = found.filter(pl.col("target").str.starts_with(f"{name} "))["target"]
        assert own.to_list() == [f"{name} {number}" for number in range(10)]
    assert broken(store) == []


def test_a_change_a_gap_and_a_missing_end_are_told(lake: Lake, tmp_path: Path) -> None:
    store = lake._opened()
    local = Trail(tmp_path / "audit.jsonl")
    for number in range(5):
        local.note("erase", f"user {number}")
    local.ship(store)
    found, head = entries(lake), chain.Head.of(store.table(TRAIL))
    assert chain.breaks(found, head) == []
    changed = found.with_columns(target=pl.when(pl.col("sequence") == 3).then(pl.lit("nobody")).otherwise("target"))
    assert chain.breaks(changed, head) == ["entry 3 was changed"]
    assert chain.breaks(found.filter(pl.col("sequence") != 2), head) == ["entries 2 to 2 are missing, or stand twice"]
    assert chain.breaks(found.head(4), head) == ["the chain ends with entry 4, and not with 5 as it should"]
    forged = changed.with_columns(
        hash=pl.Series([chain.hash_of(row) for row in changed.iter_rows(named=True)], dtype=pl.String)
    )
    assert "entry 4 does not follow the one before it" in chain.breaks(forged, head)


def test_a_line_that_a_crash_left_half_written_is_not_there(lake: Lake, tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    local = Trail(path)
    local.note("collect", "one")
    with path.open("ab") as file:
        file.write(b'{"timestamp": "2026-')
    assert local.ship(lake._opened()) == 1
    local.note("collect", "two")
    assert local.ship(Store.open(lake.root, create=False)) == 2
    assert entries(lake)["target"].to_list() == ["one", "two"]
    assert path.stat().st_mode & 0o777 == 0o600
