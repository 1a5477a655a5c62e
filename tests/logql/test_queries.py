"""What queries select and compute of ten records, as counted by hand."""

from __future__ import annotations

import random
from itertools import product
from typing import Any

import duckdb
import pytest
import re2
from tests.logql.conftest import START, Logs, at
from tests.sql.conftest import record

from logshed.errors import QueryError
from logshed.logql import Log, Steps, functions, labels, line, parse, selection, statements

SECOND = 1_000_000
FROM = int(START.timestamp()) * SECOND
APP, WEB, BOTH = '{collection="app"}', '{collection="web"}', '{collection=~".+"}'

SELECTED = {
    APP: [1, 2, 3, 4, 5, 6],
    '{collection="app", service_name=""}': [3],
    '{collection="app", service_name!=""}': [1, 2, 4, 5, 6],
    '{collection=~"app|web", service_name!="pay"}': [3, 7, 8, 9, 10],
    '{service_name=~"sh.*"}': [7, 8, 9, 10],
    '{service_name=~"sh"}': [],
    '{collection!~"a.*", level="error"}': [9],
    '{job="billing"}': [2],
    '{level=~"error|fatal"}': [2, 3, 6, 9],
    '{detected_level="info"}': [1, 5, 7, 10],
    APP + ' |= "timeout"': [2, 3],
    APP + ' |= "TIMEOUT"': [],
    APP + ' |~ "(?i)TIMEOUT"': [2, 3],
    APP + ' |= "timeout" != "db"': [2],
    APP + ' |= "started" or "slow"': [1, 4],
    APP + ' !~ "o" |= ``': [1, 6],
    APP + ' |> "timeout <_>"': [2, 3],
    APP + ' |> "timeout"': [],
    APP + ' !> "<_>timeout<_>"': [1, 4, 5, 6],
    APP + " |= `at y`": [6],
    BOTH + " |= `cart`": [7, 9],
    BOTH + " != `cart` |= `GET`": [8, 10],
    BOTH + " |= `dead`": [6],
    BOTH + " |= `pay` or `started`": [1, 8, 10],
    BOTH + " != `GET` != `timeout` != `order`": [1, 4, 6],
    WEB + ' |= "GET /cart 500"': [9],
    APP + ' | order_id="77"': [2],
    APP + " | json | order_id=5": [5],
    APP + " | json | order_id>=77 or order_id=5": [2, 3, 5],
    APP + ' | json tag="order.tags[1]" | tag="y"': [5],
    APP + ' | json tag=`order["tags"][0]`, i="order.id" | tag="x", i="5"': [5],
    APP + ' | json | __error__="" | n > 1': [5],
    APP + ' | json n="", m="²", o="a.\\"" | n="", m="", o=""': [1, 2, 3, 4, 5, 6],
    APP + ' | json | order__id=""': [1, 2, 3, 4, 5, 6],
    APP + ' | logfmt | user="Ann B"': [4],
    APP + ' | logfmt t="took" | t >= 3s': [4],
    APP + " | logfmt | took > 3s": [],
    APP + ' | pattern "timeout <how> <_>" | how = "after"': [2],
    APP + ' | pattern "timeout <how> <what>" | how = "after"': [2],
    APP + ' | regexp "timeout (?P<how>\\\\w+)" | how=~"a.*|of"': [2, 3],
    WEB + " | http_response_status_code >= 400": [8, 9],
    WEB + " | status >= 400 and status != 404": [9],
    WEB + " | status = 200 or duration > 1s": [7, 8, 10],
    WEB + " | status = 200, duration < 1s": [7, 10],
    WEB + " | (status = 200 or status = 500) and size >= 1MB": [10],
    WEB + " | duration_ms != 12": [8, 10],
    WEB + " | took >= 8m1s and took < 9m1s": [8],
    WEB + " | weight > 8KB and weight <= 9000B": [9],
    WEB + ' | client_address = ip("10.0.0.8/30")': [8, 9, 10],
    WEB + ' | client_address != ip("10.0.0.8")': [7, 9, 10],
    WEB + ' | line_format "{{.http_request_method | ToLower}}={{ .url_path }}" |= "get=/cart"': [7, 9],
    WEB + ' | label_format p="{{ trimPrefix \\"/\\" .url_path }}" | p = "pay"': [8, 10],
    WEB + ' | label_format p=url_path | p = "/pay" and url_path = ""': [8, 10],
    WEB + ' | drop url_path | url_path=""': [7, 8, 9, 10],
    WEB + ' | drop url_path="/pay" | url_path="" # a comment': [8, 10],
    WEB + ' | keep url_path | http_request_method=""': [7, 8, 9, 10],
    APP + ' | decolorize |= "dead\\n"': [6],
    BOTH + ' | trace_id != ""': [4],
}


