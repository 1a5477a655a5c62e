"""Containers as they stand and what they wrote lately, without a lake or a spool: read, redacted, handed over."""

from __future__ import annotations

import asyncio
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from logshed.enrichment import sources
from logshed.errors import LogshedError, SourceError
from logshed.pipeline.container_entries import entries
from logshed.pipeline.planning import Options, job_of
from logshed.pipeline.trail import FILE, Trail
from logshed.redaction.engine import Redactor
from logshed.redaction.naming import of_everything
from logshed.redaction.policy_files import load_policy
from logshed.sources import places
from logshed.sources.commands import docker_stats
from logshed.sources.docker import moment
from logshed.sources.docker_containers import listed
from logshed.sources.hosts import Noting, answer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from logshed.settings import Settings
    from logshed.sources.feeds import Arrival, Cursor, Stream
    from logshed.sources.hosts import Host
    from logshed.ssh_settings import Place

SOURCE = "production_ssh"
"""What a saved file says that it is from."""
_SHORT = 12
_KEY = b"nothing of this is kept"


class Containers:
    """The containers of some places.

    Args:
        settings: Policy, formats, and the spool, beside whose lines the audit trail lies.
        found: The places, as ``places.places`` finds them.

    Attributes:
        failed: Of hosts and containers that could not be read, why, by name.
        nothing: Whether nothing could be read.
    """

    def __init__(self, settings: Settings, found: Sequence[Place]) -> None:
        self.failed: dict[str, str] = {}
        self.nothing = False
        self._settings = settings
        self._places = found
        self._policy = load_policy(settings.policy, settings.plugins, keys=settings.keys)
        self._redactor = Redactor(of_everything(self._policy))

    def listed(self) -> list[dict[str, Any]]:
        """Name, id, image, state, status, ports and host of each container."""
        return [row for rows in self._each(_listed) for row in rows]

    def status(self) -> list[dict[str, Any]]:
        """The same, with what each takes of processor and memory."""
        return [row for rows in self._each(_status) for row in rows]

    def entries(self, start: float, *, only_errors: bool = False) -> dict[str, list[dict[str, Any]]]:
        """What containers wrote, by their names, in the order of its times.

        Args:
            start: From when on, in seconds since 1970.
            only_errors: Only entries of level ERROR.

        Raises:
            LogshedError: The policy or a setting is wrong.
        """
        options = Options(collection=self._settings.collection)
        job = job_of(self._settings, options, self._policy, sources.opened(self._settings.enrichment))
        sinks = asyncio.run(self._collected(moment(start)))
        found: dict[str, list[dict[str, Any]]] = {}
        for sink in sinks:
            for name in sink.targets:
                found.setdefault(self._name(name), [])
            for stream, lines in sink.lines.items():
                name = self._name(stream.target)
                found[name] = found.get(name, []) + entries(stream, lines, name, job)
        for name, own in found.items():
            kept = [one for one in own if one["level"] == "ERROR"] if only_errors else own
            found[name] = sorted(kept, key=lambda one: str(one["timestamp"]))
        return found

    def save(self, start: float, to: Path | None = None) -> Path:
        """Write what containers wrote to a JSON file of mode 600.

        Args:
            start: From when on, in seconds since 1970.
            to: The file; None takes one of the working directory with the time in its name.

        Raises:
            SourceError: Nothing could be read.
            OSError: It cannot be written.
        """
        found = self.entries(start)
        if self.nothing:
            raise SourceError(next(iter(self.failed.values())))
        path = to or Path(file_name())
        part = path.with_name(f".{path.name}.{os.urandom(8).hex()}.part")  # another may write one of this name
        try:
            part.touch(mode=0o600)
            part.write_text(written(found), "utf-8")
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
        return path

    def health(self) -> dict[str, Any]:
        """Whether each host can be collected from: ``healthy``, ``timestamp`` and ``hosts``."""
        self.failed = {}
        counts = dict(zip([one.name for one in self._places], self._each(_listed), strict=True))
        hosts = [
            {"host": name, "ok": name not in self.failed, "containers": len(rows), "problem": self.failed.get(name, "")}
            for name, rows in counts.items()
        ]
        return {"healthy": not self.failed, "timestamp": datetime.now(UTC).isoformat(), "hosts": hosts}

    def _name(self, target: str) -> str:
        """What to call a container: its name alone, where there is one host."""
        return target.rpartition("/")[2] if len(self._places) == 1 else target

    def _note(self, verb: str, target: str, outcome: str = "ok", details: Mapping[str, Any] | None = None) -> None:
        self._settings.spool.mkdir(mode=0o700, parents=True, exist_ok=True)
        Trail(self._settings.spool / FILE, lambda text: str(self._redactor.redact(pl.Series([text])).text[0])).note(
            verb, target, outcome, details
        )

    def _each(self, ask: Any) -> list[list[dict[str, Any]]]:
        """What each host answers; those that do not are in ``failed``."""

        async def one(place: Place) -> list[dict[str, Any]]:
            host = Noting(places.host(place), self._note)
            try:
                rows: list[dict[str, Any]] = await ask(host, place)
            except LogshedError as error:
                self.failed[place.name] = str(error)
                return []
            finally:
                await host.close()
            return rows

        async def every() -> list[list[dict[str, Any]]]:
            return await asyncio.gather(*(one(place) for place in self._places))

        found = asyncio.run(every())
        self.nothing = len(self.failed) == len(self._places)
        return found

    async def _collected(self, since: str) -> list[_Memory]:
        feeds = places.dockers(self._places, _KEY, since=since, follow=False)
        sinks = [_Memory(self, place.most_bytes) for place in self._places]

        async def one(number: int) -> None:
            try:
                await feeds[number].run(sinks[number])
            except LogshedError as error:
                self.failed[self._places[number].name] = str(error)

        await asyncio.gather(*(one(number) for number in range(len(feeds))))
        self.nothing = all(place.name in self.failed for place in self._places)
        return sinks


