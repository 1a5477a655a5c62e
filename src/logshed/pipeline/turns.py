"""When looks that read days of history are due, and at what: they wait for some time to pass."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import uuid4

from logshed.errors import LakeError
from logshed.lake.folder import write_atomically
from logshed.lake.held import held

if TYPE_CHECKING:
    from datetime import timedelta
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known of a look.

    Attributes:
        since: From when on is still to be judged; None where nothing is.
        ran: When it was judged last.
        mark: Another one whenever new records are noted.
    """

    since: datetime | None = None
    ran: datetime | None = None
    mark: str = ""


class Turns:
    """The time that is still to be judged; several processes may do it at once.

    Args:
        root: The lake's folder.
        name: Whose turns they are.
        every: Least time between two looks.
    """

    def __init__(self, root: Path, name: str, every: timedelta) -> None:
        self._path = root / "security" / f"{name}.json"
        self._every = every
        self._mark = ""

    def due(self, first: datetime | None, now: datetime) -> datetime | None:
        """From when on to judge now; None where it is too early.

        Args:
            first: When the first of the new records happened; None where there are none.
            now: The present.

        Raises:
            LakeError: The file is damaged, or cannot be written.
        """
        with held(self._path.parent):
            known = self._read()
            since = min([one for one in (first, known.since or known.ran) if one is not None], default=None)
            self._mark = known.mark if first is None else uuid4().hex
            self._write(_Known(since, known.ran, self._mark))
        early = known.ran is not None and now - known.ran < self._every
        return None if early else since

    def done(self, now: datetime) -> None:
        """All up to now is judged, but for what another process has noted meanwhile.

        Raises:
            LakeError: The file is damaged, or cannot be written.
        """
        with held(self._path.parent):
            known = self._read()
            left = None if known.mark == self._mark else known.since
            self._write(_Known(left, max(now, known.ran or now), known.mark))

    def _read(self) -> _Known:
        try:
            told = json.loads(self._path.read_text())
            return _Known(_moment(told.get("since")), _moment(told.get("ran")), str(told.get("mark", "")))
        except FileNotFoundError:
            return _Known()
        except (ValueError, AttributeError, OSError) as error:
            raise LakeError(f"cannot read {self._path}: {type(error).__name__}; remove it") from error

    def _write(self, known: _Known) -> None:
        since, ran = (one and one.isoformat() for one in (known.since, known.ran))
        write_atomically(self._path, json.dumps({"since": since, "ran": ran, "mark": known.mark}))


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text).astimezone(UTC) if text else None
