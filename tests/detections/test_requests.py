"""Requests are brought back to what the program behind the server understands."""

from __future__ import annotations

import polars as pl
import pytest

from logshed.detections.requests import decoded, with_made


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("/a?q=%27%20or%201=1", "/a?q=' or 1=1"),
        ("%2527", "'"),
        ("%25252e%25252e%25252f", "../"),
        ("%%32%65%%32%65/", "../"),
        ("a+b", "a b"),
        ("%c0%ae%c0%ae%c0%af", "../"),
        ("%e0%80%ae", "."),
        ("%f0%80%80%af", "/"),
        ("%c1%9c", "\\"),
        ("..%c0%2f..", "../.."),
        ("%u002e%u2215", "./"),
        ("..%e2%88%95etc", "../etc"),
        ("\\x3cscript\\u003e", "<script>"),
        ("&#x6a;ava&Tab;script&colon;", "java script:"),
        ("%ef%bc%9cscript%ef%bc%9e", "<script>"),
        ("1%09or%0b1", "1 or 1"),
        ("x%0aid", "x\nid"),
        ("x%00.png", "x\x00.png"),
        ("union/**/select", "union select"),
        ("union/*some words*/select", "union select"),
        ("/*!50000select*/", " select "),
        ("/*<script>*/", " <script> "),
        ("caf%c3%a9 100%25", "café 100%"),
    ],
)
def test_decoded(written: str, meant: str) -> None:
    """What attackers write in other ways is brought back, and ordinary text stays."""
    assert decoded(written) == meant


def test_a_request_is_the_path_and_the_query() -> None:
    """They are joined by a question mark where there is a query, and missing where there is neither."""
    rows = pl.DataFrame(
        {"url_path": ["/a", "/b%20c", None], "url_query": ["q=%3C", None, None]},
        schema={"url_path": pl.String, "url_query": pl.String},
    )
    made = with_made(rows, {"request"})
    assert made["f:request"].to_list() == ["/a?q=<", "/b c", None]
