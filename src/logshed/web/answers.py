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

    from logshed.pipeline.explore import Opening
    from logshed.pipeline.explore_bars import Bars

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
    return Response(rows_json(frame, more, following), media_type=JSON)


def rows_json(frame: pl.DataFrame, more: Mapping[str, Any] | None = None, following: str | None = None) -> bytes:
    """The same without what stands around it."""
    items = ",".join(documents(frame))
    rest = orjson.dumps({"next": following, **(more or {})})[1:]
    return b'{"items":[' + items.encode() + b"]," + rest


def window_told(found: Opening) -> dict[str, object]:
    """What a search looks at."""
    return {
        "since": moment_of(found.since),
        "until": moment_of(found.until),
        "newest": found.window.newest,
        "first": moment_of(found.first),
        "last": moment_of(found.last),
    }


def bars_told(found: Bars | None, step: int = 0) -> dict[str, object]:
    """Bars; None is none of them."""
    if found is None:
        return {"begin": None, "step": step, "steps": 0, "total": 0, "series": []}
    series = [
        {"value": one.value, "search": one.search, "rest": one.rest, "total": one.total, "counts": one.counts}
        for one in found.series
    ]
    begin = moment_of(found.begin)
    return {"begin": begin, "step": found.step, "steps": found.steps, "total": found.total, "series": series}


def moment_of(moment: datetime | None) -> str | None:
    """A moment as RFC 3339 in UTC."""
    return None if moment is None else moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