@pytest.mark.parametrize("text", SELECTED)
def test_a_query_selects_the_records_that_it_says(small: Logs, text: str) -> None:
    tree = parse(text)
    assert isinstance(tree, Log)
    where = statements.lines(tree, text).condition
    rows = small.rows(f'SELECT "offset" FROM logs WHERE {where} ORDER BY 1')
    assert [offset // 100 for (offset,) in rows] == SELECTED[text]


MADE = {
    APP + ' | decolorize |= "dead" | line_format "{{ __line__ | trunc 4 }}"': ("dead", {}),
    APP + ' | order_id="77" | line_format `{{ .order_id }}: {{- " " -}} {{ .none | default "-" }}`': ("77: -", {}),
    WEB + ' | status=404 | label_format a=`{{ replace "/" "_" .url_path }}`, b=level': (
        "10.0.0.8 GET /pay 404 2000B 1500.0ms",
        {"a": "_pay", "b": "warn"},
    ),
}


@pytest.mark.parametrize("text", MADE)
def test_formats_write_lines_and_labels(small: Logs, text: str) -> None:
    tree = parse(text)
    assert isinstance(tree, Log)
    asked = statements.lines(tree, text)
    (row,) = small.rows(f"SELECT {asked.selected} FROM logs WHERE {asked.condition}")
    line, made = MADE[text]
    begin = 2 + len(asked.streams)
    assert row[1] == line
    assert dict(zip(asked.made, row[begin:], strict=False)) == made


# At 10:01:30: the window of 30 s holds records 4 (60 s), 9 (65), 5 (70), 6 (80), 10 (85); 60 s was too early for it.
COMPUTED: dict[str, dict[tuple[str | None, ...], float]] = {
    f"sum(count_over_time({BOTH}[30s]))": {(): 4},
    f"sum(count_over_time({BOTH}[30s] offset 1m))": {(): 4},
    f"sum by (level) (count_over_time({BOTH} | drop __error__ [90s]))": {
        ("error",): 3,
        ("fatal",): 1,
        ("info",): 3,
        ("warn",): 2,
    },
    f"sum(rate({APP} |= `timeout` [90s])) / sum(rate({APP}[90s])) * 100": {(): 40.0},
    f"count(count_over_time({BOTH}[2m]))": {(): 8},
    f"max by (collection) (count_over_time({BOTH}[2m]))": {("app",): 2, ("web",): 2},
    f"avg(sum by (level) (count_over_time({APP}[2m])))": {(): 1.5},
    f"topk(1, sum by (collection) (count_over_time({BOTH}[2m])))": {("app",): 6},
    f"bottomk(1, sum by (collection) (count_over_time({BOTH}[2m])))": {("web",): 4},
    f"sum by (service_name) (count_over_time({BOTH}[2m])) > 3": {("pay",): 5, ("shop",): 4},
    f"sum by (service_name) (count_over_time({BOTH}[2m])) > bool 4": {("pay",): 1, ("shop",): 0, (None,): 0},
    f"2 ^ sum(count_over_time({WEB}[2m]))": {(): 16},
    f"sum by (url_path) (count_over_time({WEB} | http_response_status_code >= 400 [2m]))": {
        ("/cart",): 1,
        ("/pay",): 1,
    },
    f"sum_over_time({WEB} | unwrap bytes(weight) [2m]) by (url_path)": {("/cart",): 16_000, ("/pay",): 18_000},
    f"max_over_time({WEB} | unwrap duration(took) | status < 500 [2m]) by (collection)": {("web",): 601.5},
    f"avg_over_time({WEB} | unwrap duration_ms [2m]) by (url_path)": {("/cart",): 12, ("/pay",): 770},
    f"quantile_over_time(0.5, {WEB} | unwrap duration_ms [2m]) by (collection)": {("web",): 40},
    f'sum by (who) (count_over_time({APP} | json who="order.id" [2m]))': {
        ("5",): 1,
        ("77",): 1,
        ("78",): 1,
        (None,): 3,
    },
    f"sum by (level) (count_over_time({APP}[2m])) and sum by (level) (count_over_time({WEB}[2m]))": {
        ("error",): 2,
        ("info",): 2,
        ("warn",): 1,
    },
    f"sum by (level) (count_over_time({APP}[2m])) unless on (level) sum by (level) (count_over_time({WEB}[2m]))": {
        ("fatal",): 1,
    },
    f"sum(count_over_time({APP} |= `nowhere` [2m])) or vector(0)": {(): 0},
    'absent_over_time({service_name="gone"}[2m])': {("gone",): 1},
    'absent_over_time({service_name="shop"}[2m])': {},
    f'label_replace(sum by (service_name) (count_over_time({WEB}[2m])), "x", "<$1>", "service_name", "s(.*)")': {
        ("shop", "<hop>"): 4,
    },
    "vector(1)+vector(1)": {(): 2},
    "-2 ^ 2 + 10 % 4": {(): 6},
    "1 / 0": {(): float("inf")},
    f"sum without (collection, service_name, host_name, log_format, source) (count_over_time({APP}[2m]))": {
        ("error",): 2,
        ("fatal",): 1,
        ("info",): 2,
        ("warn",): 1,
    },
}


@pytest.mark.parametrize("text", COMPUTED)
def test_a_metric_is_what_is_counted_by_hand(small: Logs, text: str) -> None:
    tree = parse(text)
    assert not isinstance(tree, Log)
    sql, names = statements.metric(tree, Steps(FROM + 90 * SECOND, SECOND, 0), text)
    there = small.rows(sql)
    kept = [
        place
        for place, name in enumerate(names)
        if name in {"level", "collection", "service_name", "x", "who", "url_path"}
    ]
    assert {tuple(row[1 + place] for place in kept): row[-1] for row in there} == pytest.approx(COMPUTED[text])


def test_every_function_has_an_example_that_runs(small: Logs) -> None:
    examples = {name: one.example for kind in functions.known().values() for name, one in kind.items()}
    parts = []
    for name, text in examples.items():
        tree = parse(text)
        assert not isinstance(tree, Log)
        assert name.removesuffix("_of_number") in text
        parts.append(f"SELECT count(*) FROM ({statements.metric(tree, Steps(FROM, 15 * SECOND, 7), text)[0]})")
    assert len(small.rows("\nUNION ALL\n".join(parts))) == len(examples)


def test_every_label_has_an_example_that_names_it(small: Logs) -> None:
    parts = []
    for name, label in labels.known().items():
        tree = parse(label.example)
        assert isinstance(tree, Log)
        assert any(one in label.example for one in (name, *label.also))
        parts.append(f"SELECT count(*) FROM logs WHERE {statements.lines(tree, label.example).condition}")
    assert len(small.rows("\nUNION ALL\n".join(parts))) == len(labels.known())


def test_a_line_is_looked_through_as_it_is_shown() -> None:
    dice = random.Random(5)  # noqa: S311 - a test's dice
    words = ["cart", "pay", "a/b", "", None, None, None, None]
    columns = [*line.TEXTS, "event_name", "parse_error"]
    rows = []
    for number in range(2000):
        own: dict[str, Any] = {column: dice.choice(words) for column in columns if dice.random() < 0.4}
        own["attributes"] = {"k": dice.choice(["cart", "x"])} if dice.random() < 0.5 else None
        own["http_response_status_code"] = dice.choice([None, None, 200])
        own["http_response_body_size"] = dice.choice([None, 17])
        own["duration_ms"] = dice.choice([None, 12.5])
        rows.append(record(number, START, **own))
    mixed = Logs(rows)
    for text in (
        "cart",
        "a/b",
        "pay",
        "cart pay",
        "200 17B",
        "2.5ms",
        "k=cart",
        "pay?cart",
        'cart"',
        "t: p",
        "cart\na",
    ):
        sql = f"SELECT {line.line()}, {line.contains(text, line.line())} FROM logs"
        found = mixed.rows(sql)
        assert [bool(there) for _, there in found] == [text in shown for shown, _ in found]
        assert 0 < sum(bool(there) for _, there in found) < len(found)


def test_a_line_is_matched_as_it_is_shown() -> None:
    shown = ["Timeout", "TIMEOUT x", "\u017fe\u017f\u017fion", "SESSION", "pay-ed", None, "pay"]
    rows = [
        record(number, START, body=body, url_path=path) for number, (body, path) in enumerate(product(shown, shown))
    ]
    mixed = Logs(rows)
    for expression in ("(?i)timeout", "(?i)session", "Timeout|pay-", "(?i)PAY|x", "pay|", "TIMEOUT x", "(?i)sk", "p.y"):
        sql = f"SELECT {line.line()}, {line.matches(expression, line.line())} FROM logs"
        found = mixed.rows(sql)
        exact = re2.compile(expression)
        assert [bool(there) for _, there in found] == [bool(exact.search(text)) for text, _ in found], expression


MISTAKES = {
    "": "cannot search: a metric is missing here",
    "{}": "nothing in this selector must be there",
    '{collection=~".*"}': "nothing in this selector must be there",
    '{collection="app"': "} is missing, or a comma|, is missing",
    '{collection="app"} |= timeout': "a text in quotes is missing before 'timeout'",
    '{collection="app"} | unpack': "unpack is not supported",
    '{collection="app"} | jsonn': "jsonn is no stage",
    '{collection="app"} |~ "("': "missing",
    '{collection="app"} | a = 5parsecs': "5parsecs is no number, duration or size",
    '{collection="app"} | a > "b"': "texts have no order here",
    '{collection="app"} | line_format "{{ if .x }}a{{ end }}"': "not supported|not known",
    '{collection="app"} | unwrap x': "a number is unwrapped, but nothing computed",
    'rate({collection="app"})': r"\[ is missing before '\)'",
    'rate({collection="app"}[5])': "5 is no duration",
    'sum_over_time({collection="app"}[5m])': "sum_over_time computes with numbers",
    'count_over_time({collection="app"} | unwrap x [5m])': "count_over_time counts lines",
    'quantile_over_time(2, {collection="app"} | unwrap x [5m])': "a quantile is from 0 to 1",
    'histogram({collection="app"}[5m])': "there is no function histogram",
    'sum(rate({collection="app"}[5m])) * on (level) group_left rate({collection="app"}[5m])': "many series to one",
    'topk(0, rate({collection="app"}[5m]))': "so many series cannot be kept",
    "1 and 2": "chooses among series",
    '{collection="app} ': "this quote is not closed",
    '{collection="a\\qb"}': "there is no such escape",
    '{collection="app"} }': "'}' cannot stand here",
    "(" * 60 + "1": "nested too deep",
    "1" + "+1" * 5_000: "more than 100 operators",
    "2" + "^2" * 5_000: "more than 100 operators",
    '{collection="app"} | client_address = ip("2001:db8::/32")': "only networks of IPv4",
}


@pytest.mark.parametrize("text", MISTAKES)
def test_what_is_not_supported_is_refused_with_its_place(text: str) -> None:
    def understood() -> None:
        tree = parse(text)
        if isinstance(tree, Log):
            statements.lines(tree, text)

    with pytest.raises(QueryError, match=MISTAKES[text]) as refused:
        understood()
    assert str(refused.value).rstrip().endswith("^")


def test_a_hostile_text_stays_a_text(small: Logs) -> None:
    odd = "x' OR 1=1 --"
    for text in (
        f'{{collection="{odd}"}}',
        f'{APP} |= "{odd}"',
        f'{APP} | a="{odd}"',
        f'{APP} | json b="{odd}" | b="c"',
    ):
        tree = parse(text)
        assert isinstance(tree, Log)
        where = statements.lines(tree, text).condition
        assert small.rows(f"SELECT count(*) FROM logs WHERE {where}") == [(0,)]


def test_series_that_match_twice_are_refused(small: Logs) -> None:
    text = f"sum by (level) (count_over_time({APP}[2m])) / on (collection) sum by (level) (count_over_time({APP}[2m]))"
    tree = parse(text)
    assert not isinstance(tree, Log)
    sql, _ = statements.metric(tree, Steps(FROM + 90 * SECOND, SECOND, 0), text)
    with pytest.raises(duckdb.InvalidInputException, match="cannot match series one to one"):
        small.rows(sql)


def test_an_underscore_may_be_a_dot() -> None:
    assert labels.keys_of("order_id") == ["order_id", "order.id"]
    assert labels.keys_of("__error__") == ["__error__"]
    assert labels.keys_of("a_b_c_d_e") == ["a_b_c_d_e", "a.b.c.d.e"]


def test_a_selection_is_a_selector() -> None:
    assert [one.name for one in selection('{a="1", b!="2"}')] == ["a", "b"]
    with pytest.raises(QueryError, match="labels and series are told of a selector"):
        selection("vector(1)")
    assert at(0) == START
