"""Knows a file again: under a new name, compressed, copied and truncated, or grown; and a new one under an old name."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING
from uuid import uuid4

from logshed.errors import SourceError
from logshed.sources import discovery, kafka, rawfile, streams
from logshed.sources.codecs import CODECS
from logshed.sources.model import HEAD_BYTES, Identity, Target
from logshed.sources.reading import hash_of
from logshed.sources.rotation import family

if TYPE_CHECKING:
    from collections.abc import Sequence

    from logshed.work import Checkpoint

_SCHEME = "file:"
_SKIP_BYTES = 4 * 1024 * 1024


def identify(target: Target, known: Sequence[Checkpoint]) -> Identity:
    """Find out which generation of which source a target is.

    A checkpoint is the target's if the target begins with the checkpoint's head and has its tail right before its end,
    and if it bears the checkpoint's name, has its inode, or has a name that rotation gives to it in the same folder.

    Args:
        target: A file.
        known: Checkpoints of the ledger: at least all of the target's inode and of the files in its folder.

    Returns:
        The known generation and where it goes on, else a new generation from 0. Its id is a hash of source, first line
        (of an object, its etag) and how many generations of that source had this id before, so that two ingests at one
        time agree on it.
    """
    return _identify(target, _Known(known))


def identify_all(targets: Sequence[Target], known: Sequence[Checkpoint]) -> list[tuple[Target, Identity]]:
    """Identify targets together: where two hold one generation (a log and its copy), only the longer is read.

    Returns:
        Targets in their order, each with its identity; ``copy_of`` names the target that is read instead. A compressed
        file beside the plain one that it was made of is such a copy even where both are new.
    """
    plain = {target.locator: target for target in targets if target.codec == "plain"}
    index = _Known(known)
    found = [(target, _identify(target, index)) for target in targets]
    chosen: dict[tuple[str, str], Target] = {}
    for target, identity in found:
        key = (identity.source, identity.generation)
        if key not in chosen or _extent(target, identity) > _extent(chosen[key], identity):
            chosen[key] = target
    return [
        (target, _unless_copy(target, identity, chosen[identity.source, identity.generation], plain))
        for target, identity in found
    ]


class _Known:
    """Checkpoints by what makes one a target's: thousands of files are looked up among thousands of checkpoints."""

    def __init__(self, checkpoints: Sequence[Checkpoint]) -> None:
        self._index: dict[tuple[str, ...], list[Checkpoint]] = {}
        for one in checkpoints:
            for key in self._keys(one.source, one.inode):
                self._index.setdefault(key, []).append(one)

    def near(self, target: Target) -> list[Checkpoint]:
        """Checkpoints that name, inode and head allow to be the target's, the likeliest first."""
        keys = self._keys(target.source, target.inode)
        sizes = {one.head_size for key in keys for one in self._index.get(key, ())}
        heads = {hash_of(target.head[:size]) for size in sizes if 0 < size <= len(target.head)}
        found = {id(one): one for key in keys for one in self._index.get(key, ()) if one.head_hash in heads}
        if target.is_object:  # it is never renamed, and equal objects have equal etags
            found = {key: one for key, one in found.items() if one.source == target.source}
        return sorted(
            found.values(), key=lambda one: (one.inode != target.inode, one.source != target.source, -one.end)
        )

    def taken(self, target: Target) -> Checkpoint | None:
        """How far an object is in the lake in the very state in which it is now."""
        same = (one for one in self._index.get((target.source,), ()) if one.inode == target.inode)
        return max(same, key=lambda one: one.end, default=None)

    def of(self, source: str) -> list[Checkpoint]:
        """How far each generation of a source is in the lake."""
        return self._index.get((source,), [])

    def generations(self, source: str) -> set[str]:
        """Ids of a source's generations."""
        return {one.generation for one in self._index.get((source,), ())}

    def end(self, source: str, generation: str) -> int:
        """How far a generation of a source is in the lake."""
        ends = (one.end for one in self._index.get((source,), ()) if one.generation == generation)
        return max(ends, default=0)

    @staticmethod
    def _keys(source: str, inode: str) -> list[tuple[str, ...]]:
        path = PurePosixPath(_path(source))
        return [(source,), (str(path.parent), family(path.name)), *([("inode", inode, "")] if inode else [])]


def _identify(target: Target, known: _Known) -> Identity:
    if target.is_stream:
        return Identity(target.source, uuid4().hex[:16], 0, 0, "")
    if target.generation:
        return _told(target, known)
    if target.is_object and (taken := known.taken(target)):
        done = taken.end >= target.size or not target.is_seekable  # what is decoded is taken whole or not at all
        return Identity(target.source, taken.generation, taken.end, taken.head_size, taken.head_hash, exhausted=done)
    for checkpoint in known.near(target):
        try:
            exhausted = _holds(target, checkpoint)
        except SourceError as error:
            return Identity(target.source, uuid4().hex[:16], 0, 0, "", problem=str(error))
        if exhausted is not None and not _is_another(target, checkpoint):
            note = "" if checkpoint.source == target.source else f"goes on with {_path(checkpoint.source)}"
            same = _identity(target, checkpoint.source, checkpoint.generation, note)
            return replace(same, start=checkpoint.end, exhausted=exhausted)
    ids = known.generations(target.source)
    note = "begins anew: the file of this name that was read before is gone or was overwritten" if ids else ""
    return _identity(target, target.source, _new_generation(target, ids), note)


