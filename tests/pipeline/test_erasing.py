"""What is erased is nowhere any more, and nothing else has changed."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Barrier
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from tests.pipeline.test_maintain import ROOT, environment
from tests.redis_server import RedisServer

from logshed.api import Lake
from logshed.errors import RedactionError, UsageError
from logshed.lake.batch import new_batch
from logshed.lake.commit import commit_follower
from logshed.lake.names import CASES, FOUND, LINES, LOGS, TableDef
from logshed.lake.scan import iceberg_files, paths
from logshed.lake.steps import ERASE_STEPS
from logshed.lake.writing import FileWriter, table_schema
from logshed.pipeline.decisions import add as decide
from logshed.pipeline.decisions import read as decided
from logshed.pipeline.erase_check import Check
from logshed.pipeline.retaining import retain
from logshed.redaction.keyring import add_key, load_keys
from logshed.redaction.policy_files import forms
from logshed.redaction.signing import verified
from logshed.retain_settings import Retain
from logshed.settings import Settings
from logshed.spool import Piece, Spool

if TYPE_CHECKING:
    from tests.started import Starter

USERS = ("anna", "bert", "carl")
ROWS = 60
TELLING_STEPS = (
    "after erase file", "after erase of bronze.lines", "after a file of expire is gone"
)  # fmt: skip
"""Where what is left to do differs most; `-m soak` tries all steps."""
GOLD = "user_activity_daily"
ADDRESS = "198.51.100.7"


def lines(ingest: int, users: tuple[str, ...]) -> str:
    """Of each user a record in turn; every tenth is a record whose text alone tells the user."""
    told = []
    for number in range(ROWS):
        user = users[number % len(users)]
        record: dict[str, Any] = {
            "timestamp": f"2026-11-0{1 + number % 3}T10:{ingest:02d}:{number % 60:02d}Z",
            "level": "INFO",
            "message": f"step {ingest}.{number}, user={user}",
            "team": f"team-{user}",
        }
        record |= {"user_id": user} if number % 10 else {}
        told.append(json.dumps(record) + "\n")
    return "".join(told)


def opened(root: Path) -> Lake:
    return Lake.open(root, create=True, settings=Settings.load(root.parent, environ={}))


def put(lake: Lake, table: TableDef, **values: Any) -> None:
    """One row of findings or incidents."""
    now = datetime.now(UTC)
    schema = table_schema(table)
    empty: dict[Any, Any] = {pl.String: "x", pl.Int64: 1, pl.Float64: 1.0, pl.Datetime: now}
    row = {
        one.name: empty.get(schema[one.name].base_type()) if one.required else None for one in table.columns
    } | values
    batch = new_batch()
    row["batch"] = batch
    store = lake._opened()
    files = FileWriter.of(table, store.table(table)).write(pl.DataFrame([row], schema=schema, orient="row"), batch)
    commit_follower(store, table.short, batch, files)


def pseudonyms(folder: Path, user: str) -> list[str]:
    made = forms("gdpr")
    return [made.of("user", key).of(user) for key in load_keys(str(folder / "keys")).keys]


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake under a policy of pseudonyms, with two keys; the last ingest has nobody but bert and carl."""
    folder = tmp_path_factory.mktemp("erase")
    add_key(folder / "keys")
    (folder / "logshed.toml").write_text('policy = "gdpr"\nkeys = "keys"\n')
    for number, users in enumerate((USERS, USERS[:2], USERS[1:])):
        with (folder / "app.log").open("a") as file:
            file.write(lines(number, users))
        opened(folder / "lake").ingest([folder / "app.log"], format="json")
        if not number:
            add_key(folder / "keys")
    lake = opened(folder / "lake")
    lake.aggregate([GOLD])
    old, new = pseudonyms(folder, "anna")
    put(lake, FOUND, finding_id="f-1", actor_type="user_id", actor=new, user_id=new, explanation=f"seen by {new}.")
    put(lake, FOUND, finding_id="f-2", actor_type="client_address", actor=ADDRESS, explanation=f"as {old} from there")
    put(lake, FOUND, finding_id="f-3", actor_type="user_id", actor=pseudonyms(folder, "bert")[0])
    put(lake, CASES, incident_id="i-1", actor_type="user_id", actor=new, timeline='[{"finding_id": "f-1"}]')
    put(lake, CASES, incident_id="i-2", actor_type="client_address", actor=ADDRESS, timeline='[{"finding_id": "f-2"}]')
    put(lake, CASES, incident_id="i-3", actor_type="user_id", actor="bert", timeline='[{"finding_id": "f-3"}]')
    shutil.copytree(folder / "lake", folder / "kept")
    return folder


