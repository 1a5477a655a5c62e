"""What the page that explores logs is made of, against the same worked out in plain Python."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from tests.sql.conftest import START, record, records, write_lake

import logshed
from logshed.api import Lake
from logshed.errors import SearchError, UsageError
from logshed.pipeline import explore_places
from logshed.pipeline.explore import asked, extent, opened
from logshed.pipeline.explore_bars import bars
from logshed.pipeline.explore_complete import complete
from logshed.pipeline.explore_fields import facets, known, values
from logshed.pipeline.explore_first import FirstLook, Wanted
from logshed.pipeline.explore_pages import page
from logshed.pipeline.explore_raw import with_lines
from logshed.pipeline.explore_records import around, one, raw
from logshed.pipeline.explore_traces import trace
from logshed.sql.views import record_id

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


ROWS = [
    {**row, "batch": "b1", "attributes": {"shop": f"s{number % 3}", "odd key": "x"} if number % 2 else None}
    for number, row in enumerate(records(600))
]
SAME = [record(700 + number, START, body="at once", source=f"file:/{number % 4}", batch="b1") for number in range(40)]
EVERY = sorted(
    [*ROWS, *SAME], key=lambda row: (row["timestamp"], row["source"], row["generation"], row["offset"]), reverse=True
)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("explore") / "lake"
    write_lake(root, [*ROWS, *SAME], files=3)
    return root


@pytest.fixture(scope="module")
def lake(root: Path) -> Lake:
    return logshed.open(root)


def names(rows: Sequence[dict[str, Any]]) -> list[str]:
    return [record_id(row["source"], row["generation"], row["offset"], row["item"]) for row in rows]


def walked(lake: Lake, text: str = "", limit: int = 130, *, oldest_first: bool = False) -> list[str]:
    found: list[str] = []
    window, cursor = asked(text, since="all"), None
    while True:
        shown = page(lake.query, window, ["body"], limit=limit, cursor=cursor, oldest_first=oldest_first)
        found += shown.result.pl()["record_id"].to_list()
        cursor = shown.next
        if cursor is None:
            return found


def test_pages_have_every_record_once_in_order(lake: Lake) -> None:
    assert walked(lake) == names(EVERY)
    assert walked(lake, oldest_first=True) == names(EVERY)[::-1]
    assert walked(lake, "status>=500", 30) == names(
        [row for row in EVERY if (row.get("http_response_status_code") or 0) >= 500]
    )


def test_a_page_can_begin_in_the_middle(lake: Lake) -> None:
    shown = page(lake.query, asked("", since="all"), limit=5, skip=300)
    assert shown.result.pl()["record_id"].to_list() == names(EVERY)[300:305]
    until = EVERY[100]["timestamp"]
    for edge in (EVERY[310]["timestamp"], EVERY[302]["timestamp"], EVERY[0]["timestamp"]):  # right, too near, wrong
        near = page(lake.query, asked("", since="all"), limit=5, skip=300, edge=edge)
        assert near.result.pl()["record_id"].to_list() == names(EVERY)[300:305]
        assert near.next == shown.next
    behind = [row for row in EVERY if row["timestamp"] < until]
    shown = page(lake.query, asked("", since="all", until=until), limit=5, skip=3)
    assert shown.result.pl()["record_id"].to_list() == names(behind)[3:8]


def test_a_row_of_chosen_fields_still_says_what_it_is_found_and_coloured_by(lake: Lake) -> None:
    shown = page(lake.query, asked("status:500", since="all"), ["path", "level", "attributes.shop"], limit=1)
    always = ["record_id", "timestamp", "source", "generation", "offset", "item", "severity"]
    assert shown.result.columns == [*always, "url_path", "level", "shop"]
    assert shown.result.rows()[0][6] == "error"


def test_pages_stay_the_same_while_records_arrive(tmp_path: Path) -> None:
    root = tmp_path / "lake"
    write_lake(root, [record(number, START + timedelta(minutes=number)) for number in range(20)], files=1)
    lake = logshed.open(root)
    window = opened(lake.query, asked("", since="all")).window
    first = page(lake.query, window, limit=10)
    late = [record(100 + number, START + timedelta(seconds=number), batch="b2") for number in range(30)]
    write_lake(root, late, files=1, name="late")
    second = page(lake.query, asked("", since="1h"), limit=100, cursor=first.next)
    offsets = [*first.result.pl()["offset"], *second.result.pl()["offset"]]
    assert offsets == [100 * number for number in reversed(range(20))]
    assert opened(lake.query, asked("", since="all")).window.newest == "b2"


@pytest.mark.parametrize("cursor", ["x", "", "bm90IGpzb24", "WzEsMiwzXQ", "W251bGwsMSwyLDMsNCw1LDYsN10", "ä"])
def test_a_cursor_that_is_none_is_refused(lake: Lake, cursor: str) -> None:
    with pytest.raises(UsageError, match="cannot go on from this cursor"):
        page(lake.query, asked("", since="all"), limit=1, cursor=cursor)


def test_a_cursor_cannot_change_the_statement(lake: Lake) -> None:
    place = explore_places.Place(START, "' OR true --", "g'", 0, 0)
    cursor = explore_places.Cursor(place, None, None, "b1' OR true --").text()
    assert page(lake.query, asked("", since="all"), limit=9, cursor=cursor).result.rows() == []


def test_a_window_without_times_has_those_of_its_records(lake: Lake, tmp_path: Path) -> None:
    begun = opened(lake.query, asked("level:fatal", since="all"))
    times = [row["timestamp"] for row in ROWS if row.get("severity_number") == 21]
    assert (begun.since, begun.until) == (min(times), max(times) + timedelta(microseconds=1))
    assert (begun.first, begun.last) == (EVERY[-1]["timestamp"], EVERY[0]["timestamp"])
    empty = Lake.open(tmp_path / "empty", create=True)
    assert opened(empty.query, asked("")).first is None


def test_bars_count_every_record_by_severity_and_their_searches_find_the_same(lake: Lake) -> None:
    times = START, START + timedelta(days=130)
    found = bars(lake.query, asked("", since="all"), times)
    assert found.total == len(EVERY)
    assert [one.value for one in found.series] == ["fatal", "error", "warn", "info", None]
    for one_series in found.series:
        assert len(one_series.counts) == found.steps
        assert one_series.total == len(walked(lake, one_series.search, 1000)), one_series.value
    begin = found.begin + timedelta(seconds=found.step * 3)
    inside = [row for row in EVERY if begin <= row["timestamp"] < begin + timedelta(seconds=found.step)]
    assert sum(one.counts[3] for one in found.series) == len(inside)


@pytest.mark.parametrize(
    ("text", "since", "until", "wanted"),
    [
        ("", "all", None, {"limit": 1_000}),
        ("status>=500", "all", None, {"oldest_first": True}),
        ("level:error", START.isoformat(), None, {}),
        ("level:error", "all", None, {"by": "service"}),
        ("nothing-of-this-name", "all", None, {}),
        ("status:404", "all", (START + timedelta(minutes=5)).isoformat(), {"limit": 1_000}),
        ("", (START + timedelta(days=900)).isoformat(), (START + timedelta(days=901)).isoformat(), {}),
    ],
)
def test_a_first_look_is_what_window_bars_and_page_tell_apart(
    lake: Lake, text: str, since: str, until: str | None, wanted: dict[str, Any]
) -> None:
    window, shown = asked(text, since=since, until=until), Wanted(("body",), **{"limit": 3, **wanted})
    look = FirstLook(lake.ask, window, extent(lake.ask), shown)
    near = look.near()
    opening, counted = look.count()
    rows = near or look.rest()
    apart = opened(lake.ask, window)
    order: dict[str, Any] = {"limit": shown.limit, "oldest_first": shown.oldest_first}
    told = page(lake.ask, apart.window, shown.fields, **order)
    assert (opening.since, opening.first, opening.last) == (apart.since, apart.first, apart.last)
    assert rows.frame.equals(told.result.pl())
    assert (rows.next is None) == (told.next is None)
    if rows.next is not None:
        following = [page(lake.ask, window, cursor=one, **order) for one in (rows.next, told.next)]
        assert following[0].result.pl().equals(following[1].result.pl())
    if opening.since is None or opening.until is None:
        assert counted is None
    else:
        assert counted == bars(lake.ask, opening.window, (opening.since, opening.until), shown.by)


def test_few_records_in_a_long_time_are_found_by_their_times(tmp_path: Path) -> None:
    rows = [
        record(number, START + timedelta(days=number), body="rare" if number % 9 == 0 else "") for number in range(40)
    ]
    write_lake(tmp_path / "lake", [{**row, "batch": "b1"} for row in rows], files=1)
    query = logshed.open(tmp_path / "lake").ask
    look = FirstLook(query, asked("rare", since="all"), extent(query), Wanted(("body",), limit=3))
    assert look.near() is None
    opening, counted = look.count()
    assert counted == bars(query, opening.window, (START, START + timedelta(days=36, microseconds=1)))
    shown = look.rest()
    assert shown.frame["timestamp"].to_list() == [START + timedelta(days=day) for day in (36, 27, 18)]
    following = page(query, asked("rare", since="all"), limit=3, cursor=shown.next)
    assert following.result.pl()["timestamp"].to_list() == [START + timedelta(days=day) for day in (9, 0)]


def test_bars_by_a_field_have_the_top_values_the_rest_and_those_without(lake: Lake) -> None:
    times = START, START + timedelta(days=130)
    found = bars(lake.query, asked("", since="all"), times, "path", top=3)
    told = Counter(row.get("url_path") for row in EVERY)
    without = told.pop(None)
    assert [one.total for one in found.series[:3]] == [count for _, count in told.most_common(3)]
    assert found.series[3].rest
    assert (found.series[4].total, found.series[4].search) == (without, "-path:*")
    for one_series in found.series:
        assert one_series.total == len(walked(lake, one_series.search, 1000)), one_series.search


def test_too_many_bars_are_refused(lake: Lake) -> None:
    with pytest.raises(UsageError, match="take a longer one"):
        bars(lake.query, asked("", since="all"), (START, START + timedelta(days=130)), step=60)


def test_fields_are_known_with_how_many_records_and_values_have_them(lake: Lake) -> None:
    total, found = known(lake.query, asked("", since="all"))
    assert total == len(EVERY)
    by_name = {one.name: one for one in found}
    statuses = [row["http_response_status_code"] for row in ROWS if row.get("http_response_status_code")]
    assert (by_name["status"].records, by_name["status"].values) == (len(statuses), len(set(statuses)))
    assert by_name["attributes.shop"].records == 300
    assert by_name['attributes."odd key"'].records == 300
    assert "trace" not in by_name
    assert by_name["level"].kind == "level"


def test_facets_of_many_fields_are_counted_at_once(lake: Lake) -> None:
    chosen = ["status", "level", "path", "attributes.shop", "trace"]
    found = {one.name: one for one in facets(lake.query, asked("", since="all"), chosen, top=4)}
    paths = Counter(row["url_path"] for row in ROWS if row.get("url_path") is not None)
    assert dict(found["path"].top).items() <= dict(paths).items()
    assert [count for _, count in found["path"].top] == [count for _, count in paths.most_common(4)]
    assert found["status"].records == sum(1 for row in ROWS if row.get("http_response_status_code"))
    assert dict(found["attributes.shop"].top) == {"s0": 100, "s1": 100, "s2": 100}
    assert found["trace"].top == []
    with pytest.raises(UsageError, match="there is no field nope"):
        facets(lake.query, asked("", since="all"), ["nope"])


def test_values_are_looked_for_in_small_and_capital_letters(lake: Lake) -> None:
    found = values(lake.query, asked("", since="all"), "exception", "TIME")
    assert [value for value, _ in found.top] == ["Timeout"]
    assert found.exact
    assert found.records == sum(1 for row in ROWS if row.get("exception_type"))


def test_a_search_is_completed_with_fields_and_values(lake: Lake) -> None:
    window = asked("", since="all")

    def offered(text: str) -> list[str]:
        return [offer.insert for offer in complete(lake.query, window, text, len(text)).offers]

    assert offered("")[0] == "level:"
    assert offered("sta")[0] == "status:"
    assert "attributes.shop:" in offered("sho")
    assert 'attributes."odd key":' in offered("odd")
    assert "status:" in offered("http.resp")
    assert offered("level:e") == ["error"]
    assert set(offered("status:")) == {"200", "301", "401", "404", "500"}
    assert offered("path:sa") == [r'"say \"hi\""']
    assert offered("service:(shop,'") == ['"\'; DROP"']
    assert offered("attributes.shop:") == ["s0", "s1", "s2"]
    assert offered("nofield:x") == []
    assert offered("time:2") == []


def test_a_record_is_found_by_its_id_with_what_is_around_it(lake: Lake) -> None:
    wanted = names([ROWS[300]])[0]
    found = one(lake.query, wanted, ROWS[300]["timestamp"])
    assert found is not None
    assert found == one(lake.query, wanted)
    assert found["offset"] == 30_000
    before, after = around(lake.query, found, 3, ["body"])  # every third record is of its collection
    assert before.pl()["offset"].to_list() == [29_100, 29_400, 29_700]
    assert after.pl()["offset"].to_list() == [30_300, 30_600, 30_900]
    assert one(lake.query, wanted, START) is None
    assert one(lake.query, "0' OR true --") is None


def test_what_is_around_a_record_is_of_its_own_collection(lake: Lake) -> None:
    found = one(lake.query, names([ROWS[300]])[0])
    assert found is not None
    rows = [row for result in around(lake.query, found, 5) for row in result.pl().to_dicts()]
    assert {row["collection"] for row in rows} == {found["collection"]}


def test_the_raw_line_of_a_record_is_the_one_that_was_received(tmp_path: Path) -> None:
    file = tmp_path / "a.log"
    lines = [f'192.0.2.{n} - - [10/Oct/2025:13:55:{n:02} +0000] "GET /{n} HTTP/1.1" 200 {n}' for n in range(10, 20)]
    file.write_text("\n".join(lines) + "\n")
    lake = Lake.open(tmp_path / "lake", create=True)
    lake.ingest([file], collection="web")
    (row,) = page(lake.query, asked("path:/13", since="all"), limit=2).result.pl().to_dicts()
    found = one(lake.query, row["record_id"], row["timestamp"])
    assert found is not None
    text = raw(lake.query, found)
    assert text is not None
    assert '"GET /13 HTTP/1.1"' in text


def test_records_that_no_format_took_are_given_with_their_lines_and_no_others(tmp_path: Path) -> None:
    file = tmp_path / "a.log"
    parsed = '192.0.2.1 - - [10/Oct/2025:13:55:36 +0000] "GET /x HTTP/1.1" 200 7'
    odd = ["what is this", "<b>and</b> this", "x" * 3_000]
    file.write_text("\n".join([parsed, odd[0], parsed, odd[1], odd[2], parsed]) + "\n")
    lake = Lake.open(tmp_path / "lake", create=True)
    lake.ingest([file], collection="web", format="apache_common")
    frame = page(lake.query, asked("", since="all"), limit=10, oldest_first=True).result.pl()
    found = with_lines(lake.query, frame)
    assert found.drop("raw").equals(frame)
    lines = {row["offset"]: row["raw"] for row in found.iter_rows(named=True) if row["parse_error"]}
    assert [lines[offset] for offset in sorted(lines)] == [odd[0], odd[1], odd[2][:2_000]]
    assert found.filter(pl.col("parse_error").is_null())["raw"].null_count() == 3
    told = with_lines(lake.query, frame.filter(pl.col("parse_error").is_null()))
    assert "raw" not in told.columns


def test_a_trace_is_a_tree_of_spans_with_records_that_have_none(tmp_path: Path) -> None:
    def at(milliseconds: int, span: str | None, parent: str | None = None, **more: Any) -> dict[str, Any]:
        when = START + timedelta(milliseconds=milliseconds)
        above = {"attributes": {"parent_span_id": parent}} if parent else {}
        return record(milliseconds, when, trace_id="t1", span_id=span, **above, **more)

    rows = [
        at(0, "a", service_name="web", duration_ms=90.0),
        at(10, "b", "a", service_name="shop", duration_ms=50.0),
        at(20, "c", "b", service_name="db", duration_ms=float("nan")),
        at(25, "c", "b", service_name="db"),
        at(30, None, service_name="cron"),
        at(40, "x", "y"),
        at(41, "y", "x"),
        record(99, START, trace_id="t2", span_id="a"),
    ]
    write_lake(tmp_path / "lake", rows, files=1)
    found = trace(logshed.open(tmp_path / "lake").query, "t1")
    assert [(line.depth, line.span, line.start, line.length) for line in found.lines] == [
        (0, "a", 0.0, 90.0),
        (1, "b", 10.0, 50.0),
        (2, "c", 20.0, 5.0),
        (0, None, 30.0, 0.0),
        (0, "x", 40.0, 0.0),
        (0, "y", 41.0, 0.0),
    ]
    assert (found.services, found.length, found.records) == (["web", "shop", "db", "cron"], 90.0, 7)
    nothing = trace(logshed.open(tmp_path / "lake").query, "t1' OR true --")
    assert (nothing.begin, nothing.records) == (None, 0)


def test_whoever_sees_one_collection_explores_it_alone(lake: Lake) -> None:
    app = lake.seen_by(["app"])
    mine = [row for row in EVERY if row["collection"] == "app"]
    assert walked(app) == names(mine)
    assert [offer.insert for offer in complete(app.query, asked("", since="all"), "path:", 5).offers] == []
    assert known(app.query, asked("", since="all"))[0] == len(mine)
    foreign = next(row for row in ROWS if row["collection"] == "web")
    assert one(app.query, names([foreign])[0], foreign["timestamp"]) is None


def test_a_wrong_search_says_where(lake: Lake) -> None:
    with pytest.raises(SearchError) as told:
        opened(lake.query, asked("status:500 nope:1"))
    assert (told.value.at, told.value.end, told.value.cause) == (11, 15, "there is no field nope")
