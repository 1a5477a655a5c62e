"""Uploads to Google Cloud Storage: checked by the CRC-32C that it tells. A file that was interrupted begins anew."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from logshed.buckets import gcs
from logshed.buckets.sinks import PART_BYTES, SHA256, Put, Stored, differs

if TYPE_CHECKING:
    from logshed.buckets.address import Address
    from logshed.buckets.door import Access
    from logshed.buckets.sinks import Local, Progress


def sink(address: Address, access: Access) -> GcsSink:
    """A bucket of Google's."""
    return GcsSink(address, gcs.client(address, access))


class GcsSink:
    """A bucket of Google's that takes files."""

    def __init__(self, address: Address, client: Any) -> None:
        self._root = address.root
        self._client = client

    def stored(self, key: str, size: int) -> Stored | None:
        """See ``Sink``."""
        del size
        with gcs.told("read", f"{self._root}/{key}"):
            found = self._client.get_blob(key, timeout=gcs.TIMEOUT, retry=gcs.retry())
        return None if found is None else Stored(found.size, (found.metadata or {}).get(SHA256, ""))

    def put(self, local: Local, key: str, progress: Progress) -> Put:
        """See ``Sink``."""
        import google_crc32c  # noqa: PLC0415 - only here

        name = f"{self._root}/{key}"
        checksum = 0
        for piece in local.pieces(PART_BYTES):
            checksum = google_crc32c.extend(checksum, piece)
        blob = self._client.blob(key, chunk_size=PART_BYTES)
        blob.metadata = {SHA256: local.sha256}
        with gcs.told("upload", name):
            blob.upload_from_filename(str(local.path), timeout=gcs.TIMEOUT, retry=gcs.retry(), checksum="crc32c")
            found = self._client.get_blob(key, timeout=gcs.TIMEOUT, retry=gcs.retry())
        if found is None or found.size != local.size or found.crc32c != _told(checksum):
            raise differs(name)
        progress(local.size)
        return Put(0, "CRC-32C told by the store")


def _told(checksum: int) -> str:
    """A CRC-32C as the store tells it."""
    return base64.b64encode(checksum.to_bytes(4, "big")).decode()
