"""The API that explores logs: searches, bars, fields, records, exports, tails, saved searches, SQL."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import re
import threading
import time
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import httpx
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.web_server import web_server

from logshed.access import Tokens
from logshed.api import Lake
from logshed.errors import OverloadedError
from logshed.pipeline.explore_first import Wanted
from logshed.search.scope import Scope
from logshed.web import tailing
from logshed.web.looking import Look
from logshed.web.site import Site
from logshed.web.tailing import Kind, Reader, Tails
from logshed.web.views.explore import FIELDS
from logshed.web.who import LOCAL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

API = "/api/v1"
FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "fine"]


@pytest.fixture(scope="module")
def api(served: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=served + API, timeout=30) as client:
        yield client


@pytest.fixture(scope="module")
def hostile_lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """A lake of its own, with what spreadsheets run, in two collections."""
    folder = tmp_path_factory.mktemp("hostile")
    lake = Lake.open(folder / "lake", create=True)
    for collection in ("mine", "theirs"):
        file = folder / f"{collection}.jsonl"
        file.write_text(
            "".join(json.dumps(line(number, text, collection)) + "\n" for number, text in enumerate(FORMULAS))
        )
        lake.ingest([file], collection=collection)
    return lake


@pytest.fixture(scope="module")
def mine(hostile_lake: Lake, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """Who may read one collection."""
    tokens = Tokens(tmp_path_factory.mktemp("tokens") / "tokens.db")
    token, _ = tokens.create(["mine"])
    with web_server(hostile_lake, tokens) as url, httpx.Client(base_url=url + API, timeout=30) as client:
        client.headers["Authorization"] = f"Bearer {token}"
        yield client


def line(number: int, text: str, secret: str) -> dict[str, Any]:
    when = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(minutes=number)
    return {"timestamp": when.isoformat(), "level": "error", "message": text, "owner": secret, "trace_id": f"t{number}"}


def got(client: httpx.Client, path: str, **parameters: Any) -> Any:
    answer = client.get(path, params=parameters)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_window_is_told_in_moments_that_stay(api: httpx.Client) -> None:
    found = got(api, "/search/window", q="status>=500", since="all")
    assert found["first"] <= found["since"] < found["until"] <= found["last"] or found["since"] >= found["first"]
    again = got(api, "/search/window", q="status>=500", **{name: found[name] for name in ("since", "until", "newest")})
    assert again == found


def test_a_wrong_search_is_told_with_its_place(api: httpx.Client) -> None:
    answer = api.get("/search/window", params={"q": "status:200 nope:1"})
    assert answer.status_code == 422
    told = answer.json()
    assert (told["at"], told["end"], told["cause"]) == (11, 15, "there is no field nope")
    assert "write attributes.nope" in told["advice"]


def test_bars_and_pages_tell_of_the_same_records(api: httpx.Client, sample_lake: Lake) -> None:
    total = len(sample_lake.search("status:*", since="all", fields=["offset"]).rows())
    bars = got(api, "/search/bars", q="status:*", since="all")
    assert bars["total"] == total == sum(one["total"] for one in bars["series"])
    found: list[str] = []
    cursor = None
    while True:
        page = got(
            api,
            "/records",
            q="status:*",
            since="all",
            limit=1000,
            field=["path"],
            **({"cursor": cursor} if cursor else {}),
        )
        found += [one["record_id"] for one in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert len(found) == len(set(found)) == total


def first_look(client: httpx.Client, **asked: Any) -> dict[str, Any]:
    answer = client.get("/search/first", params=asked)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = {}
    for part in answer.text.splitlines():
        found |= json.loads(part)
    return found


def begun(page: httpx.Client, address: str) -> str:
    """What a browser is told that a page has begun for it; empty where it has not."""
    text = page.get(address, headers={"Sec-Fetch-Dest": "document"}).text
    found = re.search(r'data-begun="([\w-]+)"', text)
    return found[1] if found else ""


def test_a_first_look_is_all_that_a_page_shows(api: httpx.Client) -> None:
    asked = {"q": "status>=500", "since": "all"}
    found = first_look(api, **asked, field="path")
    window = found["window"]
    assert window == got(api, "/search/window", **asked)
    told = {**asked, **{name: window[name] for name in ("since", "until", "newest")}}
    assert found["bars"] == got(api, "/search/bars", **told)
    assert found["records"]["items"] == got(api, "/records", **told, field="path")["items"]


def test_a_wrong_first_look_has_a_status(api: httpx.Client) -> None:
    answer = api.get("/search/first", params={"q": "status:200 nope:1"})
    assert (answer.status_code, answer.json()["cause"]) == (422, "there is no field nope")
    assert api.get("/search/first", params={"field": "nope"}).status_code == 422


def test_a_page_begins_the_search_that_its_script_asks_for(served: str, api: httpx.Client) -> None:
    with httpx.Client(base_url=served, timeout=30) as browser:
        assert not begun(browser, "/explore?q=nope:1")
        assert "data-begun" not in browser.get("/explore").text  # no browser that is to show it
        asked = {"q": "status>=500", "since": "all", "field": FIELDS}
        name = begun(browser, "/explore?q=status>=500&since=all")
        taken = first_look(api, **asked, begun=name)
        assert taken["records"]["items"]
        assert first_look(api, **asked, begun=name) == taken  # a second time it is asked anew
        assert first_look(api, **{**asked, "q": "status:404"}, begun=begun(browser, "/explore"))["bars"]["total"]
    script = (files("logshed") / "web" / "static" / "explore_cells.js").read_text("utf-8")
    assert tuple(re.findall(r'"(\w+)"', script.partition("SUMMARY = [")[2].partition("]")[0])) == FIELDS


def test_a_first_look_is_joined_by_who_began_it_and_by_nobody_else(hostile_lake: Lake) -> None:
    async def running() -> list[int]:
        site, look, wanted = (
            Site(hostile_lake, None),
            Look.model_validate({"q": "level:error", "since": "all"}),
            Wanted(("body",)),
        )
        counts = []
        for person, asked in (
            (LOCAL, look),
            (replace(LOCAL, name="another"), look),
            (LOCAL, Look.model_validate({"since": "all"})),
        ):
            name = site.firsts.begin(LOCAL, look, wanted)
            taken = site.firsts.taken(name, person, asked, wanted)
            await asyncio.sleep(0)  # those that begin do so now
            counts.append(len(site.running.seen_by(LOCAL)))
            assert [part async for part in taken.parts()]
            site.firsts.taken(name, LOCAL, look, wanted).end()  # nobody takes it any more
            while site.running.seen_by(LOCAL):  # noqa: ASYNC110 - what is ended lets go of its statement first
                await asyncio.sleep(0.01)
        await site.stop()
        return counts

    assert asyncio.run(running()) == [1, 2, 1]


def test_a_search_is_completed(api: httpx.Client) -> None:
    offers = got(api, "/search/complete", q="meth", at=4, since="all")["offers"]
    assert offers[0]["insert"] == "method:"
    offers = got(api, "/search/complete", q="level:er", at=8, since="all")
    assert (offers["begin"], [one["text"] for one in offers["offers"]]) == (6, ["error"])


def test_fields_and_their_values_are_counted(api: httpx.Client) -> None:
    known = got(api, "/fields", since="all")
    status = next(one for one in known["items"] if one["name"] == "status")
    values = got(api, "/fields/values", since="all", name="status")
    facets = got(api, "/fields/facets", since="all", name=["status", "method"])["items"]
    assert facets[0] == values
    assert sum(one["count"] for one in values["values"]) == status["records"] == values["records"]
    counts = got(api, "/search/counts", since="all", by=["status"], q="status:*")["items"]
    assert {str(one["http_response_status_code"]): one["count"] for one in counts} == {
        one["value"]: one["count"] for one in values["values"]
    }


def test_a_record_is_given_with_its_raw_line_and_what_is_around_it(api: httpx.Client) -> None:
    page = got(api, "/records", q="status:*", since="all", limit=3)
    wanted = page["items"][1]
    found = got(api, f"/records/{wanted['record_id']}", time=wanted["timestamp"])
    assert found["record"]["url_path"] == wanted["url_path"]
    assert wanted["url_path"] in found["raw"]
    around = got(api, f"/records/{wanted['record_id']}/around", time=wanted["timestamp"], count=2)["items"]
    assert [one["record_id"] for one in around if one["match"]] == [wanted["record_id"]]
    assert len(around) in {3, 4, 5}
    assert api.get("/records/nothing", params={"time": wanted["timestamp"]}).status_code == 404


def test_templates_of_messages_are_found(api: httpx.Client) -> None:
    found = got(api, "/search/patterns", since="all", limit=5)
    assert len(found["items"]) == 5
    assert found["total"] > 5
    assert sum(found["items"][0]["trend"]) == found["items"][0]["count"]


@pytest.mark.parametrize("form", ["ndjson", "csv", "parquet", "arrow"])
def test_an_export_has_every_record_whatever_its_form(api: httpx.Client, sample_lake: Lake, form: str) -> None:
    expected = sample_lake.search("status:*", since="all", fields=["path", "status"]).pl().height
    answer = api.get("/export", params={"q": "status:*", "since": "all", "format": form, "field": ["path", "status"]})
    assert f'.{form}"' in answer.headers["content-disposition"]
    read: dict[str, Callable[[io.BytesIO], pl.DataFrame]] = {
        "ndjson": pl.read_ndjson,
        "csv": pl.read_csv,
        "parquet": pl.read_parquet,
        "arrow": pl.read_ipc_stream,
    }
    frame = read[form](io.BytesIO(answer.content))
    assert frame.height == expected
    assert set(frame.columns) == {"url_path", "http_response_status_code"}


def test_no_cell_of_a_csv_is_a_formula(mine: httpx.Client) -> None:
    answer = mine.get("/export", params={"since": "all", "format": "csv", "oldest_first": True})
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["body"] for row in rows] == ["'=1+1", "'+1", "'-1", "'@SUM(A1)", "'\tx", "fine"]
    assert json.loads(rows[0]["attributes"])["owner"] == "mine"
    assert rows[0]["timestamp"] == "2025-01-01T00:00:00.000000+00:00"
    sql = "SELECT chr(10) || '=1' AS a, '\uff1d1' AS b, '=x'::ENUM('=x') AS c, ' =1' AS d"
    more = mine.post("/sql", params={"format": "csv"}, json={"sql": sql}).text
    assert list(csv.reader(io.StringIO(more)))[1] == ["'\n=1", "'\uff1d1", "'=x", " =1"]


def test_an_export_is_written_down(mine: httpx.Client, hostile_lake: Lake) -> None:
    mine.get("/export", params={"q": "level:fatal", "since": "all", "format": "csv"})
    hostile_lake.ship_trail()
    rows = hostile_lake.query("SELECT * FROM audit").pl()
    assert any("level:fatal" in str(row) for row in rows.rows())


FOREIGN = [
    "search/window",
    "search/first",
    "search/bars",
    "search/counts?by=level",
    "search/patterns",
    "fields",
    "records",
    "export",
    "tail",
]


@pytest.mark.parametrize("path", FOREIGN)
def test_a_foreign_collection_is_refused_whether_or_not_there_is_one(mine: httpx.Client, path: str) -> None:
    sign = "&" if "?" in path else "?"
    answers = [mine.get(f"/{path}{sign}since=all&collection={name}") for name in ("theirs", "nowhere")]
    assert [answer.status_code for answer in answers] == [403, 403]
    assert answers[0].text.replace("theirs", "nowhere") == answers[1].text


def test_nothing_of_a_foreign_collection_is_seen_by_any_route(mine: httpx.Client, hostile_lake: Lake) -> None:
    foreign = (
        hostile_lake.search("", since="all", collection="theirs", limit=1, fields=["record_id", "time"]).pl().row(0)
    )
    asked = [
        "/search/window?since=all", "/search/bars?since=all&by=attributes.owner", "/search/patterns?since=all",
        "/search/counts?since=all&by=attributes.owner", "/search/complete?since=all&q=attributes.owner:&at=17",
        "/fields?since=all", "/fields/values?since=all&name=attributes.owner", "/traces/t0", "/export?since=all",
        "/fields/facets?since=all&name=attributes.owner&name=collection", "/records?since=all", "/sql/tables",
        f"/records/{foreign[0]}", f"/records/{foreign[0]}/around",
    ]  # fmt: skip
    for path in asked:
        assert "theirs" not in mine.get(path).text, path
    told = mine.post("/sql", json={"sql": "SELECT * FROM logs"})
    assert told.status_code == 200
    assert "mine" in told.text
    assert "theirs" not in told.text


def test_what_arrives_is_sent_to_who_watches(hostile_lake: Lake, mine: httpx.Client, tmp_path: Path) -> None:
    begun, events = threading.Event(), list[str]()

    def watch() -> None:
        with mine.stream("GET", "/tail", params={"q": "level:error", "since": "1h"}) as answer:
            for text in answer.iter_lines():
                if text == "event: begun":
                    begun.set()
                if text.startswith('data: {"total"'):
                    events.append(text.removeprefix("data: "))
                    return

    thread = threading.Thread(target=watch)
    thread.start()
    assert begun.wait(60)
    for collection in ("theirs", "mine"):
        file = tmp_path / f"{collection}.jsonl"
        file.write_text(json.dumps(line(900, f"new one of {collection}", collection)) + "\n")
        hostile_lake.ingest([file], collection=collection)
    thread.join(90)
    (event,) = [json.loads(one) for one in events]
    assert [one["body"] for one in event["items"]] == ["new one of mine"]
    assert event["total"] == 1


def test_nobody_takes_all_tails_that_there_are(hostile_lake: Lake) -> None:
    async def followed() -> bool:
        tails = Tails(hostile_lake)
        with ExitStack() as stack:
            for number in range(tailing.MOST_OF_ONE):
                stack.enter_context(tails.reader(Kind(("mine",), Scope(f"{number} = 0")), "greedy"))
            stack.enter_context(tails.reader(Kind(("mine",), Scope("0 = 0")), "greedy"))
            with pytest.raises(OverloadedError, match="of yours"):
                stack.enter_context(tails.reader(Kind(("mine",), Scope()), "greedy"))
            return isinstance(stack.enter_context(tails.reader(Kind(("mine",), Scope()), "other")), Reader)

    assert asyncio.run(followed())


def test_a_search_that_fails_sends_away_those_alone_who_follow_it(
    hostile_lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tailing, "SECONDS", 0.2)
    file = tmp_path / "sound.jsonl"
    file.write_text(json.dumps(line(901, "sound one", "mine")) + "\n")
    fails, sound = (Kind(("mine",), Scope(condition)) for condition in ("error('it fails') IS NULL", "true"))

    async def followed() -> tuple[bool, str]:
        tails = Tails(hostile_lake)
        with tails.reader(fails) as broken, tails.reader(sound) as whole:
            await asyncio.wait_for(whole.begun.wait(), 20)
            await asyncio.to_thread(hostile_lake.ingest, [file], collection="mine")
            message = await asyncio.wait_for(whole.messages.get(), 20)
            return broken.over.is_set(), message.text

    over, text = asyncio.run(followed())
    assert over
    assert "sound one" in text


def test_searches_are_saved_by_who_may_and_shared_by_who_may_more(api: httpx.Client, mine: httpx.Client) -> None:
    wanted = {"name": "Errors", "view": {"q": "level:error"}}
    made = api.post("/saved", json={**wanted, "shared": True})
    assert made.status_code == 201, made.text
    saved = made.json()
    assert saved in got(api, "/saved")["items"]
    assert api.put(f"/saved/{saved['id']}", json={**wanted, "name": "All"}).json()["name"] == "All"
    assert mine.post("/saved", json={**wanted, "shared": True}).status_code == 403
    assert mine.delete(f"/saved/{saved['id']}").status_code == 404
    assert api.delete(f"/saved/{saved['id']}").status_code == 204
    assert got(api, "/saved")["items"] == []


def test_a_saved_search_that_is_too_long_is_refused_at_once(api: httpx.Client) -> None:
    begun = time.process_time()
    wanted = {"name": "a", "view": {str(one): "a" * 1_000 for one in range(2_000)}}
    assert api.post("/saved", json=wanted).status_code == 422
    assert time.process_time() - begun < 2


def test_a_saved_search_holds_nothing_that_the_policy_forbids(api: httpx.Client, sample_lake: Lake) -> None:
    made = api.post("/saved", json={"name": "of jane@example.org", "view": {"q": 'message:"jane@example.org"'}}).json()
    assert made["view"]["q"] == 'message:"[EMAIL]"'
    assert b"jane@example.org" not in (sample_lake.root / "logshed-searches.db").read_bytes()
    assert api.delete(f"/saved/{made['id']}").status_code == 204


def test_a_statement_gives_rows_plan_and_mistakes(api: httpx.Client) -> None:
    columns = "http_response_status_code AS status, count(*) AS n, 9007199254740993 AS big, 1 AS n"
    statement = f"SELECT {columns} FROM logs GROUP BY 1 ORDER BY 1"
    answer = api.post("/sql", params={"format": "rows"}, json={"sql": statement})
    head, *rows, end = [json.loads(one) for one in answer.text.splitlines()]
    assert [one["name"] for one in head["columns"]] == ["status", "n", "big", "n"]
    assert end["rows"] == len(rows) > 1
    assert rows[0][2:] == ["9007199254740993", 1]
    arrow = api.post("/sql", headers={"Accept": "application/vnd.apache.arrow.stream"}, json={"sql": "SELECT 1 AS one"})
    assert pa.ipc.open_stream(arrow.content).read_all().to_pylist() == [{"one": 1}]
    bound = api.post("/sql", json={"sql": "SELECT $a + 1 AS b", "params": {"a": 2}})
    assert bound.json() == {"b": 3}
    plan = api.post("/sql/plan", json={"sql": "SELECT count(*) FROM logs"}).json()["plan"]
    assert "Aggregate" in plan
    assert api.post("/sql", json={"sql": "SELECT 1 AS n, 2 AS n"}).json() == {"n": 1, "n_2": 2}
    wrong = api.post("/sql", json={"sql": "SELECT nope FROM logs"})
    assert wrong.status_code == 422
    assert "nope" in wrong.json()["detail"]


@pytest.mark.parametrize("form", ["csv", "ndjson", "rows", "parquet", "arrow"])
def test_a_statement_may_give_any_type_in_any_form(api: httpx.Client, form: str) -> None:
    """What a form has no form for is text; else the answer would break off."""
    odd = {
        "'ab'::BLOB": "ab",
        "INTERVAL 1 DAY": "P0M1DT0S",
        "'x'::UNION(s VARCHAR, n INT)": "x",
        "'infinity'::TIMESTAMP": "infinity",
        "DATE '5000000-01-01'": "1825492972 days since 1970",
        "[{'b': 'ab'::BLOB}]": '[{"b":"ab"}]',
    }
    columns = ", ".join(f"{value} AS c{place}" for place, value in enumerate(odd))
    answer = api.post("/sql", params={"format": form}, json={"sql": f"SELECT {columns}"})
    assert answer.status_code == 200
    if form == "csv":
        assert list(csv.reader(io.StringIO(answer.text)))[1] == list(odd.values())
    elif form == "ndjson":
        assert list(answer.json().values()) == list(odd.values())
    elif form == "rows":
        assert json.loads(answer.text.splitlines()[1])[3:5] == ["infinity", "1825492972 days since 1970"]
    elif form == "parquet":
        assert pq.read_table(io.BytesIO(answer.content)).column("c1").to_pylist() == ["P0M1DT0S"]
    else:
        assert pa.ipc.open_stream(answer.content).read_all().num_columns == len(odd)


def test_who_takes_answers_slowly_holds_a_few_statements_alone(
    api: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("logshed.web.running.MOST_SENT", 1)
    sql = {"sql": "SELECT i, repeat('x', 200) AS x FROM range(20_000_000) t (i)"}
    with api.stream("POST", "/sql", json=sql) as answer:
        assert answer.status_code == 200
        more = api.post("/sql", json={"sql": "SELECT 1"})
        assert (more.status_code, "being sent" in more.json()["detail"]) == (429, True)
    until = time.monotonic() + 60
    while api.post("/sql", json={"sql": "SELECT 1"}).status_code != 200:
        assert time.monotonic() < until
        time.sleep(0.1)


def test_the_tables_are_listed_with_what_their_columns_mean(api: httpx.Client) -> None:
    found = {one["name"]: one["columns"] for one in got(api, "/sql/tables")["items"]}
    assert {"logs", "lines", "iceberg.analytics.logs"} <= set(found)
    assert next(one for one in found["logs"] if one["name"] == "body")["meaning"].startswith("the message")


def test_a_question_that_runs_is_listed_and_can_be_ended(api: httpx.Client) -> None:
    told: list[str] = []

    def ask() -> None:
        endless = "SELECT a.range + b.range AS n FROM range(100000000) AS a, range(100000000) AS b"
        with httpx.Client(base_url=api.base_url, timeout=60) as client:
            told.append(client.post("/sql", params={"format": "rows"}, json={"sql": endless}).text[-300:])

    thread = threading.Thread(target=ask)
    thread.start()
    deadline = time.monotonic() + 60
    listed: list[dict[str, str]] = []
    while not listed and time.monotonic() < deadline:
        listed = [one for one in got(api, "/queries")["items"] if "range(100000000)" in one["what"]]
    assert api.delete(f"/queries/{listed[0]['id']}").status_code == 204
    thread.join(60)
    assert not thread.is_alive()
    assert api.delete(f"/queries/{listed[0]['id']}").status_code == 404
