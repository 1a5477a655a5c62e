from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pyiceberg.serializers import FromInputFile

from logshed.errors import LakeError
from logshed.lake import storage
from logshed.lake.batch import new_batch
from logshed.lake.commit import commit_lines
from logshed.lake.names import LINES
from logshed.lake.store import Store

if TYPE_CHECKING:
    from tests.lake.writer import Writer

SOURCE = "file:/var/log/a.log"


def test_what_is_kept_of_a_table_is_what_its_metadata_file_says(store: Store, writer: Writer) -> None:
    for start in (0, 10, 20):
        batch = new_batch()
        known = {(SOURCE, "g"): start} if start else {}
        assert commit_lines(store, batch, [(writer.lines(batch, SOURCE, start, start + 10),)], known) == []
        table = store.table(LINES)
        assert table.metadata is store.table(LINES).metadata
        assert table.metadata == FromInputFile.table_metadata(table.io.new_input(table.metadata_location))


def test_what_another_process_commits_is_seen_at_once(store: Store, writer: Writer, batch: str) -> None:
    other = Store.open(store.root, create=False)
    before = other.table(LINES)
    commit_lines(store, batch, [(writer.lines(batch, SOURCE, 0, 10),)], {})
    after = other.table(LINES)
    assert before.current_snapshot() is None
    assert after.metadata_location == store.table(LINES).metadata_location
    assert after.metadata == store.table(LINES).metadata


def test_a_metadata_file_that_is_gone_or_damaged_since_it_was_read_is_told(store: Store) -> None:
    file = Path(storage.local(store.table(LINES).metadata_location))
    text = file.read_bytes()
    file.unlink()
    with pytest.raises(LakeError, match="its metadata file is gone"):
        store.table(LINES)
    file.write_bytes(text[:100])
    with pytest.raises(LakeError, match="cannot use"):
        store.table(LINES)
    file.write_bytes(text)
    assert store.table(LINES).current_snapshot() is None
