"""Empties a spool of container output into a file of JSON lines, each line once, whatever is killed meanwhile."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, BinaryIO

import orjson
import polars as pl

from logshed.errors import SourceError
from logshed.sources import reading
from logshed.sources.spool import SPOOL, targets
from logshed.spool import note_done
from logshed.work import Split

if TYPE_CHECKING:
    from pathlib import Path

    from logshed.sources.model import Target

STATE = "saved.json"
CRI = r"(?s)^(?P<timestamp>[0-9T:.\-]{19,29}(?:Z|[+-][0-9:]{5})) (?:stdout|stderr) [FP](?: (?P<body>.*))?$"
"""A line as collectors of containers give it; a line that redaction has changed up to its time is a body as a whole."""


def save(root: Path, path: Path) -> None:
    """Append what a spool holds to a file, and let the spool's writer make room.

    How long the file was when its lines were last noted stands in the spool's folder: what a crash left beyond that is
    cut off, since it is written again.

    Args:
        root: The spool's folder.
        path: The file; made where it is not there.

    Raises:
        SourceError: The file cannot be written.
        SpoolError: The spool cannot be read.
    """
    size, ends = _state(root)
    try:
        with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b") as file:
            file.truncate(min(size, file.seek(0, os.SEEK_END)))
            file.seek(0, os.SEEK_END)
            for target in targets(f"{SPOOL}{root}"):
                _append(file, target, max(target.start, ends.get(target.generation, 0)))
                ends[target.generation] = target.size
            file.flush()
            os.fsync(file.fileno())
            _note(root, file.tell(), ends)
    except OSError as error:
        raise SourceError(f"cannot write {path}: {error.strerror}; check the path and the disk") from None
    note_done(root, ends)


def _append(file: BinaryIO, target: Target, start: int) -> None:
    """Write the lines of one stream from an offset on."""
    if start >= target.size:
        return
    known = [pl.lit(value).alias(name) for name, value in target.resource if name not in ("timestamp", "body")]
    split = Split(target.source, target.locator, target.generation, start, target.size)
    with reading.read(split) as frames:
        for frame in frames:
            parts = pl.col("text").str.extract_groups(CRI)
            timestamp = parts.struct.field("timestamp")
            body = pl.when(timestamp.is_null()).then(pl.col("text")).otherwise(parts.struct.field("body"))
            frame.select(timestamp=timestamp, body=body.fill_null("")).with_columns(known).write_ndjson(file)


def _state(root: Path) -> tuple[int, dict[str, int]]:
    """How long the file is, and how far the spool's streams are in it."""
    try:
        known: dict[str, Any] = orjson.loads((root / STATE).read_bytes())
        return int(known["size"]), {str(name): int(end) for name, end in known["ends"].items()}
    except FileNotFoundError:
        return 0, {}
    except (OSError, ValueError, KeyError, AttributeError) as error:
        raise SourceError(
            f"cannot go on with what was saved: {root / STATE}: {error}; delete {root} and the file to begin anew"
        ) from None


def _note(root: Path, size: int, ends: dict[str, int]) -> None:
    part = root / f".{STATE}.part"
    with part.open("wb") as file:
        file.write(orjson.dumps({"size": size, "ends": ends}))
        file.flush()
        os.fsync(file.fileno())
    part.replace(root / STATE)
