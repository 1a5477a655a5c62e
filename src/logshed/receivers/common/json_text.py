"""JSON that clients sent: read as it is, or with what no text may hold replaced."""

from __future__ import annotations

import re
from typing import Any

import orjson

from logshed.receivers.common.records import TOO_MANY, crowded
from logshed.receivers.model import BadRequestError

_ESCAPE = re.compile(
    r"\\(?:(?P<pair>u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})|(?P<half>u[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)


def read_json(body: bytes) -> Any:
    """What a body of JSON says.

    Bytes that are no UTF-8 and halves of a surrogate pair become the replacement character: the record is worth more
    than its broken character.

    Raises:
        BadRequestError: It is no JSON, is nested too deeply for any reader, or has too many values.
    """
    if crowded(body):
        raise BadRequestError(413, f"{TOO_MANY}; send less at once")
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        mended = _ESCAPE.sub(_whole, body.decode("utf-8", "replace"))
        try:
            return orjson.loads(mended)
        except orjson.JSONDecodeError:
            raise BadRequestError(400, f"the body is no JSON: {error.msg}, byte {error.pos}") from None


def _whole(escape: re.Match[str]) -> str:
    return "\\ufffd" if escape["half"] else escape[0]
