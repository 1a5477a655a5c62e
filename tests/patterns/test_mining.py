"""Which messages are of one template, and that nothing but the messages decides it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from benchmarks.messages import LISTS, VALUES, Fill, messages
from hypothesis import given, settings
from hypothesis import strategies as st

from logshed.patterns import mine
from logshed.patterns.text import ID_DIGITS, identity

BENCHMARKS = Path(__file__).parent.parent.parent / "benchmarks"
NAMES = ("alice", "bob", "carol", "dave", "erin", "frank")
WORDS = ("start", "stop", "link", "is", "up", "down", "alice", "bob", "7", "0x1f", "a=1", "a=b", "[x,", "y]", "1.2.3.4")


def _templates(*bodies: str | None) -> list[str]:
    return mine(pl.DataFrame({"body": pl.Series(bodies, dtype=pl.String)})).templates["template"].sort().to_list()


@pytest.mark.parametrize(
    ("bodies", "templates"),
    [
        ([f"user {name} logged in" for name in NAMES], ["user <*> logged in"]),
        ([f"{name} left the room" for name in NAMES], ["<*> left the room"]),
        ([f"saved user={name}, id=5" for name in NAMES], ["saved user=<*>, id=<NUM>"]),
        ([f"saved ({name}) now" for name in NAMES], ["saved (<*>) now"]),
        (["took 5", "took 5.5.5.5"], ["took <*>"]),
        (["plugins: a", "plugins: b 5", "plugins: c 5 6 7"], ["plugins: a", "plugins: b <NUM>", "plugins: c <LIST>"]),
        (["", "  ", None], []),
    ],
)
def test_what_varies_is_a_value(bodies: list[str], templates: list[str]) -> None:
    assert _templates(*bodies) == templates


@pytest.mark.parametrize(
    "bodies",
    [
        ["link eth0 is up", "link eth1 is down"],
        ["start", "stop", "halt", "pause", "error"],
        ["processed 5", "deleted 5", "inserted 5", "retried 5", "skipped 5"],
        ["key found", "key not found"],
        ["error: disk is full", "error: no such host", "error: wrong password"],
    ],
)
def test_messages_that_say_different_things_stay_apart(bodies: list[str]) -> None:
    assert len(_templates(*bodies)) == len(bodies)


def test_states_stay_apart_also_beside_values() -> None:
    bodies = [f"lock {state} by {name}" for state in ("taken", "released") for name in NAMES]
    assert _templates(*bodies) == ["lock released by <*>", "lock taken by <*>"]


def test_lists_of_words_of_any_length_are_one_value() -> None:
    bodies = [f"loaded plugins {' '.join(NAMES[start : start + size])}" for start in range(6) for size in range(1, 4)]
    bodies.append("loaded plugins " + " ".join(NAMES))
    assert _templates(*bodies) == ["loaded plugins <*>"]


def test_signs_that_mean_something_in_regular_expressions_are_only_signs() -> None:
    bodies = [f"a+b (c)* |\\d{{}}^$ <x> &&~ # {' '.join(NAMES[:size])} ." for size in range(1, 6)]
    bodies += [f"a+b (c)* |\\d{{}}^$ <x> &&~ # {name} ." for name in NAMES]
    assert sum(mine(pl.DataFrame({"body": bodies})).templates["count"]) == len(bodies)


def test_each_record_gets_the_id_of_its_template() -> None:
    mined = mine(pl.DataFrame({"body": ["took 5ms", None, "took 7ms", "gone"]}))
    known = dict(mined.templates.select("template", "id").iter_rows())
    assert mined.ids.to_list() == [known["took <DURATION>"], None, known["took <DURATION>"], known["gone"]]


def test_an_id_is_the_head_of_the_hash_of_the_text() -> None:
    assert identity("took <DURATION>") == "b2274f85344a"
    assert len(identity("x")) == ID_DIGITS


def test_a_template_has_its_count_times_level_services_and_example() -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    rows = pl.DataFrame(
        {
            "body": ["took 9 s", "took 1 s", "took 5 s", "gone"],
            "timestamp": [start + timedelta(hours=hour) for hour in (3, 1, 2, 0)],
            "severity_number": [9, 9, 17, 9],
            "severity_text": ["INFO", "INFO", "ERROR", "INFO"],
            "service_name": ["b", "b", "a", None],
        }
    )
    found = mine(rows).templates.row(0, named=True)
    assert (found["template"], found["count"], found["share"]) == ("took <DURATION>", 3, 0.75)
    assert (found["first_seen"], found["last_seen"]) == (start + timedelta(hours=1), start + timedelta(hours=3))
    assert (found["level"], found["severity_number"], found["services"]) == ("INFO", 9, ["b", "a"])
    assert (found["example"], sum(found["trend"])) == ("took 1 s", 3)


@pytest.mark.parametrize(
    ("hours", "direction"),
    [([*[1] * 5, *[9] * 30], "rising"), ([*[1] * 30, *[9] * 5], "falling"), ([*[1] * 9, *[9] * 11], "steady")],
)
def test_a_trend_is_told_where_it_is_clear(hours: list[int], direction: str) -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    times = [start + timedelta(hours=hour) for hour in (0, *hours, 10)]
    (found,) = mine(pl.DataFrame({"body": ["tick"] * len(times), "timestamp": times})).templates["direction"].to_list()
    assert found == direction


@settings(deadline=None)
@given(st.lists(st.lists(st.sampled_from(WORDS), max_size=6).map(" ".join), max_size=40), st.randoms())
def test_neither_order_nor_number_of_messages_matters(bodies: list[str], random: object) -> None:
    shuffled = [*bodies, *bodies[:5]]
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert _templates(*bodies) == _templates(*shuffled)


@settings(deadline=None)
@given(st.lists(st.text(max_size=30), max_size=20))
def test_any_text_has_a_template_unless_it_is_blank(bodies: list[str]) -> None:
    mined = mine(pl.DataFrame({"body": pl.Series(bodies, dtype=pl.String)}))
    assert mined.templates["count"].sum() == len(mined.ids.drop_nulls())
    assert set(mined.ids.drop_nulls()) == set(mined.templates["id"])


def test_a_branch_of_messages_that_have_nothing_in_common_ends() -> None:
    letters = "abcdefghijklmnopqrstuvwxyz"
    bodies = [f"say {a}{b} {b}{c} {c}{a} {a}{c}" for a in letters for b in letters for c in letters]
    found = mine(pl.DataFrame({"body": bodies})).templates
    assert found["count"].sum() == len(bodies)


@pytest.mark.parametrize(("name", "fill"), [("realistic", VALUES), ("hostile", LISTS)])
def test_19_of_20_generated_messages_are_grouped_as_they_were_made(name: str, fill: Fill) -> None:
    templates = tuple((BENCHMARKS / f"{name}_messages.txt").read_text("utf-8").splitlines())
    rows = pl.DataFrame(list(messages(templates, fill, 50_000)), schema=["truth", "body"], orient="row")
    both = rows.with_columns(id=mine(rows).ids).with_columns(
        made=pl.len().over("truth"), found=pl.len().over("id"), same=pl.len().over("truth", "id")
    )
    right = both.filter((pl.col("made") == pl.col("same")) & (pl.col("found") == pl.col("same")))
    assert right.height / both.height >= 0.95
