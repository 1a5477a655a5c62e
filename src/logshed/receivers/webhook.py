"""Webhooks as GitHub sends them, and Gitea and Forgejo after it: one event a request, signed by a shared secret.

Such senders have no token but a secret: a door that takes webhooks gives it to ``check``, which stands in for the
token, and refuses what is not signed. The payload is the record's body; the id of the delivery is the record's, so one
that is sent again is stored once.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, unquote_to_bytes

import orjson

from logshed.receivers.common.documents import document
from logshed.receivers.common.gather import Gather, header, line, named
from logshed.receivers.common.records import UnfitError, nanoseconds, text_of
from logshed.receivers.model import BadRequestError, Decoded, Reply, Request, Route

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME = "webhook"
PATH = "/v1/webhook"
SIGNATURE = "x-hub-signature-256"
EVENTS = ("x-github-event", "x-gitea-event", "x-forgejo-event")
DELIVERIES = ("x-github-delivery", "x-gitea-delivery", "x-forgejo-delivery")
RECORD_ID = "log.record.uid"
_FORM = "application/x-www-form-urlencoded"
_MOST_FIELDS = 16
_PIECE = 1 << 16
_JSON = {"Content-Type": "application/json"}


def check(request: Request, secret: str) -> None:
    """Refuse what the owner of the secret did not send.

    Args:
        request: With the body as it came, since that is what was signed.
        secret: Shared with the sender.

    Raises:
        BadRequestError: It is not signed, or not by this secret.
    """
    if not secret:
        raise BadRequestError(401, "no secret is set for webhooks, so none is taken; set one")
    given = header(request, SIGNATURE)
    wanted = "sha256=" + hmac.new(secret.encode(), request.body, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(given.encode(), wanted.encode()):
        raise BadRequestError(401, f"the signature in {SIGNATURE} is missing or not of this body; check the secret")


def decode(request: Request) -> Decoded:
    """The event of a request, whose signature was checked.

    Raises:
        BadRequestError: It has no JSON object.
    """
    payload = _payload(request)
    try:
        plain = document(payload)
    except UnfitError as error:
        raise BadRequestError(400, f"cannot read the payload: {error}") from None
    if not isinstance(plain, dict):
        raise BadRequestError(400, "cannot read the payload: it is no JSON object")
    event, delivery = _first(request, EVENTS), _first(request, DELIVERIES)
    record: dict[str, Any] = {"observed_time_unix_nano": nanoseconds(request.now), "body": orjson.dumps(plain).decode()}
    if event:
        record["event_name"] = event
    attributes = {
        RECORD_ID: delivery,
        "webhook.action": text_of(plain.get("action") or ""),
        "user_agent.original": header(request, "user-agent"),
    }
    if attributes := {key: value for key, value in attributes.items() if value}:
        record["attributes"] = attributes
    gather = Gather()
    gather.lines(_stream(request, plain)).append(line(record))
    return Decoded(gather.parts(), ids=(delivery,) if delivery else ())


def _payload(request: Request) -> bytes:
    if not header(request, "content-type").startswith(_FORM):
        return request.body
    fields = request.body.split(b"&", _MOST_FIELDS)
    if len(fields) > _MOST_FIELDS:
        raise BadRequestError(400, f"cannot read the form: it has more than {_MOST_FIELDS} fields")
    packed = next((value for name, _, value in (one.partition(b"=") for one in fields) if name == b"payload"), b"")
    return b"".join(map(unquote_to_bytes, _in_pieces(packed.replace(b"+", b" "))))


def _in_pieces(text: bytes) -> Iterator[bytes]:
    """A text in pieces that cut no escape in two: what undoes escapes takes eighty bytes of memory for each."""
    at = 0
    while at < len(text):
        end = at + _PIECE
        escape = text.rfind(b"%", end - 2, end)
        end = escape if escape > at else end
        yield text[at:end]
        at = end


def _stream(request: Request, plain: dict[str, Any]) -> str:
    """The address's last part, or the repository that the event is of."""
    last = unquote(request.path.rpartition(PATH)[2].strip("/"))
    repository = plain.get("repository")
    full = repository.get("full_name") if isinstance(repository, dict) else None
    return named(last or (full if isinstance(full, str) else ""))


def _first(request: Request, names: tuple[str, ...]) -> str:
    return next((value for name in names if (value := header(request, name))), "")


def _answer(request: Request, decoded: Decoded) -> Reply:
    del request, decoded
    return Reply(200, b'{"accepted":1}', _JSON)


def _refuse(request: Request, status: int, text: str) -> Reply:
    del request
    return Reply(status, orjson.dumps({"error": text}), _JSON)


ROUTES: tuple[Route, ...] = (
    Route(("POST",), PATH, decode, _answer, _refuse),
    Route(("POST",), f"{PATH}/{{name}}", decode, _answer, _refuse),
)
