"""Asks receivers on other machines how they stand, by the addresses of the settings; bounded in time and size."""

from __future__ import annotations

import asyncio
import re
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx2
from starlette.requests import Request  # noqa: TC002 - FastAPI reads it at run time

from logshed.pipeline.standings import GAUGES, METRICS

if TYPE_CHECKING:
    from collections.abc import Mapping

SECONDS = 2.0
"""How long all of them together may take."""
FRESH_SECONDS = 2.0
"""For which what they said holds: many who look ask them once."""
LARGEST = 2**22
"""Bytes of one's figures that are read."""
_LINE = re.compile(r"^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{.*\})? ([^ ]+)")


@dataclass
class _Before:
    """What one said before."""

    at: float
    totals: Mapping[str, float]


@dataclass
class Receivers:
    """Receivers that are asked.

    Attributes:
        addresses: Where they tell their figures, such as ``http://10.0.0.5:9464``.
    """

    addresses: tuple[str, ...]
    _before: dict[str, _Before] = field(default_factory=dict)
    _said: list[dict[str, Any]] = field(default_factory=list)
    _when: float = float("-inf")
    _asking: asyncio.Task[None] | None = None

    async def look(self) -> list[dict[str, Any]]:
        """How each stands; one that does not answer is ``unreachable``, and says why."""
        if self.addresses and time.monotonic() - self._when >= FRESH_SECONDS:
            if self._asking is None or self._asking.done():
                self._asking = asyncio.create_task(self._ask())
            await asyncio.shield(self._asking)
        return self._said

    async def _ask(self) -> None:
        async with httpx2.AsyncClient(timeout=SECONDS, follow_redirects=False, trust_env=False) as client:
            self._said = list(await asyncio.gather(*(self._one(client, one) for one in self.addresses)))
        self._when = time.monotonic()

    async def _one(self, client: httpx2.AsyncClient, address: str) -> dict[str, Any]:
        head = {"verb": "receive", "where": address}
        try:
            async with asyncio.timeout(SECONDS):
                ready = await client.get(f"{address}/readyz")
                async with client.stream("GET", f"{address}/metrics", headers={"Accept": "text/plain"}) as answer:
                    if answer.status_code != 200:  # noqa: PLR2004 - OK
                        return head | _away(f"it answers {answer.status_code} to who asks for its figures")
                    text = await _text(answer)
        except (httpx2.HTTPError, TimeoutError, ValueError) as error:
            return head | _away(str(error) or "it does not answer in time")
        told = _told(ready)
        return head | {"state": "running", "told": None, "problem": told} | self._figures(address, _summed(text))

    def _figures(self, address: str, found: Mapping[str, float]) -> dict[str, Any]:
        totals = {name: found.get(metric, 0.0) for name, metric in METRICS.items()}  # no figure until there is one
        at, before = time.monotonic(), self._before.get(address)
        rates: dict[str, float] = {}
        if before is not None:
            rates = {name: (value - before.totals.get(name, 0)) / (at - before.at) for name, value in totals.items()}
            rates = {name: round(max(value, 0.0), 3) for name, value in rates.items()}  # it was begun anew
        self._before[address] = _Before(at, totals)
        begun = found.get("process_start_time_seconds")
        now = {name: found.get(metric) for name, metric in GAUGES.items()}
        return {"totals": totals, "rates": rates, "now": now, "seconds": time.time() - begun if begun else None}


async def _text(answer: httpx2.Response) -> str:
    held = b""
    async for piece in answer.aiter_bytes():
        held += piece
        if len(held) > LARGEST:
            raise ValueError(f"it tells more than {LARGEST:,} bytes of figures")
    return held.decode("utf-8", "replace")


def _told(ready: httpx2.Response) -> str:
    """Why it takes no records, or they wait; empty where all is well."""
    try:
        said = ready.json()
        wrong = [str(one["text"]) for one in said.get("checks", {}).values() if one.get("text")]
        return "; ".join(wrong) or ("" if said["status"] == "ready" else str(said["status"]))
    except (ValueError, KeyError, TypeError, AttributeError):
        return f"it answers {ready.status_code} to who asks whether it takes records"


def _summed(text: str) -> dict[str, float]:
    """Prometheus's lines, those of all labels together."""
    found: dict[str, float] = {}
    for line in text.splitlines():
        if match := _LINE.match(line):
            found[match[1]] = found.get(match[1], 0.0) + float(match[2])
    return found


def _away(why: str) -> dict[str, Any]:
    return {"state": "unreachable", "problem": why, "totals": {}, "rates": {}, "now": {}}


def receivers(request: Request) -> Receivers:
    """Those of the site's settings."""
    state = request.app.state
    if not hasattr(state, "receivers"):
        state.receivers = Receivers(state.site.web.receivers)
    found: Receivers = state.receivers
    return found
