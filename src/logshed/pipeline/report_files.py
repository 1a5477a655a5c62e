"""Writes the files of a report: the summary as text, the figures as JSON, and all of them into a folder at once."""

from __future__ import annotations

import fcntl
import os
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import orjson

from logshed.errors import ReportError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    import polars as pl

LONGEST_NAME = 80
FIGURES = "report.json"
"""The file that tells a folder with a report, and which of its files belong to it."""


def summary(meta: Mapping[str, Any], overview: pl.DataFrame, types: pl.DataFrame) -> str:
    """The report in a few lines of text."""
    row = overview.row(0, named=True) if overview.height else {}
    lines = [
        "Logshed report",
        "",
        f"Window:      {meta['window_text']} ({meta['zone']})",
        f"Collection:  {meta['collection'] or 'all'}",
        f"Made:        {meta['made_text']}",
        "",
        f"Events processed:              {row.get('events', 0):>15,}",
        f"Application events processed:  {row.get('application_events', 0):>15,}",
        f"Security events processed:     {row.get('security_events', 0):>15,}",
        f"Requests:                      {row.get('requests', 0):>15,}",
        f"Errors:                        {row.get('errors', 0):>15,}",
        "",
        "Top five event types:",
    ]
    named = [_printable(str(name)) for name in types["event"]]
    size = max(map(len, named), default=0)
    lines += [
        f"  {place}. {name:<{size}}  {count:>12,}"
        for place, (name, count) in enumerate(zip(named, types["events"], strict=True), 1)
    ]
    return "\n".join([*lines, *([] if named else ["  none"])]) + "\n"


def _printable(text: str) -> str:
    """A value of a log on one line, without what a terminal would obey."""
    line = " ".join(text.split())[:LONGEST_NAME]
    return "".join(one if one.isprintable() else "\N{REPLACEMENT CHARACTER}" for one in line)


def as_json(meta: Mapping[str, Any], text: str, pages: Sequence[Mapping[str, Any]], files: Sequence[str]) -> bytes:
    """All that the pages show, for programs, and which files the report has."""
    told = [{key: value for key, value in one.items() if key != "meta"} for one in pages]
    return orjson.dumps(
        {"meta": meta, "files": list(files), "summary": text, "pages": told}, option=orjson.OPT_APPEND_NEWLINE
    )


def replaced(folder: Path, files: Mapping[str, bytes]) -> tuple[Path, ...]:
    """Put files into a folder in place of an older report's, all or none; what else lies there stays.

    Raises:
        ReportError: The folder holds something else, or it cannot be written.
    """
    with _alone(folder):  # else what lies there could be lost between two reports
        return _replaced(folder, files)


def _replaced(folder: Path, files: Mapping[str, bytes]) -> tuple[Path, ...]:
    old = holding(folder)
    new = folder.with_name(f".{folder.name}.{uuid4().hex[:8]}.part")
    aside = folder.with_name(f".{folder.name}.{uuid4().hex[:8]}.old")
    try:
        new.mkdir(parents=True)
        for name, content in files.items():
            (new / name).write_bytes(content)
        for stranger in [one for one in folder.iterdir() if one.name not in old] if old is not None else []:
            _copied(stranger, new / stranger.name)
        if old is not None:
            folder.rename(aside)
        elif folder.exists():
            folder.rmdir()
        new.rename(folder)
    except OSError as error:
        if aside.exists() and not folder.exists():
            aside.rename(folder)
        raise ReportError(f"cannot write the report to {folder}: {error.strerror}; name another folder") from error
    finally:
        shutil.rmtree(new, ignore_errors=True)
        if folder.exists():
            shutil.rmtree(aside, ignore_errors=True)
        elif aside.exists():
            aside.rename(folder)
    return tuple(folder / name for name in files)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Let one report at a time come into a folder; the lock's file lies beside it meanwhile."""
    path = folder.with_name(f".{folder.name}.lock")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        held = _held(path)
        while not _is_at(held, path):  # who had it has taken the file away
            os.close(held)
            held = _held(path)
    except OSError as error:
        raise ReportError(f"cannot write the report to {folder}: {error.strerror}; name another folder") from error
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(held)


def _held(path: Path) -> int:
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(handle, fcntl.LOCK_EX)
    return handle


def _is_at(handle: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except FileNotFoundError:
        return False


def _copied(one: Path, to: Path) -> None:
    if one.is_dir() and not one.is_symlink():
        shutil.copytree(one, to, symlinks=True)
    else:
        shutil.copy2(one, to, follow_symlinks=False)


def holding(folder: Path) -> frozenset[str] | None:
    """The files of the report that a folder holds; None where there is no folder, or an empty one.

    Raises:
        ReportError: It holds something else.
    """
    if folder.is_dir() and not any(folder.iterdir()):
        return None
    if not folder.exists() and not folder.is_symlink():
        return None
    try:
        said = orjson.loads((folder / FIGURES).read_bytes())
        return frozenset(map(str, said["files"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ReportError(
            f"cannot write the report to {folder}: it holds something else than a report; name an empty folder"
        ) from error
