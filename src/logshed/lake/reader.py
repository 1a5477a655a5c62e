"""A filesystem that only reads, by whole addresses: what SQL engines are given of a storage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from fsspec import AbstractFileSystem

from logshed.errors import StorageError
from logshed.lake import remote

if TYPE_CHECKING:
    from collections.abc import Sequence


class Reader(AbstractFileSystem):  # type: ignore[misc]  # fsspec has no types
    """Reads what lies under a warehouse; an address means one file, whatever signs are in it.

    Args:
        warehouse: The warehouse's address.

    Attributes:
        told: What could not be read and why; an engine tells no more than that Python raised something.
    """

    cachable = False

    def __init__(self, warehouse: str) -> None:
        super().__init__()
        self.protocol = urlsplit(warehouse).scheme
        self.told = ""

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return path

    def _open(self, path: str, mode: str = "rb", **_options: Any) -> Any:
        if mode != "rb":
            raise PermissionError(path)
        try:
            with remote.told(path):
                return remote.opened(path, self._heard)
        except FileNotFoundError:
            self.told = f"cannot read {path}: the file is gone; restore it from a backup or the bucket's older versions"
            raise
        except StorageError as error:
            self._heard(error)
            raise

    def _heard(self, error: StorageError) -> None:
        self.told = str(error)

    def info(self, path: str, **_options: Any) -> dict[str, Any]:
        """What the storage says of a file."""
        with remote.told(path):
            found = remote.filesystem(path).info(path)
        return {"name": path, "size": found["size"], "type": found["type"]}

    def modified(self, path: str) -> Any:
        """When it was last written; files of a lake are never written anew."""
        with remote.told(path):
            return remote.filesystem(path).modified(path)

    def glob(self, path: str, **_options: Any) -> list[str]:
        """The file itself."""
        return [path]

    def get(self, rpath: Sequence[str], lpath: Sequence[str], **_options: Any) -> None:
        """Copy files to this machine, several at a time."""
        with remote.told(rpath[0]):
            remote.filesystem(rpath[0]).get(list(rpath), list(lpath))
