"""Texts written as arrays of the numbers of their bytes are read as texts where they are texts."""

from __future__ import annotations

import json

import polars as pl
import pytest

from logshed.byte_arrays import spelled, texts
from logshed.redaction import Redactor, load_policy

REDACTOR = Redactor(load_policy("default"))
COLOURED = "\x1b[1mcafé\x1b[0m of bob@example.com, \"key\": 'C:\\shop' password=hunter22\x1b[0m"


def numbers(text: str, between: str = ",") -> str:
    return f"[{between.join(str(one) for one in text.encode())}]"


def redacted(text: str) -> str:
    return str(REDACTOR.redact(pl.Series([text])).text[0])


@pytest.mark.parametrize("between", [",", ", ", " "])
def test_a_secret_in_an_array_of_bytes_is_replaced_and_the_array_becomes_text(between: str) -> None:
    assert redacted(f"got {numbers('mail to bob@example.com', between)} now") == 'got "mail to [EMAIL]" now'


@pytest.mark.parametrize("levels", [0, 1, 2, 3])
def test_json_in_which_an_array_became_text_stays_json_at_any_depth(levels: int) -> None:
    line = f'{{"MESSAGE":{numbers(COLOURED)},"PRIORITY":"6"}}'
    for _ in range(levels):
        line = json.dumps({"inner": line})
    clean = redacted(line)
    assert "bob@" not in clean
    found = json.loads(clean)
    for _ in range(levels):
        found = json.loads(found["inner"])
    assert found["PRIORITY"] == "6"
    assert found["MESSAGE"].startswith("\x1b[1mcafé\x1b[0m of [EMAIL], ")
    assert found["MESSAGE"].endswith("password=[PASSWORD]\x1b[0m")


def test_an_array_in_which_nothing_is_found_stays_and_so_does_its_record() -> None:
    line = '{"buckets":[10,20,30,40,50],"of":"bob@example.com","large":[1000,2,3,4,5,6]}'
    assert redacted(line) == line.replace("bob@example.com", "[EMAIL]")


def test_spans_in_arrays_are_counted_and_redacting_twice_changes_nothing() -> None:
    text = pl.Series([numbers("bob@example.com and ann@example.com"), "plain", numbers("nothing here")])
    once = REDACTOR.redact(text)
    assert (once.counts.to_list(), once.by_rule) == ([2, 0, 0], {"email": 2})
    assert REDACTOR.redact(once.text).text.to_list() == once.text.to_list()


def test_values_that_are_arrays_of_bytes_and_nothing_else_become_texts() -> None:
    values = [numbers("café"), "[1,2,300,4,5,6]", "x [97,97,97,97,97,97]", None, "[97]"]
    assert texts(pl.Series(values)).to_list() == ["café", *values[1:]]


def test_bytes_that_are_no_text_are_kept_escaped() -> None:
    assert spelled(pl.Series([numbers("caf")[:-1] + ",233,33]"])).to_list() == ['"caf\\\\xe9!"']
