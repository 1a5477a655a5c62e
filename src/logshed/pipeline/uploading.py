"""Uploads files to an object store or DBFS: only sanitised ones unless told, whole, checked, and never over another."""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from logshed.buckets.sinks import Local, sink
from logshed.errors import LogshedError, RedactionError, UsageError
from logshed.pipeline import token_trail
from logshed.pipeline.outcome import Progress
from logshed.pipeline.sanitized import Proof
from logshed.redaction.policy_files import load_policy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from logshed.buckets.address import Address
    from logshed.buckets.sinks import Sink
    from logshed.redaction.model import Policy
    from logshed.settings import Settings

DEFAULT_PREFIX = "raw-logs"
NOTED = 100
"""Files that the audit trail names one by one."""
UPLOADED, ALREADY, WOULD, REFUSED, FAILED = "uploaded", "already there", "would be uploaded", "refused", "failed"


@dataclass(slots=True)
class Upload:
    """What came of one file.

    Attributes:
        path: Where it lies here.
        to: Its address there.
        status: ``uploaded``, ``already there``, ``would be uploaded``, ``refused`` or ``failed``.
        bytes: Its bytes.
        sha256: Of its bytes, 64 hex digits.
        resumed: Bytes of it that an interrupted upload had left there.
        verified: How it is known that these bytes lie there.
        problem: Why it does not, or empty.
    """

    path: str
    to: str
    status: str = FAILED
    bytes: int = 0
    sha256: str = ""
    resumed: int = 0
    verified: str = ""
    problem: str = ""


@dataclass(slots=True)
class Uploads:
    """What came of all files.

    Attributes:
        files: One each.
        seconds: How long it took.
    """

    files: list[Upload] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def problems(self) -> list[str]:
        """Why files are not there, a sentence each."""
        return [one.problem for one in self.files if one.problem]

    def as_dict(self) -> dict[str, Any]:
        """For machines."""
        return {"files": [asdict(one) for one in self.files], "seconds": round(self.seconds, 3)}


class Uploader:
    """Uploads files.

    Args:
        settings: Settings; ``policy``, ``keys``, ``plugins``, ``objects`` and ``storage`` count.
        report: The report of the sanitize that made the files; None looks through them for what the policy replaces.
        raw: Upload what is not sanitised, too.
        force: Replace what is there under the same name.
        dry: Upload nothing.
        progress: Is told where it is.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        report: Path | None = None,
        raw: bool = False,
        force: bool = False,
        dry: bool = False,
        progress: Callable[[Progress], None] | None = None,
    ) -> None:
        """Load the policy and the report.

        Raises:
            RedactionError: There is no such policy, or the report is none that counts.
        """
        self._settings = settings
        self._proof = None if raw else Proof(settings, _policy(settings), report)
        self._raw, self._force, self._dry = raw, force, dry
        self._progress = progress or (lambda _: None)

    def run(self, local: Path, to: Address) -> Uploads:
        """Upload a file, or all files below a folder but hidden ones; one that cannot be uploaded stops no other.

        Raises:
            UsageError: There is no such file, or nothing is in the folder.
            BucketError: The store cannot be reached.
        """
        begun = time.monotonic()
        pairs = list(_pairs(local, to))
        store = sink(to, self._settings.objects.access(self._settings.storage))
        done = Uploads([Upload(str(path), f"{to.root}/{key}") for path, key in pairs])
        total = sum(path.stat().st_size for path, _ in pairs)
        before = 0
        try:
            for (path, key), told in zip(pairs, done.files, strict=True):

                def moved(taken: int, path: Path = path, before: int = before) -> None:
                    self._progress(Progress(before + taken, total, 0, 0, time.monotonic() - begun, str(path)))

                self._file(store, path, key, told, moved)
                before += told.bytes
        finally:
            done.seconds = time.monotonic() - begun
            self._note(str(to), done)
        return done

    def _file(self, store: Sink, path: Path, key: str, told: Upload, moved: Callable[[int], None]) -> None:
        try:
            told.sha256, told.bytes = _hash(path)
            if self._proof is not None:
                self._proof.check(path, told.sha256, key)
            there = store.stored(key, told.bytes)
            if there is not None and (there.size, there.sha256) == (told.bytes, told.sha256):
                told.status = ALREADY
                return
            if there is not None and not self._force:
                told.status = REFUSED
                told.problem = (
                    f"cannot upload {path}: something else is at {told.to}; name another place or say --force"
                )
                return
            if self._dry:
                told.status = WOULD
                return
            put = store.put(Local(path, told.bytes, told.sha256), key, moved)
            told.status, told.resumed, told.verified = UPLOADED, put.resumed, put.verified
        except RedactionError as error:
            told.status, told.problem = REFUSED, str(error)
        except LogshedError as error:
            told.problem = str(error)
        except OSError as error:
            told.problem = f"cannot upload {path}: {error.strerror or error}; check the file"

    def _note(self, to: str, done: Uploads) -> None:
        """Write down what was uploaded; of a dry run nothing was."""
        if self._dry:
            return
        told = {
            "raw": self._raw,
            "bytes": sum(one.bytes for one in done.files if one.status == UPLOADED),
            "files": dict(Counter(one.status for one in done.files)),
            "first": [{"to": one.to, "sha256": one.sha256, "status": one.status} for one in done.files[:NOTED]],
        }
        token_trail.note(self._settings, "upload", to, told, "failed" if done.problems else "ok")


def _policy(settings: Settings) -> Policy:
    return load_policy(settings.policy, settings.plugins, keys=settings.keys)


def destination(to: Address, local: Path) -> Address:
    """Where files go: below a bucket alone, ``raw-logs/`` and today's date (UTC).

    Raises:
        UsageError: Nothing can be written there.
    """
    if to.anonymous:
        raise UsageError(f"cannot upload to {to}: nothing is written without credentials; leave out anonymous@")
    key = to.key or f"{DEFAULT_PREFIX}/{datetime.now(UTC):%Y-%m-%d}/"
    folder = key.endswith("/") or local.is_dir()
    return type(to)(to.scheme, to.bucket, key if not folder or key.endswith("/") else f"{key}/")


def _pairs(local: Path, to: Address) -> Iterator[tuple[Path, str]]:
    """The files and their keys."""
    if not local.exists():
        raise UsageError(f"cannot upload {local}: there is no such file; check the path")
    if not local.is_dir():
        yield local, f"{to.key}{local.name}" if to.key.endswith("/") else to.key
        return
    files = [one for one in sorted(local.rglob("*")) if one.is_file() and not _is_hidden(one.relative_to(local).parts)]
    if not files:
        raise UsageError(f"cannot upload {local}: it holds no files; name another folder")
    for one in files:
        yield one, f"{to.key}{one.relative_to(local).as_posix()}"


def _is_hidden(parts: Sequence[str]) -> bool:
    return any(part.startswith(".") for part in parts)


def _hash(path: Path) -> tuple[str, int]:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return digest, file.tell()
