"""Which of a record's keys a format means: as written, or in any of the ways in which programs spell the same name."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def folded(path: str) -> str:
    """A path by its letters and digits alone, in which ``/client_ip``, ``/ClientIP`` and ``/client-ip`` are the same.

    A dot parts as a slash does: ``/client.ip`` is ``/client/ip``.
    """
    return path.lower().replace("_", "").replace("-", "").replace(".", "/")


class Keys:
    """The keys that records have, found by the paths of a format."""

    def __init__(self, present: Iterable[str], *, fold: bool) -> None:
        """Take the paths that are there; ``fold`` is whether any spelling of a path means it."""
        self._fold = fold
        self._present: dict[str, list[str]] = {}
        for path in present:
            self._present.setdefault(folded(path) if fold else path, []).append(path)

    def meant_by(self, path: str) -> list[str]:
        """The paths that are there under this name, the one written like it first."""
        found = self._present.get(folded(path) if self._fold else path, [])
        return sorted(found, key=lambda one: one != path)
