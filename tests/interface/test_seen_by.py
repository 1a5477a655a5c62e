from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from logshed.api import Lake
from logshed.errors import AccessError, QueryError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LINE = '192.0.2.{0} - - [17/May/2015:10:05:03 +0000] "GET /{1} HTTP/1.1" 200 99 "-" "curl/8"\n'


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    folder = tmp_path_factory.mktemp("seen")
    lake = Lake.open(folder / "lake", create=True)
    for place, name in enumerate(["shop", "shop-eu", "bank"], 1):
        log = folder / f"{name}.log"
        log.write_text("".join(LINE.format(place, name) for _ in range(place)))
        lake.ingest([str(log)], collection=name)
    return lake


def test_every_verb_that_asks_shows_the_collections_of_those_who_ask(whole: Lake) -> None:
    lake = whole.seen_by(["shop*"])
    assert sorted(lake.query("SELECT url_path FROM logs").rows()) == [("/shop",), ("/shop-eu",), ("/shop-eu",)]
    assert sorted(lake.query("SELECT DISTINCT collection FROM lines").rows()) == [("shop",), ("shop-eu",)]
    assert {row[0] for row in lake.search(since="all", fields=["collection"]).rows()} == {"shop", "shop-eu"}
    assert len(lake.search("bank", since="all")) == 0
    assert {row[0] for row in lake.run("top_paths", since="all").rows()} == {"/shop", "/shop-eu"}


def test_a_report_is_made_of_the_collections_of_those_who_ask(whole: Lake, tmp_path: Path) -> None:
    made = whole.seen_by(["shop"]).report(tmp_path / "report", since="all", pages=["traffic_patterns"])
    text = "".join(path.read_text() for path in tmp_path.rglob("*.json"))
    assert made is not None
    assert "/bank" not in text
    assert "/shop" in text


@pytest.mark.parametrize(
    "call",
    [
        lambda lake: lake.stored(),
        lambda lake: lake.aggregate(),
        lambda lake: lake.security.detect(),
        lambda lake: lake.security.switch("web_xss", on=False, by="x"),
        lambda lake: lake.cost(),
        lambda lake: lake.check(),
        lambda lake: lake.ingest(["/nowhere"]),
    ],
)
def test_what_would_read_or_write_past_the_limit_is_refused(whole: Lake, call: Callable[[Lake], object]) -> None:
    with pytest.raises(AccessError, match="only some collections may be seen here"):
        call(whole.seen_by(["shop"]))


def test_clickhouse_answers_those_alone_who_see_all(whole: Lake) -> None:
    with pytest.raises(QueryError, match="use DuckDB"):
        whole.seen_by(["shop"]).query("SELECT count(*) FROM logs", engine="clickhouse")


def test_a_limited_lake_shows_no_more_when_it_is_limited_again(whole: Lake) -> None:
    limited = whole.seen_by(["shop"])
    for scopes in (None, ["*"], ["bank"]):
        with pytest.raises(AccessError, match="begin with the whole one"):
            limited.seen_by(scopes)
    assert limited.seen_by(["shop"]).query("SELECT count(*) FROM logs").rows() == [(1,)]


def test_who_sees_all_has_the_whole_lake(whole: Lake) -> None:
    assert whole.seen_by(["x", "*"]).query("SELECT count(*) FROM logs").rows() == [(6,)]
    assert whole.seen_by(None).stored().keys() == whole.stored().keys()
