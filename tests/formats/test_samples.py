"""Every format file proves itself."""

from __future__ import annotations

from dataclasses import fields, replace

import polars as pl
import pytest

from logshed.formats import registry
from logshed.formats.detect import detect
from logshed.formats.samples import samples_fail

FORMATS = registry.load(samples=True)
OF_EACH_KIND = {form.kind: name for name, form in FORMATS.items()}


def test_every_formats_samples_parse_to_what_its_file_says() -> None:
    assert [problem for form in FORMATS.values() for problem in samples_fail(form)] == []


def test_every_format_has_at_least_three_samples() -> None:
    assert [name for name, form in FORMATS.items() if len(form.samples) < 3] == []


@pytest.mark.parametrize("name", FORMATS)
def test_a_sample_is_claimed_by_its_own_format_alone(name: str) -> None:
    for sample in FORMATS[name].samples:
        found = detect(pl.Series(sample.line.split("\n")))
        assert name in [one.partition(":")[0] for one in found.choice.names], sample.line
        assert found.tie == (), sample.line


def test_nothing_comes_after_the_samples_of_a_file() -> None:
    bare = registry.load()
    for name, form in FORMATS.items():
        differing = [one.name for one in fields(form) if getattr(form, one.name) != getattr(bare[name], one.name)]
        assert differing == ["samples"], name


@pytest.mark.parametrize("name", OF_EACH_KIND.values(), ids=OF_EACH_KIND)
def test_a_wrong_expectation_in_a_sample_is_told(name: str) -> None:
    form = FORMATS[name]
    wrong = replace(form.samples[0], expect={"log_type": "nonsense"})
    assert "log_type is" in samples_fail(replace(form, samples=(wrong,)))[0]
