"""Addresses of objects, such as ``s3://bucket/key``."""

from __future__ import annotations

import re
from dataclasses import dataclass

from logshed.errors import UsageError

ANONYMOUS = "anonymous"
SCHEMES = ("s3", "gs", "az", "abfss", "dbfs")
_SCHEME = re.compile(r"^([a-z][a-z0-9+.-]*)://", re.IGNORECASE)
_DBFS = "dbfs:/"
_FORMS = "s3://bucket/key, gs://bucket/key, az://container/path, abfss://container@account.dfs.core.windows.net/path"


@dataclass(frozen=True, slots=True)
class Address:
    """A place in an object store.

    Attributes:
        scheme: One of ``SCHEMES``.
        bucket: The bucket or container; with ``abfss`` and its account's host, ``container@host``; of DBFS nothing.
        key: The key as it is, nothing of it is an escape; empty for the whole bucket.
        anonymous: Whether requests go unsigned.
    """

    scheme: str
    bucket: str
    key: str = ""
    anonymous: bool = False

    @classmethod
    def parse(cls, text: str) -> Address:
        """Take an address apart.

        Raises:
            UsageError: It is none that can be read.
        """
        if text.startswith(_DBFS):
            return cls("dbfs", "", text.removeprefix(_DBFS).lstrip("/"))
        found = _SCHEME.match(text)
        scheme = found[1].lower() if found else ""
        if found is None or scheme not in SCHEMES:
            raise UsageError(f"cannot read {text}: {scheme or 'that'} is no object store; write {_FORMS}")
        bucket, _, key = text[found.end() :].partition("/")
        anonymous = bucket.startswith(f"{ANONYMOUS}@")
        bucket = bucket.removeprefix(f"{ANONYMOUS}@")
        if not bucket:
            raise UsageError(f"cannot read {text}: it names no bucket; write {_FORMS}")
        if scheme == "abfss" and "@" not in bucket:
            container, _, key = key.partition("/")
            bucket = f"{container}@{bucket}"
        if "@" in bucket and scheme != "abfss":
            raise UsageError(
                f"cannot read {scheme}://…: what stands before the @ is no place for credentials; "
                "set them in the environment, or write anonymous@ for none"
            )
        return cls(scheme, bucket, key, anonymous)

    @property
    def root(self) -> str:
        """The bucket's address, without a slash at its end; with no ``@``, so that nobody takes it for an e-mail's."""
        container, _, host = self.bucket.partition("@")
        place = f"{host}/{container}" if host else container
        return "dbfs:" if self.scheme == "dbfs" else f"{self.scheme}://{place}"

    @property
    def locator(self) -> str:
        """The address with what tells how to open it."""
        if not self.anonymous:
            return str(self)
        return f"{self.scheme}://{ANONYMOUS}@{self.root.partition('://')[2]}/{self.key}"

    def __str__(self) -> str:
        return f"{self.root}/{self.key}"


def is_address(text: str) -> bool:
    """Whether a path is an address of some scheme and no path of this machine."""
    return _SCHEME.match(text) is not None
