"""URL-encoded text is seen as its reader decodes it, and changed only where something is found."""

from __future__ import annotations

from urllib.parse import quote

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logshed.redaction import Redactor, load_policy
from logshed.redaction.encoded import decoded, written

REDACTOR = Redactor(load_policy("default"))
CARD = "4111111111111111"


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        (f"/?u=%2Fpay%3Fpan%3D{CARD}%26a%3D1&b=2", "/?u=%2Fpay%3Fpan%3D[CARD]%26a%3D1&b=2"),
        (f"/?u=%252Fpay%253Fpan%253D{CARD}%2526a%253D1", "/?u=%252Fpay%253Fpan%253D[CARD]%2526a%253D1"),
        ("next=%2Fcb%3Ftoken%3Dabcdef123456%26state%3Dopen", "next=%2Fcb%3Ftoken%3D[TOKEN]%26state%3Dopen"),
        ("to=ann%40example.com&cc=bob%2540example.com", "to=[EMAIL]&cc=[EMAIL]"),
        ("q=%7Bfoo%7D&x=%2Fa%2Fb", "q=%7Bfoo%7D&x=%2Fa%2Fb"),
        ("100% of ann@example.com, %41", "100% of [EMAIL], %41"),
    ],
)
def test_a_value_in_encoded_text_is_replaced_and_the_rest_stays_as_it_is_written(text: str, clean: str) -> None:
    assert REDACTOR.redact(pl.Series([text])).text[0] == clean


def test_what_would_part_a_value_or_end_a_string_stays_escaped() -> None:
    assert decoded(pl.Series(["a%2520b%22%5C%252F%3D%41"]), 1)[0] == "a%20b%22%5C%2F=A"
    assert decoded(pl.Series(["a%2520b%22%5C%252F%3D%41"]), 2)[0] == "a%20b%22%5C/=A"


def test_an_ampersand_inside_a_value_does_not_end_it() -> None:
    text = "next=%2Fcb%3Fpassword%3Dab%2526cd%26state%3Dopen"
    assert REDACTOR.redact(pl.Series([text])).text[0] == "next=%2Fcb%3Fpassword%3D[PASSWORD]%26state%3Dopen"


@given(st.text('ab =&?/%@"\\é0123456789', max_size=40), st.text("ab =&/", max_size=10), st.integers(1, 3))
def test_a_text_is_put_together_again_around_what_was_replaced(before: str, after: str, times: int) -> None:
    text = f"{before} SECRET {after}"
    for _ in range(times):
        text = quote(text, safe=" ")
    redacted = str(decoded(pl.Series([text]), times)[0]).replace("SECRET", "[CARD]")
    assert written(text, times, redacted, REDACTOR._done) == text.replace("SECRET", "[CARD]")
