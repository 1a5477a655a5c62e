"""What the tests of alerts share: a private authority, and servers with its certificates."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

import pytest
import trustme
from tests.alerts import servers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ssl.SSLContext]:
    """A private authority: its certificate's file, and a server's context with a certificate of it."""
    made = trustme.CA()
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    made.cert_pem.write_to_path(path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.issue_cert("127.0.0.1", "localhost").configure_cert(context)
    return path, context


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> Iterator[servers.Web]:
    """An HTTP server whose address is in the variable PLANTED_URL."""
    with servers.web() as got:
        monkeypatch.setenv("PLANTED_URL", got.url)
        yield got
