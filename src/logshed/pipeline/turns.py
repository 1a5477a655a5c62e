"""When looks that read days of history are due, and at what: they wait for some time to pass."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from logshed.errors import LakeError
from logshed.lake.folder import write_atomically

if TYPE_CHECKING:
    from datetime import timedelta
    from pathlib import Path


class Turns:
    """The time that is still to be judged.

    Args:
        root: The lake's folder.
        name: Whose turns they are.
        every: Least time between two looks.
    """

    def __init__(self, root: Path, name: str, every: timedelta) -> None:
        """Read what was left.

        Raises:
            LakeError: The file is damaged.
        """
        self._path = root / "security" / f"{name}.json"
        self._every = every
        self._since: datetime | None = None
        self._ran: datetime | None = None
        try:
            known = json.loads(self._path.read_text()) if self._path.exists() else {}
            self._since, self._ran = (_moment(known.get(name)) for name in ("since", "ran"))
        except (ValueError, AttributeError, OSError) as error:
            raise LakeError(f"cannot read {self._path}: {type(error).__name__}; remove it") from error

    def due(self, first: datetime | None, now: datetime) -> datetime | None:
        """From when on to judge now; None where it is too early.

        Args:
            first: When the first of the new records happened; None where there are none.
            now: The present.
        """
        known = [one for one in (first, self._since or self._ran) if one is not None]
        self._since = min(known, default=None)
        if self._since is None or (self._ran is not None and now - self._ran < self._every):
            self._write()
            return None
        return self._since

    def done(self, now: datetime) -> None:
        """All up to now is judged."""
        self._since, self._ran = None, now
        self._write()

    def _write(self) -> None:
        self._path.parent.mkdir(exist_ok=True)
        state = {"since": self._since and self._since.isoformat(), "ran": self._ran and self._ran.isoformat()}
        write_atomically(self._path, json.dumps(state))


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text).astimezone(UTC) if text else None
