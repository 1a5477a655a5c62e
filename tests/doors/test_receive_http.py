"""Logs over HTTP: each protocol at its addresses, by tokens, acknowledged once they are on disk."""

from __future__ import annotations

import asyncio
import base64
import gzip
import hashlib
import hmac
import logging
import ssl
import threading
import time
from contextlib import ExitStack
from http.client import HTTPConnection, HTTPSConnection
from typing import TYPE_CHECKING, Any

import orjson
import pytest
import trustme
from starlette.responses import PlainTextResponse
from starlette.routing import Route as Extra
from tests.doors.pushing import Store, heard, served, told, until
from tests.doors.test_otlp_grpc import logs

from logshed.access import Tokens
from logshed.doors.addresses import Receiver
from logshed.doors.guard import EVERYTHING
from logshed.doors.http_door import HttpDoor
from logshed.doors.http_limits import HttpLimits
from logshed.doors.receive_http import ReceiveApp
from logshed.doors.senders import tls_of
from logshed.errors import DoorError, OverloadedError, SpoolError, SpoolFullError, UsageError
from logshed.receivers.model import BadRequestError, Decoded, Reply, Request, Route

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "the word of a test"  # noqa: S105 - of a test
FAULT = "a customer's own words"


def basic(user: str, password: str) -> str:
    return base64.b64encode(f"{user}:{password}".encode()).decode()


@pytest.fixture
def tokens(tmp_path: Path) -> Tokens:
    return Tokens(tmp_path / "tokens.db")


def test_each_protocol_is_taken_at_its_addresses() -> None:
    store = Store()
    bulk = b'{"create":{"_index":"web"}}\n{"message":"by bulk"}\n'
    push = b'{"streams":[{"stream":{"job":"web"},"values":[["1","by loki"]]}]}'
    with served(store, collection="all") as opened:
        sent = [
            ("/v1/logs", logs("by otlp").SerializeToString(), "application/x-protobuf", 200),
            ("/_bulk", bulk, "application/x-ndjson", 200),
            ("/web/_bulk", bulk, "application/x-ndjson", 200),
            ("/loki/api/v1/push", push, "application/json", 204),
            ("/services/collector/event", b'{"event":"by hec"}', "application/json", 200),
            ("/v1/raw/shop", b"raw", "text/plain", 200),
            ("/v1/ndjson", b'{"a":1}', "application/json", 200),
            ("/v1/webhook/ci", b'{"action":"opened"}', "application/json", 200),
        ]
        assert [opened.push(body, path, Content_Type=kind)[0] for path, body, kind, _ in sent] == [
            status for *_, status in sent
        ]
    assert [came.protocol for came in store.came] == [
        "otlp", "elastic", "elastic", "loki", "splunk", "lines", "lines", "webhook",
    ]  # fmt: skip
    assert {(came.peer, came.collection, came.grant) for came in store.came} == {("127.0.0.1", "all", EVERYTHING)}
    assert [part.collection for part in store.came[5].decoded.parts] == ["shop"]
    assert [part.stream for part in store.came[7].decoded.parts] == ["ci"]
    assert store.seen[:2] == [("otlp", 200), ("elastic", 200)]


def test_names_in_an_address_may_have_what_addresses_may_not() -> None:
    store = Store()
    with served(store) as opened:
        opened.push(b'{"create":{}}\n{"message":"a"}\n', "/a%2Fb%20c/_bulk")
        opened.push(b"x", "/v1/raw/a%20b")
        opened.push(b"{}", "/v1/webhook/a%20b")
        opened.push(b"x", "/v1/raw?collection=a%20b&stream=s")
    assert [(part.stream, part.collection) for came in store.came for part in came.decoded.parts] == [
        ("a/b c", ""), ("a b", "a b"), ("a b", ""), ("s", "a b"),
    ]  # fmt: skip


