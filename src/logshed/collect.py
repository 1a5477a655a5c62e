"""The Python interface to containers of running systems: read-only, over SSH or of this machine, redacted.

>>> from logshed.collect import LogInterface
>>> logs = LogInterface()  # hosts and keys as settings and environment have them
>>> logs.get_recent_errors(hours=2)  # doctest: +SKIP
"""

from __future__ import annotations

import time
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from logshed.errors import LogshedError, UsageError
from logshed.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from logshed.pipeline.containers import Containers

__all__ = [
    "LogInterface",
    "ProductionLogCollector",
    "get_production_errors",
    "get_production_logs",
    "save_production_logs",
]

Entry = dict[str, Any]
"""``container_name``, ``timestamp`` (ISO 8601), ``level`` (DEBUG, INFO, WARNING, ERROR), ``message``, ``raw_line``."""

_Given = ParamSpec("_Given")
_Result = TypeVar("_Result")


def _told(function: Callable[_Given, _Result]) -> Callable[_Given, _Result]:
    """Errors as Python has them: ``ValueError`` for words and settings, else ``RuntimeError``."""

    @wraps(function)
    def run(*args: _Given.args, **kwargs: _Given.kwargs) -> _Result:
        try:
            return function(*args, **kwargs)
        except UsageError as error:
            raise ValueError(str(error)) from error
        except (LogshedError, OSError) as error:
            raise RuntimeError(str(error)) from error

    return run


class ProductionLogCollector:
    """Reads the containers of some hosts.

    Args:
        hosts: Addresses, ``ssh://user@host:port``, ``local``, ``unix:///path``; none takes those of the settings.
        settings: Settings; None reads logshed.toml, ``.env`` and the environment.
        accept_new: Record the keys of hosts that are not known yet.

    Raises:
        ValueError: No host is named, or a setting is wrong.
    """

    @_told
    def __init__(
        self, hosts: Sequence[str] = (), *, settings: Settings | None = None, accept_new: bool = False
    ) -> None:
        self._settings = settings or Settings.load()
        self._hosts = hosts
        self._accept_new = accept_new
        self._containers()

    @_told
    def get_container_list(self) -> list[dict[str, Any]]:
        """The containers: ``host``, ``container``, ``name``, ``id``, ``image``, ``state``, ``status``, ``ports``.

        Raises:
            RuntimeError: No host answers.
        """
        found = self._containers()
        rows = found.listed()
        _check(found)
        return [{**row, "name": row["container"]} for row in rows]

    @_told
    def get_logs_from_container(self, container_name: str, hours_back: float = 1) -> list[Entry]:
        """What one container wrote.

        Raises:
            ValueError: That is no name of a container, or no number of hours.
            RuntimeError: It cannot be read, or there is none of that name.
        """
        found = self._containers(container_name)
        entries = found.entries(_start(hours_back))
        for text in found.failed.values():
            raise RuntimeError(text)
        return [entry for own in entries.values() for entry in own]

    @_told
    def get_logs_from_all_containers(self, hours_back: float = 1) -> dict[str, list[Entry]]:
        """What each container wrote, by name; with several hosts ``host/name``.

        Raises:
            RuntimeError: Nothing could be read.
        """
        found = self._containers()
        entries = found.entries(_start(hours_back))
        _check(found)
        return entries

    @_told
    def get_error_logs_only(self, hours_back: float = 1) -> dict[str, list[Entry]]:
        """The errors of each container that has any.

        Raises:
            RuntimeError: Nothing could be read.
        """
        from logshed.pipeline.container_sums import errors  # noqa: PLC0415 - heavy

        return errors(self.get_logs_from_all_containers(hours_back))

    @_told
    def get_error_summary(self, hours: float = 1) -> dict[str, Any]:
        """How many errors there are, of which containers, and which are critical.

        Returns:
            ``timestamp``, ``analysis_period_hours``, ``total_containers``, ``containers_with_errors``,
            ``total_error_entries``, ``error_breakdown`` (by name ``error_count`` and ``recent_errors``) and
            ``critical_issues`` (``container``, ``timestamp``, ``message``, ``severity``).

        Raises:
            RuntimeError: Nothing could be read.
        """
        from logshed.pipeline.container_sums import summary  # noqa: PLC0415 - heavy

        return summary(self.get_logs_from_all_containers(hours), hours)

    @_told
    def save_all_logs(self, hours: float = 1, filename: str | None = None) -> str:
        """Write what all containers wrote to a JSON file: its path.

        Args:
            hours: From so many hours ago on.
            filename: The file; None takes one of the working directory with the time in its name.

        Raises:
            RuntimeError: Nothing could be read, or the file not be written.
        """
        return str(self._containers().save(_start(hours), Path(filename) if filename else None))

    @_told
    def health_check(self) -> dict[str, Any]:
        """Whether each host can be read: ``healthy``, ``timestamp``, ``hosts``."""
        return self._containers().health()

    def _containers(self, *names: str) -> Containers:
        from logshed.pipeline.containers import Containers as Found  # noqa: PLC0415 - heavy
        from logshed.sources import places  # noqa: PLC0415 - heavy

        found = places.places(self._settings, self._hosts, names, accept_new=self._accept_new)
        return Found(self._settings, found)


