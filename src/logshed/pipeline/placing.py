"""Where outputs go: one file, a folder that mirrors the inputs', or standard output; and what is refused."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from logshed.errors import UsageError
from logshed.sources import codecs, encodings, files, objects, rawfile, streams
from logshed.sources.codecs import CODECS, PARQUET
from logshed.sources.model import Discovered, Target

if TYPE_CHECKING:
    from collections.abc import Sequence

STDOUT = "-"
_PEEK_BYTES = 64 * 1024
_CONTROL = bytes((*range(9), *range(14, 27), *range(28, 32), 127))


@dataclass(frozen=True, slots=True)
class Place:
    """A text and where what becomes of it is written.

    Attributes:
        target: What is read.
        path: The file to write; None is standard output.
        codec: How it is compressed: a name of ``CODECS``, or ``plain``.
    """

    target: Target
    path: Path | None
    codec: str = "plain"


@dataclass(slots=True)
class Places:
    """What some inputs come to.

    Attributes:
        found: Texts with their places.
        problems: What is not read though it was asked for, a sentence each.
        hidden: How many hidden files below folders are passed over.
    """

    found: list[Place] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    hidden: int = 0


def find(
    paths: Sequence[str], *, encoding: str = "auto", exclude: Sequence[str] = ()
) -> list[tuple[str, Target | str]]:
    """The texts behind paths, each with the path that led to it; what cannot be read is a sentence instead.

    Raises:
        UsageError: The encoding is unknown.
    """
    found: list[tuple[str, Target | str]] = []
    seen: set[str] = set()
    for path in paths:
        live = _live(encoding) if path == streams.STDIN else None
        one = Discovered([live]) if live else files.discover([path], encoding=encoding, exclude=exclude)
        for target in one.targets:
            if target.source not in seen:
                seen.add(target.source)
                found.append((path, target))
        found += [(path, problem.message) for problem in one.problems]
        found += [(path, _passed_over(skipped.path, skipped.message)) for skipped in one.skipped]
    return found


def _live(encoding: str) -> Target | None:
    """Standard input where its first bytes are plain UTF-8: it need not be waited for to be looked at."""
    head = streams.once(streams.STDIN).peek_some(_PEEK_BYTES)
    if encoding != "auto" or b"\0" in head or codecs.sniff(head) != "plain" or encodings.detect(head) != "utf-8":
        return None
    control = len(head) - len(head.translate(None, _CONTROL))
    return None if control else Target(streams.STDIN, "stdin:", streams.STDIN, is_stream=True)


def place(
    paths: Sequence[str], out: str | None, *, encoding: str = "auto", force: bool = False, also: Sequence[Path] = ()
) -> Places:
    """Find the texts and say where each is written.

    Args:
        paths: Files, folders, globs, or ``-``.
        out: A file, a folder, ``-`` or None for standard output.
        encoding: Encoding of the files, or ``auto``.
        force: Whether outputs may replace files that are there, other than inputs.
        also: Further files that will be written.

    Raises:
        UsageError: Outputs would replace inputs, each other, or files that are there; nothing was written.
    """
    places = Places()
    found = find(paths, encoding=encoding, exclude=[out] if out and Path(out).is_dir() else [])
    targets = []
    for path, one in found:
        if not isinstance(one, str):
            targets.append((path, one))
        elif one.endswith(": hidden"):
            places.hidden += 1
        else:
            places.problems.append(one)
    if out in (None, STDOUT):
        if len(paths) > 1 or any(Path(path).is_dir() for path in paths):
            raise UsageError("cannot write several files to standard output: name a folder with -o FOLDER")
        places.found = [Place(target, None) for _, target in targets if not _is_rows(target, places)]
        _refuse(places.found, [target for _, target in targets], also, force=force)
        return places
    folder = Path(out)
    mirrored = len(paths) > 1 or Path(paths[0]).is_dir() or folder.is_dir() or out.endswith(os.sep) or len(targets) > 1
    if mirrored and folder.exists() and not folder.is_dir():
        raise UsageError(f"cannot write several files to {out}: it is a file; name a folder")
    for path, target in targets:
        if _is_rows(target, places):
            continue
        if mirrored:
            places.found.append(Place(target, _below(folder, path, target, several=len(paths) > 1), target.codec))
        else:
            places.found.append(Place(target, folder, _codec_of(folder)))
    _refuse(places.found, [target for _, target in targets], also, force=force)
    return places


def _is_rows(target: Target, places: Places) -> bool:
    """Whether a file has no lines of its own, which is a problem."""
    if target.codec != PARQUET:
        return False
    places.problems.append(
        f"cannot sanitize {target.path}: it is a Parquet file; `logshed convert {target.path}` makes lines of it"
    )
    return True


def _below(folder: Path, path: str, target: Target, *, several: bool) -> Path:
    """A file's place in the folder of outputs: the same as its place in the folder that was named."""
    if target.is_stream:
        return folder / "stdin.log"
    if target.is_object:
        return folder.joinpath(*objects.place(path, target, several=several))
    named = Path(path).expanduser()
    if not named.is_dir():
        return folder / Path(target.path).name
    relative = Path(os.path.relpath(target.path, named))
    return folder / named.resolve().name / relative if several else folder / relative


def _codec_of(path: Path) -> str:
    """The codec that a file's name tells."""
    suffix = path.suffix.lower()
    return next((name for name, codec in CODECS.items() if suffix in codec.suffixes), "plain")


def _refuse(places: Sequence[Place], targets: Sequence[Target], also: Sequence[Path], *, force: bool) -> None:
    inputs = {target.inode: target.path for target in targets if target.inode}
    taken = {Path(os.path.abspath(path)): "the report" for path in also}  # noqa: PTH100 - as below
    for path in also:
        if path.exists() and rawfile.inode_of(path.stat()) in inputs:
            raise UsageError(f"cannot write {path}: it is one of the inputs; name another file")
    for one in places:
        if one.path is None:
            continue
        path = one.path
        whole = Path(os.path.abspath(path))  # noqa: PTH100 - links stay: they are the place
        if whole in taken:
            raise UsageError(f"cannot write {one.target.path} to {path}: {taken[whole]} goes there; run it apart")
        taken[whole] = one.target.path
        if not os.path.lexists(path):
            continue
        if path.is_dir():
            raise UsageError(f"cannot write {one.target.path} to {path}: there is a folder of that name; name another")
        if path.exists() and rawfile.inode_of(path.stat()) in inputs:
            raise UsageError(f"cannot write {path}: it is one of the inputs; name another file")
        if not force:
            raise UsageError(f"cannot write {path}: it exists; name another file or say --force")


def _passed_over(path: str, why: str) -> str:
    if why == "hidden":
        return f"{path}: hidden"
    return why if why.startswith("cannot ") else f"cannot read {path} as a log: {why}; name it to have it read"
