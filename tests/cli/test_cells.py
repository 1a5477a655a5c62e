from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from logshed.cli.cells import NARROWEST, fitted, right, shown, widths


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "NULL"),
        (404, "404"),
        (1.0, "1"),
        (0.12345, "0.123"),
        (0.00001234, "1.23e-05"),
        (float("nan"), "nan"),
        (True, "True"),
        ({"a": "b"}, '{"a":"b"}'),
        (datetime(2015, 5, 20, 1, 2, 3, tzinfo=UTC), "2015-05-20 01:02:03Z"),
        (datetime(2015, 5, 20, 1, 2, 3, 450_000, tzinfo=timezone(timedelta(hours=1))), "2015-05-20 01:02:03.45+01:00"),
        ("two\nlines\t\x1b[31mred\x9b1m", "two\\nlines\\t\\x1b[31mred\\x9b1m"),
        ("right\u202eleft", "right\\u202eleft"),
    ],
)
def test_a_value_is_one_line_that_a_terminal_cannot_be_moved_by(value: object, text: str) -> None:
    assert shown(value) == text


@given(st.text(), st.integers(1, 30))
def test_a_cell_is_as_wide_as_it_is_told_to_be(text: str, width: int) -> None:
    assert cell_len(fitted(shown(text), width)) == width
    assert cell_len(right(shown(text), width)) == width


@given(st.lists(st.text("ab", max_size=90), min_size=1, max_size=6), st.integers(80, 200))
def test_columns_give_way_until_the_row_fits_and_none_below_the_narrowest(row: list[str], limit: int) -> None:
    found = widths(row, [row], limit)
    natural = [cell_len(text) for text in row]
    assert sum(found) + 2 * (len(found) - 1) <= limit
    assert all(width >= min(NARROWEST, own) for width, own in zip(found, natural, strict=True))
    assert all(width <= own for width, own in zip(found, natural, strict=True))


def test_without_a_limit_columns_are_as_wide_as_what_they_hold() -> None:
    assert widths(["a"], [["b" * 300]], None) == [300]
