"""Threads for statements: what goes wrong in one is told to who waits."""

from __future__ import annotations

import asyncio

import pytest

from logshed.web.pool import Pool
from logshed.web.who import LOCAL


def test_an_iterator_that_has_no_more_is_an_error_and_not_a_wait_for_good() -> None:
    async def asked() -> None:
        pool = Pool(1)
        try:
            await asyncio.wait_for(pool.run(LOCAL, next, iter(())), timeout=10)
        finally:
            pool.close()

    with pytest.raises(RuntimeError, match="had no more"):
        asyncio.run(asked())
