"""Who did what: a local log of it, whose entries go into the lake's chained audit trail once a lake can be reached."""

from __future__ import annotations

import fcntl
import getpass
import json
import os
import socket
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, BinaryIO
from uuid import uuid4

import polars as pl

from logshed.errors import LogshedError
from logshed.lake import trail
from logshed.lake.names import TRAIL
from logshed.pipeline.tables import LakeTables
from logshed.redaction.engine import Redactor
from logshed.redaction.naming import of_everything
from logshed.redaction.policy_files import load_policy
from logshed.sql.duckdb import DuckDB

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from logshed.lake.store import Store
    from logshed.settings import Settings

FILE = "audit.jsonl"
ANY = "*"
"""The collection of what is done to none or to many."""


def actor() -> str:
    """Who runs this: user and host."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}"


class Trail:
    """A local log of what was done.

    Args:
        path: Its file, which is made (mode 600).
        safe: Makes a text such that it may rest; None leaves texts as they are.
        by: Who does it; None is who runs this process.
    """

    def __init__(self, path: Path, safe: Callable[[str], str] | None = None, by: str | None = None) -> None:
        self._path = path
        self._safe = safe or (lambda text: text)
        self._actor = self._safe(actor() if by is None else by)

    def note(
        self,
        verb: str,
        target: str,
        outcome: str = "ok",
        details: Mapping[str, Any] | None = None,
        *,
        collection: str = ANY,
    ) -> None:
        """Write down what was done, and wait until the disk has it.

        Args:
            verb: What, such as ``collect`` or ``command``.
            target: To what.
            outcome: ``ok``, ``refused`` or ``failed``.
            details: More of it; no secrets.
            collection: The set of logs that it was done to.

        Raises:
            LogshedError: It cannot be written; what was to be done should not be done.
        """
        entry = {
            "timestamp": datetime.now(UTC).isoformat(timespec="microseconds"),
            "collection": collection,
            "actor": self._actor,
            "verb": verb,
            "target": self._safe(target),
            "outcome": outcome,
            "details": self._safe(json.dumps(details, sort_keys=True)) if details else None,
        }
        try:
            with open(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600), "r+b") as file:  # noqa: PTH123
                fcntl.flock(file, fcntl.LOCK_EX)
                _whole(file)
                if not file.seek(0, os.SEEK_END):
                    file.write(json.dumps({"trail": uuid4().hex}).encode() + b"\n")
                file.write(json.dumps(entry).encode() + b"\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise LogshedError(
                f"cannot write {self._path}: {error.strerror}; free some space, or check the path"
            ) from None

    def ship(self, store: Store) -> int:
        """Put what the lake's trail has not yet into it.

        Returns:
            Entries of this log that the lake has now.

        Raises:
            LakeError: The lake cannot be written.
        """
        try:
            text = self._path.read_text("utf-8")
        except FileNotFoundError:
            return 0
        read = [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]
        entries = [{**entry, "timestamp": trail.moment(entry["timestamp"])} for entry in read[1:]]
        return trail.append(store, entries, read[0]["trail"], 0) if entries else 0


def noted(
    store: Store,
    settings: Settings,
    verb: str,
    target: str,
    outcome: str = "ok",
    details: Mapping[str, Any] | None = None,
    *,
    by: str | None = None,
    collection: str = ANY,
) -> None:
    """Write down what was done to a lake, and put it into its trail; nothing that its policy forbids is written.

    Args:
        store: The lake.
        settings: Whose policy holds.
        verb: What was done.
        target: To what.
        outcome: ``ok``, ``refused`` or ``failed``.
        details: More of it; no secrets.
        by: Who does it. None is who runs this process; for others a server does it, which brings entries of many into
            the lake together, and this leaves that to it.
        collection: The set of logs that it is done to.

    Raises:
        LogshedError: It cannot be written.
    """
    policy = load_policy(settings.policy, settings.plugins, keys=settings.keys)
    redactor = Redactor(of_everything(policy))
    own = Trail(store.root / FILE, lambda text: str(redactor.redact(pl.Series([text])).text[0]), by)
    own.note(verb, target, outcome, details, collection=collection)
    if by is None:
        own.ship(store)


def _whole(file: BinaryIO) -> None:
    """Take away a line that a crash left half written."""
    size = file.seek(0, os.SEEK_END)
    if size:
        file.seek(0)
        file.truncate(file.read().rfind(b"\n") + 1)


def broken(store: Store) -> list[str]:
    """Where the lake's audit trail is broken, in sentences; none where it is whole, or empty.

    Raises:
        LakeError: The lake cannot be read.
    """
    if not store.has(TRAIL):
        return []
    head = trail.Head.of(store.table(TRAIL))
    names = ", ".join(column.name for column in TRAIL.columns)
    entries = DuckDB(LakeTables(lambda: store)).query(f"SELECT {names} FROM audit").pl()
    return trail.breaks(entries, head)
