"""Every kind of shop against the sample log in its file: steps, orders, and the funnel that was counted by hand."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from logshed.api import Lake
from logshed.errors import QueryError
from logshed.queries import gold, parts
from logshed.queries import load as load_questions
from logshed.settings import Settings
from logshed.shops import ANY, load, parse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    Filled = Callable[[Iterable[str]], Lake]

SHOPS = load()
CLICKHOUSE = Path(__file__).parent.parent / "sql" / "clickhouse_answers.py"
MINE = """
title = "Sign-up"
[[step]]
name = "form"
place = 1
paths = ['^/join$']
[[step]]
name = "member"
place = 2
paths = ['^/welcome$']
[funnel]
form = 1
member = 1
[[sample]]
line = 'GET /join'
step = "form"
[[sample]]
line = 'GET /welcome'
step = "member"
"""


def lake_of(folder: Path, lines: Iterable[str]) -> Lake:
    """A lake with lines, redacted as by default."""
    files: dict[str, list[str]] = {}
    for line in lines:
        files.setdefault("shop.jsonl" if line.startswith("{") else "shop.log", []).append(line)
    for name, found in files.items():
        (folder / name).write_text("".join(f"{line}\n" for line in found), encoding="utf-8")
    lake = Lake.open(folder / "lake", create=True, settings=Settings.load(folder, environ={}))
    lake.ingest([folder / name for name in files])
    return lake


@pytest.fixture
def filled(tmp_path: Path) -> Filled:
    return partial(lake_of, tmp_path)


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Lake]:
    """The sample log of each shop in a lake of its own; only read them."""
    return {name: lake_of(tmp_path_factory.mktemp(name), (line.line for line in SHOPS[name].sample)) for name in SHOPS}


@pytest.fixture(scope="module")
def funnels(samples: dict[str, Lake]) -> dict[str, list[Any]]:
    """ClickHouse's answers of the funnel of each shop, and of any: of one process."""
    pytest.importorskip("chdb", reason="needs the extra `clickhouse`, which is not installed")
    answers = on_clickhouse({samples[name].root: [asked_funnel(shop) for shop in (name, ANY)] for name in SHOPS})
    return {name: answers[2 * place : 2 * place + 2] for place, name in enumerate(SHOPS)}


def asked_funnel(shop: str) -> tuple[str, dict[str, Any]]:
    question = load_questions()["funnel"]
    return question.sql, question.bind({"shop": shop}, since="all")


def requests(*told: tuple[str, str, int], client: str = "192.0.2.1") -> list[str]:
    """Lines of an access log: time of day, path, status."""
    return [
        f'{client} - - [02/Nov/2026:{when} +0000] "GET {path} HTTP/1.1" {status} 10 "-" "Mozilla/5.0 (X11; Linux)"'
        for when, path, status in told
    ]


def steps_of(lake: Lake, shop: str) -> dict[str, int]:
    return {row["step"]: row["sessions"] for row in lake.run("funnel", since="all", shop=shop).pl().to_dicts()}


def on_clickhouse(asked: Mapping[Path, list[tuple[str, dict[str, Any]]]]) -> list[Any]:
    """The answers of ClickHouse to what is asked of each lake, in a process of its own."""
    done = subprocess.run(
        [sys.executable, str(CLICKHOUSE), *map(str, asked)],
        input=pickle.dumps({str(root): statements for root, statements in asked.items()}),
        capture_output=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent.parent / "src")},
    )
    found: list[Any] = pickle.loads(done.stdout)  # noqa: S301 - of our own process
    return found


@pytest.mark.parametrize("name", SHOPS)
def test_each_line_of_the_sample_log_is_the_step_that_its_file_says(name: str, samples: dict[str, Lake]) -> None:
    lake = samples[name]
    known = parts.load()
    question = 'SELECT source, "offset", place, feature, value, order_id FROM shop_records ORDER BY 1 DESC, 2'
    sql, _ = parts.assembled("the test", question, ["shop_records"], known)
    params = load_questions()["funnel"].bind({"shop": name}, since="all")
    places = {place: step for step, (place, _) in SHOPS[name].places.items()}
    found = [(places.get(row[2]), *row[3:]) for row in lake.query(sql, params=params).rows()]
    lines = sorted(SHOPS[name].sample, key=lambda one: one.line.startswith("{"))
    assert [row[:2] for row in found] == [(one.step, one.feature) for one in lines]
    orders = [(row[2], row[3]) for row in found if row[0] == "purchase"]
    assert orders == [(one.value, one.order) for one in lines if one.step == "purchase"]


