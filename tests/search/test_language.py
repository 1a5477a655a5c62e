from __future__ import annotations

import re
from datetime import UTC, datetime

import duckdb
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from logshed import schema
from logshed.errors import LogshedError, QueryError, UsageError
from logshed.pipeline.search import understood
from logshed.search import And, Everything, Match, Not, Or, Value, Word, parse, printed, statements
from logshed.search.fields import ALIASES
from logshed.sql import dialect

NOW = datetime(2026, 11, 26, tzinfo=UTC)
NOISE = st.text(
    st.sampled_from(list("ab\"'()-*?:;=<>~!/\\.,%_$@{}[]|^\n\t 05é\u202e\U0001f600")) | st.characters(codec="utf-8"),
    max_size=30,
)
PIECES = st.lists(
    st.sampled_from(
        [
            "status:",
            "level>=",
            "service=",
            "path~",
            "500",
            "warn",
            "'; DROP TABLE logs; --",
            '"',
            "(",
            ")",
            "OR",
            "AND",
            "-",
            "NOT",
            "*",
            "a.b:",
            "attributes.",
            'attributes."x y":',
            "..",
            ",",
            " ",
            "time<",
            "2h",
            "10MB",
            "$1",
            "é",
            "--",
            "/*",
        ]
    ),
    max_size=12,
).map("".join)
WRONG = [
    ('say "hello', 4, "this quote is not closed"),
    ("(a OR b", 0, "this bracket is not closed"),
    ("a)", 1, "no bracket is open here"),
    ("a OR", 2, "nothing stands behind this"),
    ("OR a", 0, "no term stands before this"),
    ("-", 0, "nothing stands behind -"),
    ("servce:x", 0, "there is no field servce; did you mean service"),
    ("colour:x", 0, "there is no field colour; did you mean country or attributes.colour"),
    ("zzz:x", 0, "there is no field zzz; write attributes.zzz"),
    ("status:abc", 7, "'abc' is no number"),
    ("level>=loud", 7, "'loud' is no level"),
    ("size>10parsecs", 5, "'10parsecs' is no size"),
    ("duration>1.5y", 9, "'1.5y' is no duration"),
    ("time>soon", 5, "'soon' is no time"),
    ("client:10.0.0/8", 7, "'10.0.0/8' is no network"),
    ('path~"a("', 5, "missing )"),
    ("status >= 500", 7, "no field stands before this"),
    ("user:", 0, "no value stands behind this"),
    ("status:()", 7, "the list is empty"),
    ("status:(404", 7, "this bracket is not closed"),
    ('a"b"', 0, "a quote stands in the middle of a word"),
    ("status:..", 7, "the range has no ends"),
    ("a\x00b", 1, "a character here is no text"),
    ("(" * 60 + "a" + ")" * 60, 40, "nested too deep"),
    (" ".join("a" * 300), 400, "more than 200 terms"),
    ("a\nstatus:x", 9, "'x' is no number"),
]


def sql_of(text: str) -> str:
    return understood(text, now=NOW, since="all").where


def test_terms_beside_each_other_must_all_match_and_or_is_looser() -> None:
    a, b, c = (Word(Value(name)) for name in "abc")
    assert parse("a b OR c") == Or((And((a, b)), c))
    assert parse("a AND (b OR -c)") == And((a, Or((b, Not(c)))))
    assert parse("NOT (a b)") == Not(And((a, b)))
    assert parse("((a)) (b c)") == And((a, b, c))


def test_small_or_is_a_word() -> None:
    assert parse("this or that") == And(tuple(Word(Value(word)) for word in ("this", "or", "that")))


def test_an_empty_search_is_everything() -> None:
    assert parse(" ") == parse("*") == Everything()


def test_other_tools_spellings_are_understood() -> None:
    assert parse("status:>=500") == parse("status>=500")
    assert parse("status:(404 OR 410)") == parse("status:(404, 410)")


