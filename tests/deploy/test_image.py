"""The image is built as the Dockerfile says and does its work without rights, with a root that it cannot write."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Self

import pytest
import urllib3
import yaml
from packaging.utils import canonicalize_name
from tests.deploy.images import DOCKER, ROOT, build, make_base
from tests.ports import free_port
from tests.redis_server import RedisServer
from tests.servers import Engine, found
from tests.storages import PASSWORD, S3, Postgres

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

pytestmark = pytest.mark.soak
COMPOSE = ROOT / "deploy" / "compose"
TAG = "logshed:tested"
HARDENED = ("--read-only", "--tmpfs=/tmp", "--cap-drop=ALL", "--security-opt=no-new-privileges")
LOGS = ("-v", f"{ROOT / 'examples'}:/logs:ro")


@pytest.fixture(scope="module")
def image(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    folder = tmp_path_factory.mktemp("image")
    base = make_base(engine, folder)
    build(engine, folder, "logshed", TAG)
    yield engine
    engine.clear()
    engine("image", "rm", "--force", TAG, base)
    engine("builder", "prune", "--all", "--force")  # gigabytes that pytest would keep


def run(engine: Engine, *words: str, options: tuple[str, ...] = ()) -> str:
    return engine("run", "--rm", *HARDENED, *options, TAG, *words)


def state(engine: Engine, name: str, wanted: str, seconds: float = 90) -> str:
    """The state of a container's health as soon as it is the wanted one, or in the end."""
    for _ in range(int(seconds * 2)):
        told = engine("inspect", "--format", "{{.State.Health.Status}}", name).strip()
        if told == wanted:
            break
        time.sleep(0.5)
    return told


