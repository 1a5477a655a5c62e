"""User agents: who is a person's browser, who is a program, and what they are called."""
# ruff: noqa: E501 - user agents are long

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logshed.enrichment.user_agents import describe, enrich

_CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Safari/537.36"
)


@pytest.mark.parametrize(
    ("text", "name", "system"),
    [
        (_CHROME, "Chrome", "Windows"),
        (_CHROME + " Edg/124.0.2478.51", "Edge", "Windows"),
        (_CHROME + " OPR/110.0.0.0", "Opera", "Windows"),
        (_CHROME + " Vivaldi/6.7.3329.17", "Vivaldi", "Windows"),
        ("Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:125.0) Gecko/20100101 Firefox/125.0", "Firefox", "Ubuntu"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:125.0) Gecko/20100101 Firefox/125.0", "Firefox", "Linux"),
        ("Mozilla/5.0 (Windows; U; Windows NT 5.1; de; rv:1.9.1.3) Gecko/20090824 Firefox/3.5.3 (.NET CLR 3.5.30729)", "Firefox", "Windows"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Safari/605.1.15", "Safari", "macOS"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Mobile/15E148 Safari/604.1", "Safari", "iOS"),
        ("Mozilla/5.0 (iPad; CPU OS 16_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/124.0.6367.62 Mobile/15E148 Safari/604.1", "Chrome", "iOS"),
        ("Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Mobile Safari/537.36", "Chrome", "Android"),
        ("Mozilla/5.0 (Linux; Android 13; SM-G991B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/24.0 Chrome/117.0.0.0 Mobile Safari/537.36", "Samsung Internet", "Android"),
        ("Mozilla/5.0 (Linux; Android 9; CUBOT_X19) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/86.0.4240.99 Mobile Safari/537.36", "Chrome", "Android"),
        ("Mozilla/4.0 (compatible; MSIE 8.0; Windows NT 6.1; WOW64; Trident/4.0; SLCC2; .NET CLR 2.0.50727; InfoPath.3)", "Internet Explorer", "Windows"),
        ("Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; Touch; rv:11.0) like Gecko", "Internet Explorer", "Windows"),
        ("Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Safari/537.36", "Chrome", "ChromeOS"),
        ("Opera/9.80 (Windows NT 6.1; U; en) Presto/2.8.131 Version/11.11", "Opera", "Windows"),
        ("Mozilla/5.0 (X11; U; Linux i686; it-IT; rv:1.9.0.2) Gecko/2008092313 Ubuntu/9.04 (jaunty) Firefox/3.0.8", "Firefox", "Ubuntu"),
        ("Mozilla/5.0 (Linux; Android 12; SM-A515F; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/123.0.6312.118 Mobile Safari/537.36 Instagram 325.0.0.35.91", "Instagram", "Android"),
    ],
)  # fmt: skip
def test_a_browser_is_a_person(text: str, name: str, system: str) -> None:
    found = describe(text)
    assert found is not None
    assert (found.name, found.os, found.is_bot) == (name, system, False)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "Googlebot"),
        ("curl/8.5.0", "curl"),
        ("python-requests/2.31.0", "python-requests"),
        ("Go-http-client/1.1", "Go-http-client"),
        ("kube-probe/1.29", "kube-probe"),
        ("Mozilla/5.0 (compatible; Ourspider/3; +https://crawl.example/about)", "Ourspider"),
        ("Orders-Import/7", "Orders-Import"),
        (_CHROME.replace("Chrome", "HeadlessChrome"), "HeadlessChrome"),
        (_CHROME + " PageWatcher/2.0", "PageWatcher"),
        ("Mozilla/5.0 (compatible; Some Checker)", "Some Checker"),
    ],
)
def test_a_program_is_told_by_what_a_browser_never_says(text: str, name: str) -> None:
    found = describe(text)
    assert found is not None
    assert (found.name, found.is_bot) == (name, True)


def test_no_agent_is_neither() -> None:
    frame = enrich(pl.DataFrame({"user_agent_original": [None, "-", "", _CHROME]}))
    assert frame["user_agent_is_bot"].to_list() == [None, None, None, False]
    assert frame["user_agent_name"].to_list() == [None, None, None, "Chrome"]


def test_a_frame_without_agents_stays_as_it_is() -> None:
    frame = pl.DataFrame({"body": ["x"]})
    assert enrich(frame) is frame


def test_what_the_log_says_itself_is_replaced() -> None:
    frame = pl.DataFrame({"user_agent_original": ["curl/8"], "user_agent_name": ["other"]})
    assert enrich(frame)["user_agent_name"].to_list() == ["curl"]


def test_a_record_without_an_agent_keeps_what_it_says_whatever_others_say() -> None:
    frame = pl.DataFrame({"user_agent_original": ["curl/8.5", None], "user_agent_name": ["other", "Own"]})
    found = enrich(frame)
    assert found["user_agent_name"].to_list() == ["curl", "Own"]
    assert found["user_agent_is_bot"].to_list() == [True, None]


@given(st.text(max_size=300))
def test_any_text_is_described(text: str) -> None:
    describe(text)
