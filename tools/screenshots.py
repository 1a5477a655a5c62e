"""Takes the pictures of README anew: the sample logs in a lake, the web application over it, a browser.

``python tools/screenshots.py`` writes ``docs/images/NAME.png``; ``make screenshots`` calls it. It needs Debian's
chromium and what ``make test`` installs.
"""

# ruff: noqa: T201, INP001 - a script that talks to people

from __future__ import annotations

import shutil
import sys
import tempfile
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import sync_playwright

from logshed.api import Lake
from logshed.web.serving import WebServer
from logshed.web.site import Site

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

ROOT = Path(__file__).parents[1]
IMAGES = ROOT / "docs" / "images"
CHROMIUM = "/usr/bin/chromium"
SIZE = {"width": 1280, "height": 800}
WINDOW = "since=2015-05-19T22:00:00Z&until=2015-05-20T22:00:00Z"
QUIET_MS = 2_500
"""Milliseconds until charts are drawn; a page that streams is never idle."""


def main() -> int:
    """Take them; 1 where there is no browser."""
    if not shutil.which(CHROMIUM):
        print(f"cannot take pictures: {CHROMIUM} is not there; install Debian's chromium", file=sys.stderr)
        return 1
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, _served(Path(folder)) as (lake, url), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport=SIZE, color_scheme="light", reduced_motion="reduce", timezone_id="UTC")
        worst = lake.query("SELECT incident_id FROM incidents ORDER BY threat_score DESC LIMIT 1").rows()[0][0]
        for name, path in (
            ("overview", f"/?{WINDOW}"),
            ("explore", f"/explore?q=status%3E%3D400&{WINDOW}"),
            ("incident", f"/security/incidents/{worst}"),
        ):
            _taken(page, f"{url}{path}", IMAGES / f"{name}.png")
        browser.close()
    return 0


@contextmanager
def _served(folder: Path) -> Iterator[tuple[Lake, str]]:
    lake = Lake.open(folder / "lake", create=True)
    lake.ingest([ROOT / "examples" / "access.log"], collection="shop")
    lake.ingest([ROOT / "examples" / name for name in ("app.jsonl", "docker-json.log")], collection="app")
    lake.ingest([ROOT / "examples" / "auth.log"], collection="hosts")
    lake.security.detect()
    server = WebServer(Site(lake, None, web=lake.settings.web.given(listen="127.0.0.1:0")))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield lake, server.url.rstrip("/")
    finally:
        server.close()
        thread.join()


def _taken(page: Page, url: str, to: Path) -> None:
    page.goto(url)
    page.wait_for_timeout(QUIET_MS)
    page.screenshot(path=to)
    print(to.relative_to(ROOT), file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