def file_name() -> str:
    """What a file is called into which it is written what containers wrote."""
    return f"production_logs_{datetime.now(UTC):%Y%m%d_%H%M%S}.json"


def written(found: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    """What such a file holds."""
    document = {"timestamp": datetime.now(UTC).isoformat(), "collection_source": SOURCE, "containers": found}
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


class _Memory:
    """Takes lines into memory, up to a limit."""

    def __init__(self, containers: Containers, most: int) -> None:
        self.lines: dict[Stream, list[bytes]] = {}
        self.targets: list[str] = []
        self._size: dict[str, int] = {}
        self._containers = containers
        self._most = most

    def cursor(self, stream: Stream) -> Cursor:
        """All is new."""
        del stream
        return {}

    async def put(self, arrivals: Sequence[Arrival]) -> None:
        """Take lines.

        Raises:
            SourceError: They are too many.
        """
        for one in arrivals:
            target = one.stream.target
            self._size[target] = self._size.get(target, 0) + sum(map(len, one.lines))
            if self._size[target] > self._most:
                raise SourceError(
                    f"cannot take all of the container {target}: it is more than {self._most:,} bytes; "
                    "ask for fewer hours, collect into a lake, or raise most_bytes"
                )
            if one.lines:
                self.lines.setdefault(one.stream, []).extend(one.lines)

    def tell(self, target: str, state: str, text: str = "") -> None:
        """Note containers, and what failed."""
        if "/" in target and target not in self.targets and state != "failed":
            self.targets.append(target)
        if state == "failed":
            self._containers.failed[target] = text
            self.lines = {stream: lines for stream, lines in self.lines.items() if stream.target != target}

    def note(self, verb: str, target: str, outcome: str = "ok", details: Mapping[str, Any] | None = None) -> None:
        """Write into the audit trail."""
        self._containers._note(verb, target, outcome, details)  # noqa: SLF001 - one thing in two classes


async def _listed(host: Host, place: Place) -> list[dict[str, Any]]:
    found = await listed(host, places.limits(place))
    return [
        {
            "host": host.name,
            "container": one.name,
            "id": one.id[:_SHORT],
            "image": one.image,
            "state": one.state,
            "status": one.status,
            "created": one.created,
            "ports": one.ports,
        }
        for one in found
        if not place.containers or one.name in place.containers
    ]


async def _status(host: Host, place: Place) -> list[dict[str, Any]]:
    rows = await _listed(host, place)
    names = [str(row["container"]) for row in rows if row["state"] == "running"]
    taken = {}
    if names:
        lines = (await answer(host, docker_stats(names[:200]), places.limits(place))).splitlines()
        taken = {one["Name"]: one for one in map(json.loads, lines)}
    for row in rows:
        own = taken.get(row["container"], {})
        row["cpu"], row["memory"] = own.get("CPUPerc", ""), own.get("MemUsage", "").partition(" / ")[0]
    return rows
