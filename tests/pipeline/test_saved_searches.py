from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from logshed.errors import AccessError, UsageError
from logshed.pipeline import saved_searches
from logshed.pipeline.saved_searches import SavedSearches

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def searches(tmp_path: Path) -> SavedSearches:
    return SavedSearches(tmp_path / "searches.db")


def test_a_saved_search_is_seen_by_its_owner_and_once_shared_by_all(searches: SavedSearches) -> None:
    assert searches.seen_by("ann") == []
    mine = searches.save("ann", "Errors", {"q": "level:error"})
    assert searches.seen_by("ann") == [mine]
    assert searches.seen_by("bob") == []
    changed = searches.change("ann", mine.id, "All errors", {"q": "level>=error"}, shared=True)
    assert changed is not None
    assert searches.seen_by("bob") == [changed]
    assert changed.view == {"q": "level>=error"}


def test_nobody_changes_or_deletes_what_is_not_theirs(searches: SavedSearches) -> None:
    mine = searches.save("ann", "Errors", {"q": "x"}, shared=True)
    assert searches.change("bob", mine.id, "Mine", {}, shared=False) is None
    assert not searches.delete("bob", mine.id)
    assert searches.seen_by("ann") == [mine]
    assert searches.delete("ann", mine.id)
    assert searches.seen_by("ann") == []


def test_the_file_is_for_its_owner_alone(searches: SavedSearches, tmp_path: Path) -> None:
    searches.save("ann", "Errors", {"q": "x"})
    assert (tmp_path / "searches.db").stat().st_mode & 0o077 == 0


def test_a_search_without_a_name_or_of_great_length_is_refused(
    searches: SavedSearches, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, view in ((" ", {}), ("n" * 101, {}), ("ok", {"q": "x" * 20_001})):
        with pytest.raises(UsageError, match="cannot save the search"):
            searches.save("ann", name, view)
    monkeypatch.setattr(saved_searches, "MOST", 1)
    searches.save("ann", "one", {})
    with pytest.raises(UsageError, match="delete one"):
        searches.save("ann", "two", {})


def test_a_file_that_is_none_is_told(tmp_path: Path) -> None:
    (tmp_path / "searches.db").write_text("no database, and long enough to be read as one" * 20)
    (tmp_path / "searches.db").chmod(0o600)
    with pytest.raises(AccessError, match=r"cannot use the saved searches in .+: file is not a database"):
        SavedSearches(tmp_path / "searches.db").seen_by("ann")
