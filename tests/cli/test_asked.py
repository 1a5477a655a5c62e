"""Commands that ask a server instead of a lake on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.logql.conftest import SMALL
from tests.sql.conftest import write_lake
from tests.web_server import web_server

from logshed.access import Tokens
from logshed.api import Lake

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.conftest import Run


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("asked") / "lake"
    write_lake(root, SMALL, files=1)
    return root


@pytest.fixture(scope="module")
def variables(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Where a server is, and the token of a reader who sees one of two collections."""
    tokens = Tokens(tmp_path_factory.mktemp("access") / "tokens.db")
    with web_server(Lake.open(root), tokens) as url:
        yield {"LOGSHED_SERVER": url, "LOGSHED_TOKEN": tokens.create(["app"])[0]}


@pytest.mark.parametrize(
    "words",
    [
        ("search", "timeout", "--since", "all", "--fields", "time,body"),
        pytest.param(
            ("query", "SELECT body FROM logs WHERE collection = 'app' ORDER BY \"offset\""), marks=pytest.mark.soak
        ),
        ("run", "levels", "--since", "all", "--collection", "app"),
        pytest.param(("findings", "--since", "all", "--json"), marks=pytest.mark.soak),
        pytest.param(("incidents", "list", "--since", "all"), marks=pytest.mark.soak),
    ],
    ids=["search", "query", "run", "findings", "incidents"],
)
def test_a_command_answers_the_same_by_a_server(
    logshed: Run, root: Path, variables: dict[str, str], words: tuple[str, ...]
) -> None:
    asked = logshed(*words, env=variables)
    assert asked.returncode == 0, asked.stderr
    assert asked.stdout == logshed(*words, "--lake", root).stdout


def test_the_option_stands_before_the_command_and_wins(logshed: Run, variables: dict[str, str]) -> None:
    asked = logshed("--server", "http://127.0.0.1:1", "query", "SELECT 1", env=variables)
    assert asked.returncode == 1
    assert "cannot ask http://127.0.0.1:1" in asked.stderr
    assert variables["LOGSHED_TOKEN"] not in asked.stderr


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("ingest", "x.log"), "cannot run ingest at a server"),
        (("query", "SELECT 1", "--lake", "here"), "give --server or --lake"),
        (("incidents", "close", "abc"), "cannot run close at a server"),
    ],
)
def test_what_a_server_is_not_for_is_refused(
    logshed: Run, variables: dict[str, str], words: tuple[str, ...], told: str
) -> None:
    asked = logshed("--server", variables["LOGSHED_SERVER"], *words, env={"LOGSHED_TOKEN": variables["LOGSHED_TOKEN"]})
    assert asked.returncode == 2
    assert told in asked.stderr


def test_a_lake_that_is_named_is_asked_whatever_the_variable_says(logshed: Run, root: Path) -> None:
    asked = logshed(
        "query",
        "SELECT count(*) AS n FROM logs",
        "--lake",
        root,
        "--json",
        env={"LOGSHED_SERVER": "http://127.0.0.1:1"},
    )
    assert asked.stdout.strip() == '[{"n":10}]'