@pytest.fixture
def lake(template: Path) -> Lake:
    """That lake, as new."""
    root = template / "lake"
    shutil.rmtree(root)
    shutil.copytree(template / "kept", root)
    return opened(root)


def holding(folder: Path, needles: list[str]) -> list[str]:
    """Every file in a folder that holds one of these texts, by a look of the test's own."""
    found = []
    for path in sorted(one for one in folder.rglob("*") if one.is_file()):
        text = path.read_bytes().decode("utf-8", "replace")
        if path.suffix == ".parquet":
            text = "\n".join(str(row) for row in pl.read_parquet(path).rows())
        found += [str(path)] if any(one in text for one in needles) else []
    return found


def records_of_others(lake: Lake) -> list[Any]:
    """What ``lines`` and ``logs`` hold of everybody else."""
    return [
        lake.query("SELECT text FROM lines WHERE NOT contains(text, 'team-anna') ORDER BY 1").rows(),
        lake.query("SELECT * FROM logs WHERE attributes['team'] <> 'team-anna' ORDER BY \"offset\"").rows(),
    ]


def others(lake: Lake) -> list[Any]:
    """What the lake holds of everybody else."""
    return [
        *records_of_others(lake),
        lake.query("SELECT finding_id FROM findings WHERE finding_id = 'f-3'").rows(),
        lake.query("SELECT incident_id FROM incidents WHERE incident_id = 'i-3'").rows(),
    ]


def test_a_user_is_in_no_file_any_more_and_everything_else_is_as_it_was(lake: Lake, template: Path) -> None:
    needles = [part for text in pseudonyms(template, "anna") for part in (text, text.rsplit(":", 1)[-1])]
    before, gold = others(lake), lake.query(f"SELECT count(*) FROM {GOLD}").rows()
    untouched = {path for path in files(lake) if pl.read_parquet(path)["source"].is_empty() or not held(path, needles)}
    assert holding(lake.root, needles)
    would = lake.erase(user="anna", dry_run=True)
    assert would.rows == {
        LINES.name: 50, LOGS.name: 50, FOUND.name: 2, CASES.name: 2, f"gold.{GOLD}": 4
    }  # fmt: skip
    assert holding(lake.root, needles), "a dry run changes nothing"
    done = lake.erase(user="anna")
    assert done.left == {}
    assert {name: count for name, count in done.rows.items() if not name.startswith("gold.")} == {
        name: count for name, count in would.rows.items() if not name.startswith("gold.")
    }
    assert holding(lake.root, needles) == []
    again = opened(lake.root)
    assert others(again) == before
    assert untouched
    assert untouched < set(files(again)), "only files that hold it are rewritten"
    assert again.query("SELECT count(*) FROM logs WHERE attributes['team'] = 'team-anna'").rows() == [(0,)]
    assert again.query(f"SELECT count(*) FROM {GOLD}").rows()[0][0] == gold[0][0] - 4
    report = again.audit()
    assert report.ok, report.as_dict()
    assert [(row.stored, row.dropped) for row in report.sources] == [(130, 50)]
    assert again.verify().ok
    leaks = again.verify_redaction(1.0).leaks  # a bound that was cut inside a pseudonym, as before
    assert all(leak.where.endswith(".avro") for leak in leaks), leaks
    assert again.ingest([template / "app.log"]).totals.read == 0, "what was erased is not read again"


def files(lake: Lake) -> list[str]:
    store = lake._opened()
    return [path for table in (LINES, LOGS) for path in paths(iceberg_files(store.table(table)))]


def held(path: str, needles: list[str]) -> bool:
    return any(one in str(pl.read_parquet(path).rows()) for one in needles)


NAMED = re.compile(r"\banna\b")
"""A pseudonym, which is of letters, holds any four of them once in some hundred runs."""


