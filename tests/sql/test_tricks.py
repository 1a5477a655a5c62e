"""Tries to get more by SQL than one may: every attempt of ``tricks.toml``."""

from __future__ import annotations

import socket
import tomllib
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pytest
from tests.sql.conftest import START, record, write_lake

from logshed import sql
from logshed.errors import QueryError
from logshed.lake.store import Store
from logshed.pipeline.tables import LakeTables
from logshed.sql import permitted
from logshed.sql.sight import Sight

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TRICKS = tomllib.loads((Path(__file__).parent / "tricks.toml").read_text())["trick"]
IN_ROWS = ("zebrakanarek", "987654321", "203.0.113.77", "kanarski", "owlkanarek")
"""Words that stand in rows of the other collection alone."""
ELSEWHERE = ("filekanarek", "envkanarek")


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("tricks")
    (folder / "file.csv").write_text("a,b\nfilekanarek,1\n")
    foreign = {
        "collection": "secret",
        "body": "zebrakanarek 987654321",
        "source": "file:/secret.log",
        "http_response_body_size": 987654321,
        "client_address": "203.0.113.77",
        "service_name": "kanarski",
        "attributes": {"owner": "owlkanarek"},
    }
    own = {"body": "hello", "http_response_body_size": 100}
    rows: list[dict[str, Any]] = [record(place, START, **(own if place < 40 else foreign)) for place in range(60)]
    write_lake(folder / "lake", rows, files=1)  # both collections in one file
    (parquet,) = (str(path) for path in (folder / "lake").rglob("*.parquet") if "silver" in str(path))
    catalog = str(folder / "lake" / "catalog.db")
    return {"folder": str(folder), "file": str(folder / "file.csv"), "parquet": parquet, "catalog": catalog}


@pytest.fixture(scope="module")
def tables(places: dict[str, str]) -> LakeTables:
    store = Store.open(Path(places["folder"]) / "lake", create=False)
    return LakeTables(lambda: store)


@pytest.fixture(scope="module")
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as open_door:
        open_door.setblocking(False)
        yield open_door


@pytest.fixture
def told(
    places: dict[str, str], listener: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> Callable[[sql.Engine, str], str]:
    """All that a statement tells: rows, columns, the error's text."""
    monkeypatch.setenv("LOGSHED_CANARY", "envkanarek")

    def told(engine: sql.Engine, statement: str) -> str:
        words = {**places, "port": str(listener.getsockname()[1])}
        for name, value in words.items():
            statement = statement.replace(f"{{{name}}}", value)
        try:
            found = engine.query(statement, {"collection": "secret"})
            return f"{found.columns} {found.rows()}"
        except QueryError as error:
            return str(error)

    return told


@pytest.mark.parametrize("trick", TRICKS, ids=lambda trick: f"{trick['tries']}: {trick['name']}")
def test_no_statement_tells_what_its_reader_may_not_see(
    trick: dict[str, Any], tables: LakeTables, told: Callable[[sql.Engine, str], str], listener: socket.socket
) -> None:
    engine = sql.connect("duckdb", tables, sight=Sight.of(["web"]), sandbox=True)
    found = told(engine, trick["sql"])
    if "gives" in trick:
        assert found.replace("None", "'NULL'").endswith(f" {[tuple(row) for row in trick['gives']]}")
    planned = "secret" in trick["sql"] and not found.startswith("cannot ")
    texts = [found, told(engine, f"EXPLAIN {trick['sql']}")] if planned else [found]
    for text in texts:
        assert not [word for word in (*IN_ROWS, *ELSEWHERE) if word in text and word not in trick["sql"]], text
    with pytest.raises(BlockingIOError):
        listener.accept()


@pytest.mark.parametrize("trick", [one for one in TRICKS if one["tries"] != "collection"], ids=lambda one: one["name"])
def test_who_sees_all_rows_still_reaches_no_file_no_setting_and_changes_nothing(
    trick: dict[str, Any], tables: LakeTables, places: dict[str, str], told: Callable[[sql.Engine, str], str]
) -> None:
    before = Path(places["file"]).read_bytes(), sorted(Path(places["folder"]).rglob("*"))
    text = told(sql.connect("duckdb", tables, sandbox=True), trick["sql"])
    assert text.startswith("cannot "), text
    assert not [word for word in (*IN_ROWS, *ELSEWHERE, "/logshed-") if word in text]
    assert (Path(places["file"]).read_bytes(), sorted(Path(places["folder"]).rglob("*"))) == before


def test_the_tricks_are_many_and_work_where_nothing_hinders_them(
    places: dict[str, str], tables: LakeTables, told: Callable[[sql.Engine, str], str]
) -> None:
    assert len(TRICKS) >= 120
    open_connection = duckdb.connect()
    for statement in ("SELECT * FROM '{file}'", "SELECT content FROM read_text('{file}')"):
        assert "filekanarek" in str(open_connection.sql(statement.format(**places)).fetchall())
    whole = sql.connect("duckdb", tables, sandbox=True)
    tellers = (told(whole, one["sql"]) for one in TRICKS if one["tries"] == "collection")
    reached = (text for text in tellers if any(word in text for word in IN_ROWS))
    assert len(list(islice(reached, 25))) == 25


def test_every_table_of_duckdb_s_own_is_refused_whatever_its_name(tables: LakeTables) -> None:
    engine = sql.connect("duckdb", tables, sandbox=True)
    own = (
        duckdb.connect().execute("SELECT DISTINCT schema_name, view_name FROM duckdb_views() WHERE internal").fetchall()
    )
    assert len(own) > 40
    for schema, name in own:
        if (schema, name) not in permitted.LISTS:
            with pytest.raises(QueryError, match=r"not allowed|no table"):
                engine.query(f"SELECT * FROM {schema}.{name}")
            with pytest.raises(QueryError, match=r"not allowed|no table|WITH"):
                engine.query(f"SELECT * FROM (WITH {name} AS (SELECT 1) SELECT 1), {name}")


def test_every_function_that_knows_more_than_its_arguments_was_looked_at() -> None:
    """A new version of DuckDB may bring functions that tell of the machine: this fails until they are sorted."""
    harmless = set((Path(__file__).parent / "harmless_functions.txt").read_text().split())
    found = (
        duckdb.connect()
        .execute(
            "SELECT DISTINCT function_name FROM duckdb_functions() WHERE (function_type = 'scalar' AND "
            "stability IS DISTINCT FROM 'CONSISTENT') OR function_type = 'macro'"
        )
        .fetchall()
    )
    names = {name for (name,) in found if not permitted.REFUSED.fullmatch(name)}
    assert names - harmless == set()
