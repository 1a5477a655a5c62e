"""A worker that serves several runs in turn reaches stores as each of them says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from logshed import buckets
from logshed.buckets import door
from logshed.pipeline.away import Site, Sited
from logshed.storage_settings import StorageSettings

if TYPE_CHECKING:
    import pytest


class Reached:
    """A task that tells how stores are reached."""

    def __call__(self, _item: int, /) -> str:
        """The endpoint."""
        return door._access.endpoint

    def stop(self) -> None:
        """Nothing is under way."""


def test_runs_that_take_turns_in_a_worker_each_reach_their_own_stores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "_access", door._access)  # as it was, afterwards
    one, other = (
        Sited(Reached(), Site(StorageSettings(), buckets.Access(endpoint=f"https://{name}.example.com")))
        for name in ("one", "other")
    )
    told = [task(0) for task in (one, other, one)]
    assert told == ["https://one.example.com", "https://other.example.com", "https://one.example.com"]