@pytest.mark.parametrize("name", SHOPS)
def test_the_funnel_of_the_sample_log_is_the_one_counted_by_hand(
    name: str, samples: dict[str, Lake], funnels: dict[str, list[Any]]
) -> None:
    for shop, other in zip((name, ANY), funnels[name], strict=True):
        sql, params = asked_funnel(shop)
        assert steps_of(samples[name], shop) == SHOPS[name].funnel
        assert other[2] == samples[name].query(sql, params=params).rows()


def test_daily_funnels_come_to_the_same_by_increments_and_by_a_rebuild(filled: Filled, tmp_path: Path) -> None:
    lake = filled(one.line for one in SHOPS["generic"].sample)
    lake.aggregate(["funnel_daily"])
    late = requests(("08:15:00", "/cart", 200), ("08:16:00", "/checkout", 200), client="198.51.100.11")
    next_day = [line.replace("02/Nov", "03/Nov") for line in requests(("00:10:00", "/products/x", 200))]
    (tmp_path / "late.log").write_text("".join(f"{line}\n" for line in (*late, *next_day)), encoding="utf-8")
    lake.ingest([tmp_path / "late.log"])
    lake.aggregate(["funnel_daily"])
    wanted = "SELECT * FROM funnel_daily ORDER BY timestamp, shop, place"
    increments = lake.query(wanted).pl()
    assert [one.error for one in lake.aggregate(["funnel_daily"], rebuild=True)] == [""]
    assert increments.equals(lake.query(wanted).pl())
    table, span = gold.load()["funnel_daily"], {"since": "2026-11-01T00:00:00Z", "until": "2026-11-04T00:00:00Z"}
    days = {key: datetime.fromisoformat(value) for key, value in span.items()}
    (other,) = on_clickhouse({lake.root: [(table.sql, {**table.values, **days})]})
    assert sorted(row[1:] for row in other[2]) == sorted(row[1:] for row in increments.rows())
    shops = increments.filter(pl.col("timestamp").dt.day() == 2, pl.col("shop") == "generic")
    assert dict(zip(shops["step"], shops["sessions"], strict=True)) == SHOPS["generic"].funnel
    assert increments.filter(pl.col("timestamp").dt.day() == 3)["step"].unique().to_list() == ["product"]


def test_a_log_without_a_page_of_a_shop_has_no_funnel(filled: Filled) -> None:
    lake = filled(requests(("10:00:00", "/blog/a", 200), ("10:01:00", "/about", 200)))
    assert steps_of(lake, ANY) == {}
    assert lake.run("average_order_value", since="all").rows() == []
    assert lake.aggregate(["funnel_daily"])[0].rows == 0


def test_one_step_is_a_funnel_of_one_session(filled: Filled) -> None:
    lake = filled(requests(("10:00:00", "/products/a", 200)))
    assert steps_of(lake, ANY) == {"product": 1, "cart": 0, "checkout": 0, "payment": 0, "purchase": 0}


def test_steps_out_of_order_do_not_count(filled: Filled) -> None:
    backwards = ["/checkout/success?order_id=1", "/checkout", "/cart", "/products/a"]
    lake = filled(requests(*((f"10:0{number}:00", path, 200) for number, path in enumerate(backwards))))
    assert steps_of(lake, ANY) == {"product": 1, "cart": 0, "checkout": 0, "payment": 0, "purchase": 0}


def test_two_purchases_in_a_session_are_two_orders_of_one_conversion(filled: Filled) -> None:
    paths = ["/products/a", "/cart", "/checkout"]
    paths += ["/checkout/success?order_id=7A&total=10", "/checkout/success?order_id=7B&total=30"]
    lake = filled(requests(*((f"10:0{number}:00", path, 200) for number, path in enumerate(paths))))
    assert steps_of(lake, ANY)["purchase"] == 1
    (day,) = lake.run("average_order_value", since="all").pl().to_dicts()
    assert (day["orders"], day["revenue"], day["mean"], day["median"]) == (2, 40.0, 20.0, 20.0)
    (visitor,) = [row for row in lake.run("segments", since="all").pl().to_dicts() if row["what"] == "visitor"]
    assert (visitor["sessions"], visitor["conversions"], visitor["orders"], visitor["revenue"]) == (1, 1, 2, 40.0)


