"""Prints a report's pages to PDF by a headless browser, where one is installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from logshed.errors import ReportError

if TYPE_CHECKING:
    from collections.abc import Mapping

BROWSERS = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome", "microsoft-edge")
SECONDS = 120
_PRINTING = (
    "--headless", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-extensions", "--no-first-run", "--no-pdf-header-footer", "--window-size=1000,1400",
)  # fmt: skip


def browser() -> str:
    """The program that prints.

    Raises:
        ReportError: None is installed.
    """
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        raise ReportError(
            f"cannot print the report: there is no {BROWSERS[0]} or Chrome; install one, or print a page in a browser"
        )
    return found


def printed(pages: Mapping[str, bytes], program: str) -> dict[str, bytes]:
    """Pages as PDF files by name.

    Args:
        pages: HTML pages by file name.
        program: The browser.

    Raises:
        ReportError: The browser fails.
    """
    with tempfile.TemporaryDirectory(prefix="logshed-print-") as folder:
        root = Path(folder)
        return {name.replace(".html", ".pdf"): _printed(root, name, page, program) for name, page in pages.items()}


def _printed(root: Path, name: str, page: bytes, program: str) -> bytes:
    source, target = root / name, root / f"{name}.pdf"
    source.write_bytes(page)
    # The browser's sandbox cannot be had as root; the page runs no script but ours.
    alone = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    words = [program, *_PRINTING, *alone, f"--user-data-dir={root / 'profile'}", f"--print-to-pdf={target}"]
    try:
        done = subprocess.run(  # noqa: S603 - a browser found on the PATH, our own words
            [*words, source.as_uri()], check=False, capture_output=True, timeout=SECONDS
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ReportError(
            f"cannot print {name}: {program} fails ({type(error).__name__}); print it yourself"
        ) from error
    if not target.is_file():
        raise ReportError(
            f"cannot print {name}: {program} wrote no file (exit code {done.returncode}); print it yourself"
        )
    return target.read_bytes()
