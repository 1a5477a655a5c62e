"""The page that shows how to add a format shows one that works."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import polars as pl

from logshed.formats import registry
from logshed.formats.detect import detect
from logshed.formats.reader import format_from
from logshed.formats.samples import samples_fail

_PAGE = Path(__file__).parents[2] / "docs" / "add-a-format.md"


def _block(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", _PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    return found[1]


def test_the_file_on_the_page_is_a_format_whose_samples_hold() -> None:
    form = format_from("lift", tomllib.loads(_block("toml")), str(_PAGE))
    assert samples_fail(form) == []


def test_the_lines_on_the_page_are_found_to_be_in_it() -> None:
    form = format_from("lift", tomllib.loads(_block("toml")), str(_PAGE))
    found = detect(pl.Series(_block("text").splitlines()), formats={**registry.load(), "lift": form})
    assert found.winner == "lift"
    assert found.share == 1
