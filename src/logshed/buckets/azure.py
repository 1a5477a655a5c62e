"""Containers of Azure's blob storage and Data Lake. Credentials: AZURE_STORAGE_* or what Azure's own chain finds."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from logshed.buckets.body import CutError, whole
from logshed.buckets.model import (
    CONNECT_S,
    MOST_TRIES,
    SILENCE_S,
    AbsentError,
    Advice,
    Found,
    changed,
    missing,
    refused,
)
from logshed.errors import BucketError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from logshed.buckets.address import Address
    from logshed.buckets.door import Access

_ADVICE = {
    "ContainerNotFound": Advice("there is no such container", "check its name, and the account"),
    "AuthenticationFailed": Advice("the credentials are refused", "check the key, or log in again, and the clock"),
    "AuthorizationFailure": Advice("access is denied", "check the role of these credentials, and the firewall"),
    "AuthorizationPermissionMismatch": Advice("access is denied", "give these credentials Storage Blob Data Reader"),
    "NoAuthenticationInformation": Advice("access is denied", "the container is not public: give credentials"),
    "ResourceNotFound": Advice("there is no such container, or it is not public", "check its name"),
    "BlobArchived": Advice("it is archived", "rehydrate it first"),
    "ServerBusy": Advice(f"the store throttles, also after {MOST_TRIES} tries", "run it again later"),
}
_GONE = "BlobNotFound"
_NOT_FOUND = "404"
"""What an answer without a body says of an object that is not there."""
_OTHER = ("ConditionNotMet", "412", "InvalidRange", _GONE)


def bucket(address: Address, access: Access) -> AzureBucket:
    """A container."""
    return AzureBucket(address, client(address, access))


def client(address: Address, access: Access) -> Any:
    """A client of a container.

    Raises:
        BucketError: The library is not installed, or no account is named.
    """
    try:
        from azure.storage.blob import ContainerClient  # noqa: PLC0415 - heavy, and an extra
    except ImportError:
        raise missing("azure") from None
    container, _, host = address.bucket.partition("@")
    own = {"retry_total": MOST_TRIES, "connection_timeout": CONNECT_S, "read_timeout": SILENCE_S}
    connection = os.environ.get("AZURE_STORAGE_CONNECTION_STRING", "")
    if connection and not address.anonymous and not (access.endpoint or access.key or access.token):
        return ContainerClient.from_connection_string(connection, container, **own)
    account = host.partition(".")[0] or os.environ.get("AZURE_STORAGE_ACCOUNT_NAME", "")
    if not account:
        raise BucketError(
            f"cannot reach {address.root}: no account is named; set AZURE_STORAGE_ACCOUNT_NAME, or write "
            f"abfss://{container}@account.dfs.core.windows.net/…"
        )
    cloud = f"https://{host.replace('.dfs.', '.blob.') or f'{account}.blob.core.windows.net'}"
    url = f"{access.endpoint.rstrip('/')}/{account}" if access.endpoint else cloud
    return ContainerClient(
        url, container, credential=None if address.anonymous else _credential(account, access), **own
    )


def _credential(account: str, access: Access) -> Any:
    if access.key:
        return {"account_name": account, "account_key": access.key}
    given = access.token or os.environ.get("AZURE_STORAGE_ACCOUNT_KEY") or os.environ.get("AZURE_STORAGE_SAS_TOKEN")
    if given:
        return given
    from azure.identity import DefaultAzureCredential  # noqa: PLC0415 - heavy, and an extra

    return DefaultAzureCredential()


class AzureBucket:
    """A container that can be read."""

    def __init__(self, address: Address, client: Any) -> None:
        self._root = address.root
        self._client = client

    def listed(self, prefix: str) -> Iterator[Found]:
        """See ``Bucket``."""
        with told("list", f"{self._root}/{prefix}"):
            for one in self._client.list_blobs(name_starts_with=prefix or None, include=["metadata"]):
                if (one.metadata or {}).get("hdi_isfolder") != "true":
                    yield Found(one.name, one.size, one.etag, one.last_modified.timestamp())

    def head(self, key: str) -> Found | None:
        """See ``Bucket``."""
        try:
            with told("read", f"{self._root}/{key}", absent=True):
                one = self._client.get_blob_client(key).get_blob_properties()
        except AbsentError:
            return None
        is_folder = (one.metadata or {}).get("hdi_isfolder") == "true"
        return None if is_folder else Found(key, one.size, str(one.etag).strip('"'), one.last_modified.timestamp())

    def read(self, key: str, start: int, size: int, etag: str) -> bytes:
        """See ``Bucket``."""
        from azure.core import MatchConditions  # noqa: PLC0415 - heavy, and an extra
        from azure.core.exceptions import IncompleteReadError  # noqa: PLC0415 - as above

        name = f"{self._root}/{key}"
        blob = self._client.get_blob_client(key)
        same = {"etag": f'"{etag}"', "match_condition": MatchConditions.IfNotModified} if etag else {}

        def once() -> bytes:
            try:
                return bytes(blob.download_blob(offset=start, length=size, **same).readall())
            except IncompleteReadError as error:
                raise CutError(str(error)) from None

        with told("read", name):
            return whole(once, size, name)


@contextmanager
def told(verb: str, name: str, *, absent: bool = False) -> Iterator[None]:
    """Tell the library's errors in sentences; with ``absent`` also that there is no object.

    Raises:
        AbsentError: There is no object of this key.
        ChangedError: An object that is read is another one by now.
        BucketError: Something else is wrong.
    """
    from azure.core import exceptions as errors  # noqa: PLC0415 - heavy, and an extra

    try:
        yield
    except errors.HttpResponseError as error:
        code = str(getattr(error.error_code, "value", error.error_code) or error.status_code)
        if absent and code in (_GONE, _NOT_FOUND):
            raise AbsentError(name) from None
        if code in _OTHER and verb == "read":
            raise changed(name) from None
        raise refused(verb, name, code, _ADVICE, str(error.message).splitlines()[0]) from None
    except errors.AzureError as error:
        raise BucketError(f"cannot {verb} {name}: {error}; check the network and the settings, run it again") from None
