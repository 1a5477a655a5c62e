"""Uploads to S3: by parts whose checksums S3 checks; parts that an interrupted upload left are taken over."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING, Any

from logshed.buckets import s3
from logshed.buckets.model import AbsentError
from logshed.buckets.sinks import SHA256, Put, Stored, differs, part_bytes

if TYPE_CHECKING:
    from logshed.buckets.address import Address
    from logshed.buckets.door import Access
    from logshed.buckets.sinks import Local, Progress


def sink(address: Address, access: Access) -> S3Sink:
    """A bucket of S3."""
    return S3Sink(address, s3.client(address, access))


class S3Sink:
    """A bucket of S3 that takes files."""

    def __init__(self, address: Address, client: Any) -> None:
        self._root = address.root
        self._bucket = address.bucket
        self._client = client

    def stored(self, key: str, size: int) -> Stored | None:
        """See ``Sink``."""
        del size
        try:
            with s3.told("read", f"{self._root}/{key}", absent=True):
                found = self._client.head_object(Bucket=self._bucket, Key=key)
        except AbsentError:
            return None
        return Stored(found["ContentLength"], found["Metadata"].get(SHA256, ""))

    def put(self, local: Local, key: str, progress: Progress) -> Put:
        """See ``Sink``."""
        name = f"{self._root}/{key}"
        own = {"Bucket": self._bucket, "Key": key}
        with s3.told("upload", name):
            resumed, digests = self._parts(local, own, progress)
            found = self._client.head_object(**own, ChecksumMode="ENABLED")
        sums = (found.get("ChecksumSHA256", "").partition("-")[0], found.get("ETag", "").strip('"').partition("-")[0])
        whole = len(digests) > 1
        mine = (_base64(_joined(digests, 0, whole=whole)), _joined(digests, 1, whole=whole).hex())
        if found["ContentLength"] != local.size:
            raise differs(name)
        if sums[0] == mine[0]:
            return Put(resumed, "SHA-256 told by the store")
        if not sums[0] and sums[1] == mine[1]:
            return Put(resumed, "MD5 told by the store")
        if sums[0] or self._hash(own) != local.sha256:
            raise differs(name)
        return Put(resumed, "read back")

    def _parts(self, local: Local, own: dict[str, Any], progress: Progress) -> tuple[int, list[tuple[bytes, bytes]]]:
        """Send all parts, and finish: bytes that were there already, and the SHA-256 and MD5 of each part."""
        size = part_bytes(local.size)
        if local.size <= size:
            body = b"".join(local.pieces(size))
            digests = _digests(body)
            self._client.put_object(
                **own, Body=body, ChecksumSHA256=_base64(digests[0]), Metadata={SHA256: local.sha256}
            )
            progress(local.size)
            return 0, [digests]
        own = {**own, "UploadId": self._begun(local, own, size)}
        there = self._there(own)
        told, done, resumed = [], 0, 0
        all_digests = []
        for number, piece in enumerate(local.pieces(size), 1):
            digests = _digests(piece)
            part = {"PartNumber": number, "ChecksumSHA256": _base64(digests[0])}
            if there.get(number) == (len(piece), digests[1].hex()):
                resumed += len(piece)
                etag = f'"{digests[1].hex()}"'
            else:
                etag = self._client.upload_part(**own, **part, Body=piece)["ETag"]
            told.append({**part, "ETag": etag})
            all_digests.append(digests)
            done += len(piece)
            progress(done)
        self._client.complete_multipart_upload(**own, MultipartUpload={"Parts": told})
        return resumed, all_digests

    def _begun(self, local: Local, own: dict[str, Any], size: int) -> str:
        """The upload of this very file that was interrupted; one of another state of it is ended; else a new one."""
        pages = self._client.get_paginator("list_multipart_uploads").paginate(Bucket=own["Bucket"], Prefix=own["Key"])
        begun = [one for page in pages for one in page.get("Uploads", ()) if one["Key"] == own["Key"]]
        for one in sorted(begun, key=lambda one: one["Initiated"], reverse=True):
            upload = {**own, "UploadId": one["UploadId"]}
            there = self._there(upload)
            if there and self._fits(local, size, there):
                return str(one["UploadId"])
        made = self._client.create_multipart_upload(**own, ChecksumAlgorithm="SHA256", Metadata={SHA256: local.sha256})
        return str(made["UploadId"])

    def _there(self, upload: dict[str, Any]) -> dict[int, tuple[int, str]]:
        """Size and MD5 of the parts that are there, by number."""
        pages = self._client.get_paginator("list_parts").paginate(**upload)
        return {
            one["PartNumber"]: (one["Size"], one["ETag"].strip('"')) for page in pages for one in page.get("Parts", ())
        }

    @staticmethod
    def _fits(local: Local, size: int, there: dict[int, tuple[int, str]]) -> bool:
        """Whether every part that is there is the file's: else it was begun for another state of the file."""
        with local.path.open("rb") as file:
            for number, part in there.items():
                file.seek((number - 1) * size)
                piece = file.read(size)
                if part != (len(piece), hashlib.md5(piece, usedforsecurity=False).hexdigest()):
                    return False
        return True

    def _hash(self, own: dict[str, Any]) -> str:
        digest = hashlib.sha256()
        for piece in self._client.get_object(**own)["Body"].iter_chunks(1024 * 1024):
            digest.update(piece)
        return digest.hexdigest()


def _digests(data: bytes) -> tuple[bytes, bytes]:
    return hashlib.sha256(data).digest(), hashlib.md5(data, usedforsecurity=False).digest()


def _joined(digests: list[tuple[bytes, bytes]], which: int, *, whole: bool) -> bytes:
    """The checksum of an object of these parts, as S3 makes it: that of the parts' checksums, if it has parts."""
    own = [one[which] for one in digests]
    if not whole:
        return own[0]
    return (hashlib.sha256, hashlib.md5)[which](b"".join(own), usedforsecurity=False).digest()


def _base64(digest: bytes) -> str:
    return base64.b64encode(digest).decode()
