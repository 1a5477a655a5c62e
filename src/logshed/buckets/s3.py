"""Buckets of S3 and of servers that speak as it does. Credentials are those that AWS's own library finds."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from logshed.buckets.body import CutError, whole
from logshed.buckets.model import (
    CONNECT_S,
    MOST_TRIES,
    POOL,
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
    "NoSuchBucket": Advice("there is no such bucket", "check its name, and the endpoint"),
    "NoSuchKey": Advice("there is no such object", "check its name"),
    "AccessDenied": Advice("access is denied", "check the credentials and that they may list and read this bucket"),
    "403": Advice("access is denied", "check the credentials and that they may list and read this bucket"),
    "InvalidAccessKeyId": Advice("the access key is not known there", "check AWS_ACCESS_KEY_ID, and the endpoint"),
    "SignatureDoesNotMatch": Advice("the secret key does not fit the access key", "check AWS_SECRET_ACCESS_KEY"),
    "ExpiredToken": Advice("the session token has expired", "log in again"),
    "InvalidToken": Advice("the session token is not valid", "log in again"),
    "RequestTimeTooSkewed": Advice("this machine's clock is wrong", "set the clock"),
    "InvalidObjectState": Advice("it is archived", "restore it first"),
    "SlowDown": Advice(f"the store throttles, also after {MOST_TRIES} tries", "run it again later"),
    "503": Advice(f"the store throttles, also after {MOST_TRIES} tries", "run it again later"),
    "PermanentRedirect": Advice("the bucket is in another region", "set AWS_REGION, or the region in the settings"),
}
PAGE_KEYS = 1000
"""Keys of one page of a listing: as many as S3 gives at most."""
_GONE = ("404", "NoSuchKey")
_OTHER = ("412", "PreconditionFailed", *_GONE)


def bucket(address: Address, access: Access) -> S3Bucket:
    """A bucket of S3."""
    return S3Bucket(address, client(address, access))


def client(address: Address, access: Access) -> Any:
    """A client of the library.

    Raises:
        BucketError: It is not installed.
    """
    try:
        import boto3  # noqa: PLC0415 - heavy, and an extra
        import botocore.config  # noqa: PLC0415 - as above
    except ImportError:
        raise missing("s3") from None
    config = botocore.config.Config(
        retries={"mode": "standard", "total_max_attempts": MOST_TRIES},
        connect_timeout=CONNECT_S,
        read_timeout=SILENCE_S,
        max_pool_connections=POOL,
        signature_version=botocore.UNSIGNED if address.anonymous else None,
        s3={"addressing_style": "path"} if access.endpoint else None,
    )
    with told("reach", address.root):
        own = {
            "aws_access_key_id": access.key,
            "aws_secret_access_key": access.secret,
            "aws_session_token": access.token,
        }
        session = boto3.session.Session(**{name: value for name, value in own.items() if value})
        return session.client(
            "s3", endpoint_url=access.endpoint or None, region_name=access.region or None, config=config
        )


class S3Bucket:
    """A bucket of S3 that can be read."""

    def __init__(self, address: Address, client: Any) -> None:
        self._root = address.root
        self._bucket = address.bucket
        self._client = client

    def listed(self, prefix: str) -> Iterator[Found]:
        """See ``Bucket``."""
        with told("list", f"{self._root}/{prefix}"):
            pages = self._client.get_paginator("list_objects_v2")
            asked = {"PageSize": PAGE_KEYS}
            for page in pages.paginate(Bucket=self._bucket, Prefix=prefix, PaginationConfig=asked):
                for one in page.get("Contents", ()):
                    yield Found(one["Key"], one["Size"], one.get("ETag", ""), one["LastModified"].timestamp())

    def head(self, key: str) -> Found | None:
        """See ``Bucket``."""
        try:
            with told("read", f"{self._root}/{key}", absent=True):
                one = self._client.head_object(Bucket=self._bucket, Key=key)
                return Found(key, one["ContentLength"], one.get("ETag", ""), one["LastModified"].timestamp())
        except AbsentError:
            return None

    def read(self, key: str, start: int, size: int, etag: str) -> bytes:
        """See ``Bucket``."""
        import botocore.exceptions as errors  # noqa: PLC0415 - heavy, and an extra

        name = f"{self._root}/{key}"
        wanted: dict[str, str] = {"Range": f"bytes={start}-{start + size - 1}"} | ({"IfMatch": etag} if etag else {})

        def once() -> bytes:
            body = self._client.get_object(Bucket=self._bucket, Key=key, **wanted)["Body"]
            try:
                return bytes(body.read())
            except (errors.ResponseStreamingError, errors.IncompleteReadError, errors.ReadTimeoutError) as error:
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
    import botocore.exceptions as errors  # noqa: PLC0415 - heavy, and an extra

    try:
        yield
    except errors.ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", ""))
        if absent and code in _GONE:
            raise AbsentError(name) from None
        if code in _OTHER and verb == "read":
            raise changed(name) from None
        raise refused(verb, name, code, _ADVICE, str(error)) from None
    except errors.NoCredentialsError:
        raise BucketError(
            f"cannot {verb} {name}: there are no credentials; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY or "
            "AWS_PROFILE, or write s3://anonymous@… for a public bucket"
        ) from None
    except (errors.BotoCoreError, errors.HTTPClientError) as error:
        raise BucketError(f"cannot {verb} {name}: {error}; check the network and the settings, run it again") from None
