"""What keeps answers: many who ask the same let one compute, and what has changed is computed anew."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from logshed.access import Grant
from logshed.api import Lake
from logshed.errors import LogshedError, UsageError
from logshed.pipeline.boards import Ask
from logshed.web.kept import Answers
from logshed.web.pool import Pool
from logshed.web.running import Running
from logshed.web.who import Person

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator
    from pathlib import Path
    from typing import Any, TypeVar

    T = TypeVar("T")

LINE = '{"time":"2024-05-01T10:00:00Z","level":"error","service":"shop","msg":"lost"}\n'
EVENTS = Ask("overview", since="2024-01-01")


class Counting(Pool):
    """A pool that tells how often it ran."""

    ran = 0

    async def run(self, *words: Any) -> Any:
        """As it is, counted."""
        self.ran += 1
        return await super().run(*words)


def who(*scopes: str) -> Person:
    return Person("ann", "viewer", Grant("t", scopes, ("read",)), frozenset({"read"}), "session")


@pytest.fixture
def pool() -> Iterator[Counting]:
    made = Counting(2)
    yield made
    made.close()


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    (tmp_path / "a.jsonl").write_text(LINE * 3)
    lake = Lake.open(tmp_path / "lake", create=True)
    lake.ingest([tmp_path / "a.jsonl"], collection="web")
    return lake


def run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)


def test_fifty_who_ask_the_same_at_once_let_one_compute(lake: Lake, pool: Counting) -> None:
    async def ask() -> set[bytes]:
        answers = Answers(lake, pool, Running())
        found = await asyncio.gather(*(answers.of(who("*"), lake, EVENTS) for _ in range(50)))
        return {answer.body for answer, _ in found}

    assert len(run(ask())) == 1
    assert pool.ran == 1


def test_those_who_see_other_collections_are_not_given_each_others_figures(lake: Lake, pool: Counting) -> None:
    async def ask() -> list[bytes]:
        answers = Answers(lake, pool, Running())
        return [
            (await answers.of(who(scope), lake.seen_by([scope]), EVENTS))[0].body for scope in ("*", "web", "other")
        ]

    everything, web, other = run(ask())
    assert b'"data":[[3],' in everything
    assert b'"data":[[3],' in web
    assert b'"data":[[],' in other


def test_an_answer_is_computed_anew_once_the_lake_has_changed(lake: Lake, pool: Counting, tmp_path: Path) -> None:
    async def ask() -> list[tuple[str, bool]]:
        answers = Answers(lake, pool, Running())
        first, _ = await answers.of(who("*"), lake, EVENTS)
        (tmp_path / "b.jsonl").write_text(LINE)
        await asyncio.to_thread(lake.ingest, [tmp_path / "b.jsonl"], collection="web")
        await asyncio.sleep(max(1.1, 8.5 * first.seconds))
        old, fresh = await answers.of(who("*"), lake, EVENTS, wait=False)
        new, certain = await answers.of(who("*"), lake, EVENTS)
        return [(first.tag, True), (old.tag, fresh), (new.tag, certain)]

    (first, _), (old, fresh), (new, certain) = run(ask())
    assert (first, fresh) == (old, False)
    assert new != first
    assert certain


def test_what_is_kept_is_bounded_and_what_was_not_asked_for_longest_goes_first(lake: Lake, pool: Counting) -> None:
    async def ask() -> None:
        answers = Answers(lake, pool, Running(), most_bytes=1)
        for days in ("2024-01-01", "2024-01-02", "2024-01-01"):
            await answers.of(who("*"), lake, Ask("overview", since=days))

    run(ask())
    assert pool.ran == 3


def test_a_long_search_counts_as_much_as_it_is_long_however_little_it_finds(lake: Lake, pool: Counting) -> None:
    async def ask() -> None:
        answers = Answers(lake, pool, Running(), most_bytes=20_000)
        for letter in "aba":
            await answers.of(who("*"), lake, Ask("overview", since="2024-01-01", matching=letter * 9_000))

    run(ask())
    assert pool.ran == 3


def test_an_answer_that_takes_too_long_is_ended_and_says_so(
    lake: Lake, pool: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("logshed.web.kept.LONGEST_SECONDS", 0.001)
    running = Running()

    async def ask() -> None:
        await Answers(lake, pool, running).of(who("*"), lake, EVENTS)

    with pytest.raises(LogshedError, match="it takes longer than"):
        run(ask())
    assert running.seen_by(who("*")) == []


def test_a_question_that_cannot_be_answered_tells_all_who_wait_and_is_not_kept(lake: Lake, pool: Counting) -> None:
    async def ask() -> list[Any]:
        answers = Answers(lake, pool, Running())
        wrong = Ask("overview", since="soon")
        found = await asyncio.gather(*(answers.of(who("*"), lake, wrong) for _ in range(3)), return_exceptions=True)
        with pytest.raises(LogshedError):
            await answers.of(who("*"), lake, wrong)
        return list(found)

    found = run(ask())
    assert [type(one) for one in found] == [UsageError] * 3
    assert pool.ran == 2