def test_what_is_not_there_is_told_and_nothing_of_ours() -> None:
    with served(Store()) as opened:
        assert opened.push(path="/v2/none/of/it", method="GET")[0] == 404
        status, headers, body = opened.push(path="/v1/logs", method="GET")
        assert (status, headers["allow"], orjson.loads(body)["error"]) == (
            405,
            "OPTIONS, POST",
            "this address has other methods",
        )
        assert opened.push(path="/v1/logs", method="OPTIONS")[:1] == (204,)
        assert opened.push(path="/services/collector/event/1.0", method="OPTIONS")[:1] == (200,)
        assert opened.push(path="/a/_doc/1", method="PATCH")[1]["allow"] == "OPTIONS, POST, PUT"
        status, headers, body = opened.push(path="/ready", method="HEAD")
        assert (status, body, headers["content-length"]) == (200, b"", "6")
    assert "server" not in headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"


def test_other_routes_stand_before_names_and_need_no_token(tokens: Tokens, caplog: pytest.LogCaptureFixture) -> None:
    store = Store()
    extra = [Extra("/healthz", lambda _: PlainTextResponse("alive")), Extra("/broken", lambda _: 1 / 0)]
    with served(store, tokens=tokens, extra_routes=extra) as opened, caplog.at_level(logging.DEBUG):
        assert opened.push(path="/healthz", method="GET")[::2] == (200, b"alive")
        assert opened.push(path="/ready", method="GET")[0] == 200
        assert opened.push(path="/services/collector/health", method="GET")[0] == 200
        assert opened.push(path="/", method="GET")[0] == 401
        assert opened.push(path="/broken", method="GET")[0] == 500
    assert store.seen[0] == ("", 200)
    assert "cannot answer a request: ZeroDivisionError in " in caplog.text


@pytest.mark.parametrize("scheme", ["Bearer {t}", "bearer  {t}", "Splunk {t}", "ApiKey {a}", "ApiKey {t}", "Basic {b}"])
def test_a_token_is_taken_in_each_form_that_shippers_have(tokens: Tokens, scheme: str) -> None:
    store = Store()
    token, known = tokens.create(["shop"], ["write"])
    with served(store, tokens=tokens) as opened:
        shown = scheme.format(t=token, a=basic("id", token), b=basic("whoever", token))
        assert opened.push(b"x", Authorization=shown)[0] == 200
    assert (store.came[0].grant.token, store.came[0].grant.scopes) == (known.id, ("shop",))


def test_without_a_valid_token_nothing_is_read(tokens: Tokens) -> None:
    store = Store()
    token, _ = tokens.create(["*"], ["write"])
    reader, _ = tokens.create(["*"], ["read"])
    expired, _ = tokens.create(["*"], ["write"], seconds=-1)
    revoked, known = tokens.create(["*"], ["write"])
    tokens.revoke(known.id)
    wrong = token[:-1] + ("0" if token[-1] != "0" else "1")
    shown = ["", "Bearer", f"Bearer {wrong}", f"Bearer {expired}", f"Bearer {revoked}", f"Digest {token}"]
    shown += [f"Basic {token}", f"Basic {basic(token, '')}", f"Bearer {token}x", "ApiKey ====", f"Bearer {'x' * 5000}"]
    with served(store, tokens=tokens) as opened:
        for one in shown:
            status, headers, _ = opened.push(b"x" * 70_000, Authorization=one)
            assert (status, headers["www-authenticate"]) == (401, 'Bearer realm="logshed"'), one
        assert opened.push(b"x", Authorization=f"Bearer {reader}")[0] == 403
        with opened.raw() as client:  # it has sent no byte of the body, and none is waited for
            client.sendall(b"POST /v1/raw HTTP/1.1\r\nHost: a\r\nContent-Length: 9000000\r\n\r\n")
            assert client.recv(4096).startswith(b"HTTP/1.1 401 ")
    assert store.came == []


def test_a_refusal_has_the_form_of_its_protocol(tokens: Tokens) -> None:
    with served(Store(), tokens=tokens) as opened:
        assert orjson.loads(opened.push(b"{}", "/_bulk")[2])["error"]["type"] == "security_exception"
        assert orjson.loads(opened.push(b"{}", "/services/collector")[2]) == {"text": "Token is required", "code": 2}
        assert orjson.loads(opened.push(b"{}", "/v1/logs", Content_Type="application/json")[2])["code"] == 16