def test_the_receipt_is_signed_tells_no_value_and_a_change_of_it_is_found(lake: Lake, template: Path) -> None:
    done = lake.erase(user="anna")
    text = Path(done.receipt).read_text()
    told = json.loads(text)
    assert verified(told, load_keys(str(template / "keys")), what="it", advice="") == "k2"
    assert not NAMED.search(text)
    assert (told["clean"], told["rows"][LINES.name], told["subject"]["keys"]) == (True, 50, ["k1", "k2"])
    assert told["files_written"].keys() <= {str(path) for path in lake.root.rglob("*.parquet")}
    assert not any(Path(path).exists() for path in told["files_removed"])
    trail = lake.query("SELECT target, outcome, details FROM audit WHERE verb = 'erase' ORDER BY sequence").rows()
    assert [(row[0], row[1]) for row in trail] == [(done.subject, "ok")] * 2
    assert not NAMED.search(str(trail))
    again = lake.erase(user="anna")
    assert (again.ok, again.rows, again.subject) == (True, {}, done.subject)
    assert lake.verify().receipts == 2
    Path(done.receipt).write_text(text.replace('"bronze.lines": 50', '"bronze.lines": 51'))
    (problem,) = lake.verify().problems
    assert problem.kind == "receipt"
    assert "it was changed since it was signed" in problem.what


@pytest.mark.parametrize("every", [False, pytest.param(True, marks=pytest.mark.soak)])
def test_runs_killed_one_after_the_other_lose_nothing_else_and_the_last_one_finishes(
    lake: Lake, template: Path, starter: Starter, tmp_path: Path, *, every: bool
) -> None:
    before = others(lake)
    needles = [text.rsplit(":", 1)[-1] for text in pseudonyms(template, "anna")]
    told = tmp_path / "told"
    for step in ERASE_STEPS if every else TELLING_STEPS:
        with told.open("ab") as output, Path(os.devnull).open("rb") as nothing:
            places = [nothing.fileno(), output.fileno(), output.fileno()]
            words = [str(lake.root), "anna", step]
            killed = starter.start(words, ROOT, environment(template), places, module="tests.pipeline.killed_erase")
            assert killed.wait(60) == -signal.SIGKILL, (step, told.read_text())
        assert records_of_others(opened(lake.root)) == before[:2], step
    done = opened(lake.root).erase(user="anna")
    assert done.ok, done.left
    again = opened(lake.root)
    assert others(again) == before
    assert holding(lake.root, needles) == []
    assert again.audit().ok
    assert again.verify().ok
    assert [one.name for one in (lake.root / "erasing").iterdir()] == [".lock"]


def test_an_ingest_beside_it_keeps_its_rows(lake: Lake, template: Path, starter: Starter, tmp_path: Path) -> None:
    told = tmp_path / "told"
    with told.open("ab") as output, Path(os.devnull).open("rb") as nothing:
        places = [nothing.fileno(), output.fileno(), output.fileno()]
        words = [str(lake.root), str(tmp_path / "beside.log")]
        writer = starter.start(words, ROOT, environment(template), places, module="tests.pipeline.beside_erase")
        while not (tmp_path / "beside.log").exists():
            time.sleep(0.01)
        done = lake.erase(user="anna")
        assert writer.wait(60) == 0, told.read_text()
    again = opened(lake.root)
    assert done.rows[LINES.name] == 50
    counted = again.query("SELECT count(*), count(DISTINCT \"offset\") FROM lines WHERE source LIKE '%beside%'").rows()
    assert counted == [(180, 180)]
    assert again.audit().ok
    assert again.verify().ok


def test_a_plain_value_goes_by_its_column_and_from_texts_only_if_that_is_wanted(tmp_path: Path) -> None:
    (tmp_path / "app.log").write_text(lines(0, USERS))
    lake = opened(tmp_path / "lake")
    lake.ingest([tmp_path / "app.log"], format="json")
    put(lake, FOUND, finding_id="f-1", actor=ADDRESS, attributes={"matched.user": "anna"})
    put(lake, FOUND, finding_id="f-2", actor=ADDRESS, explanation="a step of anna or of somebody else")
    decide(lake.root, ADDRESS, until=datetime(2030, 1, 1, tzinfo=UTC), reason="anna said so")
    decide(lake.root, "198.51.100.8", until=datetime(2030, 1, 1, tzinfo=UTC), reason="nobody")
    done = lake.erase(user="anna")
    assert (done.ok, done.rows, done.mentions) == (True, {LINES.name: 18, LOGS.name: 18, FOUND.name: 1}, 3)
    assert "there is no file" in done.unkeyed
    left = lake.query("SELECT body FROM logs WHERE contains(body, 'user=anna')").rows()
    assert len(left) == 2
    assert lake.erase(column="team", value="team-bert").rows == {LINES.name: 20, LOGS.name: 20}
    assert lake.erase(user="anna", dry_run=True).mentions == 3
    assert lake.erase(user="anna", anywhere=True).rows == {LINES.name: 2, LOGS.name: 2, FOUND.name: 1}
    assert [one.address for one in decided(lake.root)] == ["198.51.100.8"]
    assert holding(lake.root, [f"{sign}{name}" for name in ("anna", "bert") for sign in " =-'\""]) == []
    assert lake.query("SELECT count(*) FROM lines").rows() == [(20,)]
    assert lake.audit().ok


