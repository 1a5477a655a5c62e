"""By what a repeated request or record is known: hashes of the ids that clients give."""

from __future__ import annotations

from dataclasses import replace
from hashlib import blake2b
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from logshed.receivers.model import Part

NO_IDS: NDArray[np.uint64] = np.empty(0, np.uint64)
"""None."""
_BYTES = 8
"""Of a hash. Among two million ids, another has the same hash once in nine million times; clients who want to be taken
for known can do so with the id itself."""


def hashed(sender: str, ids: Sequence[str]) -> NDArray[np.uint64]:
    """Hashes of ids, which are one sender's own; 0 stands for an empty id, which is none."""
    begun = blake2b(sender.encode("utf-8", "surrogatepass"), digest_size=_BYTES)
    found = bytearray()
    for one in ids:
        if one:
            hashing = begun.copy()
            hashing.update(b"\0" + one.encode("utf-8", "surrogatepass"))
            found += hashing.digest()
        else:
            found += bytes(_BYTES)
    return np.frombuffer(bytes(found), np.uint64)


def without(parts: Sequence[Part], again: NDArray[np.bool_]) -> tuple[Part, ...]:
    """Parts without some of their records.

    Args:
        parts: Records, one a line.
        again: Which of them are left out, in the parts' order.
    """
    found, at = [], 0
    for part in parts:
        mask = again[at : at + part.records]
        at += part.records
        if mask.any():
            lines = part.lines.split(b"\n")[: part.records]
            kept = [line + b"\n" for line, known in zip(lines, mask.tolist(), strict=True) if not known]
            part = replace(part, lines=b"".join(kept), records=len(kept))  # noqa: PLW2901 - the same, shorter
        if part.records:
            found.append(part)
    return tuple(found)
