"""Plain lines over HTTP: what curl, a script or a webhook of another program sends, kept as it came.

``/v1/raw`` takes lines of any format, which is told when they are ingested, as that of a file is: lines of one request
stay together and in order, so a stack trace is joined. ``/v1/ndjson`` takes one JSON object a line, and also a list of
them, and keeps aside what is none. Both take the collection as the address's last part, and ``stream``, ``collection``
and ``format`` after the question mark.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

import orjson

from logshed.receivers.common.documents import attempt, documents
from logshed.receivers.common.gather import asked, named
from logshed.receivers.common.records import UnfitError, bounded
from logshed.receivers.model import BadRequestError, Decoded, Part, Refused, Reply, Request, Route

NAME = "lines"
RAW, NDJSON = "/v1/raw", "/v1/ndjson"
_JSON = {"Content-Type": "application/json"}


def decode_raw(request: Request) -> Decoded:
    """Lines as they are; what is no UTF-8 in them has replacement characters.

    Raises:
        BadRequestError: There are none.
    """
    bounded(request.body.count(b"\n"))
    body = _text(request.body)
    if not body.strip():
        raise BadRequestError(400, "there are no lines in the body; send one at least")
    if not body.endswith(b"\n"):
        body += b"\n"
    count = body.count(b"\n")
    bounded(count)
    return Decoded((_part(request, RAW, body, count),))


def decode_ndjson(request: Request) -> Decoded:
    """Objects as they are, one a line.

    Raises:
        BadRequestError: There is none.
    """
    body = request.body.strip()
    if not body:
        raise BadRequestError(400, "there are no lines in the body; send one JSON object at least")
    bounded(body.count(b"\n"))
    some = _listed(body) if body[:1] == b"[" else [one for one in body.split(b"\n") if one.strip()]
    bounded(len(some))
    kept, refused = [], []
    for at, (text, plain) in enumerate(zip(some, documents(some), strict=True)):
        if isinstance(plain, dict):
            kept.append(_whole(text, plain))
        else:
            reason = str(plain) if isinstance(plain, UnfitError) else "it is no JSON object"
            refused.append(Refused(at, reason, text))
    if not kept and len(some) > 1 and isinstance(plain := attempt(body), dict):  # one object over several lines
        kept, refused = [orjson.dumps(plain)], []
    if not kept:
        reason = refused[0].reason if refused else "it is an empty list"
        raise BadRequestError(400, f"no line of the body is a JSON object: {reason}")
    return Decoded((_part(request, NDJSON, b"\n".join(kept) + b"\n", len(kept)),), tuple(refused))


def _listed(body: bytes) -> list[bytes]:
    """The elements of a list, or its lines where the body is none: then each tells what is wrong with it."""
    found = attempt(body)
    if isinstance(found, list):
        return [orjson.dumps(one) for one in found]
    return [one for one in body.split(b"\n") if one.strip()]


def _whole(text: bytes, plain: dict[str, Any]) -> bytes:
    """A line as it came, unless it is no UTF-8."""
    try:
        text.decode()
    except UnicodeDecodeError:
        return orjson.dumps(plain)
    return text.strip()


def _text(body: bytes) -> bytes:
    try:
        body.decode()
    except UnicodeDecodeError:
        return body.decode("utf-8", "replace").encode()
    return body


def _part(request: Request, start: str, lines: bytes, count: int) -> Part:
    _, _, last = request.path.rpartition(start)
    collection = asked(unquote(last.strip("/"))) or asked(request.query.get("collection", ""))
    stream = named(request.query.get("stream", ""), collection or request.peer or "unnamed")
    return Part(stream, lines, count, request.query.get("format", ""), collection)


def _answer(request: Request, decoded: Decoded) -> Reply:
    del request
    said: dict[str, Any] = {"accepted": sum(part.records for part in decoded.parts)}
    if decoded.refused:
        said["refused"] = [{"line": one.index + 1, "reason": one.reason} for one in decoded.refused[:100]]
    return Reply(200, orjson.dumps(said), _JSON)


def _refuse(request: Request, status: int, text: str) -> Reply:
    del request
    return Reply(status, orjson.dumps({"error": text}), _JSON)


ROUTES: tuple[Route, ...] = (
    Route(("POST", "PUT"), RAW, decode_raw, _answer, _refuse),
    Route(("POST", "PUT"), f"{RAW}/{{collection}}", decode_raw, _answer, _refuse),
    Route(("POST", "PUT"), NDJSON, decode_ndjson, _answer, _refuse),
    Route(("POST", "PUT"), f"{NDJSON}/{{collection}}", decode_ndjson, _answer, _refuse),
)
