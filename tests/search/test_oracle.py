from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.search.oracle import matches

from logshed import schema
from logshed.queries import moment
from logshed.search import And, Everything, Match, Node, Not, Or, Value, Word, condition, parse, printed
from logshed.sql.views import DUCKDB_TYPES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hypothesis.strategies import SearchStrategy

NOW = datetime(2026, 11, 26, tzinfo=UTC)
TEXTS = [
    "",
    "Connection Timeout in shard 7",
    "a*b",
    "x_y%z",
    "naïve ÜBER",
    "line\nfeed",
    'back\\slash "q"',
    "it's; DROP",
]
WORDS = ["timeout", "Über", "naïve", "a*b", "t?meout", "*shard*", "_", "%", "it's", "line*feed", "bob", "5", "\\slash"]
OF_TEXT = ["Payments", "pay*", "*PAY*", "?uth", "auth", "a*b", "it's", "*", "", "1..2"]
NAMES = ["service", "message", "path", "user", "attributes.k", "attributes.a b", "attributes.n.o"]
RECORDS: dict[str, SearchStrategy[Any]] = {
    "body": st.sampled_from([None, *TEXTS]),
    "url_path": st.sampled_from([None, "/a", "/A/b", "/health", "/x?y"]),
    "exception_message": st.sampled_from([None, "timeout"]),
    "service_name": st.sampled_from([None, "Payments", "pay", "auth", "it's", "a*b", "1..2"]),
    "user_id": st.sampled_from([None, "", "bob"]),
    "client_address": st.sampled_from([None, "10.16.0.1", "10.32.0.9", "2001:db8::1"]),
    "http_response_status_code": st.sampled_from([None, 200, 404, 500, 599, 600]),
    "severity_number": st.sampled_from([None, 1, 5, 9, 12, 13, 17, 20, 21, 24]),
    "http_response_body_size": st.sampled_from([None, 0, 1024, 10_000_000]),
    "duration_ms": st.sampled_from([None, 0.5, 1500.0, float("nan"), 60_000.0]),
    "user_agent_is_bot": st.sampled_from([None, True, False]),
    "timestamp": st.sampled_from([datetime(2026, 11, day, hour, tzinfo=UTC) for day in (1, 2, 3) for hour in (0, 12)]),
    "attributes": st.none()
    | st.dictionaries(st.sampled_from(["k", "a b", "n.o"]), st.sampled_from(["5", "-1.5", "bob", "Pay", "it's", None])),
}
records = st.lists(st.fixed_dictionaries(RECORDS), min_size=1, max_size=8)


def values(*texts: str) -> SearchStrategy[tuple[Value, ...]]:
    return st.lists(st.sampled_from(texts).map(Value), min_size=1, max_size=3).map(tuple)


def quoted(text: str) -> Value:
    return Value(text, quoted=True)


def compared(name: str, *texts: str) -> SearchStrategy[Node]:
    operators = st.sampled_from([">", ">=", "<", "<="])
    return st.builds(lambda sign, text: Match(name, sign, (Value(text),)), operators, st.sampled_from(texts))


def measured(name: str, *texts: str, ranges: tuple[str, ...] = ()) -> SearchStrategy[Node]:
    equal = st.builds(Match, st.just(name), st.sampled_from(["=", "!="]), values(*texts))
    return compared(name, *texts) | equal | st.builds(Match, st.just(name), st.just(":"), values(*texts, *ranges, "*"))


BARE = [text for text in OF_TEXT if text]
terms: SearchStrategy[Node] = st.one_of(
    st.just(Everything()),
    st.sampled_from(WORDS).map(lambda text: Word(Value(text))),
    st.sampled_from([*TEXTS[1:], *WORDS]).map(lambda text: Word(quoted(text))),
    st.sampled_from(["[Tt]ime", "line.feed", "^/a$", "S"]).map(lambda text: Word(quoted(text), regex=True)),
    st.builds(Match, st.sampled_from(NAMES), st.sampled_from([":", "=", "!="]), values(*BARE)),
    st.builds(lambda name, text: Match(name, ":", (quoted(text),)), st.sampled_from(NAMES), st.sampled_from(OF_TEXT)),
    st.builds(lambda name: Match(name, "~", (quoted("^[Pp]a|b$"),)), st.sampled_from(NAMES)),
    compared("service", "auth", "pay", "5"),
    st.sampled_from(["10.16.0.0/12", "10.0.0.0/8", "10.32.0.9/32", "10.*"]).map(
        lambda x: Match("client", ":", (Value(x),))
    ),
    measured("status", "404", "500", ranges=("5xx", "500..599", "404..", "..404", "4*", "?00")),
    measured("level", "info", "warning", "error", "fatal", ranges=("info..error", "warn..")),
    measured("size", "0", "1KiB", "10MB", ranges=("1kb..1mib",)),
    measured("duration", "0.5", "1.5s", "1m", ranges=("1s..", "..2s")),
    measured("time", "2026-11-02", ranges=("2026-11-01..2026-11-02", "2026-11-02..")),
    st.sampled_from(["true", "false", "*"]).map(lambda text: Match("user_agent_is_bot", ":", (Value(text),))),
    compared("attributes.k", "5", "-2", "bob"),
    st.sampled_from(["1..5", "..0", "5"]).map(lambda text: Match("attributes.k", ":", (Value(text),))),
)


def flat(kind: type[And | Or], parts: list[Node]) -> Node:
    found = [one for part in parts for one in (part.parts if isinstance(part, kind) else (part,))]
    return kind(tuple(found))


def joined(inner: SearchStrategy[Node]) -> SearchStrategy[Node]:
    several = st.lists(inner, min_size=2, max_size=3)
    return several.map(lambda ps: flat(And, ps)) | several.map(lambda ps: flat(Or, ps)) | inner.map(Not)


trees = st.recursive(terms, joined, max_leaves=8)


@pytest.fixture(scope="module")
def database() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        columns = ", ".join(f'"{column.name}" {DUCKDB_TYPES[column.kind]}' for column in schema.SILVER)
        connection.execute(f"CREATE TABLE logs ({columns})")
        yield connection


def sql_of(node: Node) -> str:
    return condition(node, lambda text: moment(text, now=NOW))


@given(tree=trees, rows=records)
@settings(max_examples=300, deadline=None)
def test_duckdb_finds_what_the_page_promises(
    database: duckdb.DuckDBPyConnection, tree: Node, rows: list[dict[str, Any]]
) -> None:
    database.execute("DELETE FROM logs")
    names = ", ".join(f'"{name}"' for name in ["offset", *RECORDS])
    marks = ", ".join("?" * (len(RECORDS) + 1))
    for place, row in enumerate(rows):
        given_values = [place, *(row[name] for name in RECORDS)]
        database.execute(f"INSERT INTO logs ({names}) VALUES ({marks})", given_values)
    found = database.execute(f'SELECT "offset" FROM logs WHERE {sql_of(tree)} ORDER BY 1').fetchall()
    assert [one for (one,) in found] == [place for place, row in enumerate(rows) if matches(tree, row)]


@given(tree=trees)
@settings(max_examples=300, deadline=None)
def test_a_printed_tree_is_read_as_the_same_tree(tree: Node) -> None:
    assert parse(printed(tree)) == tree
