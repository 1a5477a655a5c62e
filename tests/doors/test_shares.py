from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logshed.doors.shares import Shares

if TYPE_CHECKING:
    from logshed.doors.shares import Held


def test_room_is_given_back_at_the_end() -> None:
    async def run() -> int:
        shares = Shares(10, 6)
        with await shares.take("a", 4, 1) as held:
            held.set(7)
            assert shares.free == 3
            held.set(2)
            assert shares.free == 8
        return shares.free

    assert asyncio.run(run()) == 10


def test_who_waits_too_long_is_told_and_leaves_nothing_behind() -> None:
    async def run() -> None:
        shares = Shares(10, 6)
        with await shares.take("a", 5, 1):
            with pytest.raises(TimeoutError):
                await shares.take("a", 2, 0.01)
            with pytest.raises(TimeoutError):
                await shares.take("b", 6, 0.01)
            with await shares.take("b", 5, 0.01):
                assert shares.free == 0
        assert shares.free == 10

    asyncio.run(run())


def test_more_than_all_is_given_to_who_is_alone() -> None:
    async def run() -> None:
        shares = Shares(10, 6)
        with await shares.take("a", 50, 1), pytest.raises(TimeoutError):
            await shares.take("b", 1, 0.01)
        with await shares.take("b", 1, 0.01):
            assert shares.free == 9

    asyncio.run(run())


def test_tenants_have_their_turns_and_none_is_passed_for_wanting_much() -> None:
    async def run() -> list[str]:
        shares, order = Shares(4, 4), list[str]()

        async def want(who: str, amount: int) -> None:
            with await shares.take(who, amount, 5):
                order.append(who)
                await asyncio.sleep(0)

        with await shares.take("x", 4, 1):
            some = [asyncio.create_task(want("a", 4)) for _ in range(3)]
            await asyncio.sleep(0)
            some += [asyncio.create_task(want("b", 4)), asyncio.create_task(want("c", 1))]
            await asyncio.sleep(0)
        await asyncio.gather(*some)
        return order

    assert asyncio.run(run()) == ["a", "b", "c", "a", "a"]


def test_what_holds_some_already_is_let_in_before_others_of_its_tenant() -> None:
    async def run() -> list[str]:
        shares, order = Shares(10, 10), list[str]()

        async def grow(held: Held) -> None:
            await held.grow(6, 5)
            order.append("grown")

        async def begin() -> None:
            with await shares.take("a", 5, 5):
                order.append("begun")

        with await shares.take("a", 2, 1) as held:
            with await shares.take("a", 8, 1):
                tasks = [asyncio.create_task(begin()), asyncio.create_task(grow(held))]
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.01)
        await asyncio.gather(*tasks)
        return order

    assert asyncio.run(run()) == ["grown", "begun"]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.integers(0, 12), st.integers(0, 15), st.sampled_from([None, 0, 2])),
        min_size=1,
        max_size=25,
    )
)
def test_however_they_come_grow_and_give_up_nothing_is_lost_and_nobody_has_too_much(
    wants: list[tuple[str, int, int, int | None]],
) -> None:
    async def run() -> None:
        shares, held = Shares(20, 12), Counter[str]()

        async def want(who: str, amount: int, most: int, patience: int | None) -> None:
            try:
                with await shares.take(who, amount, None) as mine:
                    held[who] += amount
                    assert held[who] <= 12
                    await asyncio.sleep(0)
                    held[who] -= amount
                    mine.set(most)
                    await asyncio.sleep(0)
            finally:
                del patience

        tasks = []
        for who, amount, most, patience in wants:
            task = asyncio.create_task(want(who, amount, most, patience))
            tasks.append(task)
            for _ in range(patience or 0):
                await asyncio.sleep(0)
            if patience is not None:
                task.cancel()
        async with asyncio.timeout(5):
            await asyncio.gather(*tasks, return_exceptions=True)
        assert not [one.exception() for one in tasks if not one.cancelled() and one.exception()]
        assert shares.free == 20

    asyncio.run(run())
