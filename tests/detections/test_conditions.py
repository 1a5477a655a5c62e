"""Conditions hold for the records that Sigma says they hold for."""

from __future__ import annotations

from typing import Any

import pytest

from logshed.detections.loading import read_rules
from logshed.detections.model import Case
from logshed.errors import DetectionError
from logshed.pipeline.rule_cases import CaseReader, find
from logshed.settings import Settings

READER = CaseReader(Settings.load())


def holds(detection: str, source: str = "product: logshed", **values: Any) -> bool:
    """Whether a rule finds a record of these values; ``attributes`` is a mapping."""
    text = f"title: x\nlogsource: {{{source}}}\ndetection:\n" + "\n".join(
        f"  {line}" for line in detection.splitlines()
    )
    (rule,) = read_rules("x", text, "x.yml")
    event = {**values, **{f"attributes.{key}": value for key, value in values.pop("attributes", {}).items()}}
    event.pop("attributes", None)
    return not find([rule], READER.rows(Case("", True, events=(event,)))).is_empty()


def one(field: str) -> str:
    return f"s: {{{field}}}\ncondition: s"


@pytest.mark.parametrize(
    ("field", "values", "should"),
    [
        ("body: Hello", {"body": "hELLO"}, True),
        ("body: hello", {"body": "hello "}, False),
        ("body|contains: 'UNION'", {"body": "a union b"}, True),
        ("body|startswith: 'a_b'", {"body": "A_bc"}, True),
        ("body|startswith: 'a_b'", {"body": "axbc"}, False),
        ("body|endswith: '100%'", {"body": "at 100%"}, True),
        ("body|endswith: '100%'", {"body": "at 1000"}, False),
        ("body: 'a*c'", {"body": "a\nb\nc"}, True),
        ("body: 'a?c'", {"body": "abc"}, True),
        ("body: 'a?c'", {"body": "ac"}, False),
        (r"body: 'a\*c'", {"body": "a*c"}, True),
        (r"body: 'a\*c'", {"body": "abc"}, False),
        (r"body|contains: '\\share'", {"body": r"x\share"}, True),
        ('body|contains: "it\'s"', {"body": "IT'S"}, True),
        ("body|cased: Hello", {"body": "hello"}, False),
        ("body|cased|contains: ell", {"body": "hello"}, True),
        ("body|re: '^a.c$'", {"body": "abc"}, True),
        ("body|re: '^A.c$'", {"body": "abc"}, False),
        ("body|re|i: '^A.c$'", {"body": "abc"}, True),
        ("body|contains|all: [a, b]", {"body": "xbya"}, True),
        ("body|contains|all: [a, b]", {"body": "xa"}, False),
        ("body: [x, y]", {"body": "Y"}, True),
        ("body: ''", {"body": ""}, True),
        ("body: null", {}, True),
        ("body: null", {"body": "x"}, False),
        ("body|exists: true", {"body": "x"}, True),
        ("body|exists: false", {"body": "x"}, False),
        ("http_response_status_code: 404", {"http_response_status_code": 404}, True),
        ("http_response_status_code: '404'", {"http_response_status_code": 404}, True),
        ("http_response_status_code: '5*'", {"http_response_status_code": 503}, True),
        ("http_response_status_code|gte: 500", {"http_response_status_code": 500}, True),
        ("http_response_status_code|lt: 500", {"http_response_status_code": 500}, False),
        ("client_address|cidr: 10.0.0.0/8", {"client_address": "10.2.3.4"}, True),
        ("client_address|cidr: 10.0.0.0/8", {"client_address": "110.2.3.4"}, False),
        ("client_is_internal: true", {"client_is_internal": True}, True),
        ("my.key: V", {"attributes": {"my.key": "v"}}, True),
        ("my.key: 5", {"attributes": {"my.key": "5"}}, True),
        ("my.key|gt: 5", {"attributes": {"my.key": "51"}}, True),
        ("my.key|gt: 5", {"attributes": {"my.key": "many"}}, False),
        ("body|fieldref: user_id", {"body": "Ann", "user_id": "ann"}, True),
        ("body|windash|contains: ' -x'", {"body": "a /x"}, True),
        ("body|base64offset|contains: secret", {"body": "xc2VjcmV0"}, True),
    ],
)
def test_a_field_holds_what_sigma_says(field: str, values: dict[str, Any], should: bool) -> None:
    assert holds(one(field), **values) is should


def test_what_is_negated_holds_where_there_is_no_such_field() -> None:
    condition = "s: {event_name: login}\nf: {user_id|startswith: svc}\ncondition: s and not f"
    assert holds(condition, event_name="login")
    assert holds(condition, event_name="login", user_id="ann")
    assert not holds(condition, event_name="login", user_id="svc-1")


def test_keywords_are_looked_for_in_all_that_a_record_says() -> None:
    condition = "keywords: [Segfault, 'at*0x']\ncondition: keywords"
    assert holds(condition, body="a SEGFAULT here")
    assert holds(condition, attributes={"detail": "segfault"})
    assert holds(condition, body="at address 0x12 of")
    assert not holds(condition, body="fine")


def test_one_of_them_and_all_of_them() -> None:
    parts = "sa: {body|contains: a}\nsb: {body|contains: b}\n"
    assert holds(parts + "condition: 1 of s*", body="xb")
    assert not holds(parts + "condition: all of s*", body="xb")
    assert holds(parts + "condition: all of them", body="ab")


def test_requests_are_seen_as_the_program_behind_the_server_sees_them() -> None:
    rule = 's: {request|contains: "\' or 1=1"}\ncondition: s'
    for query in ("q=%27%20or%201%3D1", "q=%2527+or+1%253D1", "q=%u0027 or 1=1", "q=&#39; or 1=1", "q='/**/or/**/1=1"):
        assert holds(rule, "category: webserver", url_path="/a", url_query=query), query
    assert holds(one("request_path|contains: '../'"), "category: webserver", url_path="/a/%c0%ae%c0%ae/b")


def test_a_log_source_narrows_the_records() -> None:
    assert not holds(one("body: x"), "category: webserver", body="x")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("title: x\nlogsource: {product: logshed}\ndetection: {s: {body|re: '(?=a)'}, condition: s}", "(?=a)"),
        ("title: x\nlogsource: {product: nothing}\ndetection: {s: {a: b}, condition: s}", "logsource"),
        ("title: x\nlogsource: {product: logshed}\ndetection: {s: {a: b}, condition: t}", "t"),
        ("title: x\nlogsource: {product: logshed}\ndetection: {s: {a: b}, condition: s}\nlevel: awful", "awful"),
        ("title: x\n  y: : z", "line 2"),
        ("a: &a [b]\ntitle: *a", "x.yml"),
        ("[]", "x.yml"),
        (
            "title: x\nlogsource: {product: logshed}\ndetection: {s: {a: b}, condition: s}\nlogshed: {when: 1}",
            "logshed",
        ),
        (
            "title: x\ncorrelation: {type: event_count, rules: [y], group-by: [a], timespan: 1m, condition: {gte: 1}}",
            "y",
        ),
    ],
)
def test_a_broken_rule_is_refused_with_its_file_and_what_is_wrong(text: str, said: str) -> None:
    with pytest.raises(DetectionError, match=r"^cannot load rule x\.yml: ") as caught:
        read_rules("x", text, "x.yml")
    assert said in str(caught.value)


def test_an_expression_that_would_take_for_ever_elsewhere_is_answered_at_once() -> None:
    assert not holds(one("body|re: '^(a+)+$'"), body="a" * 20_000 + "!")
