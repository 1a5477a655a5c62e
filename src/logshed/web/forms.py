"""What a form sends, read once for all who look at it; small, and of one kind."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from starlette.exceptions import HTTPException

from logshed.errors import UsageError
from logshed.sizes import seconds

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

KIND = "application/x-www-form-urlencoded"
MOST_BYTES, MOST_FIELDS = 65_536, 200


async def fields(request: Request) -> dict[str, str]:
    """The fields of a form; of a name that comes again the last. None are in what is no form.

    Raises:
        HTTPException: 413 where they are too many or too long.
    """
    return dict(await pairs(request))


async def pairs(request: Request) -> list[tuple[str, str]]:
    """All fields of a form, in their order.

    Raises:
        HTTPException: 413 where they are too many or too long.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != KIND:
        return []
    if int(request.headers.get("content-length") or MOST_BYTES + 1) > MOST_BYTES:
        raise HTTPException(413, "the form is too long")
    body = await request.body()
    try:
        return parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError:
        raise HTTPException(413, "the form has too many fields") from None


def password(given: Mapping[str, str], field: str) -> str:
    """A password that was typed twice, the second time in the field ``again``.

    Raises:
        UsageError: It is another the second time.
    """
    if given.get(field) != given.get("again"):
        raise UsageError("cannot take that password: it is another the second time; type it twice")
    return given.get(field, "")


def span(text: str) -> float:
    """Seconds of a span of time, such as ``90d``.

    Raises:
        UsageError: It is none.
    """
    try:
        return float(str(seconds(text)))
    except ValueError as error:
        raise UsageError(f"cannot make a token: {error}") from None
