"""A real browser for the tests that look at pages."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

CHROMIUM = "/usr/bin/chromium"
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip

WAIT_MS = 60_000
"""So long a page is given to show what it is to show; five seconds, as Playwright has it, are few beside others."""


@contextmanager
def launched() -> Iterator[Browser]:
    """A headless Chromium. Close it before other tests begin: their event loops would meet its own."""
    if not shutil.which(CHROMIUM):
        pytest.skip("needs the system package chromium, which is not installed; tools/system-packages installs it")
    from playwright.sync_api import expect, sync_playwright  # noqa: PLC0415 - only where there is a browser

    expect.set_options(timeout=WAIT_MS)
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield opened
        opened.close()
