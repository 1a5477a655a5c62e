"""Fills ``client_geo_*`` and ``client_as_*``: where clients are and in whose network, by databases in MaxMind's format.

Databases of countries, of towns and of networks are told apart by what their records hold, whether nested as MaxMind
lays them out or flat as DB-IP and others do.
"""

from __future__ import annotations

import shutil
import tempfile
from datetime import UTC, datetime
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Any

import maxminddb
import polars as pl
from maxminddb import MODE_MMAP_EXT, InvalidDatabaseError

from logshed.errors import EnrichmentError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

GEO = {
    "client_geo_country_iso_code": pl.String(),
    "client_geo_region": pl.String(),
    "client_geo_locality": pl.String(),
    "client_geo_lat": pl.Float64(),
    "client_geo_lon": pl.Float64(),
}
NETWORK = {"client_as_number": pl.Int64(), "client_as_name": pl.String()}
SCHEMA = {**GEO, **NETWORK}
_ADDRESS = "client_address"
_LOOKED_AT = 2000
"""Records that are looked at to tell what a database holds."""
_CACHED = 200_000
"""Addresses of one database whose answer is kept: most clients come again."""

Row = tuple[Any, ...]
"""The values of ``SCHEMA``, in its order."""
_NOTHING: Row = (None,) * len(SCHEMA)

_FIELDS: dict[str, tuple[tuple[str | int, ...], ...]] = {
    "client_geo_country_iso_code": (
        ("country", "iso_code"),
        ("registered_country", "iso_code"),
        ("country_code",),
        ("country",),
    ),
    "client_geo_region": (
        ("subdivisions", 0, "names", "en"),
        ("subdivisions", 0, "iso_code"),
        ("state1",),
        ("region",),
    ),
    "client_geo_locality": (("city", "names", "en"), ("city",)),
    "client_geo_lat": (("location", "latitude"), ("latitude",), ("lat",)),
    "client_geo_lon": (("location", "longitude"), ("longitude",), ("lng",)),
    "client_as_number": (("autonomous_system_number",), ("asn",)),
    "client_as_name": (("autonomous_system_organization",), ("as_name",)),
}
"""Where a record may hold a column's value: MaxMind's places, then those of DB-IP and IPinfo."""


class Database:
    """One open database.

    Attributes:
        kind: ``city``, ``country``, ``network`` or several of them joined by ``+``.
        entries: Nodes of its search tree, which tell its size.
        built: When it was built.
        title: What it calls itself.
    """

    def __init__(self, path: Path) -> None:
        """Open a database.

        Raises:
            EnrichmentError: It cannot be read, is no such database, or the quick reader is not installed.
        """
        if not has_quick_reader():
            raise EnrichmentError(
                f"cannot read {path}: only the slow reader of maxminddb is installed; install its wheel for this "
                "platform, or libmaxminddb's headers and then maxminddb from its sources"
            )
        self._reader = _opened(path)
        meta = self._reader.metadata()
        self.built = datetime.fromtimestamp(meta.build_epoch, UTC)
        self.title = str(meta.database_type)
        self.entries = int(meta.node_count)
        self._six = meta.ip_version == 6  # noqa: PLR2004 - the version of IP
        self._cached = lru_cache(maxsize=_CACHED)(self._row)
        self.kind = self._kind()
        if not self.kind:
            raise EnrichmentError(
                f"cannot use {path}: {self.title} tells neither countries nor towns nor networks; take another database"
            )

    def rows(self, addresses: pl.Series) -> pl.DataFrame:
        """What it knows of these addresses.

        Args:
            addresses: Text, distinct.

        Returns:
            The columns of ``SCHEMA``, a row for each address.
        """
        return pl.DataFrame([self._cached(address) for address in addresses], schema=SCHEMA, orient="row")

    def _row(self, address: str) -> Row:
        try:
            record = self._reader.get(address.partition("%")[0])
        except ValueError:  # no address, or one of IPv6 that a database of IPv4 does not know
            return _NOTHING
        return flattened(record) if isinstance(record, dict) else _NOTHING

    def _kind(self) -> str:
        records = (record for _, record in islice(self._reader, _LOOKED_AT))
        found = {
            name
            for record in records
            if isinstance(record, dict)
            for name, value in zip(SCHEMA, flattened(record), strict=True)
            if value is not None
        }
        kinds = {
            "city": {"client_geo_locality", "client_geo_lat"} & found,
            "country": found & {"client_geo_country_iso_code"},
            "network": found & NETWORK.keys(),
        }
        names = [name for name, own in kinds.items() if own]
        return "+".join(name for name in names if name != "country" or "city" not in names)