def test_older_states_that_hold_what_no_table_has_any_more_go_too(lake: Lake, template: Path) -> None:
    needles = [text.rsplit(":", 1)[-1] for text in pseudonyms(template, "anna")]
    for table in (LINES, LOGS):
        retain(lake._opened(), table.name, Retain(), dry=False, now=datetime.now(UTC) + timedelta(days=200))
    assert holding(lake.root, needles)
    done = lake.erase(user="anna")
    assert (done.left, sum(done.rows.get(table.name, 0) for table in (LINES, LOGS))) == ({}, 0)
    assert holding(lake.root, needles) == []
    assert opened(lake.root).audit().ok


def test_what_cannot_be_cleaned_is_named_and_the_run_is_not_ok(lake: Lake, template: Path) -> None:
    pseudonym = pseudonyms(template, "anna")[0]
    with Spool(template / "logshed-spool") as spool:
        spool.append([Piece("tail:x", "default", f"by {pseudonym}\n".encode())])
    stray = lake.root / "warehouse" / "silver" / "logs" / "data" / "stray.parquet"
    pl.DataFrame({"body": [f"hello {pseudonym}"]}).write_parquet(stray)
    done = lake.erase(user="anna")
    assert not done.ok
    assert sorted(Path(path).suffix for path in done.left) == [".parquet", ".seg"]
    assert "younger than 12 hours" in done.left[str(stray)]
    told = json.loads(Path(done.receipt).read_text())
    assert (told["clean"], set(told["left"])) == (False, set(done.left))
    shutil.rmtree(template / "logshed-spool")
    done = opened(lake.root).erase(user="anna", alone=True)
    assert done.ok
    assert not stray.exists()


def test_lines_that_leave_the_spool_while_it_is_checked_are_told(
    lake: Lake, template: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Spool(template / "logshed-spool") as spool:
        spool.append([Piece("tail:x", "default", f"by {pseudonyms(template, 'anna')[0]}\n".encode())])
    holds = Check._holds

    def emptied(check: Check, path: str, name: str) -> bool:
        shutil.rmtree(template / "logshed-spool", ignore_errors=True)  # into a table that was looked at by then
        return holds(check, path, name)

    monkeypatch.setattr(Check, "_holds", emptied)
    assert [Path(path).suffix for path in lake.erase(user="anna").left] == [".seg"]


def test_two_that_erase_the_same_at_once_do_it_one_after_the_other(lake: Lake, template: Path) -> None:
    start = Barrier(2)

    def erased(_: int) -> tuple[bool, bool]:
        own = opened(lake.root)
        start.wait(30)
        done = own.erase(user="anna")
        return done.ok, bool(done.rows)

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(erased, range(2))) == [(True, False), (True, True)]
    assert holding(lake.root, pseudonyms(template, "anna")) == []


def test_lines_in_the_hot_store_go_too(tmp_path: Path) -> None:
    with RedisServer(tmp_path / "redis") as redis:
        (tmp_path / "logshed.toml").write_text(f'[live]\nenabled = true\nhours = 8000\nredis = "{redis.url}"\n')
        lake = opened(tmp_path / "lake")
        lake.ingest([])
        (tmp_path / "app.log").write_text(lines(0, USERS))
        lake.ingest([tmp_path / "app.log"])
        hot = redis.hot()
        assert len(list(hot.lines("default"))) == ROWS
        done = lake.erase(user="anna")
        assert (done.ok, done.hot) == (True, 18)
        left = [line for _, line in hot.lines("default")]
        assert len(left) == ROWS - 18
        assert not [line for line in left if '"user_id": "anna"' in line]


def test_a_request_that_says_nothing_or_cannot_be_met_is_refused(lake: Lake, template: Path) -> None:
    for words in ({}, {"user": "a", "column": "b", "value": "c"}, {"column": "user_id"}, {"user": " "}):
        with pytest.raises(UsageError, match="cannot erase"):
            lake.erase(**words)  # type: ignore[arg-type]
    lost = Settings.load(template, environ={"LOGSHED_KEYS": str(template / "lost")})
    with pytest.raises(RedactionError, match="there is no file"):
        Lake.open(lake.root, settings=lost).erase(user="anna")
