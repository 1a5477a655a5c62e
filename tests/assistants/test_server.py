"""Assistants by the protocol's own client: over HTTP with a token, and over standard input and output."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Any

import httpx
import httpx2
import pytest
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from tests.logql.conftest import SMALL
from tests.sql.conftest import write_lake
from tests.web_server import web_server

from logshed.access import Tokens
from logshed.api import Lake
from logshed.assistants.tools import TOOLS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("mcp") / "lake"
    write_lake(root, SMALL, files=1)
    return root


@pytest.fixture(scope="module")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> Tokens:
    return Tokens(tmp_path_factory.mktemp("access") / "tokens.db")


@pytest.fixture(scope="module")
def url(root: Path, tokens: Tokens) -> Iterator[str]:
    with web_server(Lake.open(root), tokens) as url:
        yield f"{url}/mcp"


def talk(url: str, token: str, *calls: tuple[str, dict[str, Any]]) -> tuple[list[str], list[Any]]:
    """The names of the tools, and what each call was answered."""

    async def spoken() -> tuple[list[str], list[Any]]:
        headers = {"Authorization": f"Bearer {token}"}
        async with (
            httpx2.AsyncClient(headers=headers, timeout=60) as http,
            Client(streamable_http_client(url, http_client=http)) as client,
        ):
            listed = await client.list_tools()
            return [one.name for one in listed.tools], [await client.call_tool(*call) for call in calls]

    return asyncio.run(spoken())


def test_an_assistant_asks_over_http_what_its_token_lets_it_see(url: str, tokens: Tokens) -> None:
    token, _ = tokens.create(["app"])
    names, (there, found, outside, failed, wrong) = talk(
        url,
        token,
        ("collections", {}),
        ("query", {"sql": "SELECT count(*) AS n FROM logs"}),
        ("query", {"sql": "SELECT * FROM read_text('/etc/passwd')"}),
        ("search", {"text": "level:"}),
        ("erase", {}),
    )
    assert names == [tool.name for tool in TOOLS]
    assert [row["collection"] for row in there.structured_content["rows"]] == ["app"]
    assert found.structured_content == {"rows": [{"n": 6}], "more": False}
    assert outside.is_error
    assert "root:" not in outside.content[0].text
    assert failed.is_error
    assert "cannot search" in failed.content[0].text
    assert wrong.is_error


def test_a_stranger_and_a_token_that_only_writes_are_refused(url: str, tokens: Tokens) -> None:
    writes, _ = tokens.create(["app"], ["write"])
    asked = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    kinds = {"Accept": "application/json, text/event-stream"}

    def status(**headers: str) -> int:
        return httpx.post(url, json=asked, headers=kinds | headers).status_code

    reads, _ = tokens.create(["app"])
    own: Mapping[str, str] = {"Authorization": f"Bearer {reads}"}
    assert status() == 401
    assert status(Authorization=f"Bearer {writes}") == 403
    assert status(**own, Origin="https://evil.example") == 403
    assert status(**own) == 200
    assert httpx.get(url, headers=own).status_code == 405


@pytest.mark.soak
def test_an_assistant_on_this_machine_asks_over_standard_input(root: Path, environment: dict[str, str]) -> None:
    words = ["-m", "logshed", "mcp", "--lake", str(root), "--collection", "web", "--no-sql"]

    async def spoken() -> tuple[list[str], Any]:
        async with Client(StdioServerParameters(command=sys.executable, args=words, env=environment)) as client:
            listed = await client.list_tools()
            return [one.name for one in listed.tools], await client.call_tool("collections", {})

    names, found = asyncio.run(spoken())
    assert names == [tool.name for tool in TOOLS if tool.ability == "read"]
    assert [row["collection"] for row in found.structured_content["rows"]] == ["web"]
