"""Finds what there is to read behind paths, folders, globs and ``-``; says of all else why it is not read."""

from __future__ import annotations

import glob
import os
import stat
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from logshed.errors import SpoolError
from logshed.sources import codecs, encodings, rawfile, spool, streams
from logshed.sources.model import HEAD_BYTES, Discovered, Problem, Target

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

PEEK_BYTES = 64 * 1024

_BINARY_MAGICS: dict[bytes, str] = {
    b"\x89PNG\r\n": "a PNG image",
    b"\xff\xd8\xff": "a JPEG image",
    b"GIF8": "a GIF image",
    b"%PDF-": "a PDF document",
    b"\x7fELF": "a program",
    b"PK\x03\x04": "a zip archive; unpack it first",
    b"PK\x05\x06": "an empty zip archive",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive; unpack it first",
    b"Rar!\x1a\x07": "a rar archive; unpack it first",
    b"\x1f\x9d": "compressed by compress(1); unpack it first",
    b"\x04\x22\x4d\x18": "compressed by lz4; unpack it first",
    b"SQLite format 3\x00": "an SQLite database",
    b"LPKSHHRH": "a systemd journal; export it with journalctl -o json",
    b"ElfFile\x00": "a Windows event log; export it as text first",
    b"\xd4\xc3\xb2\xa1": "a packet capture",
    b"\xca\xfe\xba\xbe": "a program",
    b"Obj\x01": "an Avro file",
}
_TAR_MAGIC, _TAR_MAGIC_AT = b"ustar", 257
_NO_LOG_SUFFIXES = frozenset(
    (  # noqa: SIM905 - a list of these takes fifty lines
        ".7z,.avro,.bin,.bmp,.class,.db,.dll,.dylib,.ear,.exe,.gif,.ico,.idx,.jar,.jpeg,.jpg,.journal,.lck,.lock,.mmdb,"
        ".mo,.mp3,.mp4,.o,.orc,.pcap,.pdf,.pid,.png,.pyc,.rar,.sig,.so,.sock,.sqlite,.sqlite3,.swp,.tar,.tgz,"
        ".tbz2,.txz,.war,.webp,.whl,.woff,.woff2,.zip"
    ).split(",")
)
_ONLY_NAMED = frozenset({".parquet"})
"""What is read where a path or a pattern names it: below a folder it may be the data of a table."""
_CONTROL = bytes((*range(7), *range(14, 27), *range(28, 32), 127))
_MAX_CONTROL = 0.05
_ADVICE: dict[type[OSError], str] = {
    FileNotFoundError: "check the path",
    PermissionError: "run this as a user who may read it",
}


def discover(paths: Sequence[str], *, encoding: str = "auto", exclude: Sequence[str] = ()) -> Discovered:
    """Find the files behind paths.

    Folders are walked to any depth and in name order, symbolic links are followed, each file is taken once. Below a
    folder hidden files, files of other kinds and binary ones are skipped; what the user names and what cannot be opened
    is a problem.

    Args:
        paths: Files, folders, globs (``**`` goes to any depth), ``-`` for standard input, or ``spool:`` and the folder
            of a spool.
        encoding: Encoding of the files; ``auto`` tells UTF-16 and UTF-32 and takes all else as UTF-8.
        exclude: Folders not to enter, such as the lake's own.

    Raises:
        UsageError: The encoding is unknown.
    """
    declared = "" if encoding == "auto" else encodings.canonical(encoding)
    walk = _Walk(declared, {os.path.realpath(folder) for folder in exclude})
    for path in paths:
        walk.take(path)
    return walk.found


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
    if codec == codecs.PARQUET and status is None:
        return Problem(path, f"cannot read {path} as a log: a Parquet file is read from its end; name the file itself")
    data = raw if codec == "plain" else streams.head(locator, codec, "utf-8", PEEK_BYTES, inode)
    encoding = declared or encodings.detect(data)
    text = data if encoding == "utf-8" else streams.head(locator, codec, encoding, PEEK_BYTES, inode)
    can_seek = status is not None and codec == "plain" and encoding == "utf-8"
    cause = _why_binary(data, text, _last(locator, inode, status.st_size) if status and can_seek else b"")
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
    suffix = Path(entry.name).suffix.lower()
    if suffix in _ONLY_NAMED:
        return f"{suffix} files may be a table's; name it, or a pattern such as {Path(entry.path).parent}/*{suffix}"
    return f"{suffix} files are no logs" if suffix in _NO_LOG_SUFFIXES else ""


def _why_binary(data: bytes, text: bytes, last: bytes) -> str:
    """What else than a log some bytes are, or empty.

    A log whose writer did not notice that it was truncated begins with a hole of NULs: so its end has a say too.
    """
    for magic, what in _BINARY_MAGICS.items():
        if data.startswith(magic):
            return what
    if data[_TAR_MAGIC_AT:].startswith(_TAR_MAGIC):
        return "a tar archive; unpack it first"
    if _is_binary(text) and (not last or _is_binary(last)):
        return "binary; if it is text in another encoding, name that with --encoding"
    return ""


def _is_binary(text: bytes) -> bool:
    return len(text) - len(text.translate(None, _CONTROL)) > _MAX_CONTROL * len(text)


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
