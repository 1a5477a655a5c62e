"""Makes answers of what a question comes to: JSON of values, and of rows without a detour over Python's objects."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson
from starlette.responses import Response

from logshed.pipeline.ndjson import documents

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl

JSON = "application/json"


def json_of(value: object, status: int = 200) -> Response:
    """A value as JSON."""
    return Response(orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS), status, media_type=JSON)


def rows_of(frame: pl.DataFrame, more: Mapping[str, Any] | None = None, following: str | None = None) -> Response:
    """Rows as JSON without what is null: ``{"items": [...], "next": ...}``.

    Args:
        frame: The rows.
        more: More fields of the answer.
        following: Where the next page goes on.
    """
    items = ",".join(documents(frame))
    rest = orjson.dumps({"next": following, **(more or {})})[1:]
    return Response(b'{"items":[' + items.encode() + b"]," + rest, media_type=JSON)


def moment_of(moment: datetime | None) -> str | None:
    """A moment as RFC 3339 in UTC."""
    return None if moment is None else moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
