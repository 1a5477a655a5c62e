"""A lake behind a server: the same answers, and nothing that a token does not open."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import pytest
from tests.logql.conftest import SMALL
from tests.ports import free_port
from tests.sql.conftest import write_lake
from tests.web_server import web_server

from logshed.access import Tokens
from logshed.api import Lake
from logshed.errors import AccessError, LogshedError, QueryError, UnreachableError, UsageError
from logshed.remote import RemoteLake, token_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SAME: dict[str, Callable[[Lake], Any]] = {
    "query": lambda lake: lake.query('SELECT * FROM logs ORDER BY source, "offset"').rows(),
    "values": lambda lake: lake.query(
        "SELECT $t < timestamp AS later, $n AS n, '$t' AS plain, $d AS d FROM logs ORDER BY 1 LIMIT 1",
        params={"t": datetime(2026, 3, 1, 10, 1, tzinfo=UTC), "n": 2.5, "d": date(2026, 1, 2), "unused": "x"},
    ).rows(),
    "zone": lambda lake: lake.query(
        "SELECT CAST(timestamp AS VARCHAR) FROM logs ORDER BY timestamp LIMIT 1", timezone="Asia/Tokyo"
    ).rows(),
    "search": lambda lake: lake.search("timeout", since="all", fields=["body", "attributes"]).rows(),
    "run": lambda lake: lake.run("status_codes", since="2026-03-01", until="2026-03-02").rows(),
    "compare": lambda lake: lake.run("status_codes", since="2026-03-01", until="2026-03-02", compare="1d").rows(),
    "patterns": lambda lake: lake.patterns(since="all", collection="app").frame.rows(),
    "questions": lambda lake: list(lake.questions()),
}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("remote") / "lake"
    write_lake(root, SMALL, files=2)
    return root


@pytest.fixture(scope="module")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> Tokens:
    return Tokens(tmp_path_factory.mktemp("access") / "tokens.db")


@pytest.fixture(scope="module")
def url(root: Path, tokens: Tokens) -> Iterator[str]:
    with web_server(Lake.open(root), tokens) as url:
        yield url


@pytest.mark.parametrize("verb", SAME)
def test_a_server_answers_as_the_lake_itself(root: Path, url: str, tokens: Tokens, verb: str) -> None:
    remote = RemoteLake(f"{url}/", tokens.create(["*"])[0])
    assert SAME[verb](remote) == SAME[verb](Lake.open(root))


def test_a_token_sees_its_collections_alone(url: str, tokens: Tokens) -> None:
    remote = RemoteLake(url, tokens.create(["web"])[0])
    assert remote.query("SELECT DISTINCT collection FROM logs").rows() == [("web",)]
    with pytest.raises(UsageError, match="there is none that begins so"):
        remote.security.incident("abc")


def test_what_a_server_refuses_is_told(url: str, tokens: Tokens) -> None:
    with pytest.raises(AccessError, match="knows no such token"):
        RemoteLake(url).query("SELECT 1")
    with pytest.raises(AccessError, match="needs the ability 'sql'"):
        RemoteLake(url, tokens.create(["*"], ["write"])[0]).query("SELECT 1")
    own = RemoteLake(url, tokens.create(["*"])[0])
    with pytest.raises(QueryError, match="nothing_there"):
        own.query("SELECT * FROM nothing_there")
    with pytest.raises(UsageError, match="DuckDB alone"):
        own.query("SELECT 1", engine="clickhouse")


@pytest.mark.parametrize(
    "verb",
    [
        lambda lake: lake.ingest(["x.log"]),
        lambda lake: lake.aggregate(),
        lambda lake: lake.security.change_incident("abc", status="closed"),
        lambda lake: lake.prover(),
    ],
)
def test_verbs_that_work_on_files_refuse(url: str, verb: Callable[[Lake], object]) -> None:
    with pytest.raises(UsageError, match="works on the files of a lake"):
        verb(RemoteLake(url))


@contextmanager
def answering(text: bytes) -> Iterator[str]:
    """An address where each caller is told the same, whatever they ask."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            caller, _ = server.accept()
            with caller:
                caller.recv(65_536)
                caller.sendall(text)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        thread.join(10)


@pytest.mark.parametrize(
    ("text", "told", "kind"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\nhalf of it", "was cut off", QueryError),
        (
            b"HTTP/1.1 302 Found\r\nLocation: https://evil.example/\r\nContent-Length: 0\r\n\r\n",
            "it answers 302",
            UnreachableError,
        ),
        (b"HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\n[1]\n", "it answers 503", UnreachableError),
        (b"", "cannot ask", UnreachableError),
    ],
)
def test_what_is_no_whole_answer_is_an_error(text: bytes, told: str, kind: type[LogshedError]) -> None:
    with answering(text) as url, pytest.raises(kind, match=told) as error:
        RemoteLake(url, "secret").query("SELECT 1").rows()
    assert "secret" not in str(error.value)
    assert "0x" not in str(error.value)


def test_a_server_that_is_not_there_is_told(unused_port: int) -> None:
    with pytest.raises(UnreachableError, match=f"cannot ask http://127.0.0.1:{unused_port}"):
        RemoteLake(f"http://127.0.0.1:{unused_port}").query("SELECT 1")


@pytest.fixture
def unused_port() -> int:
    return free_port()


@pytest.mark.parametrize(
    "url",
    [
        "",
        "logs.example.com",
        "ftp://logs.example.com",
        "https://me:pass@logs.example.com",
        "http://[::1",
        "https://a?b",
    ],
)
def test_an_address_is_one_without_a_password(url: str) -> None:
    with pytest.raises(UsageError, match="its address is none") as error:
        RemoteLake(url)
    assert "pass" not in str(error.value)


def test_a_token_goes_by_tls_unless_the_server_is_here() -> None:
    with pytest.raises(UsageError, match="anyone on the way can read it"):
        RemoteLake("http://logs.example.com", "secret")
    assert repr(RemoteLake("https://logs.example.com/", "secret")) == "RemoteLake('https://logs.example.com')"


def test_the_token_is_that_of_the_variable_or_of_a_file_of_ones_own(tmp_path: Path) -> None:
    file = tmp_path / "token"
    assert token_of({"LOGSHED_TOKEN": " one\n", "LOGSHED_TOKEN_FILE": str(file)}) == "one"
    with pytest.raises(UsageError, match="cannot read the token"):
        token_of({"LOGSHED_TOKEN_FILE": str(file)})
    file.write_text("two\n")
    file.chmod(0o644)
    with pytest.raises(UsageError, match="others may read it"):
        token_of({"LOGSHED_TOKEN_FILE": str(file)})
    file.chmod(0o600)
    assert token_of({"LOGSHED_TOKEN_FILE": str(file)}) == "two"
    file.write_text("two words\n")
    with pytest.raises(UsageError, match="it is none"):
        token_of({"LOGSHED_TOKEN_FILE": str(file)})