@pytest.mark.parametrize(
    ("sent", "value"),
    [
        ("59.90", 59.9),
        ("59%2C90", 59.9),
        ("1,299.00", 1299.0),
        ("1.299,00", 1299.0),
        ("EUR+12,50", 12.5),
        ("1,299", 1299.0),
        ("free", None),
        ("12abc", None),
        ("1e400", None),
        ("9" * 30, None),
        ("'; DROP TABLE logs; --", None),
    ],
)
def test_an_order_value_is_a_number_or_not_known(sent: str, value: float | None, filled: Filled) -> None:
    lake = filled(requests(("10:00:00", f"/checkout/success?total={sent.replace(' ', '%20')}", 200)))
    (day,) = lake.run("average_order_value", since="all").pl().to_dicts()
    assert (day["orders"], day["priced"], day["mean"]) == (1, int(value is not None), value)


def test_the_asker_may_name_what_holds_the_value(filled: Filled) -> None:
    lake = filled(requests(("10:00:00", "/checkout/success?gross.eur=7.5&grossXeur=9", 200)))
    assert lake.run("average_order_value", since="all", value="gross.eur").pl()["mean"].to_list() == [7.5]
    assert lake.run("average_order_value", since="all", value="(.*").pl()["mean"].to_list() == [None]


def test_an_order_of_nobody_known_counts_and_is_in_no_funnel(filled: Filled) -> None:
    event = '{"timestamp":"2026-11-02T10:00:00Z","level":"INFO","message":"m","event":"purchase","value":5}'
    lake = filled([event])
    assert lake.run("average_order_value", since="all").pl()["revenue"].to_list() == [5.0]
    assert steps_of(lake, ANY) == {}


def test_a_users_file_is_a_funnel_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "shops").mkdir()
    (tmp_path / "shops" / "signup.toml").write_text(MINE, encoding="utf-8")
    (tmp_path / "join.log").write_text(
        "".join(f"{line}\n" for line in requests(("10:00:00", "/join", 200), ("10:01:00", "/welcome", 200)))
    )
    settings = Settings.load(tmp_path, environ={"LOGSHED_PLUGINS": str(tmp_path)})
    lake = Lake.open(tmp_path / "lake", create=True, settings=settings)
    lake.ingest([tmp_path / "join.log"])
    assert steps_of(lake, "signup") == {"form": 1, "member": 1}
    assert steps_of(lake, ANY) == {}


def test_the_file_in_the_documentation_is_sound() -> None:
    page = (Path(__file__).parent.parent.parent / "docs" / "commerce.md").read_text("utf-8")
    shop = parse("bookshop", page.partition("```toml\n")[2].partition("```")[0])
    assert shop.places == {"product": (1, False), "purchase": (2, False)}


@pytest.mark.parametrize(
    ("sooner", "later", "told"),
    [
        ("paths = ['^/join$']", "paths = ['(']", "step.0.paths.0"),
        ("place = 2", "place = 1", "two steps have one place"),
        ("place = 2", "place = 9", "step.1.place"),
        ("member = 1", "", "funnel does not name just the steps"),
        ('step = "member"', 'step = "guest"', "a sample is the step guest"),
        ("paths = ['^/join$']", "", "form has no paths"),
        ("paths = ['^/join$']", "pathes = ['x']", "step.0.pathes"),
        ("title =", "title", "no TOML"),
    ],
)
def test_a_file_that_is_wrong_is_refused_with_the_key(sooner: str, later: str, told: str) -> None:
    with pytest.raises(QueryError, match="cannot load the shop signup: ") as caught:
        parse("signup", MINE.replace(sooner, later, 1))
    assert told in str(caught.value)


def test_a_step_has_one_place_in_all_shops_that_any_tries(tmp_path: Path) -> None:
    (tmp_path / "shops").mkdir()
    text = MINE.replace('"member"', '"cart"').replace("member = 1", "cart = 1").replace("place = 2", "place = 3")
    (tmp_path / "shops" / "odd.toml").write_text(f"rank = 5\n{text}", encoding="utf-8")
    with pytest.raises(QueryError, match="its step cart has another place than in another shop"):
        load([tmp_path])