def has_quick_reader() -> bool:
    """Whether maxminddb's reader in C is installed; the one in Python is fourteen times slower."""
    return getattr(maxminddb, "_extension", None) is not None


def enrich(frame: pl.DataFrame, databases: Sequence[Database]) -> pl.DataFrame:
    """Say of each client outside of the internal networks where it is.

    Args:
        frame: Rows with ``client_address`` (String) and ``client_is_internal`` (Boolean).
        databases: The first that knows a value gives it.

    Returns:
        The frame with the columns of ``SCHEMA``. A place, or a network, that the record itself tells stays whole: none
        of its columns is filled from elsewhere.
    """
    if not databases or not {_ADDRESS, "client_is_internal"} <= set(frame.columns):
        return frame
    addresses = frame.filter(~pl.col("client_is_internal"))[_ADDRESS].unique()
    if addresses.is_empty():
        return frame
    found = [database.rows(addresses) for database in databases]
    known = pl.DataFrame([addresses]).with_columns(
        found[0].with_columns(pl.coalesce(name, *(other[name] for other in found[1:])).alias(name) for name in SCHEMA)
    )
    looked_up = frame.select(_ADDRESS).join(known, on=_ADDRESS, how="left", maintain_order="left")
    return frame.with_columns(looked_up[name] for name in SCHEMA if name not in frame.columns).with_columns(
        *_filled(frame, looked_up, GEO), *_filled(frame, looked_up, NETWORK)
    )


def _filled(frame: pl.DataFrame, looked_up: pl.DataFrame, group: dict[str, Any]) -> list[pl.Series]:
    """The columns of a group; rows in which the record itself has one of them keep what they have."""
    own = [name for name in group if name in frame.columns]
    if not own:
        return []
    told = frame.select(pl.any_horizontal(pl.col(own).is_not_null())).to_series()
    none = pl.Series([None], dtype=pl.Null).new_from_index(0, frame.height)
    return [
        (frame[name].cast(kind, strict=False) if name in own else none.cast(kind))
        .zip_with(told, looked_up[name])
        .alias(name)
        for name, kind in group.items()
    ]


def flattened(record: dict[str, Any]) -> Row:
    """The values that a record has for the columns of ``SCHEMA``, nested or flat."""
    values = {name: _first(record, places) for name, places in _FIELDS.items()}
    number = values["client_as_number"]
    if isinstance(number, str):
        digits = number.upper().removeprefix("AS")
        values["client_as_number"] = int(digits) if digits.isdecimal() else None
    for name in ("client_geo_lat", "client_geo_lon"):
        values[name] = _degrees(values[name])
    return tuple(values.values())


def _first(record: dict[str, Any], places: tuple[tuple[str | int, ...], ...]) -> str | int | float | None:
    for place in places:
        value: Any = record.get(str(place[0]))
        for step in place[1:]:
            if isinstance(value, dict):
                value = value.get(step)
            elif isinstance(value, list) and isinstance(step, int) and len(value) > step:
                value = value[step]
            else:
                value = None
                break
        if isinstance(value, str | int | float) and value != "":
            return value
    return None


def _degrees(value: str | float | None) -> float | None:
    try:
        return None if value is None else float(value)
    except ValueError:
        return None


def _opened(path: Path) -> maxminddb.Reader:
    """Open a copy that nobody else can reach: a file that is cut under its mapping would end the process."""
    try:
        with tempfile.NamedTemporaryFile(prefix="logshed-") as copy:
            with path.open("rb") as file:
                shutil.copyfileobj(file, copy, 2**20)
            copy.flush()
            return maxminddb.open_database(copy.name, MODE_MMAP_EXT)
    except InvalidDatabaseError:
        raise EnrichmentError(
            f"cannot read {path}: it is no database in MaxMind's format; download it again, and unpack it"
        ) from None
    except OSError as error:
        raise EnrichmentError(f"cannot read {path}: {error.strerror or error}; check the path and its rights") from None
