"""Opens buckets: which module serves a scheme, and how this process reaches the stores."""

from __future__ import annotations

import importlib
import threading
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, cast

from logshed.errors import UsageError

if TYPE_CHECKING:
    from logshed.buckets.address import Address
    from logshed.buckets.model import Bucket

_SERVED = {"s3": "s3", "gs": "gcs", "az": "azure", "abfss": "azure"}


@dataclass(frozen=True, slots=True)
class Access:
    """How stores are reached, where that is set and not left to the environment and the cloud's own chain.

    Attributes:
        endpoint: Address of an S3 server or an emulator; empty for the cloud's own.
        region: The bucket's region, or empty.
        key: Key id of S3, or account key of Azure.
        secret: Secret key of S3.
        token: Session token of S3, SAS token of Azure, or path of Google's key file.
        anonymous: Send requests unsigned.
    """

    endpoint: str = ""
    region: str = ""
    key: str = field(default="", repr=False)
    secret: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    anonymous: bool = False


_access = Access()
_opened: dict[tuple[str, str, bool, Access], Bucket] = {}
_lock = threading.Lock()


def use(access: Access) -> None:
    """Reach stores so from now on in this process."""
    global _access  # noqa: PLW0603 - what is read by address in every thread is reached in one way
    _access = access


def opened(address: Address) -> Bucket:
    """The bucket of an address, the same one for all who ask in this process.

    Raises:
        BucketError: The library for it is not installed, or there are no credentials.
        UsageError: It can only be written.
    """
    if address.scheme not in _SERVED:
        raise UsageError(f"cannot read {address}: logs are read from s3://, gs://, az:// and abfss://; copy it there")
    with _lock:
        address = replace(address, anonymous=address.anonymous or _access.anonymous)
        key = (address.scheme, address.bucket, address.anonymous, _access)
        if key not in _opened:
            module = importlib.import_module(f"logshed.buckets.{_SERVED[address.scheme]}")
            _opened[key] = cast("Bucket", module.bucket(address, _access))
        return _opened[key]
