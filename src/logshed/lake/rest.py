"""Every file of a lake as it lies on disk, and the texts inside those that are no data files."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyiceberg.avro.file import AvroFile
from pyiceberg.typedef import Record

from logshed.lake import storage
from logshed.lake.fileio import LakeIO
from logshed.lake.scan import iceberg_files, paths

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from logshed.lake.names import TableDef
    from logshed.lake.store import Store

CHUNK_BYTES = 2**23
OVERLAP_BYTES = 2**12
"""What stands across two chunks is seen whole if it is no longer than this."""
BOUND_CHARACTERS = 16
"""Iceberg cuts the bounds of texts to so many characters unless told otherwise."""

_RUN = re.compile(rb"[\t\n\r\x20-\x7e\x80-\xff]{6,}")
_CUT = re.compile(
    r"(?:[0-9][0-9.]*$|\[[A-Z0-9_]*|[a-z_]+:[a-z0-9][a-z0-9_-]*:[0-9a-g]*|[a-z_]+:[a-z0-9][a-z0-9_-]*).?$", re.DOTALL
)
"""How a bound ends that was cut inside a number, a tag or a pseudonym; the last character of an upper one is raised."""
_COUNTED = re.compile(r"-(?:id|size|records|files|ms)$")
_SNAPSHOT = re.compile(r"\bsnap-[0-9]+-")
"""A snapshot's id is a random number of up to 19 digits: one in some dozens is like a card's."""


@dataclass(frozen=True, slots=True)
class Resting:
    """The data files of one table.

    Attributes:
        current: Those of the current snapshot.
        others: What else lies in its folder: older snapshots' files, and what an interrupted run left.
    """

    current: tuple[str, ...]
    others: tuple[str, ...]


def data_files(store: Store, table: TableDef) -> Resting:
    """The Parquet files of a table, whether its current snapshot has them or not."""
    if not store.has(table):
        return Resting((), ())
    loaded = store.table(table)
    current = paths(iceberg_files(loaded))
    others = set(_parquets(storage.local(loaded.location()))) - set(current)
    return Resting(tuple(current), tuple(sorted(others)))


def ledger_files(store: Store) -> list[str]:
    """The Parquet files of the ledger, also those that nothing refers to any more."""
    return sorted(_parquets(store.ledger_folder()))


def other_files(store: Store) -> list[str]:
    """Every other file of the lake's folder and of its warehouse."""
    return sorted(file for file in _every(store) if not file.endswith(".parquet"))


def strays(store: Store, known: Iterable[str]) -> list[str]:
    """Parquet files in the lake's folder that are none of those that are known."""
    return sorted({file for file in _every(store) if file.endswith(".parquet")} - set(known))


def _every(store: Store) -> set[str]:
    places = {str(store.root), store.warehouse, store.ledger_folder()}
    return {one.path for place in places for one in storage.listing(place)}


def _parquets(folder: str) -> list[str]:
    return [one.path for one in storage.listing(folder) if one.path.endswith(".parquet")]


def texts_of(path: str) -> Iterator[list[str]]:
    """The texts in a file that is no Parquet: the values of an Avro or JSON file, else what reads as text in its bytes.

    Raises:
        OSError: It cannot be read.
        ValueError: It is an Avro file, and not whole.
    """
    if path.endswith(".avro"):
        try:
            texts = list(_avro(path))
        except FileNotFoundError:
            raise
        except Exception as error:  # PyIceberg's decoders raise whatever comes
            raise ValueError(f"{type(error).__name__} in an Avro file") from error
        yield texts
        return
    if path.endswith(".json"):
        with contextlib.suppress(ValueError):  # a stopped run may leave half of one: its bytes are looked at instead
            yield list(_leaves(json.loads(storage.read(path))))
            return
    with storage.opened(path) as file:
        kept = b""
        while chunk := file.read(CHUNK_BYTES):
            yield [without_ids(run.decode("utf-8", "replace")) for run in _RUN.findall(kept + chunk)]
            kept = chunk[-OVERLAP_BYTES:]


def without_ids(text: str) -> str:
    """A text without the ids of snapshots in names of files."""
    return _SNAPSHOT.sub("snap-", text)


def _avro(path: str) -> Iterator[str]:
    with AvroFile[Record](LakeIO().new_input(path)) as file:
        yield from _leaves(file.header.meta)
        for record in file:
            yield from _leaves(record)


def _leaves(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield without_ids(value)
    elif isinstance(value, bytes):
        text = value.decode("utf-8", "replace")
        yield _CUT.sub("", text) if len(text) == BOUND_CHARACTERS else text
    elif isinstance(value, Mapping):
        for key, one in value.items():
            yield from _leaves(key)
            if not (isinstance(one, str) and one.isdecimal() and _COUNTED.search(str(key))):
                yield from _leaves(one)
    elif isinstance(value, Record | Sequence):
        for place in range(len(value)):
            yield from _leaves(value[place])