def _told(target: Target, known: _Known) -> Identity:
    """Of what says itself which stream it is."""
    if not target.is_topic:
        end = known.end(target.source, target.generation)
        return Identity(target.source, target.generation, max(end, target.start), 0, "", exhausted=end >= target.size)
    try:
        return kafka.identified(target, known.of(target.source))
    except SourceError as error:
        return Identity(target.source, target.generation, 0, 0, "", problem=str(error))


def _unless_copy(target: Target, identity: Identity, chosen: Target, plain: dict[str, Target]) -> Identity:
    beside = plain.get(_without_suffix(target))
    first = beside if beside and beside is not target and beside.head == target.head else chosen
    return identity if first is target else replace(identity, copy_of=first.path, note=f"a copy of {first.path}")


def _without_suffix(target: Target) -> str:
    """The path that a compressed file had before it was compressed."""
    suffixes = CODECS[target.codec].suffixes if target.codec in CODECS else ()
    return next((target.locator.removesuffix(end) for end in suffixes if target.locator.endswith(end)), target.locator)


def _extent(target: Target, identity: Identity) -> tuple[bool, bool, int, bool]:
    """How much of a generation a target holds; of equals, the file that bears the source's own name."""
    own_name = target.source == identity.source
    return (not identity.exhausted, target.is_seekable, target.size, own_name)


def _begins_as(target: Target, checkpoint: Checkpoint) -> bool:
    size = checkpoint.head_size
    return 0 < size <= len(target.head) and hash_of(target.head[:size]) == checkpoint.head_hash


def _holds(target: Target, checkpoint: Checkpoint) -> bool | None:
    """None if the target has other bytes before the checkpoint's end; else whether it certainly ends right there.

    Raises:
        SourceError: It cannot be opened.
    """
    try:
        raw = streams.open_same(target.locator, target.inode)
    except OSError as error:
        raise SourceError(f"cannot read {target.path}: {error.strerror}; check that it is still there") from error
    stream = streams.decoded(raw, target.codec, target.encoding)
    try:
        if isinstance(raw, rawfile.RawFile) and target.is_seekable:
            tail = raw.before(checkpoint.end, checkpoint.tail_size) if raw.size() >= checkpoint.end else b""
            return raw.size() == checkpoint.end if _is_tail(tail, checkpoint) else None
        left = checkpoint.end - checkpoint.tail_size
        while left and (piece := stream.read(min(left, _SKIP_BYTES))):
            left -= len(piece)
        tail = streams.take(stream, checkpoint.tail_size)
        return not stream.read(1) if not left and _is_tail(tail, checkpoint) else None
    finally:
        stream.close()


def _is_tail(tail: bytes, checkpoint: Checkpoint) -> bool:
    return len(tail) == checkpoint.tail_size and hash_of(tail) == checkpoint.tail_hash


def _is_another(target: Target, checkpoint: Checkpoint) -> bool:
    """Whether the checkpoint's own file is still there, so that a target with equal beginnings is another file.

    Under the checkpoint's own name it is a new one then: the old one was renamed. Under a rotated name it is a copy,
    for which ``HEAD_BYTES`` of equal bytes are the proof, or being the compressed file beside the plain one of the same
    name; with fewer (two files of one line each) both are kept.
    """
    if not checkpoint.inode or target.inode == checkpoint.inode or target.is_object:
        return False
    if target.source != checkpoint.source and checkpoint.end >= HEAD_BYTES:
        return False
    try:
        own = streams.of_inode(Path(target.locator).parent, checkpoint.inode)
        if not own or (own == _without_suffix(target) and target.source != checkpoint.source):
            return False
        found = discovery.inspect(own)
        return isinstance(found, Target) and _begins_as(found, checkpoint) and _holds(found, checkpoint) is not None
    except (OSError, SourceError):
        return False  # it went while it was looked for


def _new_generation(target: Target, taken: set[str]) -> str:
    first_line = target.inode.encode() if target.is_object else target.head.split(b"\n", 1)[0]
    for ordinal in range(len(taken) + 1):
        key = b"\0".join((target.source.encode(), first_line, str(ordinal).encode()))
        generation = hashlib.sha256(key).hexdigest()[:16]
        if generation not in taken:
            break
    return generation


def _identity(target: Target, source: str, generation: str, note: str) -> Identity:
    return Identity(source, generation, 0, len(target.head), hash_of(target.head), note)


def _path(source: str) -> str:
    return source.removeprefix(_SCHEME)
