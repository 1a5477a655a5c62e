"""The receipt of an erasure: what was done, without the value, signed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from logshed.errors import LogshedError, RedactionError
from logshed.lake.folder import write_atomically
from logshed.pipeline.erase_check import RECEIPTS
from logshed.redaction import signing
from logshed.redaction.keyring import Key, KeyRing, load_keys

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from logshed.lake.store import Store
    from logshed.settings import Settings

FORMAT = "logshed erasure 1"
"""What the document calls itself; the number changes with its shape."""
LAKES_OWN = "lake"
"""Id of the key that signs where there is no key of pseudonyms: the lake's own secret."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """A receipt that was written.

    Attributes:
        path: Its file.
        document: What it says.
    """

    path: Path
    document: dict[str, Any]


def write(store: Store, settings: Settings, name: str, told: Mapping[str, Any]) -> Receipt:
    """Sign a receipt and put it into the lake's folder.

    Args:
        store: The lake.
        settings: Where keys are.
        name: What stands for what was erased.
        told: What was done.

    Raises:
        LogshedError: It cannot be written.
    """
    made = datetime.now(UTC)
    document = signing.signed(
        {"receipt": FORMAT, "made": made.isoformat(timespec="seconds"), **told}, _ring(store, settings).current
    )
    path = store.root / RECEIPTS / f"{made:%Y%m%dT%H%M%S.%fZ}-{name[:8]}.json"
    try:
        path.parent.mkdir(exist_ok=True)
        write_atomically(path, json.dumps(document, indent=1) + "\n")
    except OSError as error:
        raise LogshedError(f"cannot write {path}: {error.strerror}; free some space, and run the same again") from error
    return Receipt(path, document)


def broken(store: Store, settings: Settings) -> tuple[int, list[str]]:
    """How many receipts a lake has, and what is wrong with those that are not as they were signed."""
    ring = _ring(store, settings)
    paths = sorted((store.root / RECEIPTS).glob("*.json"))
    found = []
    for path in paths:
        try:
            document = signing.parse(path.read_bytes(), str(path))
            signing.verified(document, ring, what="it", advice="do not rely on it")
        except (RedactionError, OSError) as error:
            found.append(f"{path}: {error}")
    return len(paths), found


def _ring(store: Store, settings: Settings) -> KeyRing:
    """The lake's own key, then those of pseudonyms, if there are any."""
    own = Key(LAKES_OWN, "", store.secret())
    try:
        return KeyRing((own, *load_keys(settings.keys).keys))
    except RedactionError:
        return KeyRing((own,))  # a lake without pseudonyms needs no keys
