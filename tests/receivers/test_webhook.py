from __future__ import annotations

import hashlib
import hmac
from urllib.parse import urlencode

import orjson
import pytest
from hypothesis import given, settings
from tests.receivers.requests import BODIES, NOW_NANOSECONDS, records, request, total

from logshed.receivers.model import BadRequestError
from logshed.receivers.webhook import check, decode

BODY = b'{"action":"opened","repository":{"full_name":"team/shop"}}'
DELIVERY = "72d3162e-cc78-11e3-81ab-4c9367dc0958"
# The example that GitHub's documentation gives to check an implementation with.
KNOWN = (
    b"Hello, World!",
    "It's a Secret to Everybody",
    "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
)


def test_an_event_is_a_record_with_the_deliverys_id() -> None:
    headers = {"x_github_event": "issues", "x_github_delivery": DELIVERY, "user_agent": "GitHub-Hookshot/1"}
    decoded = decode(request(BODY, "/v1/webhook", content_type="application/json", **headers))
    assert (decoded.ids, [part.stream for part in decoded.parts]) == ((DELIVERY,), ["team/shop"])
    assert records(decoded) == [
        {
            "observed_time_unix_nano": NOW_NANOSECONDS,
            "body": BODY.decode(),
            "event_name": "issues",
            "attributes": {
                "log.record.uid": DELIVERY,
                "webhook.action": "opened",
                "user_agent.original": "GitHub-Hookshot/1",
            },
        }
    ]


def test_a_payload_in_a_form_is_the_same_and_the_address_names_the_stream() -> None:
    form = urlencode({"payload": BODY.decode()}).encode()
    decoded = decode(request(form, "/v1/webhook/ci", content_type="application/x-www-form-urlencoded"))
    assert ([part.stream for part in decoded.parts], decoded.ids) == (["ci"], ())
    assert records(decoded)[0]["body"] == BODY.decode()


def test_a_signature_is_checked_against_the_whole_body() -> None:
    body, secret, signature = KNOWN
    check(request(body, x_hub_signature_256=signature), secret)
    own = "sha256=" + hmac.new(b"s", BODY, hashlib.sha256).hexdigest()
    check(request(BODY, x_hub_signature_256=own), "s")
    wrong = [
        (request(body + b" ", x_hub_signature_256=signature), secret),
        (request(body, x_hub_signature_256=signature), "other"),
        (request(body, x_hub_signature_256=""), secret),
        (request(body), secret),
        (request(body, x_hub_signature_256="sha256=\xe9"), secret),
        (request(body, x_hub_signature_256="sha256=" + hmac.new(b"", body, hashlib.sha256).hexdigest()), ""),
    ]
    for asked, given_secret in wrong:
        with pytest.raises(BadRequestError) as caught:
            check(asked, given_secret)
        assert caught.value.status == 401


@pytest.mark.parametrize("body", [b"", b"7", b"{", orjson.dumps([1])])
def test_what_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(BadRequestError):
        decode(request(body))


@settings(max_examples=100, deadline=None)
@given(BODIES)
def test_any_bytes_are_decoded_or_refused(body: bytes) -> None:
    total(decode, request(body))
    total(decode, request(b"payload=" + body, content_type="application/x-www-form-urlencoded"))
