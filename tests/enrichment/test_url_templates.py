"""Paths become templates; the rules' own examples are part of their file."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logshed.enrichment.url_templates import data_file, enrich, templates

DATA = data_file()
EXAMPLES = [
    *(tuple(example) for rule in DATA["rule"] for example in rule["example"]),
    *((example["path"], example["template"]) for example in DATA["example"]),
]


@pytest.mark.parametrize(("path", "template"), EXAMPLES)
def test_every_example_in_the_file_comes_out_as_it_says(path: str, template: str) -> None:
    assert templates(pl.Series([path])).to_list() == [template]


def test_all_examples_together_come_out_as_alone() -> None:
    paths, expected = zip(*dict(EXAMPLES).items(), strict=True)
    assert templates(pl.Series(paths)).to_list() == list(expected)


def test_order_repeats_and_nulls_stay_and_a_template_of_the_record_itself_wins() -> None:
    frame = pl.DataFrame(
        {
            "n": [1, 2, 3, 4],
            "url_path": ["/users/1", None, "/users/2", "/users/3"],
            "url_template": [None, None, None, "/users/:who"],
        },
        schema_overrides={"url_template": pl.String},
    )
    found = enrich(frame)
    assert found["url_template"].to_list() == ["/users/{id}", None, "/users/{id}", "/users/:who"]
    assert found.select("n", "url_path").equals(frame.select("n", "url_path"))


def test_without_paths_nothing_is_added() -> None:
    assert enrich(pl.DataFrame({"n": [1]})).columns == ["n"]
    nulls = pl.DataFrame({"url_path": pl.Series([None], dtype=pl.String)})
    assert enrich(nulls).columns == ["url_path"]


@settings(deadline=None)
@given(st.lists(st.text(alphabet="/a1%3B;?=.é-\x00\n{}$2F", max_size=40), min_size=1, unique=True))
def test_any_text_has_a_template_of_its_own_without_query_parameters_and_with_few_segments(paths: list[str]) -> None:
    found = templates(pl.Series(paths, dtype=pl.String))
    assert found.to_list() == [templates(pl.Series([path]))[0] for path in paths]
    for template in found:
        assert "?" not in template
        assert ";" not in template
        assert template.count("/") <= 13
