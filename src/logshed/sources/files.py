"""The file source: what there is to read, which file is which, in which ranges it is read, and its lines."""

from __future__ import annotations

from itertools import pairwise

import polars as pl

from logshed.errors import SourceError
from logshed.sources import kafka, streams
from logshed.sources.discovery import discover, inspect, looked
from logshed.sources.identity import identify, identify_all
from logshed.sources.lines import texts
from logshed.sources.model import Discovered, Identity, Lines, Problem, Target
from logshed.sources.reading import read
from logshed.work import UNTIL_EOF, Split

__all__ = [
    "Discovered",
    "Identity",
    "Lines",
    "Problem",
    "Target",
    "discover",
    "identify",
    "identify_all",
    "inspect",
    "looked",
    "plan",
    "read",
    "sample",
]

SPLIT_BYTES = 64 * 1024 * 1024
SAMPLE_LINES = 600
_WINDOW_BYTES = 256 * 1024
_DECODED_BYTES = 1024 * 1024


def plan(
    target: Target,
    identity: Identity,
    *,
    format: str,  # noqa: A002 - the split's own word
    splittable: bool = True,
    split_bytes: int = SPLIT_BYTES,
    resource: tuple[tuple[str, str], ...] = (),
    final: bool = False,
) -> list[Split]:
    """Cut what is new in a target into splits.

    What can be cut ends where its last whole line ends now, an object at its end, since it will not grow; what must be
    decoded first ends at ``UNTIL_EOF``, and its reading says where that was.

    Args:
        target: The file.
        identity: Which generation it is and from where it is new.
        format: The pinned format choice.
        splittable: Whether records can be told apart without what lies before them.
        split_bytes: About how long a split is.
        resource: What produced the lines.
        final: Whether to take a last line that has no line feed.

    Returns:
        Splits in order; none where nothing is new.

    Raises:
        SourceError: The file cannot be opened any more.
    """
    if identity.copy_of or (identity.exhausted and not target.is_stream):
        return []
    final = final or (target.is_object and target.codec == "plain")
    end = _plannable_end(target, identity.start, final=final)
    if end <= identity.start:
        return []
    size = end - identity.start
    unit = kafka.unit(target) if target.is_topic else 1
    splittable = target.is_topic or (splittable and target.is_seekable)
    count = max(1, min(size, round(size * unit / split_bytes))) if splittable else 1
    bounds = [identity.start + size * number // count for number in range(count)] + [end]
    return [
        Split(
            source=identity.source,
            locator=target.locator,
            generation=identity.generation,
            start=start,
            end=following,
            format=format,
            resource=resource,
            codec=target.codec,
            encoding=target.encoding,
            follows=number > 0 and not target.is_topic,  # no message runs into the next one
            continues=number < count - 1 and not target.is_topic,
            head_size=identity.head_size,
            head_hash=identity.head_hash,
            inode=target.inode,
            final=final,
            collection=target.collection,
            unit=unit,
        )
        for number, (start, following) in enumerate(pairwise(bounds))
    ]


def sample(target: Target, identity: Identity | None = None) -> pl.Series:
    """Lines to tell the format by: from the head, the middle and the end of a file, of a compressed one from its head.

    Args:
        target: The file.
        identity: Not needed: a file's format is told by the whole of it, so that it does not change as the file grows.

    Returns:
        At most 600 lines (String), whole ones wherever the file has line feeds.

    Raises:
        SourceError: The file cannot be opened any more.
    """
    del identity
    if target.is_topic:
        return kafka.sample(target)
    try:
        if target.is_seekable and target.size > 3 * _WINDOW_BYTES:
            windows = _windows(target)
        else:
            windows = _thirds(streams.head(target.locator, target.codec, target.encoding, _DECODED_BYTES, target.inode))
    except OSError as error:
        raise _gone(target, error) from error
    return pl.concat(windows) if windows else pl.Series(dtype=pl.String)


def _plannable_end(target: Target, start: int, *, final: bool) -> int:
    """Where the last line that can be taken ends; of what must be decoded to know that, simply far away."""
    if not target.is_seekable:
        return UNTIL_EOF if target.size or target.is_stream else start
    if target.is_object or target.is_topic:
        return target.size
    if not (target.head or target.generation):
        return start  # what was written since it was looked at has no head yet by which to know it again
    try:
        file = streams.open_same(target.locator, target.inode)
    except OSError as error:
        raise _gone(target, error) from error
    if isinstance(file, streams.OnceStream):
        raise SourceError(f"cannot read {target.path}: a pipe has taken the file's place; run it again")
    try:
        return file.size() if final else file.after_last_newline(start, file.size())
    finally:
        file.close()


def _windows(target: Target) -> list[pl.Series]:
    """Whole lines of three places of a long file."""
    file = streams.open_same(target.locator, target.inode)
    if isinstance(file, streams.OnceStream):
        raise SourceError(f"cannot read {target.path}: a pipe has taken the file's place; run it again")
    try:
        ends = (_WINDOW_BYTES, (target.size + _WINDOW_BYTES) // 2, target.size)
        head, middle, last = (file.before(end, _WINDOW_BYTES) for end in ends)
    finally:
        file.close()
    third = SAMPLE_LINES // 3
    return [
        texts(_whole(head)).head(third),
        texts(_whole(_behind_first(middle))).head(third),
        texts(_whole(_behind_first(last))).tail(third),
    ]


def _thirds(data: bytes) -> list[pl.Series]:
    lines = texts(data if len(data) < _DECODED_BYTES else _whole(data))
    if len(lines) <= SAMPLE_LINES:
        return [lines]
    third = SAMPLE_LINES // 3
    return [lines.head(third), lines.slice((len(lines) - third) // 2, third), lines.tail(third)]


def _whole(data: bytes) -> bytes:
    """Without an unfinished last line, unless that is all there is."""
    return data[: data.rfind(b"\n") + 1] or data


def _behind_first(data: bytes) -> bytes:
    """Without what may be the second half of a line, unless that is all there is."""
    return data[data.find(b"\n") + 1 :] or data


def _gone(target: Target, error: OSError) -> SourceError:
    return SourceError(f"cannot read {target.path}: {error.strerror}; check that it is still there")
