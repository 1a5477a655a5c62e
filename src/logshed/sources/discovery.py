"""Finds what there is to read behind paths, folders, globs and ``-``; says of all else why it is not read."""

from __future__ import annotations

import glob
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from logshed.errors import SourceError, SpoolError, UsageError
from logshed.sources import codecs, encodings, kafka, kinds, objects, rawfile, spool, streams
from logshed.sources.model import HEAD_BYTES, Discovered, Problem, Target

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

PEEK_BYTES = 64 * 1024
AT_ONCE = 16
"""Objects that are looked into at once."""

_ADVICE: dict[type[OSError], str] = {
    FileNotFoundError: "check the path",
    PermissionError: "run this as a user who may read it",
}


def discover(
    paths: Sequence[str], *, encoding: str = "auto", exclude: Sequence[str] = (), look: bool = True
) -> Discovered:
    """Find the files behind paths.

    Folders are walked to any depth and in name order, symbolic links are followed, each file is taken once. Below a
    folder hidden files, files of other kinds and binary ones are skipped; what the user names and what cannot be opened
    is a problem.

    Args:
        paths: Files, folders, globs (``**`` goes to any depth), ``-`` for standard input, ``spool:`` and the folder
            of a spool, or addresses of objects, ``s3://bucket/prefix/``, and topics, ``kafka://broker/topic``.
        encoding: Encoding of the files; ``auto`` tells UTF-16 and UTF-32 and takes all else as UTF-8.
        exclude: Folders not to enter, such as the lake's own.
        look: Whether to look into objects, too; else ``looked`` does that to those that turn out to be new.

    Raises:
        UsageError: The encoding is unknown.
    """
    declared = "" if encoding == "auto" else encodings.canonical(encoding)
    walk = _Walk(declared, {os.path.realpath(folder) for folder in exclude})
    for path in paths:
        walk.take(path)
    if look and any(target.is_object for target in walk.found.targets):
        seen = looked(walk.found.targets, paths, encoding=encoding)
        return Discovered(seen.targets, walk.found.problems + seen.problems, walk.found.skipped + seen.skipped)
    return walk.found


def looked(targets: Sequence[Target], paths: Sequence[str], *, encoding: str = "auto") -> Discovered:
    """Look into the objects among targets, some at a time: how they are compressed, and whether they are text at all.

    Args:
        targets: Targets; files stay as they are.
        paths: What the user named: what is named itself and is no log is a problem, else it is skipped.
        encoding: As for ``discover``.
    """
    declared = "" if encoding == "auto" else encodings.canonical(encoding)
    found = Discovered()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for target, one in zip(targets, pool.map(partial(_look, declared=declared), targets), strict=True):
            if isinstance(one, Target):
                found.targets.append(one)
            elif isinstance(one, SourceError):
                found.problems.append(Problem(target.path, str(one)))
            else:
                (found.problems if target.path in paths else found.skipped).append(one)
    return found


def _look(target: Target, declared: str) -> Target | Problem | SourceError:
    if not target.is_object:
        return target
    try:
        objects.peek(target)
        found = _target(target.path, target.locator, target.source, None, declared)
    except SourceError as error:
        return error
    if isinstance(found, Problem):
        return found
    return replace(found, is_stream=False, size=target.size, mtime=target.mtime, inode=target.inode)


def candidates(paths: Sequence[str], *, exclude: Sequence[str] = ()) -> Iterator[str]:
    """The files behind paths that may be logs by their names and kinds, each path once; none is opened.

    Args:
        paths: Files, folders and globs; what is not there yet gives nothing.
        exclude: Folders not to enter, such as the lake's own.
    """
    walk = _Walk("", {os.path.realpath(folder) for folder in exclude})
    given: set[str] = set()
    for path in paths:
        named = str(Path(path).expanduser())
        is_glob = glob.has_magic(named) and not os.path.lexists(named)
        for match in sorted(glob.glob(named, recursive=True)) if is_glob else [named]:  # noqa: PTH207 - as below
            for file in walk.below(match) if Path(match).is_dir() else [match]:
                if file not in given:
                    given.add(file)
                    yield file


def inspect(path: str, declared: str = "") -> Target | Problem:
    """Look at one file: how it is compressed and encoded, and whether it is text at all.

    Raises:
        OSError: It cannot be opened.
    """
    if path == streams.STDIN:
        return _target(path, path, "stdin:", None, declared)
    status = Path(path).stat()
    if stat.S_ISREG(status.st_mode):
        locator = os.path.realpath(path)
        return _target(path, locator, f"file:{locator}", status, declared)
    locator = os.path.abspath(path)  # noqa: PTH100 - the link of /dev/stdin and /dev/fd/63 leads to no path
    return _target(path, locator, f"pipe:{locator}", None, declared)


def _target(path: str, locator: str, source: str, status: os.stat_result | None, declared: str) -> Target | Problem:
    inode = rawfile.inode_of(status) if status else ""
    raw = streams.head(locator, "plain", "utf-8", PEEK_BYTES, inode)
    codec = codecs.sniff(raw)
    if codec == codecs.PARQUET and status is None and not objects.is_address(locator):
        return Problem(path, f"cannot read {path} as a log: a Parquet file is read from its end; name the file itself")
    data = raw if codec == "plain" else streams.head(locator, codec, "utf-8", PEEK_BYTES, inode)
    encoding = declared or encodings.detect(data)
    text = data if encoding == "utf-8" else streams.head(locator, codec, encoding, PEEK_BYTES, inode)
    can_seek = status is not None and codec == "plain" and encoding == "utf-8"
    cause = kinds.why_binary(data, text, _last(locator, inode, status.st_size) if status and can_seek else b"")
    if cause:
        return Problem(path, f"cannot read {path} as a log: it is {cause}")
    found = Target(path, source, locator, codec, encoding, head=text[:HEAD_BYTES], note="" if raw else "empty")
    if status is None:
        return replace(found, is_stream=True)
    return replace(found, size=status.st_size, mtime=status.st_mtime, inode=inode)


