from __future__ import annotations

import re
import threading
from typing import TYPE_CHECKING

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount
from tests.doors.pushing import Client, Store, served, until

from logshed.doors.addresses import Addresses, found
from logshed.doors.receive_http import ReceiveApp
from logshed.doors.serving import opened_socket
from logshed.errors import DoorError

if TYPE_CHECKING:
    from pathlib import Path

OWN = """
from dataclasses import dataclass
from logshed.receivers.model import Decoded, Part, Reply, Route

NAME = "own"

@dataclass(frozen=True)
class Kind:
    name: str

ROUTES = (Route(("POST",), "/own", lambda asked: Decoded((Part("own", asked.body + b"\\n", 1),)),
    lambda asked, decoded: Reply(201, b"ours"), lambda asked, status, text: Reply(status)),)
"""


def test_all_protocols_over_http_are_found_and_no_other() -> None:
    assert [one.name for one in found()] == ["elastic", "lines", "loki", "otlp", "splunk", "webhook"]
    assert [one.name for one in found() if one.check] == ["webhook"]


def test_each_address_of_each_protocol_leads_there() -> None:
    addresses = Addresses(found())
    for receiver in found():
        for route in receiver.routes:
            path = re.sub(r"\{(\w+)(:path)?\}", r"any-\1", route.path)
            for method in route.methods:
                place = (addresses.fixed(path) or {}).get(method) or addresses.named(path, method)
                assert place is not None
                assert (place.receiver.name, place.route) == (receiver.name, route), (method, path)
                assert method in addresses.methods(path)


def test_what_is_more_exact_is_asked_first() -> None:
    addresses = Addresses(found())
    raw = addresses.named("/v1/raw/_bulk", "POST")
    assert raw is not None
    assert (raw.route.path, raw.name) == ("/v1/raw/{collection}", "_bulk")
    assert addresses.named("/a/b/c/d", "POST") is None
    assert addresses.methods("/a/b/c/d") == ()


def test_a_file_of_the_users_is_a_receiver(tmp_path: Path) -> None:
    (tmp_path / "receivers").mkdir()
    (tmp_path / "receivers" / "own.py").write_text(OWN)
    store = Store()
    with served(store, receivers=found([tmp_path])) as opened:
        assert opened.push(b"x", "/own")[::2] == (201, b"ours")
        assert opened.push(b"y")[0] == 200
    assert store.lines == [b"x", b"y"]


def test_a_file_that_fails_is_told(tmp_path: Path) -> None:
    (tmp_path / "receivers").mkdir()
    (tmp_path / "receivers" / "own.py").write_text("1 / 0")
    with pytest.raises(DoorError, match=r"cannot load the receiver .*own\.py: it fails with ZeroDivisionError"):
        found([tmp_path])


def test_a_web_server_may_have_it_under_a_prefix() -> None:
    store = Store()
    app = ReceiveApp(store.take)
    server = uvicorn.Server(
        uvicorn.Config(Starlette(routes=[Mount("/in put", app)]), log_level="error", lifespan="off", ws="none")
    )
    with opened_socket("127.0.0.1:0", anyone=True) as listening:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        until(lambda: server.started)
        try:
            opened = Client(listening.getsockname()[1])
            assert opened.push(b"x", "/in%20put/v1/raw/shop")[0] == 200
            assert opened.push(b"x" * 100_000, "/in%20put/v1/raw")[0] == 200
            assert opened.push(b"x", "/v1/raw")[0] == 404
        finally:
            server.should_exit = True
            thread.join()
            app.close()
    assert [part.collection for came in store.came for part in came.decoded.parts] == ["shop", ""]
