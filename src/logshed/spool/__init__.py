"""The durable buffer that collectors and receivers write and that the ``spool`` source reads."""

from logshed.spool.index import Index, Stream, read
from logshed.spool.writer import Piece, Spool, note_done

__all__ = ["Index", "Piece", "Spool", "Stream", "note_done", "read"]
