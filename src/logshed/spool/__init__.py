"""The durable buffer that collectors and receivers write and that the ``spool`` source reads."""

from logshed.spool.done import note_done
from logshed.spool.index import Index, Stream
from logshed.spool.reading import read
from logshed.spool.writer import Piece, Spool

__all__ = ["Index", "Piece", "Spool", "Stream", "note_done", "read"]
