"""Buckets of Google Cloud Storage. Credentials are those that Google's own library finds."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from logshed.buckets.body import CutError, whole
from logshed.buckets.model import CONNECT_S, LONGEST_WAIT_S, SILENCE_S, Advice, Found, changed, missing, refused
from logshed.errors import BucketError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from logshed.buckets.address import Address
    from logshed.buckets.door import Access

TIMEOUT = (CONNECT_S, SILENCE_S)
_LONGEST_S = 120.0
"""For how long a request that fails is sent again."""
_ADVICE = {
    "400": Advice("the request is refused", "check the bucket's name"),
    "401": Advice("the credentials are refused", "log in again: gcloud auth application-default login"),
    "403": Advice("access is denied", "give these credentials the role Storage Object Viewer"),
    "404": Advice("there is no such bucket", "check its name"),
    "429": Advice("the store throttles, also after many tries", "run it again later"),
}


def bucket(address: Address, access: Access) -> GcsBucket:
    """A bucket of Google's."""
    return GcsBucket(address, client(address, access))


def client(address: Address, access: Access) -> Any:
    """A client of a bucket.

    Raises:
        BucketError: The library is not installed, or there are no credentials.
    """
    try:
        from google.cloud import storage  # noqa: PLC0415 - heavy, and an extra
    except ImportError:
        raise missing("gcs") from None
    own: dict[str, Any] = {"client_options": {"api_endpoint": access.endpoint}} if access.endpoint else {}
    if address.anonymous:
        from google.auth.credentials import AnonymousCredentials  # noqa: PLC0415 - heavy, and an extra

        own |= {"credentials": AnonymousCredentials(), "project": "<none>"}
    with told("reach", address.root):
        if access.token and not address.anonymous:
            return storage.Client.from_service_account_json(access.token, **own).bucket(address.bucket)
        return storage.Client(**own).bucket(address.bucket)


def retry() -> Any:
    """Sends what fails for a while again, with longer waits of random length."""
    from google.cloud.storage.retry import DEFAULT_RETRY  # noqa: PLC0415 - heavy, and an extra

    return DEFAULT_RETRY.with_delay(initial=0.5, maximum=LONGEST_WAIT_S).with_timeout(_LONGEST_S)


class GcsBucket:
    """A bucket that can be read. The etag of an object is its generation."""

    def __init__(self, address: Address, client: Any) -> None:
        self._root = address.root
        self._client = client

    def listed(self, prefix: str) -> Iterator[Found]:
        """See ``Bucket``."""
        with told("list", f"{self._root}/{prefix}"):
            for one in self._client.list_blobs(prefix=prefix or None, timeout=TIMEOUT, retry=retry()):
                yield Found(one.name, one.size, str(one.generation), one.updated.timestamp())

    def head(self, key: str) -> Found | None:
        """See ``Bucket``."""
        with told("read", f"{self._root}/{key}"):
            one = self._client.get_blob(key, timeout=TIMEOUT, retry=retry())
        return None if one is None else Found(key, one.size, str(one.generation), one.updated.timestamp())

    def read(self, key: str, start: int, size: int, etag: str) -> bytes:
        """See ``Bucket``."""
        import requests  # noqa: PLC0415 - heavy, and an extra

        name = f"{self._root}/{key}"
        blob = self._client.blob(key)
        same = {"if_generation_match": int(etag)} if etag else {}

        def once() -> bytes:
            own = {"raw_download": True, "checksum": None, "timeout": TIMEOUT, "retry": retry()}
            try:
                return bytes(blob.download_as_bytes(start=start, end=start + size - 1, **own, **same))
            except (requests.exceptions.ChunkedEncodingError, requests.exceptions.ContentDecodingError) as error:
                raise CutError(str(error)) from None

        with told("read", name, other=("404", "412", "416")):
            return whole(once, size, name)


@contextmanager
def told(verb: str, name: str, *, other: tuple[str, ...] = ()) -> Iterator[None]:
    """Tell the library's errors in sentences; the codes of ``other`` say that an object is another one by now.

    Raises:
        ChangedError: It is.
        BucketError: Something else is wrong.
    """
    from google.api_core import exceptions as errors  # noqa: PLC0415 - heavy, and an extra
    from google.auth import exceptions as login  # noqa: PLC0415 - as above

    try:
        yield
    except errors.GoogleAPICallError as error:
        code = str(int(error.code or 0))
        if code in other:
            raise changed(name) from None
        raise refused(verb, name, code, _ADVICE, str(error.message).splitlines()[0]) from None
    except (login.GoogleAuthError, errors.GoogleAPIError, OSError) as error:
        cause = str(error).splitlines()[0]
        raise BucketError(
            f"cannot {verb} {name}: {cause}; check the credentials, the network and the settings, then run it again"
        ) from None
