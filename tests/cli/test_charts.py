from __future__ import annotations

from logshed.cli.charts import MOST_BARS, bars


def test_bars_are_as_long_as_their_values() -> None:
    lines = list(bars(["a", "bb", "c"], [10, 5, 0], width=20))
    assert lines == ["a  ██████████████ 10", "bb ███████ 5", "c   0"]


def test_an_eighth_of_a_cell_is_drawn() -> None:
    assert list(bars(["a", "b"], [80, 1], width=13))[1] == "b ▏ 1"


def test_values_that_are_missing_have_no_bar() -> None:
    assert next(bars(["a", "b"], [None, 2.5], width=20)) == "a  NULL"


def test_more_bars_than_one_can_look_at_are_said_to_be_left_out() -> None:
    lines = list(bars(range(MOST_BARS + 5), range(MOST_BARS + 5)))
    assert len(lines) == MOST_BARS + 1
    assert lines[-1].startswith("… 5 more")
