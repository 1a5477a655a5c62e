"""The hot store, written: records come in exactly once, and it stays within its bounds."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Protocol

import orjson

from logshed.errors import LiveError, LiveFullError
from logshed.live import keys, pieces, trimming
from logshed.live.reading import PAGE, HotReader
from logshed.live.server import address, told

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import polars as pl

    from logshed.live_settings import Live

PIECE_ROWS = 2_000
"""Records of one call: the server answers nobody else while it takes them, some 10 ms."""
LOOK_S = 1.0
"""How often the memory in use, and who listens, is asked for."""
CURSOR_S = 30 * 86_400
"""How long it is remembered how far a source was imported."""
TRIES = 10
"""How often a piece is sent while the store is full or being emptied."""
WAIT_S = 0.5
_DONE, _EMPTYING = -1, -2


@dataclass(frozen=True, slots=True)
class Origin:
    """Where rows come from, as the hot store counts how far they are in it.

    Attributes:
        cursor: The key of the cursor.
        strict: Whether the rows are all there is, so that the sender can go back to where the cursor stands: it counts
            rows then. Else it counts the offsets of a source that is read once.
        batches: The key of the batches that are counted; empty for an import.
        batch: The batch that the rows are; empty for an import.
    """

    cursor: str
    strict: bool = False
    batches: str = ""
    batch: str = ""


class Rows(Protocol):
    """Rows of ``pieces.SCHEMA``; a data frame is such, and what reads them from a lake."""

    @property
    def height(self) -> int:
        """How many there are."""
        ...

    def slice(self, start: int, length: int) -> pl.DataFrame:
        """So many from there on, of those that are left."""
        ...


class HotStore(HotReader):
    """A hot store that can be written.

    Args:
        settings: Where it is and how much it holds.
        client: Talks to the server.
        budget: Bytes that it may take; None for any.
    """

    def __init__(self, settings: Live, client: Any, budget: int | None) -> None:
        super().__init__(settings, client, budget)
        self._script = client.register_script((files("logshed") / "live" / "put.lua").read_text())
        self._looked = 0.0
        self._listened = 0.0
        self._channels: frozenset[str] = frozenset()

    def put(self, rows: Rows, origin: Origin, ends: Mapping[str, int] | None = None) -> int:
        """Count records and keep their lines; what is counted already is left.

        Args:
            rows: Of a strict origin all there are, in an order that is always the same; of an import those behind the
                last that were put, of one source, by their offset, at least one.
            origin: Where they come from.
            ends: Cursors of sources, and how far these are counted once all of the rows are.

        Returns:
            Records that were counted now.

        Raises:
            LiveError: The server does not answer or refuses.
            LiveFullError: It has no room, and nothing is left to trim.
        """
        counted = start = 0
        while True:
            piece = rows.slice(start, PIECE_ROWS)
            last = start + piece.height >= rows.height
            stands = self._sent(piece, start, origin, (ends or {}) if last else {}, last=last)
            if stands == _DONE:
                counted += piece.height
                start += piece.height
                self._publish(piece)
            elif origin.strict:
                start = stands
            else:
                start += int((piece["offset"] < stands).sum())
            if start >= rows.height:
                return counted

    def stands(self, *cursors: str) -> list[int]:
        """From which offset on sources have not been counted yet."""
        with told(self.settings, "read"):
            return [int(one or 0) for one in self._client.mget(cursors)] if cursors else []

    def _sent(self, piece: pl.DataFrame, start: int, origin: Origin, ends: Mapping[str, int], *, last: bool) -> int:
        """Send a piece; ``_DONE``, or where the cursor stands instead."""
        begin, end = start, start + piece.height
        if not origin.strict:
            begin, end = int(piece["offset"][0]), int(piece["offset"][-1]) + 1
        settings = self.settings
        words = [
            *(begin, end, int(origin.strict), CURSOR_S, origin.batches, origin.batch),
            *(settings.lines, int(settings.hours * 3600), self._expires(), int(bool(origin.batch) and last)),
            *(len(ends), *(word for pair in ends.items() for word in pair)),
            *pieces.counters(piece),
            *pieces.lines(piece, settings.lines),
        ]
        for left in reversed(range(TRIES)):
            try:
                with told(self.settings, "write"):
                    stands = int(self._script(keys=[origin.cursor], args=words))
            except LiveFullError:
                if not left or not self.trim(trimming.WHEN_FULL):
                    raise
                continue
            if stands != _EMPTYING:
                self._keep_within()
                return stands
            time.sleep(WAIT_S)
        raise LiveError(f"cannot write the hot store at {address(self.settings)}: it is just being emptied; try again")

    def _expires(self) -> int:
        """When the lines of a collection that gets no more are gone."""
        now = datetime.now(UTC)
        if self.settings.expires == "day":
            return int((now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0).timestamp())
        return int(now.timestamp() + self.settings.hours * 3600)

    def _keep_within(self) -> None:
        """Trim where the store has grown beyond its bytes."""
        now = time.monotonic()
        if self.budget is None or now - self._looked < LOOK_S:
            return
        self._looked = now
        with told(self.settings):
            used = int(self._client.info("memory")["used_memory"])
        if used > self.budget:
            self.trim(max(trimming.SHARE, 1 - self.budget / used))

    def trim(self, share: float) -> int:
        """Take away a share of the lines, from the collections that have most; counters stay.

        Returns:
            Lines that are gone.
        """
        with told(self.settings, "trim"):
            return trimming.trim(self._client, share)

    def remove(self, holds: Callable[[str, list[str]], list[bool]]) -> int:
        """Take lines away for good; counters stay.

        Args:
            holds: Of lines of a collection, which go.

        Returns:
            Lines that are gone.
        """
        gone = 0
        for collection, _ in self.sizes():
            key, at = keys.LINES + collection, 0
            with told(self.settings, "write"):
                while True:  # by ranks some would be passed over where others come or go meanwhile
                    at, found = self._client.zscan(key, at, count=PAGE)
                    page = [member for member, _ in found]
                    hits = holds(collection, [keys.bare(member) for member in page]) if page else []
                    wanted = [member for member, hit in zip(page, hits, strict=True) if hit]
                    gone += self._client.zrem(key, *wanted) if wanted else 0
                    if not at:
                        break
        return gone

    def _publish(self, piece: pl.DataFrame) -> None:
        """Let those who listen see what has come."""
        now = time.monotonic()
        with told(self.settings):
            if now - self._listened >= LOOK_S:
                self._listened = now
                found = self._client.pubsub_channels(f"{keys.CHANNEL}*")
                self._channels = frozenset(name.decode() for name in found)
            if not self._channels or not piece.height:
                return
            shown = pieces.events(piece)
            sent = self._client.pipeline(transaction=False)
            if keys.CHANNEL in self._channels:
                sent.publish(keys.CHANNEL, orjson.dumps(shown))
            by_collection: dict[str, list[Any]] = {}
            for event in shown:
                by_collection.setdefault(str(event[1]), []).append(event)
            for collection, own in by_collection.items():
                if (channel := f"{keys.CHANNEL}:{collection}") in self._channels:
                    sent.publish(channel, orjson.dumps(own))
            sent.execute()

    def counted(self, lake: str) -> tuple[str, set[str]]:
        """Up to which batch all of a lake's are counted here (empty: it is not known here), and those behind it.

        Raises:
            LiveError: The server does not answer or refuses, or the store is just being emptied.
        """
        with told(self.settings, "read"):
            sent = self._client.pipeline()
            sent.get(keys.REBUILDING).get(keys.SINCE + lake).hkeys(keys.BATCHES + lake)
            state, since, done = sent.execute()
        if state == keys.EMPTYING:
            raise LiveError(f"cannot use the hot store at {address(self.settings)}: it is being emptied; try again")
        return (since or b"").decode(), {batch.decode() for batch in done}

    def count_from(self, lake: str, since: str, done: Sequence[str]) -> None:
        """Note that a lake's batches up to one are counted, and those behind it that are."""
        with told(self.settings, "write"):
            old = [one for one in self._client.hkeys(keys.BATCHES + lake) if one.decode() <= since]
            sent = self._client.pipeline()
            sent.set(keys.SINCE + lake, since)
            if old:
                sent.hdel(keys.BATCHES + lake, *old)
            if done:
                sent.hset(keys.BATCHES + lake, mapping=dict.fromkeys(done, "0"))
            sent.execute()

    def begin_rebuild(self, lake: str, since: str, done: Sequence[str]) -> None:
        """Empty the store before a lake's records come anew; until ``end_rebuild`` it tells that it is not whole.

        Args:
            lake: The lake.
            since: Its batches up to this one are of the rebuild, and
            done: these, too: who has them still to put leaves them.
        """
        with told(self.settings, "write"):
            self._client.set(keys.REBUILDING, keys.EMPTYING)
            self.clear()
            self.count_from(lake, since, done)
            self._client.set(keys.REBUILDING, datetime.now(UTC).isoformat(timespec="seconds"))

    def end_rebuild(self) -> None:
        """Note that the store is whole again."""
        with told(self.settings, "write"):
            self._client.delete(keys.REBUILDING)

    def clear(self) -> None:
        """Take away everything that Logshed has put there, and nothing else."""
        with told(self.settings, "empty"):
            collections = [name for name, _ in self.known()]
            codes = [code.decode() for code in self._client.smembers(keys.COUNTRY_CODES)]
            for start in range(0, len(collections), PAGE):
                part = collections[start : start + PAGE]
                sent = self._client.pipeline(transaction=False)
                for collection in part:
                    own = [f"{keys.COUNTRIES}{code}:{collection}" for code in codes]
                    sent.unlink(keys.LINES + collection, keys.PLACES + collection, *own)
                sent.execute()
            self._client.unlink(keys.KNOWN, *(keys.COUNTRIES + code for code in codes))
            for key in self._client.scan_iter(f"{keys.OWN}*", count=PAGE):
                if key.decode() != keys.REBUILDING:
                    self._client.unlink(key)