class LogInterface:
    """The same in the words of those who only want to look.

    Args:
        hosts: As for ``ProductionLogCollector``.
        settings: As there.
        accept_new: As there.

    Raises:
        ValueError: No host is named, or a setting is wrong.
    """

    def __init__(
        self, hosts: Sequence[str] = (), *, settings: Settings | None = None, accept_new: bool = False
    ) -> None:
        self._collector = ProductionLogCollector(hosts, settings=settings, accept_new=accept_new)

    def get_containers(self) -> list[str]:
        """The names of the containers."""
        return [str(one["name"]) for one in self._collector.get_container_list()]

    def get_recent_logs(self, hours: float = 1) -> dict[str, list[Entry]]:
        """What each container wrote."""
        return self._collector.get_logs_from_all_containers(hours)

    def get_recent_errors(self, hours: float = 1) -> dict[str, list[Entry]]:
        """The errors of each container that has any."""
        return self._collector.get_error_logs_only(hours)

    def get_logs(self, container_name: str, hours: float = 1) -> list[Entry]:
        """What one container wrote."""
        return self._collector.get_logs_from_container(container_name, hours)

    def get_error_summary(self, hours: float = 1) -> dict[str, Any]:
        """How many errors there are; see ``ProductionLogCollector``."""
        return self._collector.get_error_summary(hours)

    def save_all_logs(self, hours: float = 1, filename: str | None = None) -> str:
        """Write what all containers wrote to a JSON file: its path."""
        return self._collector.save_all_logs(hours, filename)

    def check_health(self) -> bool:
        """Whether every host can be read."""
        return bool(self._collector.health_check()["healthy"])


def get_production_logs(hours: float = 1) -> dict[str, list[Entry]]:
    """What each container of the hosts of the settings wrote."""
    return LogInterface().get_recent_logs(hours)


def get_production_errors(hours: float = 1) -> dict[str, list[Entry]]:
    """The errors of each container of the hosts of the settings."""
    return LogInterface().get_recent_errors(hours)


def save_production_logs(hours: float = 1) -> str:
    """Write what all containers of the hosts of the settings wrote to a JSON file: its path."""
    return LogInterface().save_all_logs(hours)


def _start(hours: float) -> float:
    if not 0 <= hours < float("inf"):
        raise ValueError(f"cannot look {hours} hours back: that is no number of hours; give one of 0 or more")
    return max(time.time() - 3600 * hours, 0)


def _check(found: Containers) -> None:
    if found.nothing:
        raise RuntimeError(next(iter(found.failed.values())))