@pytest.mark.parametrize("seconds", [0.3, 600])
def test_a_revoked_or_expired_token_ends_within_seconds(
    tokens: Tokens, monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    monkeypatch.setattr("logshed.doors.callers.KNOWN_SECONDS", seconds)
    store = Store()
    token, known = tokens.create(["*"], ["write"])
    with served(store, tokens=tokens) as opened:
        assert opened.push(b"x", Authorization=f"Bearer {token}")[0] == 200
        short, _ = tokens.create(["*"], ["write"], seconds=2)
        assert opened.push(b"x", Authorization=f"Bearer {short}")[0] == 200
        until(lambda: opened.push(b"x", Authorization=f"Bearer {short}")[0] == 401)
        tokens.revoke(known.id)
        time.sleep(0.31)
        assert opened.push(b"x", Authorization=f"Bearer {token}")[0] == (401 if seconds < 1 else 200)


def test_who_guesses_tokens_is_told_to_wait_and_a_known_one_goes_on(tokens: Tokens) -> None:
    token, known = tokens.create(["*"], ["write"])
    with served(Store(), tokens=tokens) as opened:
        assert opened.push(b"x", Authorization=f"Bearer {token}")[0] == 200
        guesses = [f"Bearer logshed_{known.id}_{number:064x}" for number in range(40)]
        found = [opened.push(b"x", Authorization=one) for one in guesses]
        assert [status for status, *_ in found[:20]] == [401] * 20
        assert found[-1][0] == 429
        assert int(found[-1][1]["retry-after"]) > 0
        assert opened.push(b"x", Authorization=f"Bearer {token}")[0] == 200


def test_tokens_that_cannot_be_read_let_nobody_in(tokens: Tokens) -> None:
    token, _ = tokens.create(["*"], ["write"])
    tokens.path.chmod(0o644)
    with served(Store(), tokens=tokens) as opened:
        status, headers, body = opened.push(b"x", Authorization=f"Bearer {token}")
    assert (status, headers["retry-after"]) == (503, "2")
    assert str(tokens.path) not in body.decode()


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "localhost:1"}, 200),
        ({"Host": "[::1]:4318"}, 200),
        ({"Host": "evil.example"}, 421),
        ({"Host": "localhost@evil.example"}, 421),
        ({"Origin": "http://localhost:3000"}, 200),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
    ],
)
def test_a_page_of_a_stranger_brings_nothing_in_where_there_are_no_tokens(headers: dict[str, str], status: int) -> None:
    store = Store()
    with served(store) as opened:
        assert opened.push(b"x", **headers)[0] == status
    assert len(store.came) == (status == 200)


def test_a_door_for_everybody_takes_any_host() -> None:
    with served(Store(), everybody=True) as opened:
        assert opened.push(b"x", Host="logs.example")[0] == 200


def signed(body: bytes, secret: str = SECRET) -> str:
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def test_a_webhook_is_let_in_by_its_signature_or_by_a_token(tokens: Tokens) -> None:
    store, body = Store(), b'{"action":"opened"}'
    packed = gzip.compress(body)
    token, _ = tokens.create(["*"], ["write"])
    with served(store, tokens=tokens, secrets={"ci": SECRET}, collection="c[i]") as opened:

        def push(path: str, sent: bytes = body, **headers: str) -> int:
            return opened.push(sent, path, Content_Type="application/json", **headers)[0]

        good = {"X_Hub_Signature_256": signed(body)}
        assert push("/v1/webhook/ci", **good) == 200
        assert push("/v1/webhook/ci", packed, Content_Encoding="gzip", X_Hub_Signature_256=signed(packed)) == 200
        assert push("/v1/webhook/ci", Authorization=f"Bearer {token}") == 200
        assert push("/v1/webhook/ci", X_Hub_Signature_256=signed(body, "other")) == 401
        assert push("/v1/webhook/ci") == 401
        assert push("/v1/webhook/none", **good) == 401
        assert push("/v1/webhook/ci", Authorization="Bearer wrong", **good) == 401
    assert [came.grant.token for came in store.came[:2]] == ["webhook:ci", "webhook:ci"]
    grant = store.came[0].grant
    assert (grant.allows("write", "c[i]"), grant.allows("write", "ci"), grant.allows("read", "c[i]")) == (
        True,
        False,
        False,
    )


