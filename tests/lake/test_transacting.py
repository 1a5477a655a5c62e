from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from pyiceberg.exceptions import CommitFailedException
from pyiceberg.table import Transaction

from logshed.lake.commit import commit_lines
from logshed.lake.names import LINES
from logshed.lake.transacting import Changes, expire

if TYPE_CHECKING:
    from tests.lake.writer import Writer

    from logshed.lake.store import Store

SOURCE = "file:/var/log/a.log"


def test_a_transaction_shows_the_same_metadata_as_pyicebergs_own(store: Store, writer: Writer, batch: str) -> None:
    commit_lines(store, batch, [(writer.lines(batch, SOURCE, 0, 10),)], {})
    table = store.table(LINES)
    ours, theirs = Changes(table), Transaction(table)
    assert ours.table_metadata == theirs.table_metadata
    for one in (ours, theirs):
        one.set_properties({"logshed.test": "1"})
    changed = {"last_updated_ms"}
    assert ours.table_metadata.model_dump(exclude=changed) == theirs.table_metadata.model_dump(exclude=changed)
    assert ours.table_metadata is ours.table_metadata
    assert "logshed.test" not in table.properties


def test_what_was_staged_shows_at_once_in_a_transaction(store: Store) -> None:
    changes = Changes(store.table(LINES))
    for value in ("1", "2"):
        changes.set_properties({"logshed.test": value})
        assert changes.table_metadata.properties["logshed.test"] == value


def test_of_two_transactions_on_one_state_the_second_fails(store: Store) -> None:
    first, second = store.table(LINES), store.table(LINES)
    with Changes(first) as changes, changes.update_snapshot().merge_append():
        pass
    with pytest.raises(CommitFailedException), Changes(second) as changes, changes.update_snapshot().merge_append():
        pass
    assert len(store.table(LINES).metadata.snapshots) == 1


def test_snapshots_that_are_expired_are_gone_and_the_current_one_cannot_be(store: Store) -> None:
    for _ in range(3):
        with Changes(store.table(LINES)) as changes, changes.update_snapshot().merge_append():
            pass
    table = store.table(LINES)
    first, second, last = (one.snapshot_id for one in table.metadata.snapshots)
    expire(table, [first, second])
    assert [one.snapshot_id for one in store.table(LINES).metadata.snapshots] == [last]
    with pytest.raises(ValueError, match="protected"):
        expire(table, [last])
