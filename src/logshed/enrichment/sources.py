"""Opens the databases and lists that enrichment looks things up in, and opens them anew when their files change."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from logshed.enrichment.geography import Database
from logshed.enrichment.threat_files import read
from logshed.enrichment.threat_lists import ThreatList
from logshed.errors import EnrichmentError

if TYPE_CHECKING:
    from pathlib import Path

    from logshed.settings import Enrichment, ThreatListFile

log = logging.getLogger(__name__)

NOTE = "logshed.enrichment"
"""Key under which the data files of `silver.logs` say what they were enriched from."""
GEO_STALE_AFTER = timedelta(days=30)
"""MaxMind and DB-IP publish at least monthly."""
LIST_STALE_AFTER = timedelta(days=7)
"""Addresses of threat lists change hands within days."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """One state of one file.

    Attributes:
        path: The file.
        mtime_ns: When it was changed.
        size: Its bytes.
        name: A list's name; empty for a database.
        column: A list's column with the entries, where it is named.
        kind: What all entries of a list are, where it is said.
    """

    path: Path
    mtime_ns: int
    size: int
    name: str = ""
    column: str = ""
    kind: str = ""

    @property
    def file(self) -> tuple[Path, str, str, str]:
        """Which file it is, whatever its state."""
        return self.path, self.name, self.column, self.kind


@dataclass(frozen=True, slots=True)
class Sources:
    """What one batch is enriched from; picklable, opened where it is needed.

    Attributes:
        geoip: Databases, in the order of the settings.
        threat_lists: Lists, in the order of the settings.
    """

    geoip: tuple[Stamp, ...] = ()
    threat_lists: tuple[Stamp, ...] = ()

    @property
    def databases(self) -> list[Database]:
        """The databases, open."""
        return [database(stamp) for stamp in self.geoip]

    @property
    def lists(self) -> list[ThreatList]:
        """The lists, read."""
        return [threat_list(stamp) for stamp in self.threat_lists]

    @property
    def notes(self) -> tuple[tuple[str, str], ...]:
        """What is kept with the files of a batch, so that its sources and their age stay on record."""
        return ((NOTE, json.dumps(record(self))),) if self.geoip or self.threat_lists else ()


@lru_cache(maxsize=16)
def database(stamp: Stamp) -> Database:
    """The database, opened once for each state of its file.

    Raises:
        EnrichmentError: It cannot be read.
    """
    return Database(stamp.path)


@lru_cache(maxsize=64)
def threat_list(stamp: Stamp) -> ThreatList:
    """The list, read once for each state of its file.

    Raises:
        EnrichmentError: It cannot be read.
    """
    return ThreatList(stamp.name, read(stamp.path, column=stamp.column, kind=stamp.kind))


def opened(settings: Enrichment) -> Sources:
    """Open all that the settings name.

    Raises:
        EnrichmentError: A file cannot be read, or two lists have one name.
    """
    wanted = _wanted(settings)
    names = [stamp.name for stamp in wanted.threat_lists]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise EnrichmentError(f"cannot use two threat lists named {twice[0]}: a record would not tell which; set name")
    _ = wanted.databases
    for stamp in wanted.threat_lists:
        _warned(stamp)
    return wanted


def refreshed(before: Sources) -> Sources:
    """The same files as they are now; one that cannot be read any more stays as it was, with a warning."""
    return Sources(
        tuple(_newest(stamp, database) for stamp in before.geoip),
        tuple(_newest(stamp, _warned) for stamp in before.threat_lists),
    )


def _newest(before: Stamp, load: Any) -> Stamp:
    try:
        now = _stamp(*before.file)
        if now != before:
            load(now)
            log.info("%s has changed and is read anew", before.path)
    except EnrichmentError as error:
        log.warning("%s; what was read of it before is used on", error)
        return before
    return now


def _warned(stamp: Stamp) -> ThreatList:
    """The list; its owner is told of what is odd about it, once for each state of the file."""
    found = threat_list(stamp)
    for warning in found.warnings(stamp.path):
        log.warning("%s; look at the file", warning)
    return found


def _wanted(settings: Enrichment) -> Sources:
    lists = [_list_stamp(one) for one in settings.threat_lists]
    return Sources(tuple(_stamp(path) for path in settings.geoip), tuple(lists))


def list_name(path: Path) -> str:
    """A list's name: its file's, without ending."""
    return path.name.split(".")[0] or path.name


def _list_stamp(one: ThreatListFile) -> Stamp:
    return _stamp(one.file, one.name or list_name(one.file), one.column or "", one.kind or "")


def _stamp(path: Path, name: str = "", column: str = "", kind: str = "") -> Stamp:
    try:
        found = path.stat()
    except OSError as error:
        raise EnrichmentError(f"cannot read {path}: {error.strerror or error}; correct [enrichment]") from None
    return Stamp(path, found.st_mtime_ns, found.st_size, name, column, kind)


@dataclass(frozen=True, slots=True)
class State:
    """What is to be said of one database or list.

    Attributes:
        file: Its path.
        what: ``geoip`` or ``threat_list``.
        name: A list's name, or what a database calls itself.
        kind: What it holds: ``city``, ``country``, ``network``; the kinds of a list's entries, or its format.
        entries: Entries of a list, nodes of a database.
        dated: When it was built, or the file changed (ISO 8601); empty where it cannot be read.
        age_days: Whole days since then.
        stale: Whether it is older than it should be.
        warning: What may be wrong with it; empty where nothing is.
        error: Why it cannot be used; empty where it can.
    """

    file: str
    what: str
    name: str = ""
    kind: str = ""
    entries: int = 0
    dated: str = ""
    age_days: int = 0
    stale: bool = False
    warning: str = ""
    error: str = ""


def states(settings: Enrichment, now: datetime | None = None) -> list[State]:
    """What each database and list of the settings is, how old, and what is wrong with it."""
    now = now or datetime.now(UTC)
    return [
        *(_geo_state(path, now) for path in settings.geoip),
        *(_list_state(one, now) for one in settings.threat_lists),
    ]


def _geo_state(path: Path, now: datetime) -> State:
    try:
        found = database(_stamp(path))
    except EnrichmentError as error:
        return State(str(path), "geoip", error=str(error))
    age = now - found.built
    dated = found.built.isoformat(timespec="seconds")
    return State(
        str(path), "geoip", found.title, found.kind, found.entries, dated, age.days, stale=age > GEO_STALE_AFTER
    )


def _list_state(one: ThreatListFile, now: datetime) -> State:
    path, name = one.file, one.name or list_name(one.file)
    try:
        stamp = _list_stamp(one)
        found = threat_list(stamp)
    except EnrichmentError as error:
        return State(str(path), "threat_list", name, error=str(error))
    changed = datetime.fromtimestamp(stamp.mtime_ns / 1e9, UTC)
    dated, age = changed.isoformat(timespec="seconds"), now - changed
    stale = age > LIST_STALE_AFTER
    told = "; ".join(found.warnings(path))
    return State(str(path), "threat_list", name, found.kind, found.entries, dated, age.days, stale=stale, warning=told)


def record(sources: Sources) -> dict[str, list[dict[str, Any]]]:
    """What a batch was enriched from: names, sizes and dates, no paths."""
    return {
        "geoip": [
            {"name": one.title, "kind": one.kind, "built": one.built.isoformat(timespec="seconds")}
            for one in sources.databases
        ],
        "threat_lists": [
            {
                "name": stamp.name,
                "entries": one.entries,
                "changed": datetime.fromtimestamp(stamp.mtime_ns / 1e9, UTC).isoformat(timespec="seconds"),
            }
            for stamp, one in zip(sources.threat_lists, sources.lists, strict=True)
        ],
    }