def test_a_secret_without_a_name_is_for_all_that_have_none(tokens: Tokens) -> None:
    with served(Store(), tokens=tokens, secrets={"ci": "another", "": SECRET}) as opened:
        for path, status in (("/v1/webhook", 200), ("/v1/webhook/some", 200), ("/v1/webhook/ci", 401)):
            assert opened.push(b"{}", path, X_Hub_Signature_256=signed(b"{}"))[0] == status


def test_a_webhooks_signature_counts_also_where_there_are_no_tokens() -> None:
    with served(Store(), secrets={"ci": SECRET}) as opened:
        assert opened.push(b"{}", "/v1/webhook/ci")[0] == 401
        assert opened.push(b"{}", "/v1/webhook/ci", X_Hub_Signature_256=signed(b"{}"))[0] == 200
        assert opened.push(b"{}", "/v1/webhook/other")[0] == 200


@pytest.mark.parametrize(
    ("error", "status", "again"),
    [
        (OverloadedError("too quick", after=7.2), 429, "8"),
        (SpoolFullError("full"), 503, "2"),
        (SpoolError("broken"), 503, "2"),
        (ZeroDivisionError(FAULT), 503, "2"),
        (BadRequestError(403, "not yours"), 403, None),
    ],
)
def test_what_cannot_be_stored_is_told_in_each_protocols_own_way(
    error: Exception, status: int, again: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    store = Store(fails=error)
    with served(store) as opened, caplog.at_level(logging.DEBUG):
        for path, body in (
            ("/v1/raw", b"x"),
            ("/_bulk", b'{"create":{"_index":"a"}}\n{}\n'),
            ("/services/collector", b'{"event":"x"}'),
        ):
            found = opened.push(body, path)
            assert (found[0], found[1].get("retry-after")) == (status, again)
        store.fails = None
        assert opened.push(b"x")[0] == 200
    assert store.dead == []
    assert FAULT not in caplog.text


def odd(error: Exception) -> Receiver:
    """A receiver that cannot decode anything."""

    def decode(_: Request) -> Decoded:
        raise error

    def refuse(_: Request, status: int, text: str) -> Reply:
        return Reply(status, text.encode())

    return Receiver("odd", (Route(("POST",), "/odd", decode, lambda *_: Reply(200), refuse),))


@pytest.mark.parametrize("size", [10, 200_000])
def test_a_fault_of_a_decoder_ends_one_request_and_its_body_is_kept(
    size: int, caplog: pytest.LogCaptureFixture
) -> None:
    store, body = Store(), b"a" * size
    with served(store, receivers=[odd(ValueError(FAULT))], collection="c") as opened, caplog.at_level(logging.DEBUG):
        status, _, said = opened.push(gzip.compress(body), "/odd", Content_Encoding="gzip")
        assert (status, said) == (500, b"the records could not be read, by a fault of this program")
        assert opened.push(b"", "/odd")[0] == 500
    assert store.dead == [("odd", "the records could not be read, by a fault of this program", "127.0.0.1", "c", body)]
    assert "cannot decode a request of odd: ValueError in decode, test_receive_http.py:" in caplog.text
    assert FAULT not in caplog.text


@pytest.mark.parametrize(("status", "kept"), [(400, 1), (415, 1), (413, 0)])
def test_what_a_decoder_refuses_is_kept_unless_it_is_only_too_much(status: int, kept: int) -> None:
    store = Store()
    with served(store, receivers=[odd(BadRequestError(status, "no"))]) as opened:
        assert opened.push(b"x", "/odd")[0] == status
    assert len(store.dead) == kept


def test_a_repeated_request_is_known_and_no_other_is_taken_for_it(tokens: Tokens) -> None:
    store = Store()
    one, other = (f"Bearer {tokens.create(['*'], ['write'])[0]}" for _ in range(2))
    with served(store, tokens=tokens) as opened:
        opened.push(b"x", Authorization=one, Idempotency_Key="k")
        opened.push(b"x", Authorization=one, X_Request_Id="k")
        opened.push(b"x", Authorization=other, X_Request_Id="k")
        opened.push(b"y", Authorization=one, X_Request_Id="k")
        opened.push(b"x", "/v1/raw/c", Authorization=one, X_Request_Id="k")
        opened.push(b"x", Authorization=one)
        opened.push(b"x", Authorization=one, X_Request_Id="k" * 5000)
    names = [came.request_id for came in store.came]
    assert names[0] == names[1]
    assert len(set(names)) == 6
    assert names[5] == ""
    assert len(names[6]) < 200


def test_requests_that_run_when_the_door_closes_are_answered_and_others_are_not() -> None:
    store = Store()
    store.slow.clear()
    with ExitStack() as stack:
        opened = stack.enter_context(served(store))
        client = HTTPConnection("127.0.0.1", opened.port, timeout=20)
        idle = stack.enter_context(opened.raw())
        client.request("POST", "/v1/raw", b"x")
        until(lambda: store.waiting)
        half = stack.enter_context(opened.raw())
        half.sendall(b"POST /v1/raw HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\nab")
        until(lambda: opened.door.counts.open == 3)
        stopping = stack.enter_context(ExitStack())
        stop = threading.Thread(target=opened.stop)
        stop.start()
        stopping.callback(stop.join)
        assert heard(idle) == b""
        half.sendall(b"c\n")
        store.slow.set()
        assert told(client.getresponse())[0] == 200
        client.close()
        assert b" 200 " in heard(half)
        with pytest.raises(ConnectionRefusedError):
            opened.push(b"z")
    assert sorted(store.lines) == [b"abc", b"x"]


def test_what_does_not_end_in_time_is_cut_off() -> None:
    store = Store()
    with served(store) as opened, opened.raw() as half:
        half.sendall(b"POST /v1/raw HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\nab")
        until(lambda: opened.door.counts.bytes)
        begun = time.monotonic()
        opened.stop(0.2)
        assert heard(half) == b""
        assert time.monotonic() - begun < 6


def test_several_addresses_are_one_door() -> None:
    store = Store()
    with served(store, door={"listen": ("127.0.0.1:0", "127.0.0.1:0")}) as opened:
        for _, port in opened.door.addresses:
            client = HTTPConnection("127.0.0.1", port, timeout=10)
            client.request("POST", "/v1/raw", b"x")
            assert told(client.getresponse())[0] == 200
            client.close()
        assert len({port for _, port in opened.door.addresses}) == 2
    assert len(store.came) == 2


def test_an_address_that_cannot_be_is_told(tokens: Tokens) -> None:
    def start(app: ReceiveApp, **how: Any) -> None:
        asyncio.run(HttpDoor(app, **how).start())

    app = ReceiveApp(Store().take)
    with served(Store()) as opened, pytest.raises(DoorError, match="cannot listen on"):
        start(app, listen=("127.0.0.1:0", f"127.0.0.1:{opened.port}"))
    for insecure in (app, ReceiveApp(Store().take, tokens)):
        with pytest.raises(UsageError, match=r"cannot receive on 0\.0\.0\.0:0: others than this machine reach it"):
            start(insecure, listen=("0.0.0.0:0",))


def test_with_a_certificate_the_door_speaks_tls_and_ends_half_handshakes(tmp_path: Path) -> None:
    store, ca = Store(), trustme.CA()
    issued = ca.issue_cert("localhost")
    issued.private_key_pem.write_to_path(tmp_path / "key.pem")
    for blob in issued.cert_chain_pems:
        blob.write_to_path(tmp_path / "cert.pem", append=True)
    tls = tls_of(tmp_path / "cert.pem", tmp_path / "key.pem")
    with served(store, door={"tls": tls}) as opened:
        trusted = ssl.create_default_context()
        ca.configure_trust(trusted)
        client = HTTPSConnection("localhost", opened.port, timeout=10, context=trusted)
        client.request("POST", "/v1/raw", b"x" * 200_000)
        assert told(client.getresponse())[0] == 200
        client.close()
        until(lambda: opened.door.counts.open == 0)
        assert opened.door.counts.broken == 0
    with served(store, HttpLimits(header_seconds=0.3), door={"tls": tls}) as opened:
        with opened.raw() as silent:
            assert heard(silent) == b""
        assert opened.say(b"GET / HTTP/1.1\r\n\r\n") == b""
        until(lambda: opened.door.counts.open == 0)
    assert opened.door.counts.broken == 2
