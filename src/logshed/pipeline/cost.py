"""What a lake costs a month: storage, requests and machines, from how much comes in a day. Decimal, as money is."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any

from logshed.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from logshed.prices import Engine, Machine, Prices, Storage, WhatIf

LAYERS = ("bronze", "silver", "gold")
GB = Decimal(10**9)
MONTH = 30
"""Days; a year is twelve of them, 360."""
HOUR_S = 3600
CENT = Decimal("0.01")
MEASURED = "local"
"""The engine of the ingests that ``logshed schedule`` has measured."""


@dataclass(frozen=True, slots=True)
class Kept:
    """Days for which each layer is kept.

    Attributes:
        bronze: Of ``lines``.
        silver: Of ``logs``.
        gold: Of gold tables, and of findings, incidents and the audit trail.
    """

    bronze: Decimal = Decimal(7)
    silver: Decimal = Decimal(90)
    gold: Decimal = Decimal(360)

    @classmethod
    def of_days(cls, days: Mapping[str, int]) -> Kept:
        """The usual days with others in their place.

        Raises:
            UsageError: A number of days is below 0.
        """
        for layer, number in days.items():
            if number < 0:
                raise UsageError(f"cannot keep {layer} for {number} days: that is below 0; give 0 or more")
        return cls(**{layer: Decimal(number) for layer, number in days.items()})

    def of(self, layer: str) -> Decimal:
        """The days of a layer."""
        return {"bronze": self.bronze, "silver": self.silver}.get(layer, self.gold)


@dataclass(frozen=True, slots=True)
class Inflow:
    """What comes in a day.

    Attributes:
        events: Records.
        raw: Bytes of the logs as they were read.
        rest: Bytes at rest by layer.
        commits: Commits of ingests; None where it is not known.
        days: Days over which it was measured; None where it is supposed.
        by_collection: The same of each collection: records and bytes at rest by layer.
        cpu_s_per_gb: Processor seconds a GB of raw logs, where it was measured.
    """

    events: Decimal
    raw: Decimal
    rest: Mapping[str, Decimal]
    commits: Decimal | None = None
    days: Decimal | None = None
    by_collection: Mapping[str, tuple[Decimal, Mapping[str, Decimal]]] = field(default_factory=dict)
    cpu_s_per_gb: Decimal | None = None

    @classmethod
    def supposed(cls, events: float, size: float) -> Inflow:
        """That of a lake which is not there yet: each layer takes ``size`` bytes an event.

        Raises:
            UsageError: A number is below 0, or none.
        """
        for name, value in (("events a day", events), ("bytes an event", size)):
            if not 0 <= value < math.inf:
                raise UsageError(f"cannot take {value:g} {name}: it is no amount; give 0 or more")
        day = Decimal(str(events)) * Decimal(str(size))
        return cls(Decimal(str(events)), day, dict.fromkeys(LAYERS, day))

    def times(self, factor: Decimal) -> Inflow:
        """So many times as much, in as many commits."""
        rest = {layer: size * factor for layer, size in self.rest.items()}
        return replace(self, events=self.events * factor, raw=self.raw * factor, rest=rest)


def cents(amount: Decimal) -> Decimal:
    """An amount of money in whole cents, half a cent rounded up, as bills are."""
    return amount.quantize(CENT, ROUND_HALF_UP)


def held(inflow: Inflow, kept: Kept) -> dict[str, Decimal]:
    """GB (10^9 bytes) that rest in each layer once it has been filled."""
    return {layer: size * kept.of(layer) / GB for layer, size in inflow.rest.items()}


def storage(inflow: Inflow, kept: Kept, price: Storage) -> dict[str, Decimal]:
    """What each layer costs a month, not rounded."""
    return {layer: size * price.gb_month for layer, size in held(inflow, kept).items()}


def report(inflow: Inflow, kept: Kept, prices: Prices) -> dict[str, Any]:
    """All of it a month, in the currency of the prices, money in cents.

    Args:
        inflow: What comes in a day.
        kept: Days for which it is kept.
        prices: What it costs.
    """
    return {
        "currency": prices.currency,
        "measured_days": inflow.days,
        "events_per_day": inflow.events,
        "raw_bytes_per_day": inflow.raw,
        "days": {"bronze": kept.bronze, "silver": kept.silver, "gold": kept.gold},
        "storage": [row for price in prices.storage for row in _storage(inflow, kept, price)],
        "requests": [_requests(inflow, prices, price) for price in prices.storage],
        "compute": [row for engine in prices.engine for row in _compute(inflow, engine, prices)],
        "jobs": list(_jobs(prices)),
        "collections": [row for price in prices.storage for row in _collections(inflow, kept, price)],
        "what_if": [row for price in prices.storage for row in _what_if(inflow, kept, prices, price)],
        "sources": [{"name": one.name, "date": one.date.isoformat(), "source": one.source} for one in prices.dated],
    }


def _storage(inflow: Inflow, kept: Kept, price: Storage) -> Iterator[dict[str, Any]]:
    sizes, costs = held(inflow, kept), storage(inflow, kept, price)
    for layer, size in sizes.items():
        own = {"layer": layer, "days": kept.of(layer), "gb": size, "month": cents(costs[layer])}
        yield {"cloud": price.cloud, "storage": price.name, **own}
    total = {"layer": "total", "days": None, "gb": sum(sizes.values()), "month": cents(_sum(costs.values()))}
    yield {"cloud": price.cloud, "storage": price.name, **total}


def _requests(inflow: Inflow, prices: Prices, price: Storage) -> dict[str, Any]:
    assumed = prices.assumed
    commits = assumed.commits_per_day if inflow.commits is None else inflow.commits
    writes = commits * assumed.writes_per_commit * MONTH
    reads = assumed.queries_per_day * assumed.reads_per_query * MONTH
    cost = writes / 1000 * price.put_1000 + reads / 1000 * price.get_1000
    return {
        "cloud": price.cloud,
        "commits_per_day": commits,
        "writes": writes,
        "reads": reads,
        "month": cents(cost),
    }


def _compute(inflow: Inflow, engine: Engine, prices: Prices) -> Iterator[dict[str, Any]]:
    """Only the time in which processors work is counted: what a machine costs that waits is for ``jobs``."""
    measured = inflow.cpu_s_per_gb if engine.name == MEASURED else None
    per_gb = engine.cpu_s_per_gb if measured is None else measured
    hours = inflow.raw * MONTH / GB * per_gb / HOUR_S
    for machine in prices.machine:
        cost, spot = _hours(machine, hours / machine.processors)
        yield {
            "engine": engine.name,
            "machine": machine.name,
            "cloud": machine.cloud,
            "cpu_s_per_gb": per_gb,
            "measured": measured is not None,
            "processor_hours": hours,
            "month": cost,
            "spot": spot,
        }


def _jobs(prices: Prices) -> Iterator[dict[str, Any]]:
    machines = {machine.name: machine for machine in prices.machine}
    for job in prices.job:
        hours = job.count * job.minutes / 60 * job.runs
        cost, spot = _hours(machines[job.machine], hours)
        told = {"machine": job.machine, "count": job.count, "minutes": job.minutes, "runs": job.runs}
        yield {"job": job.name, **told, "machine_hours": hours, "month": cost, "spot": spot}


def _hours(machine: Machine, hours: Decimal) -> tuple[Decimal, Decimal]:
    return cents(hours * machine.hour), cents(hours * machine.spot_hour)


def _collections(inflow: Inflow, kept: Kept, price: Storage) -> Iterator[dict[str, Any]]:
    for name, (events, rest) in inflow.by_collection.items():
        own = replace(inflow, rest=rest)
        yield {
            "cloud": price.cloud,
            "collection": name,
            "events_per_day": events,
            "gb": sum(held(own, kept).values()),
            "month": cents(_sum(storage(own, kept, price).values())),
        }


def _what_if(inflow: Inflow, kept: Kept, prices: Prices, price: Storage) -> Iterator[dict[str, Any]]:
    now = _sum(storage(inflow, kept, price).values())
    for one in prices.what_if:
        then, much = _then(kept, one), inflow.times(one.events)
        cost = _sum(storage(much, then, price).values())
        yield {
            "cloud": price.cloud,
            "if": one.name,
            "gb": sum(held(much, then).values()),
            "month": cents(cost),
            "more": cents(cost) - cents(now),
        }


def _then(kept: Kept, one: WhatIf) -> Kept:
    given = {"bronze": one.days_bronze, "silver": one.days_silver, "gold": one.days_gold}
    return replace(kept, **{name: days for name, days in given.items() if days is not None})


def _sum(amounts: Any) -> Decimal:
    return sum(amounts, Decimal(0))
