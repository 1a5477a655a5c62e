"""What takes files: one way to put a file into every store, whole and checked, and to go on where one was stopped."""

from __future__ import annotations

import hashlib
import importlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol, cast

from logshed.errors import BucketError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from logshed.buckets.address import Address
    from logshed.buckets.door import Access

    Progress = Callable[[int], None]

SHA256 = "sha256"
"""What the hash of a whole file is called in an object's metadata."""
PART_BYTES = 8 * 1024 * 1024
_MOST_PARTS = 10_000
_MIB = 1024 * 1024
_SINKS = {
    "s3": "s3_upload",
    "gs": "gcs_upload",
    "az": "azure_upload",
    "abfss": "azure_upload",
    "dbfs": "dbfs",
}


@dataclass(frozen=True, slots=True)
class Stored:
    """An object as it lies in a store.

    Attributes:
        size: Its bytes.
        sha256: Of its bytes, as whoever uploaded it said, 64 hex digits; empty where nobody did.
    """

    size: int
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class Put:
    """What came of an upload.

    Attributes:
        resumed: Bytes that an earlier, interrupted upload had left there.
        verified: How it is known that the store holds these bytes.
    """

    resumed: int
    verified: str


@dataclass(frozen=True, slots=True)
class Local:
    """A file to upload.

    Attributes:
        path: Where it lies.
        size: Its bytes.
        sha256: Of its bytes, 64 hex digits.
    """

    path: Path
    size: int
    sha256: str

    def pieces(self, size: int) -> Iterator[bytes]:
        """Its bytes in pieces of one size, the last shorter.

        Raises:
            BucketError: They are others than were looked at; whoever uploads must not finish.
        """
        digest = hashlib.sha256()
        with self.path.open("rb") as file:
            while piece := file.read(size):
                digest.update(piece)
                yield piece
        if digest.hexdigest() != self.sha256:
            raise BucketError(f"cannot upload {self.path}: it changed while it was read; upload it again")


class Sink(Protocol):
    """A store that takes files. Requests that fail for a while are sent again by it."""

    def stored(self, key: str, size: int) -> Stored | None:
        """What lies there under a key, or None.

        Args:
            key: The key.
            size: Bytes that the file has: only what is as long can be the same.

        Raises:
            BucketError: That cannot be told.
        """

    def put(self, local: Local, key: str, progress: Progress) -> Put:
        """Put a file there and check it. Nothing of it is seen before it is whole.

        Args:
            local: The file.
            key: Its key.
            progress: Is told how many bytes are there by now.

        Raises:
            BucketError: It cannot be put there, or what lies there then is not what was sent.
        """


def sink(address: Address, access: Access) -> Sink:
    """What takes files for an address.

    Raises:
        BucketError: The library for it is not installed, or there are no credentials.
    """
    module = importlib.import_module(f"logshed.buckets.{_SINKS[address.scheme]}")
    return cast("Sink", module.sink(replace(address, anonymous=access.anonymous), access))


def part_bytes(size: int) -> int:
    """How long the parts of a file of some size are, so that no store gets too many of them."""
    return max(PART_BYTES, -(-size // _MOST_PARTS // _MIB) * _MIB)


def differs(name: str) -> BucketError:
    """What is told where a store holds other bytes than were sent."""
    return BucketError(
        f"cannot upload {name}: what lies there has another checksum than what was sent; "
        "upload it again with --force, and check the network"
    )
