"""The exception tree.

::

    LogshedError                 everything that Logshed raises on purpose; exit code 1
    ├── UsageError               the call's words are off; exit code 2
    │   └── SettingsError        a key of logshed.toml or of the environment is wrong
    ├── SourceError              a place that logs are read from cannot be read
    │   ├── UnreachableError     a host does not answer or was cut off; it may later
    │   ├── BucketError          an object store cannot be reached, or refuses
    │   └── GoneError            what was followed is no longer there
    ├── SpoolError               a spool cannot be opened, read or written
    │   └── SpoolFullError       it has no room; collect again once it was emptied into a lake
    ├── OverloadedError          a sender sends more than is taken; it is asked to come again
    ├── FormatError              a format file or a format's name is wrong
    ├── RedactionError           a redaction rule or policy is wrong
    ├── EnrichmentError          a database or a threat list cannot be used
    ├── LakeError                a lake cannot be opened, read or written
    │   ├── NotALakeError        the folder holds something else
    │   ├── NewerLakeError       the lake was written by a newer version
    │   ├── StorageError         a lake's storage or catalog cannot be reached, or refuses
    │   │   └── UnsureError      a commit was sent, and no answer came: it may have been done
    │   └── CommitConflictError  another writer was quicker; redo and try again
    ├── LiveError                the hot store cannot be reached, read or written
    │   └── LiveFullError        it has no room and nothing left to trim
    ├── DetectionError           a rule cannot be loaded or does not fit
    ├── QueryError               a statement or a named question cannot be run
    │   └── SearchError          a search's text is wrong at a place
    ├── ReplayError              a replay has nothing to emit, or what it emits to does not take it
    ├── DeliveryError            what records are sent to cannot be reached, or does not take them
    ├── DashboardError           a dashboard's file is wrong
    ├── ReportError              a report cannot be made, printed or sent
    ├── AccessError              tokens cannot be read, made or revoked
    ├── DoorError                a door cannot be opened for readers
    ├── BusyError                what is to run by the clock is running already
    ├── EngineError              a cluster cannot be reached, or its workers cannot do this work
    │   └── WorkerLostError      the worker that ran a task was lost each time
    └── AlertError               a destination of alerts cannot be reached or refuses one

Every text reads ``cannot <verb> <thing>: <cause>; <what to do>``.
"""

from __future__ import annotations

import re


class LogshedError(Exception):
    """Everything that Logshed raises on purpose."""

    exit_code = 1


class UsageError(LogshedError):
    """The call's words are off."""

    exit_code = 2


class MissingError(UsageError):
    """What was named is not there."""


class SettingsError(UsageError):
    """A key of logshed.toml or of the environment is wrong."""


class SourceError(LogshedError):
    """A place that logs are read from cannot be read."""


class UnreachableError(SourceError):
    """A host does not answer, or the connection to it was cut: it may be there later."""


class BucketError(SourceError):
    """An object store cannot be reached, or refuses."""


class GoneError(SourceError):
    """What was followed is no longer there."""


class SpoolError(LogshedError):
    """A spool cannot be opened, read or written."""


class SpoolFullError(SpoolError):
    """A spool has no room for what was to be written; nothing of it was."""


class OverloadedError(LogshedError):
    """A sender sends more than can be taken, or than it may.

    Attributes:
        after: Seconds after which it may come again.
    """

    def __init__(self, text: str, *, after: float) -> None:
        super().__init__(text)
        self.after = after


class FormatError(LogshedError):
    """A format file or a format's name is wrong."""


class RedactionError(LogshedError):
    """A redaction rule or a policy is wrong."""


class EnrichmentError(LogshedError):
    """A database or a threat list cannot be used."""


class LakeError(LogshedError):
    """A lake cannot be opened, read or written."""


class NotALakeError(LakeError):
    """The folder holds something else."""


class NewerLakeError(LakeError):
    """The lake was written by a newer version of Logshed."""


class StorageError(LakeError):
    """A lake's storage or catalog cannot be reached, or refuses what was asked.

    Attributes:
        passing: Whether trying again soon may help.
    """

    def __init__(self, text: str, *, passing: bool = True) -> None:
        super().__init__(text)
        self.passing = passing


class UnsureError(StorageError):
    """A commit was sent and no answer came: it may have been done, so its files must stay."""


class CommitConflictError(LakeError):
    """Another writer was quicker: reload, redo, commit again."""


class DetectionError(LogshedError):
    """A rule cannot be loaded, or does not fit what it looks at."""


class QueryError(LogshedError):
    """A statement or a named question cannot be run."""


class SearchError(QueryError):
    """A search's text is wrong at a place.

    Attributes:
        cause: What is wrong.
        advice: What to do.
        at: Where in the text it begins.
        end: Where it ends.
    """

    def __init__(self, text: str, *, cause: str, advice: str, at: int, end: int) -> None:
        super().__init__(text)
        self.cause, self.advice, self.at, self.end = cause, advice, at, end


class ReplayError(LogshedError):
    """A replay has nothing to emit, or what it emits to does not take it."""


class DeliveryError(LogshedError):
    """What records are sent to cannot be reached, or does not take them.

    Attributes:
        retry: Whether sending again may help.
        after: Seconds after which it wants to be sent to again, or None.
        status: The HTTP status that it answered, or 0.
    """

    def __init__(self, text: str, *, retry: bool = False, after: float | None = None, status: int = 0) -> None:
        super().__init__(text)
        self.retry = retry
        self.after = after
        self.status = status


class DashboardError(LogshedError):
    """A dashboard's file is wrong."""


class ReportError(LogshedError):
    """A report cannot be made, printed or sent."""


class AccessError(LogshedError):
    """Tokens cannot be read, made or revoked."""


class DoorError(LogshedError):
    """A door cannot be opened for readers."""


class BusyError(LogshedError):
    """What is to run by the clock is running already."""


class AlertError(LogshedError):
    """A destination of alerts cannot be reached or refuses one.

    Attributes:
        retry: Whether trying again may help.
        after: Seconds after which the destination wants to be tried again, or None.
        status: The HTTP status that it answered, or 0.
    """

    def __init__(self, text: str, *, retry: bool = False, after: float | None = None, status: int = 0) -> None:
        super().__init__(text)
        self.retry = retry
        self.after = after
        self.status = status


class EngineError(LogshedError):
    """A cluster cannot be reached, or its workers cannot do this work."""


class WorkerLostError(EngineError):
    """The worker that ran a task was lost each time, out of memory perhaps."""


class LiveError(LogshedError):
    """The hot store cannot be reached, read or written."""


class LiveFullError(LiveError):
    """The hot store has no room, and there is nothing left to trim."""


def gone(error: BaseException) -> str:
    """The sentence for a file that is not there; most libraries tell its path in quotes only."""
    quoted = re.search(r"""['"]([^'"]+)['"]""", str(error))
    path = getattr(error, "filename", None) or (quoted[1] if quoted else str(error))
    return f"cannot read {path}: the file is gone; restore it from a backup, `logshed verify` says what else is missing"