class _Walk:
    """Collects targets, each file and each folder once."""

    def __init__(self, declared: str, exclude: set[str]) -> None:
        self.found = Discovered()
        self._declared = declared
        self._seen: set[str] = set()
        self._folders = exclude

    def take(self, path: str) -> None:
        """A path that the user named."""
        if path.startswith(spool.SPOOL):
            self._spool(path)
            return
        if kafka.is_address(path):
            self._topics(path)
            return
        if objects.is_address(path):
            self._objects(path)
            return
        named = path if path == streams.STDIN else str(Path(path).expanduser())
        if named == streams.STDIN or os.path.lexists(named) or not glob.has_magic(named):
            self._take_existing(named, self.found.problems)
            return
        matches = sorted(glob.glob(named, recursive=True))  # noqa: PTH207 - Path.glob takes no absolute pattern
        if not matches:
            self._problem(path, f"cannot find {path}: no file matches; check the pattern")
        for match in matches:
            self._take_existing(match, self.found.skipped)

    def _spool(self, path: str) -> None:
        try:
            found = spool.targets(path)
        except SpoolError as error:
            self._problem(path, str(error))
            return
        self.found.targets.extend(target for target in found if target.locator not in self._seen)
        self._seen |= {target.locator for target in found}

    def _objects(self, path: str) -> None:
        """Objects are only listed here: most of a bucket may be in the lake already."""
        try:
            for target, rest in objects.targets(path):
                if reason := kinds.why_skipped(rest, target.path, target.size) if rest else "":
                    self.found.skipped.append(Problem(target.path, reason))
                elif target.source not in self._seen:
                    self.found.targets.append(target)
                    self._seen.add(target.source)
        except (SourceError, UsageError) as error:
            self._problem(path, str(error))

    def _topics(self, path: str) -> None:
        try:
            found, problems = kafka.targets(path)
        except (SourceError, UsageError) as error:
            self._problem(path, str(error))
            return
        self.found.problems.extend(problems)
        self.found.targets.extend(target for target in found if target.source not in self._seen)
        self._seen |= {target.source for target in found}

    def _take_existing(self, path: str, refusals: list[Problem]) -> None:
        if not Path(path).is_dir():
            self._add(path, refusals)
            return
        files, skipped, problems = 0, len(self.found.skipped), len(self.found.problems)
        for file in self.below(path):
            files += self._add(file, self.found.skipped)
        if not files and problems == len(self.found.problems):
            skipped = len(self.found.skipped) - skipped
            cause = f"none of its {skipped} files is a log" if skipped else "it holds no files"
            self._problem(path, f"cannot find logs in {path}: {cause}; name a file, or another folder")

    def below(self, folder: str) -> Iterator[str]:
        """Files below a folder in name order; a folder reached again, as by a link to its parent, is left out."""
        real = os.path.realpath(folder)
        if real in self._folders:
            return
        self._folders.add(real)
        try:
            with os.scandir(folder) as entries:
                ordered = sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            self._problem(folder, _unreadable(folder, error))
            return
        for entry in ordered:
            reason = _why_skipped(entry)
            if reason:
                self.found.skipped.append(Problem(entry.path, reason))
            elif entry.is_dir():
                yield from self.below(entry.path)
            else:
                yield entry.path

    def _add(self, path: str, refusals: list[Problem]) -> bool:
        """Take a file; whether it is one that is or was taken."""
        try:
            found = inspect(path, self._declared)
        except OSError as error:
            self._problem(path, _unreadable(path, error))
            return False
        if isinstance(found, Problem):
            refusals.append(found)
            return False
        # By its inode too: a file that is renamed while its folder is looked through is met under both names.
        own = {found.source, found.inode} - {""}
        if own.isdisjoint(self._seen):
            self.found.targets.append(found)
        self._seen |= own
        return True

    def _problem(self, path: str, message: str) -> None:
        self.found.problems.append(Problem(path, message))


def _why_skipped(entry: os.DirEntry[str]) -> str:
    """Why something below a folder is no log by its name or kind, or empty."""
    if entry.name.startswith("."):
        return "hidden"
    try:
        if entry.is_dir():
            return ""
        if not entry.is_file():
            return "a link that leads nowhere" if entry.is_symlink() else "not a regular file"
    except OSError as error:
        return f"its link cannot be followed: {error.strerror}"
    return kinds.why_no_log(entry.path)


def _last(locator: str, inode: str, size: int) -> bytes:
    """The end of a file that is longer than what was looked at."""
    if size <= PEEK_BYTES:
        return b""
    file = streams.open_same(locator, inode)
    try:
        return file.before(size, min(PEEK_BYTES, size - PEEK_BYTES)) if isinstance(file, rawfile.RawFile) else b""
    finally:
        file.close()


def _unreadable(path: str, error: OSError) -> str:
    advice = _ADVICE.get(type(error), "check the path and the disk")
    return f"cannot read {path}: {error.strerror}; {advice}"
