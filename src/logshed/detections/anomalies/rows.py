"""Methods that judge rows, not grids: a client beside all the others, and what was never seen before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import polars as pl

from logshed.detections.anomalies import tails
from logshed.detections.anomalies.alarms import events, off_buckets
from logshed.detections.anomalies.counting import LN10, powers
from logshed.detections.anomalies.methods import Judged, backward, forward
from logshed.detections.anomalies.windows import MAD_TO_SIGMA

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from logshed.detections.anomalies.alarms import Alarm

    Floats = NDArray[np.float64]

SHARE_KEPT = 0.995
"""Values above this quantile of the others count as it: one flood of yesterday must not make floods usual."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Peers:
    """A series beside all others of its kind: how far above what they did in the time before.

    The others' values are pooled; the pool is made anew every ``refresh``, at fixed times of the clock, so that a
    bucket is judged alike whenever it is judged.

    Attributes:
        by: Key columns within which series are compared; the collection always is one.
        tail: ``robust_z`` on log(1 + x), or ``negative_binomial`` for counts.
        window: Seconds of the pool.
        refresh: Seconds after which it is made anew.
        least_peers: Values that a pool must have.
        floor: Least deviation of ``robust_z``, on the logarithmic scale.
        quantile: A quantile of the pool that the value must lie above, too; 0 asks for none.
    """

    by: tuple[str, ...] = ()
    tail: Literal["robust_z", "negative_binomial"]
    window: int
    refresh: int
    least_peers: int
    floor: float = 0.1
    quantile: float = 0.0

    def alarms(self, rows: pl.DataFrame, since: int, until: int, width: int, alarm: Alarm) -> pl.DataFrame:
        """The alarms among the rows of [since, until).

        Args:
            rows: ``collection``, the key columns, ``series``, ``place``, ``value``.
            since: First place to judge.
            until: First place not to judge.
            width: Seconds of a bucket.
            alarm: The lines.

        Returns:
            As ``alarms.events``.
        """
        judged = rows.filter(pl.col("place").is_between(since, until, closed="left")).with_columns(
            pool=pl.col("place") * width // self.refresh
        )
        judged = judged.join(self._pools(rows, judged, width), on=["collection", *self.by, "pool"], how="inner")
        value = judged["value"].to_numpy()
        said = self._judged(value, judged)
        off = np.where(value > judged["line"].to_numpy(), said.off, np.nan)
        said = Judged(off[:, None], said.centre[:, None], said.spread[:, None])
        found = off_buckets(value[:, None], said, np.zeros(1, np.int64), alarm)
        return events(_placed(found, judged), alarm)

    def _pools(self, rows: pl.DataFrame, judged: pl.DataFrame, width: int) -> pl.DataFrame:
        """What the pools say, a row for each population and refresh."""
        keys = ["collection", *self.by]
        pools = [
            self._pool(
                rows.filter(pl.col("place").is_between(start - self.window // width, start, closed="left")), keys
            ).with_columns(pool=pl.lit(number, pl.Int64))
            for number in judged["pool"].unique().sort()
            for start in [number * self.refresh // width]
        ]
        empty = self._pool(rows.clear(), keys).with_columns(pool=pl.lit(0, pl.Int64))
        return pl.concat([empty, *pools])

    def _pool(self, rows: pl.DataFrame, keys: Sequence[str]) -> pl.DataFrame:
        y, x = pl.col("value").log1p(), pl.col("value")
        cut = pl.min_horizontal(x, x.quantile(SHARE_KEPT))
        return (
            rows.group_by(keys)
            .agg(
                peers=pl.len(),
                median=y.median(),
                mad=(y - y.median()).abs().median(),
                mean=cut.mean(),
                variance=cut.var(),
                line=x.quantile(self.quantile) if self.quantile else pl.lit(-1.0).first(),
            )
            .filter(pl.col("peers") >= self.least_peers)
        )

    def _judged(self, value: Floats, pools: pl.DataFrame) -> Judged:
        if self.tail == "robust_z":
            centre = pools["median"].to_numpy()
            sigma = np.maximum(MAD_TO_SIGMA * pools["mad"].to_numpy(), self.floor)
            return Judged((forward(value, "log") - centre) / sigma, backward(centre, "log"), sigma)
        mean = np.maximum(pools["mean"].to_numpy(), 0.1)
        phi = np.maximum((pools["variance"].to_numpy() - mean) / mean**2, 0.0)
        return Judged(powers(value, mean, phi), mean, phi)

    def bounds(self, centre: Floats, spread: Floats, line: float) -> tuple[Floats, Floats]:
        """What the others' values make expected."""
        if self.tail == "robust_z":
            y = forward(centre, "log")
            return backward(y - line * spread, "log"), backward(y + line * spread, "log")
        return tails.lower_line(-line * LN10, centre, spread), tails.upper_line(-line * LN10, centre, spread)


def _placed(found: pl.DataFrame, judged: pl.DataFrame) -> pl.DataFrame:
    """Buckets whose ``series`` is a row's number, with that row's series and place."""
    rows = judged[found["series"].to_list()]
    return found.with_columns(series=rows["series"], place=rows["place"], begun=rows["place"])


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstSeen:
    """A value of a column that its series never had before.

    Attributes:
        novel: The key column; its other key columns are the series that it is new for. Rows without it count as the
            series' own, so that a service that never had any has a history too.
        warmup: Seconds for which the series must have been known: everything is new in a new service.
    """

    novel: str
    warmup: int

    def alarms(self, rows: pl.DataFrame, since: int, until: int, width: int, alarm: Alarm) -> pl.DataFrame:
        """The values first seen in [since, until); arguments and answer as of ``Peers.alarms``."""
        parents = [name for name in rows.columns if name not in {"series", "place", "value", "events", "exposure"}]
        known = pl.col("place").min().over([name for name in parents if name != self.novel])
        value = pl.col("value").filter(pl.col("place") < until)
        within = rows.with_columns(known=known).filter(pl.col(self.novel) != "", pl.col("place") < until)
        return (
            within.group_by("series", maintain_order=True)
            .agg(
                first=pl.col("place").min(),
                last=pl.col("place").max(),
                buckets=pl.len(),
                place=pl.col("place").min(),
                off=pl.lit(float("inf")).first(),
                value=value.sum(),
                centre=pl.lit(0.0).first(),
                spread=pl.lit(0.0).first(),
                known=pl.col("known").first(),
            )
            .filter(
                pl.col("first") >= since,
                pl.col("first") - pl.col("known") >= self.warmup // width,
                pl.col("value") >= alarm.least_value,
            )
            .drop("known")
        )

    def bounds(self, centre: Floats, spread: Floats, line: float) -> tuple[Floats, Floats]:  # noqa: ARG002 - as of the others
        """None was expected."""
        return centre, spread