def named(pairs: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
    """Packages with their versions, by the names that all tools agree upon."""
    return {(canonicalize_name(name), version) for name, version in pairs}


def test_it_takes_logs_and_answers_without_rights_network_or_a_root_to_write(image: Engine) -> None:
    kept = ("-v", "lake:/var/lib/logshed", *LOGS, "--network", "none")
    took = run(image, "ingest", "/logs/access.log", "/logs/app.jsonl", options=kept)
    assert re.search(r"3,27\d stored, 1 rejected", took)
    asked = run(image, "query", "SELECT count(*) AS n FROM logs", "--json", options=kept)
    assert json.loads(asked) == [{"n": 3272}]
    assert run(image, "audit", options=kept)
    again = run(image, "ingest", "/logs/access.log", "/logs/app.jsonl", options=kept)
    assert "0 stored" in again or "Nothing new" in again


def test_its_user_is_no_root_and_writes_its_folder_alone(image: Engine) -> None:
    script = (
        "id -u; id -g; for f in /x /opt/logshed/x /usr/x; do touch $f 2>/dev/null && echo wrote $f; done; touch x; ls"
    )
    told = run(image, "-c", script, options=("--entrypoint", "sh", "--network", "none")).split()
    assert told == ["10001", "10001", "x"]


def test_it_has_what_is_pinned_and_lists_that_and_has_no_pip(image: Engine) -> None:
    listed = json.loads(run(image, "/opt/logshed/sbom.cdx.json", options=("--entrypoint", "cat")))
    assert listed["bomFormat"] == "CycloneDX"
    has = named((one["name"], one["version"]) for one in listed["components"] if one["name"] != "logshed")
    text = (DOCKER / "requirements-base.txt").read_text()  # some have one version for each Python
    assert has <= named(re.findall(r"^([a-z0-9.-]+)==([^\s;]+)", text, re.MULTILINE))
    assert {"polars", "pyiceberg", "duckdb", "redis", "boto3", "psycopg2-binary"} <= {name for name, _ in has}
    script = "import importlib.util as u; print([n for n in ('pip', 'setuptools', 'logshed') if u.find_spec(n)])"
    assert run(image, "-c", script, options=("--entrypoint", "/opt/logshed/bin/python")).strip() == "['logshed']"


def test_it_says_what_it_is(image: Engine) -> None:
    told = json.loads(image("image", "inspect", TAG))[0]["Config"]
    labels = {name.removeprefix("org.opencontainers.image."): text for name, text in told["Labels"].items()}
    assert labels["licenses"] == "Apache-2.0"
    assert labels["revision"] == "tested"
    assert told["User"] == "10001:10001"
    history = image("history", "--no-trunc", TAG)
    assert "PASSWORD" not in history
    assert "BEGIN CERTIFICATE" not in history


def scheduled(folder: Path, run: str) -> Path:
    settings = folder / "logshed.toml"
    settings.write_text(f'[[schedule]]\nname = "take"\ncron = "* * * * *"\nrun = "{run}"\n')
    return settings


def test_a_scheduler_is_healthy_takes_logs_and_ends_when_asked(image: Engine, tmp_path: Path) -> None:
    settings = scheduled(tmp_path, "ingest /logs/app.jsonl")
    mounted = ("-v", "clock:/var/lib/logshed", "-v", f"{settings}:/var/lib/logshed/logshed.toml:ro", *LOGS)
    options = ("--health-interval", "2s", "--health-start-period", "1s", "--network", "none")
    image("run", "-d", "--name", "scheduler", *HARDENED, *mounted, *options, TAG, "schedule")
    assert state(image, "scheduler", "healthy") == "healthy"
    for _ in range(60):
        listed = json.loads(image("exec", "scheduler", "logshed", "schedule", "list", "--json"))
        if str(listed).count("'outcome': 'ok'"):
            break
        time.sleep(2)
    else:
        raise AssertionError(listed, image("logs", "scheduler"))
    image("stop", "--time", "60", "scheduler")
    assert image("inspect", "--format", "{{.State.ExitCode}}", "scheduler").strip() == "0"


def test_settings_that_do_not_hold_make_it_unhealthy(image: Engine, tmp_path: Path) -> None:
    settings = tmp_path / "logshed.toml"
    settings.write_text("no_such_key = 1\n")
    mounted = ("-v", f"{settings}:/var/lib/logshed/logshed.toml:ro", "--entrypoint", "sleep", "--network", "none")
    options = ("--health-interval", "1s", "--health-retries", "1", "--health-start-period", "0s")
    image("run", "-d", "--name", "wrong", *HARDENED, *mounted, *options, TAG, "300")
    assert state(image, "wrong", "unhealthy") == "unhealthy"
    image("rm", "-f", "wrong")


class Around:
    """The servers that compose.yaml names, from Debian's packages: their own images are in a registry."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.door = folder, free_port()
        self.s3, self.postgres = S3(folder / "s3"), Postgres(folder / "postgres")
        self.redis = RedisServer(folder / "redis", requirepass="hot", maxmemory_policy="volatile-ttl")
        self.logs = folder / "logs"
        self.logs.mkdir()
        for name in ("access.log", "app.jsonl"):
            shutil.copy(ROOT / "examples" / name, self.logs)
        secrets = folder / "compose" / "secrets"
        secrets.mkdir(parents=True)
        (secrets / "catalog_password").write_text(PASSWORD)
        (secrets / "redis_password").write_text("hot")
        shutil.copy(COMPOSE / "make-secrets", folder / "compose")
        subprocess.run([folder / "compose" / "make-secrets"], check=True, capture_output=True)
        hot = (secrets / "logshed.env").read_text()
        assert hot == "LOGSHED_LIVE_REDIS=redis://:hot@redis:6379/0\n"
        (secrets / "logshed.env").write_text(hot.replace("redis:6379", f"127.0.0.1:{self.redis.port}"))

    def __enter__(self) -> Self:
        for server in (self.s3, self.postgres, self.redis):
            server.__enter__()
        self._write()
        return self

    def __exit__(self, *_: object) -> None:
        for server in (self.redis, self.postgres, self.s3):
            server.__exit__()

    def _write(self) -> None:
        """Write compose.yaml with these servers instead of its own; all else is as it stands there."""
        given = yaml.safe_load((COMPOSE.parent / "compose.yaml").read_text())
        services = {name: given["services"][name] for name in ("bucket", "scheduler", "map")}
        for service in services.values():
            for key in ("networks", "ports", "build", "init"):  # no network is made here, and no init is installed
                service.pop(key, None)
            service |= {"network_mode": "host", "image": TAG}
            service["depends_on"] = {one: how for one, how in service["depends_on"].items() if one in services}
            service["volumes"] = [one.replace("./compose/", f"{COMPOSE}/") for one in service["volumes"]]
            service["environment"] = {
                "LOGSHED_STORAGE_ENDPOINT": self.s3.url,
                "LOGSHED_CATALOG_URI": self.postgres.catalog("logshed")["uri"],
            }
        services["bucket"]["command"][0] = self.s3.url
        services["map"]["command"][-1] = f"127.0.0.1:{self.door}"
        written = {**given, "services": services, "networks": {}, "volumes": {"state": {}, "scratch": {}}}
        (self.folder / "compose.yaml").write_text(yaml.safe_dump(written, sort_keys=False))


def test_the_services_of_compose_make_a_lake_in_a_bucket_and_show_it_on_the_map(image: Engine) -> None:
    program = found("docker-compose", "docker-compose")
    with TemporaryDirectory() as folder:  # PostgreSQL runs as nobody, who must reach its files
        Path(folder).chmod(0o755)
        with Around(Path(folder)) as around:

            def compose(*words: str) -> str:
                done = subprocess.run(
                    [program, "-H", image.socket, "-p", "tested", *words], cwd=folder, capture_output=True, text=True,
                    check=False, env={**os.environ, "LOGS": str(around.logs)},
                )  # fmt: skip
                assert done.returncode == 0, done.stderr + done.stdout
                return done.stdout

            compose("up", "-d")
            try:
                _use(image, around, compose)
            finally:
                compose("down", "--volumes", "--timeout", "60")


def _use(image: Engine, around: Around, compose: Callable[..., str]) -> None:
    for name in ("scheduler", "map"):
        assert state(image, f"tested_{name}_1", "healthy") == "healthy", compose("logs", name)
    token = json.loads(compose("exec", "-T", "map", "logshed", "token", "create", "--collection", "*", "--json"))
    hits = wait_for(lambda: shown(around.door, token["token"]))
    told = compose("exec", "-T", "scheduler", "logshed", "query", "SELECT count(*) AS n FROM logs", "--json")
    assert json.loads(told) == [{"n": 3272}], compose("logs")
    assert hits == [{"collection": "default", "hits": 3272}]
    assert "logshed_lake" in compose("exec", "-T", "scheduler", "logshed", "clickhouse", "ddl")
    assert PASSWORD not in compose("logs")
    names = {one["Key"] for one in around.s3.client().list_objects_v2(Bucket="lake")["Contents"]}
    assert names
    assert all(name.startswith("logshed/") for name in names)


def shown(port: int, token: str) -> list[dict[str, Any]]:
    """What the map counts."""
    headers = {"Authorization": f"Bearer {token}"}
    answer = urllib3.request("GET", f"http://127.0.0.1:{port}/api/collections", headers=headers, timeout=10)
    return list(answer.json()["collections"])


def wait_for(ask: Callable[[], list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """What is told when the first ingest has come and what it brought is counted; it begins with the next minute."""
    for _ in range(90):
        before = ask()
        time.sleep(2)
        if before and ask() == before:
            return before
    return []
