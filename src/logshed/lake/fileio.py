"""How PyIceberg reaches the files of a lake: as the rest of Logshed does, with the same settings.

So no secret stands among the properties of a table or of a catalog, where it could be shown or be written down; and
neither of PyIceberg's own ways is loaded, which takes longer than most questions.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, cast

from pyiceberg.io import FileIO, InputFile, OutputFile

from logshed.errors import StorageError
from logshed.lake import remote, storage

if TYPE_CHECKING:
    from pyiceberg.io import InputStream, OutputStream

NAME = f"{__name__}.LakeIO"


class _Input(InputFile):
    """A file to read."""

    def __len__(self) -> int:
        return storage.size(self.location)

    def exists(self) -> bool:
        return storage.exists(self.location)

    def open(self, seekable: bool = True) -> InputStream:  # noqa: ARG002 - all are
        if not self.location.endswith(".parquet"):  # metadata is small, and read whole
            return cast("InputStream", io.BytesIO(storage.read(self.location)))
        if not storage.is_remote(self.location):
            return cast("InputStream", Path(storage.local(self.location)).open("rb"))
        with remote.told(self.location):
            stream: InputStream = remote.opened(self.location)
        return stream


class _Whole(io.BytesIO):
    """Holds what is written until it is closed, and writes it in one request: these files are small."""

    def __init__(self, location: str) -> None:
        super().__init__()
        self._location = location

    def close(self) -> None:
        if not self.closed:
            storage.make_folder(self._location.rpartition("/")[0])
            storage.write(self._location, self.getvalue())
        super().close()


class _Output(OutputFile):
    """A file to write."""

    def __len__(self) -> int:
        return storage.size(self.location)

    def exists(self) -> bool:
        return storage.exists(self.location)

    def to_input_file(self) -> InputFile:
        return _Input(self.location)

    def create(self, overwrite: bool = False) -> OutputStream:  # noqa: ARG002 - its name is new: nobody is asked
        return cast("OutputStream", _Whole(self.location))


class LakeIO(FileIO):
    """Files by their addresses."""

    def new_input(self, location: str) -> InputFile:
        """A file to read."""
        return _Input(location)

    def new_output(self, location: str) -> OutputFile:
        """A file to write."""
        return _Output(location)

    def delete(self, location: str | InputFile | OutputFile) -> None:
        """Remove a file.

        Raises:
            OSError: It cannot be removed. PyIceberg goes on then: the commit before it is done, and a file that stays
                is one that nothing names.
        """
        place = location if isinstance(location, str) else location.location
        try:
            storage.remove(place)
        except StorageError as error:
            raise OSError(str(error)) from error
