"""A report of the sample lake with hostile values, and a real browser that looks at it."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from tests.browser import launched
from tests.queries import sample_lake

from logshed.api import Lake
from logshed.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, BrowserContext, Page

NOW = datetime(2024, 5, 10, tzinfo=UTC)
SINCE, UNTIL = "2024-04-01", "2024-05-09"
EVIL = '</script><img src=x onerror="window.hacked=1"><script>window.hacked=1</script>&amp;\'"\u2028'
FORMULA = "=HYPERLINK(1)"
PAGES = (
    "log_analytics_dashboard", "traffic_patterns", "security_analysis", "security_summary", "error_breakdown",
    "performance_dashboard", "commerce", "compliance",
)  # fmt: skip


def hostile() -> list[dict[str, Any]]:
    """Records whose every text is hostile; the first hundred of 200 come on a day of their own."""
    texts = ("url_path", "service_name", "scope_name", "body", "user_id", "exception_type", "cloud_region")
    more = ("http_request_method", "user_agent_original", "user_agent_name", "client_address", "severity_text")
    found = []
    for number in range(60):
        value = FORMULA if number % 10 == 0 else EVIL
        when = sample_lake.START + timedelta(days=30 + number % 3, minutes=number)
        fields = {**dict.fromkeys((*texts, *more), value), "severity_number": 17, "http_response_status_code": 500}
        found.append(sample_lake.record(10_000 + number, when, **fields, collection=EVIL, duration_ms=5.0))
        event = {"event_name": value, "event_outcome": "failure", "user_id": value, "url_query": f"q={value}"}
        found.append(sample_lake.record(20_000 + number, when, **event))
    return found


@dataclass
class Made:
    """A report, and the lake that it is of."""

    lake: Lake
    folder: Path
    told: dict[str, Any] = field(default_factory=dict)

    def page(self, name: str) -> dict[str, Any]:
        """What report.json says of a page."""
        return next(one for one in self.told["pages"] if one["page"]["name"] == name)

    def run(self, answer: dict[str, Any], since: str = SINCE, until: str = UNTIL) -> list[tuple[Any, ...]]:
        """A question asked of the lake itself."""
        params = answer["params"]
        return self.lake.run(answer["question"], since=since, until=until, now=NOW, **params).rows()


def make(folder: Path, rows: list[dict[str, Any]], *, found: bool = True, **options: Any) -> Made:
    """A report of a lake with these rows."""
    findings = sample_lake.findings() if found else []
    sample_lake.write(folder / "lake", rows, findings, sample_lake.incidents() if found else [])
    lake = Lake.open(folder / "lake", settings=Settings())
    out = folder / "out"
    lake.report(out, since=SINCE, until=UNTIL, now=NOW, **options)
    return Made(lake, out, orjson.loads((out / "report.json").read_bytes()))


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """The report of the sample lake with hostile records beside the rest."""
    rows = sorted([*sample_lake.records(), *hostile()], key=lambda row: (row["timestamp"], row["offset"]))
    return make(tmp_path_factory.mktemp("report"), rows)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A headless Chromium."""
    with launched() as opened:
        yield opened


@dataclass
class Seen:
    """A page in the browser, and what it said and asked for."""

    page: Page
    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def open(self, path: Path, choice: str = "") -> Page:
        """Open a page and wait until it is drawn."""
        self.page.goto(path.as_uri() + choice)
        self.page.wait_for_selector("html[data-ready=yes]", state="attached")
        return self.page

    def listen(self) -> None:
        """Keep what it says and asks for from now on."""
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("dialog", lambda dialog: self.said.append(dialog.message))
        self.page.on("request", lambda request: self.asked.append(request.url))


@contextmanager
def seen(browser: Browser, width: int = 1440, scheme: Any = "light") -> Iterator[Seen]:
    """A window of the browser."""
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, accept_downloads=True)
    context.set_default_timeout(60_000)
    window = Seen(context.new_page())
    window.listen()
    yield window
    context.close()


class Tabs:
    """Wide light windows that stay open, one a page, for tests that look at it and choose days; as its opening is dear.

    Attributes:
        said: What any of the pages said.
    """

    def __init__(self, made: Made, context: BrowserContext) -> None:
        self.said: list[str] = []
        self._made = made
        self._context = context
        self._open: dict[str, Page] = {}

    def at(self, name: str) -> Page:
        """A page as it is when it is opened: with all days."""
        page = self._open.get(name) or self._open.setdefault(name, self._opened(name))
        if page.input_value("#from") or page.input_value("#to"):
            page.get_by_role("button", name="All days").click()
        page.evaluate("document.querySelectorAll('dialog[open]').forEach((one) => one.close())")
        return page

    def _opened(self, name: str) -> Page:
        page = self._context.new_page()
        window = Seen(page, self.said)
        window.listen()
        return window.open(self._made.folder / f"{name}.html")


@pytest.fixture(scope="module")
def tabs(made: Made, browser: Browser) -> Iterator[Tabs]:
    """The pages of the report, open."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.set_default_timeout(60_000)
    yield Tabs(made, context)
    context.close()


@pytest.fixture
def window(browser: Browser) -> Iterator[Seen]:
    """A wide light window."""
    with seen(browser) as opened:
        yield opened
