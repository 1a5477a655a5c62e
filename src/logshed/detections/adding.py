"""Takes rules of others, from a folder, a zip file or one file, into the user's own folder."""

from __future__ import annotations

import os
import re
import zipfile
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from logshed import plugins
from logshed.detections.loading import read_rules
from logshed.errors import DetectionError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

LARGEST = 1_000_000
"""Bytes of a rule file beyond which it is none."""
_RULE = re.compile(r"^(?:detection|correlation):", re.MULTILINE)


@dataclass(slots=True)
class Added:
    """What came of it.

    Attributes:
        folder: Where the rules are now.
        added: Names of files that were taken.
        refused: Names of those that were not, with the reason.
    """

    folder: Path
    added: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)


def add_from(source: Path, extra: Iterable[Path] = (), folder: Path | None = None) -> Added:
    """Take every rule that can run here.

    Args:
        source: A folder, a zip file or a rule file.
        extra: More plug-in roots, whose taxonomies count too.
        folder: Where to; None takes the user's own.

    Raises:
        DetectionError: The source cannot be read, or holds no rule.
    """
    target = folder or plugins.USER_FOLDER.expanduser() / "detections"
    done = Added(target)
    for name, text in _texts(source):
        stem = re.sub(r"[^A-Za-z0-9_]+", "_", PurePosixPath(name).stem)
        try:
            read_rules(stem, text, name, extra)
        except DetectionError as error:
            done.refused[name] = (
                str(error).removeprefix(f"cannot load rule {name}: ").removesuffix("; correct the file")
            )
            continue
        target.mkdir(parents=True, exist_ok=True)
        _put(target / f"{stem}.yml", text)
        done.added.append(stem)
    if not done.added and not done.refused:
        raise DetectionError(
            f"cannot add rules from {source}: it holds no Sigma rule (.yml); name a folder or a zip of them"
        )
    return done


def _put(path: Path, text: str) -> None:
    """Write a file so that who reads the rules meanwhile finds it whole, or as it was."""
    part = path.with_name(f".{path.stem[:200]}.{os.urandom(8).hex()}.part")
    try:
        part.write_text(text, encoding="utf-8")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _texts(source: Path) -> Iterator[tuple[str, str]]:
    try:
        yield from _zipped(source) if source.is_file() and zipfile.is_zipfile(source) else _files(source)
    except (OSError, zipfile.BadZipFile) as error:
        raise DetectionError(f"cannot add rules from {source}: {error}; give a folder, a zip or a file") from error


def _files(source: Path) -> Iterator[tuple[str, str]]:
    if not source.exists():
        raise DetectionError(f"cannot add rules from {source}: there is no such path; check it")
    paths = (
        [source] if source.is_file() else sorted(path for path in source.rglob("*") if path.suffix in {".yml", ".yaml"})
    )
    for path in paths:
        if path.stat().st_size <= LARGEST:
            text = path.read_text(encoding="utf-8", errors="replace")
            if _RULE.search(text):
                yield str(path), text


def _zipped(source: Path) -> Iterator[tuple[str, str]]:
    with zipfile.ZipFile(source) as opened:
        for entry in opened.infolist():
            if entry.filename.endswith((".yml", ".yaml")) and entry.file_size <= LARGEST:
                text = opened.read(entry).decode("utf-8", "replace")
                if _RULE.search(text):
                    yield entry.filename, text
