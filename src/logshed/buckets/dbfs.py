"""Uploads to DBFS, the files of a Databricks workspace, by its REST API: in blocks, then read back and compared."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from typing import TYPE_CHECKING, Any

from logshed.buckets.model import CONNECT_S, LONGEST_WAIT_S, MOST_TRIES, SILENCE_S, Advice, refused
from logshed.buckets.sinks import Put, Stored, differs
from logshed.errors import BucketError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from logshed.buckets.address import Address
    from logshed.buckets.door import Access
    from logshed.buckets.sinks import Local, Progress

MOST_BYTES = 2 * 1024**3
"""A file must have fewer."""
_BLOCK_BYTES = 1024 * 1024 * 3 // 4
"""Base64 makes 1 MiB of it, which is what a request takes."""
_READ_BYTES = 512 * 1024
_PART = ".logshed-part"
_ADVICE = {
    "RESOURCE_DOES_NOT_EXIST": Advice("it is not there", "check the path"),
    "PERMISSION_DENIED": Advice("access is denied", "check the token's rights"),
    "401": Advice("the token is refused", "check DATABRICKS_TOKEN"),
    "403": Advice("access is denied", "check DATABRICKS_TOKEN and that DBFS is open to it"),
    "429": Advice(f"the workspace throttles, also after {MOST_TRIES} tries", "run it again later"),
}


def sink(address: Address, access: Access) -> DbfsSink:
    """The DBFS of a workspace: that of DATABRICKS_HOST, with DATABRICKS_TOKEN.

    Raises:
        BucketError: One of these is not set.
    """
    del address, access
    host, token = (os.environ.get(name, "") for name in ("DATABRICKS_HOST", "DATABRICKS_TOKEN"))
    if not host or not token:
        raise BucketError("cannot reach DBFS: no workspace is named; set DATABRICKS_HOST and DATABRICKS_TOKEN")
    return DbfsSink(host if "://" in host else f"https://{host}", token)


class DbfsSink:
    """A DBFS that takes files."""

    def __init__(self, host: str, token: str) -> None:
        import urllib3  # noqa: PLC0415 - only here

        retries = urllib3.Retry(
            MOST_TRIES,
            status_forcelist=(429, 503),
            allowed_methods=None,
            connect=2,
            read=0,
            backoff_factor=0.5,
            backoff_jitter=0.5,
            backoff_max=LONGEST_WAIT_S,
            raise_on_status=False,
        )
        self._host = host.rstrip("/")
        self._http = urllib3.PoolManager(
            headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
            retries=retries,
            timeout=urllib3.Timeout(connect=CONNECT_S, read=SILENCE_S),
        )

    def stored(self, key: str, size: int) -> Stored | None:
        """See ``Sink``. It keeps no checksum: a file that is as long is read."""
        found = self._call("GET", "get-status", key, absent=True)
        if not found:
            return None
        there = int(found["file_size"])
        return Stored(there, self._hash(key) if there == size else "")

    def put(self, local: Local, key: str, progress: Progress) -> Put:
        """See ``Sink``. It is written under another name first, so that a half of it is never taken for the whole."""
        name = f"dbfs:/{key}"
        if local.size >= MOST_BYTES:
            raise BucketError(
                f"cannot upload {local.path} to DBFS: it takes files of less than 2 GB; upload it to the S3, ADLS or "
                "GCS that the workspace reads, copy it to a volume with `databricks fs cp`, or split it"
            )
        part = key + _PART
        handle = self._call("POST", "create", part, path=f"/{part}", overwrite=True)["handle"]
        done = 0
        for piece in local.pieces(_BLOCK_BYTES):
            self._call("POST", "add-block", key, handle=handle, data=base64.b64encode(piece).decode())
            done += len(piece)
            progress(done)
        self._call("POST", "close", key, handle=handle)
        if self._hash(part) != local.sha256:
            raise differs(name)
        if self._call("GET", "get-status", key, absent=True):
            self._call("POST", "delete", key, path=f"/{key}")
        self._call("POST", "move", key, source_path=f"/{part}", destination_path=f"/{key}")
        return Put(0, "read back")

    def _hash(self, key: str) -> str:
        digest = hashlib.sha256()
        for piece in self._read(key):
            digest.update(piece)
        return digest.hexdigest()

    def _read(self, key: str) -> Iterator[bytes]:
        offset = 0
        while piece := base64.b64decode(self._call("GET", "read", key, offset=offset, length=_READ_BYTES)["data"]):
            yield piece
            offset += len(piece)

    def _call(self, method: str, verb: str, key: str, *, absent: bool = False, **words: Any) -> dict[str, Any]:
        """What the API answers; nothing where there is no such file and that is no error."""
        import urllib3  # noqa: PLC0415 - only here

        url, name = f"{self._host}/api/2.0/dbfs/{verb}", f"dbfs:/{key}"
        try:
            if method == "GET":
                fields = {"path": f"/{key}", **{word: str(value) for word, value in words.items()}}
                answer = self._http.request("GET", url, fields=fields)
            else:
                answer = self._http.request("POST", url, body=json.dumps(words).encode())
        except urllib3.exceptions.HTTPError as error:
            cause = getattr(error, "reason", None) or error
            raise BucketError(f"cannot upload {name}: {cause}; check DATABRICKS_HOST and the network") from None
        try:
            told = json.loads(answer.data or b"{}")
        except ValueError:
            told = {}
        if answer.status < 300 and isinstance(told, dict):  # noqa: PLR2004 - HTTP's
            return told
        code = str(told.get("error_code", answer.status)) if isinstance(told, dict) else str(answer.status)
        if absent and code == "RESOURCE_DOES_NOT_EXIST":
            return {}
        raise refused("upload", name, code, _ADVICE, str(told.get("message", "")) if isinstance(told, dict) else "")
