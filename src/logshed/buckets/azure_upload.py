"""Uploads to Azure: by blocks whose MD5 Azure checks; blocks that an interrupted upload left are taken over."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from logshed.buckets import azure
from logshed.buckets.model import AbsentError
from logshed.buckets.sinks import SHA256, Put, Stored, differs, part_bytes

if TYPE_CHECKING:
    from logshed.buckets.address import Address
    from logshed.buckets.door import Access
    from logshed.buckets.sinks import Local, Progress


def sink(address: Address, access: Access) -> AzureSink:
    """A container."""
    return AzureSink(address, azure.client(address, access))


class AzureSink:
    """A container that takes files."""

    def __init__(self, address: Address, client: Any) -> None:
        self._root = address.root
        self._client = client

    def stored(self, key: str, size: int) -> Stored | None:
        """See ``Sink``."""
        del size
        try:
            with azure.told("read", f"{self._root}/{key}", absent=True):
                found = self._client.get_blob_client(key).get_blob_properties()
        except AbsentError:
            return None
        return Stored(found.size, (found.metadata or {}).get(SHA256, ""))

    def put(self, local: Local, key: str, progress: Progress) -> Put:
        """See ``Sink``. A block's name holds the hash of its bytes: of another state of the file it has another one."""
        from azure.core.exceptions import ResourceNotFoundError  # noqa: PLC0415 - heavy, and an extra
        from azure.storage.blob import BlobBlock  # noqa: PLC0415 - as above

        name = f"{self._root}/{key}"
        blob = self._client.get_blob_client(key)
        with azure.told("upload", name):
            try:
                there = {one.id: one.size for one in blob.get_block_list("uncommitted")[1]}
            except ResourceNotFoundError:
                there = {}
            names, done, resumed = [], 0, 0
            for number, piece in enumerate(local.pieces(part_bytes(local.size))):
                block = f"{number:05d}-{hashlib.sha256(piece).hexdigest()[:40]}"
                if there.get(block) == len(piece):
                    resumed += len(piece)
                else:
                    blob.stage_block(block, piece, len(piece), validate_content=True)
                names.append(BlobBlock(block))
                done += len(piece)
                progress(done)
            blob.commit_block_list(names, metadata={SHA256: local.sha256})
            found = blob.get_blob_properties()
        if found.size != local.size:
            raise differs(name)
        return Put(resumed, "MD5 of each block checked by the store")
