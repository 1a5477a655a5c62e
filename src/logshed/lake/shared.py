"""What machines share that work on one lake: its id and its secret, in the warehouse; and that two lakes share nothing.

The lake's folder on each machine holds only what is that machine's own (locks, the trail that is on its way, turns).
The id must be the same for all, or two lakes could write into one prefix; so must the secret, or the marks that stand
for names of files would differ by machine, and a file would be ingested twice. Both are made by a write that only the
first of several can do.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from uuid import uuid4

from logshed.errors import LakeError, NewerLakeError, NotALakeError
from logshed.lake import remote, storage
from logshed.lake.names import LAKE_PROPERTY, LAKE_VERSION, MARKER
from logshed.lake.secret import SECRET_FILE, decoded, fresh

if TYPE_CHECKING:
    from pyiceberg.table import Table

    from logshed.storage_settings import Backing


def claimed(warehouse: str, backing: Backing) -> str:
    """The id of the lake in a warehouse; made where there is none, so that no other lake is made there.

    Raises:
        LakeError: It holds a lake of another catalog, or cannot be reached.
    """
    marker = {"lake": "logshed", "version": LAKE_VERSION, "id": uuid4().hex, "catalog": str(backing.catalog)}
    found = look(warehouse)
    if found is None:
        storage.create(f"{warehouse}/{MARKER}", f"{json.dumps(marker)}\n".encode())
        found = look(warehouse)
    if found is None:
        raise LakeError(f"cannot make a lake in {warehouse}: {MARKER} was written and is not there; try again")
    if found["catalog"] != marker["catalog"]:
        raise LakeError(
            f"cannot make a lake in {warehouse}: it holds the lake that was made with the catalog "
            f"({found['catalog']}); set [catalog] to that one, or give this lake a prefix of its own in [storage]"
        )
    return found["id"]


def look(warehouse: str) -> dict[str, str] | None:
    """What the marker in a warehouse says; None where there is none.

    Raises:
        NotALakeError: It is damaged.
        NewerLakeError: A newer version of Logshed wrote it.
        StorageError: The storage cannot be reached, or refuses.
    """
    path = f"{warehouse}/{MARKER}"
    try:
        found = json.loads(storage.read(path))
        version, held = int(found["version"]), {name: str(found[name]) for name in ("id", "catalog")}
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise NotALakeError(
            f"cannot open the lake in {warehouse}: {MARKER} is damaged; restore it or choose another prefix"
        ) from error
    if version > LAKE_VERSION:
        raise NewerLakeError(
            f"cannot open the lake in {warehouse}: it has version {version}, this Logshed knows up to {LAKE_VERSION}; "
            "upgrade Logshed"
        )
    return held


def found_in(backing: Backing) -> dict[str, str] | None:
    """What the marker in the settings' warehouse says; None where there is no lake, or none shall be elsewhere."""
    if not backing.storage.warehouse:
        return None
    remote.use(backing.storage)
    return look(storage.local(backing.storage.warehouse))


def assert_same(table: Table, lake: str, backing: Backing) -> None:
    """Refuse a catalog whose tables are another lake's.

    Args:
        table: ``bronze.lines`` of the catalog.
        lake: The id of the lake in the warehouse.
        backing: The lake's catalog and storage.

    Raises:
        LakeError: They are.
    """
    if table.properties.get(LAKE_PROPERTY) == lake:
        return
    raise LakeError(
        f"cannot open the lake in {backing.storage.warehouse}: the catalog ({backing.catalog}) lists the tables of "
        f"another lake, at {table.location()}; set name or namespace of [catalog] so that each lake has its own"
    )


def secret(warehouse: str) -> bytes:
    """The lake's own secret in its warehouse, made where there is none; all who ask at once get the same.

    Raises:
        LakeError: It cannot be read or made.
    """
    path = f"{warehouse}/{SECRET_FILE}"
    try:
        return decoded(storage.read(path).decode("ascii"), path)
    except FileNotFoundError:
        storage.create(path, fresh().encode())
    except UnicodeDecodeError as error:
        raise LakeError(f"cannot use {path}: it is not whole; restore it") from error
    return decoded(storage.read(path).decode("ascii"), path)