def test_addresses_and_times_need_no_quotes() -> None:
    assert parse("client:2001:db8::1") == Match("client", ":", (Value("2001:db8::1"),))
    assert sql_of("client:2001:db8::1") == "lower(client_address) = '2001:db8::1'"
    assert sql_of("127.0.0.1:80").startswith("(contains(lower(body), '127.0.0.1:80')")
    assert sql_of("time>=2026-11-01T10:00") == "\"timestamp\" >= TIMESTAMPTZ '2026-11-01 10:00:00+00:00'"


def test_names_of_opentelemetry_are_columns_and_other_dotted_ones_attributes() -> None:
    assert sql_of("http.response.status_code=404") == "http_response_status_code = 404"
    assert sql_of("shop.cart:7") == "lower(attributes['shop.cart']) = '7'"
    assert sql_of('attributes."it\'s":x') == "lower(attributes['it''s']) = 'x'"


def test_short_names_are_of_columns() -> None:
    assert set(ALIASES.values()) <= set(schema.SILVER_BY_NAME)


def test_what_is_negated_never_is_null() -> None:
    assert sql_of("-status:404") == "NOT coalesce(http_response_status_code = 404, false)"
    assert sql_of("-user:*") == "user_id IS NULL"


def test_a_day_is_all_of_it() -> None:
    assert "'2026-11-02 00:00:00+00:00'" in sql_of("time>2026-11-01")
    berlin = understood("time>2026-11-01", now=NOW, timezone="Europe/Berlin", since="all").where
    assert "'2026-11-01 23:00:00+00:00'" in berlin


def test_window_time_and_collection_are_conditions_on_plain_columns() -> None:
    where = understood("a*", now=NOW, since="2h", collection="it's").where
    assert where.startswith("\"timestamp\" >= TIMESTAMPTZ '2026-11-25 22:00:00+00:00' AND collection = 'it''s' AND ")


@pytest.mark.parametrize(("text", "place", "cause"), WRONG, ids=[cause for _, _, cause in WRONG])
def test_a_mistake_is_shown_at_its_place(text: str, place: int, cause: str) -> None:
    with pytest.raises(QueryError) as raised:
        understood(text, now=NOW)
    first, line, carets = str(raised.value).split("\n")
    assert first.startswith("cannot search: ")
    assert cause in first
    assert "; " in first
    shown = carets.index("^") - 2
    sign = text[place : place + 1]
    assert line[2:][shown : shown + 1] in {sign, "·"}


@given(text=NOISE | PIECES)
@example("'; DROP TABLE logs; --")
@example('service:"\'; DROP"')
@example('attributes."\'] OR 1=1 --":x')
@example("$since {x: String} /* -- */")
@example("status:" + "9" * 5000)
@example("time>" + "9" * 400 + "d")
@example("time:9999-12-31")
@example("path~\\")
@example("a\\'b")
@settings(max_examples=500, deadline=None)
def test_whatever_the_text_it_is_one_condition_or_a_clear_error(text: str) -> None:
    try:
        scope = understood(text, now=NOW)
    except LogshedError as error:
        assert re.match("cannot search: .+; .+", str(error))  # noqa: PT017 - most texts are no error
        return
    assert parse(printed(parse(text))) == parse(text)
    sql = statements.records(scope)
    (statement,) = duckdb.extract_statements(sql)
    assert statement.type.name == "SELECT"
    assert not statement.named_parameters
    tree = dialect.parsed(sql)
    assert dialect.tables_of(tree) == {"logs"}
    assert dialect.to_clickhouse(tree, {}, {}, str)


def test_options_name_fields_as_searches_do() -> None:
    scope = understood("", now=NOW)
    assert statements.grouped(scope, ["service", "shop.cart"]).startswith(
        'SELECT service_name AS "service_name", attributes[\'shop.cart\'] AS "shop.cart", count(*)'
    )
    with pytest.raises(UsageError, match="there is no field servce; did you mean service"):
        statements.grouped(scope, ["servce"])
    with pytest.raises(UsageError, match="holds no numbers"):
        statements.percentile(scope, 95, "service")
    with pytest.raises(UsageError, match="a step divides a day"):
        statements.step_of("7h")
    with pytest.raises(UsageError, match="a step divides a day"):
        statements.step_of("²h")
