"""A lake is the same lake on every storage and catalog: real servers of each, one contract."""

from __future__ import annotations

import re
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Barrier, Thread
from typing import TYPE_CHECKING, Any

import pytest
from tests.metastore import Hive
from tests.pipeline.samples import accesses
from tests.pipeline.test_kill import Ingests
from tests.storages import BUCKET, KEY, PASSWORD, S3, SECRET, Azurite, Google, Maria, Postgres, Rest

from logshed.api import Lake
from logshed.errors import LakeError, NotALakeError, QueryError, StorageError
from logshed.lake import probing, remote, storage
from logshed.lake.compact_plan import Sizes
from logshed.pipeline.maintain import Maintain
from logshed.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.conftest import Run
    from tests.started import Starter

HOURS = """
SELECT date_trunc('hour', timestamp) AS hour, count(*), min(url_path), sum(http_response_body_size)
FROM logs GROUP BY ALL ORDER BY 1
"""


class Servers:
    """Servers, each started when it is first asked for."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self._folder = folder
        self._stack = stack
        self._running: dict[str, Any] = {}

    def _of(self, name: str, make: Callable[[Path], Any]) -> Any:
        if name not in self._running:
            self._running[name] = self._stack.enter_context(make(self._folder / name))
        return self._running[name]

    def folder(self, name: str) -> Path:
        """Where a server has its files."""
        return self._folder / name

    @property
    def s3(self) -> S3:
        """An S3 server."""
        found: S3 = self._of("s3", S3)
        return found

    def storage(self, kind: str, prefix: str) -> dict[str, Any]:
        """Settings of a storage."""
        if kind == "folder":
            return {"warehouse": (self._folder / "warehouses" / prefix).as_uri()}
        made: dict[str, Any] = {"s3": S3, "azure": Azurite, "google": Google}
        found: dict[str, Any] = self._of(kind, made[kind]).storage(prefix)
        return found

    def catalog(self, kind: str, name: str) -> dict[str, Any]:
        """Settings of a catalog."""
        if kind == "glue":
            return self._glue(name)
        made: dict[str, Callable[[Path], Any]] = {
            "postgres": Postgres,
            "mysql": Maria,
            "hive": Hive,
            "rest": lambda folder: Rest(folder, self.s3),
        }
        found: dict[str, Any] = self._of(kind, made[kind]).catalog(name)
        return found

    def _glue(self, name: str) -> dict[str, Any]:
        own = {"region": "us-east-1", "endpoint": self.s3.url, "access-key-id": KEY, "secret-access-key": SECRET}
        return {"type": "glue", "namespace": name, "properties": {f"glue.{key}": one for key, one in own.items()}}


@pytest.fixture(scope="module")
def servers() -> Iterator[Servers]:
    # Databases refuse to run as root, and pytest's own folder is shut to all others.
    with TemporaryDirectory(prefix="logshed-servers-") as folder, ExitStack() as stack:
        Path(folder).chmod(0o755)
        yield Servers(Path(folder), stack)


def settings_of(catalog: dict[str, Any], storage: dict[str, Any]) -> Settings:
    return Settings.model_validate({"catalog": catalog, "storage": storage})


@pytest.fixture
def backed(servers: Servers) -> Settings:
    """A PostgreSQL and an S3 of nobody else."""
    name = f"own{time.monotonic_ns()}"
    return settings_of(servers.catalog("postgres", name), servers.storage("s3", name))


def grown(log: Path, lake: Lake) -> None:
    """Two ingests of a file that grows."""
    log.write_text(accesses(0, 100))
    lake.ingest([log])
    with log.open("a") as handle:
        handle.write(accesses(100, 200))
    lake.ingest([log])


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Any, ...]]:
    """What a lake in a folder answers."""
    folder = tmp_path_factory.mktemp("here")
    lake = Lake.open(folder / "lake", create=True, settings=Settings.load(folder, environ={}))
    grown(folder / "access.log", lake)
    return lake.query(HOURS).rows()


@pytest.mark.parametrize(
    ("storage_kind", "catalog_kind"),
    [
        ("s3", "postgres"),
        ("azure", "mysql"),
        ("s3", "rest"),
        pytest.param("google", "postgres", marks=pytest.mark.soak),
        pytest.param("s3", "glue", marks=pytest.mark.soak),
        pytest.param("folder", "hive", marks=pytest.mark.soak),
    ],
)
def test_a_lake_answers_the_same_wherever_it_rests_and_keeps_itself_there(
    storage_kind: str, catalog_kind: str, servers: Servers, expected: list[tuple[Any, ...]], tmp_path: Path
) -> None:
    name = f"{storage_kind}_{catalog_kind}"
    settings = settings_of(servers.catalog(catalog_kind, name), servers.storage(storage_kind, name))
    lake = Lake.open(tmp_path / "machine", create=True, settings=settings)
    log = tmp_path / "access.log"
    grown(log, lake)
    assert lake.query(HOURS).rows() == expected
    assert lake.query(HOURS, engine="clickhouse").rows() == expected

    other = Lake.open(tmp_path / "other-machine", settings=settings)
    assert other.query(HOURS).rows() == expected
    assert other._opened().secret() == lake._opened().secret()
    assert other.ingest([log]).batches == [], "what one machine has ingested is known to the other"

    upkeep = Maintain(lake._opened(), settings, grace_s=0, alone=True, sizes=Sizes(least=2)).run()
    done = {(one.task, one.table): one for one in upkeep}
    assert [one.error for one in done.values() if one.error] == []
    assert done["compact", "logs"].made == done["compact", "lines"].made == 1
    assert done["expire", "logs"].files > 1
    assert other.query(HOURS).rows() == expected
    assert lake.audit().as_dict()["ok"]
    assert lake.verify_redaction(1.0).ok
    _assert_no_secret_rests(lake)


def _assert_no_secret_rests(lake: Lake) -> None:
    store = lake._opened()
    secrets = [KEY, SECRET, PASSWORD, Azurite.PUBLIC_KEY]
    files = [str(path) for path in lake.root.rglob("*") if path.is_file()]
    files += [one.path for one in storage.listing(store.warehouse)]
    assert any(file.endswith(".parquet") for file in files)
    for file in files:
        held = storage.read(file)
        assert not [one for one in secrets if one.encode() in held], file
    assert not [one for one in secrets if one in repr(lake.settings)]


def test_two_machines_that_ingest_at_once_store_every_line_once(backed: Settings, tmp_path: Path) -> None:
    same, own = tmp_path / "same.log", [tmp_path / "0.log", tmp_path / "1.log"]
    same.write_text(accesses(0, 100))
    for number, path in enumerate(own):
        path.write_text(accesses(100 + number * 100, 200 + number * 100))
    lakes = [Lake.open(tmp_path / f"machine{number}", create=True, settings=backed) for number in range(2)]
    with ThreadPoolExecutor(2) as pool:
        done = [pool.submit(lake.ingest, [same, path]) for lake, path in zip(lakes, own, strict=True)]
        reports = [one.result(120) for one in done]
    assert [report.totals.rejected for report in reports] == [0, 0]
    for table in ("lines", "logs"):
        found = lakes[0].query(f'SELECT count(*), count(DISTINCT ("generation", "offset")) FROM {table}').rows()
        assert found == [(300, 300)], table
    assert lakes[1].audit().as_dict()["ok"]


@pytest.mark.parametrize("kind", ["postgres", "mysql"])
def test_several_machines_that_make_a_lake_at_once_make_one(kind: str, servers: Servers, tmp_path: Path) -> None:
    for number in range(4):  # before it was mended, one of four machines failed
        name = f"{kind}_at_once{number}"
        settings = settings_of(servers.catalog(kind, name), servers.storage("folder", name))
        start = Barrier(4)

        def opened(machine: int, name: str = name, settings: Settings = settings, start: Barrier = start) -> bytes:
            start.wait(30)
            lake = Lake.open(tmp_path / f"{name}-{machine}", create=True, settings=settings)
            return lake._opened().secret()

        with ThreadPoolExecutor(4) as pool:
            assert len(set(pool.map(opened, range(4)))) == 1


def test_a_run_that_is_killed_between_its_commits_is_finished_by_the_next_one(
    servers: Servers, tmp_path: Path, starter: Starter
) -> None:
    ingests = Ingests(starter, tmp_path)
    tables = {"catalog": servers.catalog("postgres", "killed"), "storage": servers.storage("s3", "killed")}
    folder = Path(f"{ingests.lake}-settings")
    folder.mkdir()
    with (folder / "logshed.toml").open("w") as file:
        for table, keys in tables.items():
            file.write(f"[{table}]\n" + "".join(f'{key} = "{one}"\n' for key, one in keys.items()))
    log = tmp_path / "access.log"
    log.write_text(accesses(0, 200))
    assert ingests.start(log, "after bronze commit").wait(60) == -signal.SIGKILL
    ingests.end(ingests.start(log))
    lake = Lake.open(ingests.lake, settings=Settings.load(folder, environ={}))
    for table in ("lines", "logs"):
        assert lake.query(f"SELECT count(*) FROM {table}").rows() == [(200,)]


@pytest.mark.parametrize("fault", ["refuse", "lose"])
def test_a_commit_whose_answer_is_lost_is_neither_lost_nor_done_twice(
    fault: str, servers: Servers, tmp_path: Path
) -> None:
    settings = settings_of(servers.catalog("rest", fault), servers.storage("s3", fault))
    lake = Lake.open(tmp_path / "lake", create=True, settings=settings)
    log = tmp_path / "access.log"
    log.write_text(accesses(0, 50))
    (servers.folder("rest") / fault).touch()
    assert lake.ingest([log]).totals.stored == 50
    assert not (servers.folder("rest") / fault).exists(), "the fault happened"
    for table in ("lines", "logs"):
        assert lake.query(f'SELECT count(*), count("offset") FROM {table}').rows() == [(50, 50)]
    assert lake.audit().as_dict()["ok"]


ANSWERS = {
    "ExpiredToken": "the token has expired; get a new one",
    "RequestTimeTooSkewed": "this machine's clock is off; set it",
    "InvalidAccessKeyId": "the credentials are wrong; correct access_key",
    "SignatureDoesNotMatch": "the credentials are wrong; correct access_key",
    "AccessDenied": "the credentials lack a right to it; docs/storage.md lists",
}
"""What S3 answers, and what is said."""


@pytest.mark.parametrize("code", ANSWERS)
def test_what_s3_refuses_is_said_in_words(code: str, tmp_path: Path) -> None:
    class Refusing(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = f"<Error><Code>{code}</Code><Message>no</Message><RequestId>1</RequestId></Error>".encode()
            self.send_response(403)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(b"" if self.command == "HEAD" else body)

        def log_message(self, *_words: object) -> None:
            """Nothing."""

    for verb in ("HEAD", "PUT"):
        setattr(Refusing, f"do_{verb}", Refusing.do_GET)
    with ThreadingHTTPServer(("127.0.0.1", 0), Refusing) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        own = {"endpoint": f"http://127.0.0.1:{server.server_port}", "access_key": KEY, "secret_key": SECRET}
        settings = settings_of({}, {"warehouse": "s3://lakes/x", "region": "us-east-1", **own})
        with pytest.raises(StorageError, match=f"^cannot use s3://lakes/x/.*: {ANSWERS[code]}"):
            Lake.open(tmp_path / "lake", create=True, settings=settings)
        with pytest.raises(StorageError, match=f"^cannot write to s3://lakes/x: {ANSWERS[code]}"):
            probing.storage_works(settings.backing)
        server.shutdown()


def test_the_doctor_names_what_the_lake_rests_on_and_what_is_wrong(
    servers: Servers, tmp_path: Path, logshed: Run
) -> None:
    tables = {"catalog": servers.catalog("postgres", "doctor"), "storage": servers.storage("s3", "doctor")}
    tables["storage"]["secret_key"] = "env:LAKE_SECRET"  # noqa: S105 - where it is
    with (tmp_path / "logshed.toml").open("w") as file:
        for table, keys in tables.items():
            file.write(f"[{table}]\n" + "".join(f'{key} = "{one}"\n' for key, one in keys.items()))
    sound = logshed("doctor", env={"LAKE_SECRET": SECRET})
    assert "takes, gives, lists and removes objects" in sound.stdout
    assert "lists, makes and drops tables, and takes commits" in sound.stdout
    wrong = logshed("doctor", env={"LOGSHED_STORAGE_WAREHOUSE": "s3://none-of-these/x", "LAKE_SECRET": SECRET})
    assert wrong.returncode == 1
    assert "cannot write to s3://none-of-these/x: there is no such bucket or container; make it" in wrong.stdout
    assert SECRET not in sound.stdout + wrong.stdout + wrong.stderr
    assert PASSWORD not in sound.stdout + wrong.stdout + wrong.stderr


def test_a_statement_reads_nothing_of_a_bucket_but_the_lake_s_own_files(
    backed: Settings, servers: Servers, tmp_path: Path
) -> None:
    lake = Lake.open(tmp_path / "lake", create=True, settings=backed)
    log = tmp_path / "access.log"
    log.write_text(accesses(0, 10))
    lake.ingest([log])
    servers.s3.client().put_object(Bucket=BUCKET, Key="private.csv", Body=b"a\n1\n")
    for place in (f"s3://{BUCKET}/private.csv", f"{backed.storage.warehouse}/names.key", "/etc/hostname"):
        with pytest.raises(QueryError, match=r"Cannot access file|the extension httpfs"):
            lake.query(f"SELECT count(*) FROM logs, read_text('{place}')").rows()


def test_two_lakes_share_neither_a_prefix_nor_the_tables_of_a_catalog(servers: Servers, tmp_path: Path) -> None:
    first = settings_of(servers.catalog("postgres", "first"), servers.storage("s3", "shared"))
    Lake.open(tmp_path / "first", create=True, settings=first)
    same_prefix = settings_of(servers.catalog("postgres", "second"), servers.storage("s3", "shared"))
    with pytest.raises(LakeError, match=r"it holds the lake that was made with the catalog .* first"):
        Lake.open(tmp_path / "second", create=True, settings=same_prefix)
    same_catalog = settings_of(servers.catalog("postgres", "first"), servers.storage("s3", "elsewhere"))
    with pytest.raises(LakeError, match=r"lists the tables of another lake, at s3://.*/shared/bronze/lines"):
        Lake.open(tmp_path / "third", create=True, settings=same_catalog)
    own = servers.catalog("postgres", "first") | {"namespace": "fourth"}
    Lake.open(tmp_path / "fourth", create=True, settings=settings_of(own, servers.storage("s3", "fourth")))
    with pytest.raises(LakeError, match=r"its files lie in s3://.*/shared, and the settings say that they lie in the"):
        Lake.open(tmp_path / "first", settings=Settings.model_validate({}))
    with pytest.raises(NotALakeError, match="a server that several machines reach"):
        Lake.open(tmp_path / "fifth", settings=settings_of({}, servers.storage("s3", "shared")))


def test_files_of_a_storage_that_were_replaced_count_as_young_from_then_on(servers: Servers) -> None:
    settings = settings_of({}, servers.storage("s3", "ages")).storage
    remote.use(settings)
    path = f"{settings.warehouse}/old"
    storage.write(path, b"1")
    time.sleep(1.2)
    storage.keep_a_while([path])
    ages = {one.name: one.age_s for one in storage.listing(settings.warehouse)}
    assert ages["old"] == pytest.approx(min(ages.values()), abs=0.5)


def test_what_a_lake_rests_on_is_tried_out_and_left_as_it_was(backed: Settings, tmp_path: Path) -> None:
    lake = Lake.open(tmp_path / "lake", create=True, settings=backed)
    store = lake._opened()
    before = {one.path for one in storage.listing(store.warehouse)}
    assert re.fullmatch(r"s3://.* takes, gives, lists and removes objects", probing.storage_works(backed.backing))
    assert probing.catalog_works(lake.root, backed.backing).endswith("drops tables, and takes commits")
    assert {one.path for one in storage.listing(store.warehouse)} == before
    assert len(store.catalog.list_namespaces()) == 2


WRONG: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "bucket": ({}, {"warehouse": "s3://no-such-bucket-of-tests/x"}, "there is no such bucket or container; make it"),
    "storage down": ({}, {"endpoint": "http://127.0.0.1:9"}, "the storage does not answer; check .storage. endpoint"),
    "unset": ({}, {"secret_key": "env:LOGSHED_NO_SUCH_VARIABLE"}, "the variable LOGSHED_NO_SUCH_VARIABLE is not set"),
    "password": ({"password": "wrong"}, {}, "it refuses the credentials; correct the user in uri, password"),
    "database": ({"uri": "{uri}_none"}, {}, "there is no such database; create it"),
    "catalog down": ({"uri": "postgresql+psycopg2://logshed@127.0.0.1:9/x"}, {}, "it does not answer; check uri of"),
    "rubbish": ({"type": "rest", "uri": "{s3}"}, {}, "what answers there is no Iceberg catalog; correct uri and type"),
    "no driver": ({"uri": "oracle+oracledb://u@127.0.0.1/x"}, {}, "is not installed; install the driver that uri"),
}
"""What is changed in the catalog and the storage, and what is said."""


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_said_and_what_to_do_and_no_secret(case: str, servers: Servers, tmp_path: Path) -> None:
    catalog, elsewhere, said = WRONG[case]
    sound = servers.catalog("postgres", "sound")
    changed = {key: one.format(uri=sound["uri"], s3=servers.s3.url) for key, one in catalog.items()}
    settings = settings_of(sound | changed, servers.storage("s3", "sound") | elsewhere)
    with pytest.raises(Exception, match=said) as raised:
        Lake.open(tmp_path / "lake", create=True, settings=settings)
    told = str(raised.value)
    assert told.startswith("cannot ")
    assert not [one for one in (SECRET, PASSWORD) if one in told]


def test_a_table_of_which_half_was_deleted_is_named(backed: Settings, tmp_path: Path) -> None:
    lake = Lake.open(tmp_path / "lake", create=True, settings=backed)
    log = tmp_path / "access.log"
    log.write_text(accesses(0, 10))
    lake.ingest([log])
    for one in storage.listing(f"{backed.storage.warehouse}/silver/logs/data"):
        storage.remove(one.path)
    with pytest.raises(QueryError, match=r"cannot read s3://.*: the file is gone; restore it"):
        lake.query("SELECT * FROM logs").rows()
    for one in storage.listing(f"{backed.storage.warehouse}/silver/logs/metadata"):
        storage.remove(one.path)
    with pytest.raises(LakeError, match=r"cannot open table silver.logs .* its metadata file is gone; restore"):
        Lake.open(lake.root, settings=backed).query("SELECT * FROM logs").rows()
