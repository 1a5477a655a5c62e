"""What containers are made from is sound: pins, the Dockerfile, compose.yaml, its secrets, the health check."""

from __future__ import annotations

import hashlib
import http.server
import importlib.util
import json
import re
import shutil
import stat
import subprocess
import sys
import threading
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import urllib3
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from tests.deploy.images import DOCKER, DOCKERFILE, ROOT
from tests.servers import found
from tests.storages import KEY, S3, SECRET, Server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

COMPOSE = ROOT / "deploy" / "compose.yaml"
SCRIPTS = [
    ROOT / one
    for one in (
        "tools/lock",
        "deploy/docker/install",
        "deploy/docker/spark",
        "deploy/compose/make-secrets",
        "deploy/compose/views",
    )
]
PIN = re.compile(
    r"^([a-z0-9.-]+)==([^\s;\\]+)(?: ; ([^\\]+))? \\\n((?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", re.MULTILINE
)


def program(name: str) -> str:
    """A checker that is installed beside the tests' Python, or elsewhere."""
    path = shutil.which(name, path=f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin")
    if path is None:
        pytest.skip(f"needs {name}, which is in the group dev of pyproject.toml")
    return path


def checked(*words: Any) -> None:
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def loaded(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def services() -> dict[str, dict[str, Any]]:
    return dict(yaml.safe_load(COMPOSE.read_text())["services"])


def extras(image: str) -> list[str]:
    common = re.search(r'^common="(.+)"$', (ROOT / "tools" / "lock").read_text(), re.MULTILINE)
    assert common is not None
    return [*common[1].split(), *([] if image == "base" else [image])]


@pytest.mark.parametrize("image", ["base", "ray", "spark"])
def test_the_pins_of_an_image_have_hashes_and_fit_pyproject(image: str) -> None:
    text = (DOCKER / f"requirements-{image}.txt").read_text()
    pins = [(canonicalize_name(name), version) for name, version, _, _ in PIN.findall(text)]
    assert len(pins) == len(re.findall(r"^([a-z0-9.-]+)==", text, re.MULTILINE))
    assert "://" not in text
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    optional = [one for extra in extras(image) for one in project["optional-dependencies"][extra]]
    for wanted in map(Requirement, [*project["dependencies"], *optional]):
        versions = [version for name, version in pins if name == canonicalize_name(wanted.name)]  # one for each Python
        assert versions
        assert all(version in wanted.specifier for version in versions), f"{wanted}: run tools/lock"


def test_what_builds_an_image_is_pinned_too() -> None:
    text = (DOCKER / "requirements-build.txt").read_text()
    pins = {name: version for name, version, _, _ in PIN.findall(text)}
    for wanted in map(
        Requirement, re.findall(r"^[^#\n]+", (DOCKER / "requirements-build.in").read_text(), re.MULTILINE)
    ):
        assert pins[wanted.name] in wanted.specifier
    assert "://" not in text


def test_the_dockerfile_and_the_scripts_are_clean() -> None:
    checked(program("hadolint"), DOCKERFILE)
    checked(program("shellcheck"), *SCRIPTS)


def test_the_dockerfile_has_the_three_images_and_none_runs_as_root() -> None:
    text = DOCKERFILE.read_text()
    bases = re.findall(r"^FROM (\S+) AS (\S+)$", text, re.MULTILINE)
    assert {base for base, _ in bases} == {"${PYTHON_IMAGE}", "tools", "runtime"}
    stages = dict(re.findall(r"^FROM \S+ AS (logshed\S*)\n(.*?)(?=^FROM|\Z)", text, re.MULTILINE | re.DOTALL))
    assert stages.keys() == {"logshed", "logshed-ray", "logshed-spark"}
    assert all(stage.rstrip().endswith("USER 10001:10001") for stage in stages.values())
    assert not re.search(r"^(ENV|ARG) \S*(PASSWORD|SECRET|TOKEN)", text, re.MULTILINE)


def test_compose_is_what_the_specification_allows() -> None:
    checked(program("check-jsonschema"), "--builtin-schema", "vendor.compose-spec", COMPOSE)


def test_every_service_is_hardened_checked_and_pinned_and_none_is_reached_from_outside() -> None:
    for name, service in services().items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert re.search(r":(v?\d[\w.-]+|\$\{LOGSHED_VERSION:-local\})(@sha256:[0-9a-f]{64})?$", service["image"]), name
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", [])), name
        assert "privileged" not in service, name
        own = service["image"].startswith("logshed:")  # the image has a check of its own
        assert own or service["healthcheck"]["test"][0] in ("CMD", "CMD-SHELL"), name
    assert yaml.safe_load(COMPOSE.read_text())["networks"]["back"] == {"internal": True}


def test_the_commands_of_compose_and_the_settings_that_it_mounts_are_sound(logshed: Any, tmp_path: Path) -> None:
    shutil.copy(ROOT / "deploy" / "compose" / "logshed.toml", tmp_path)
    told = logshed("check")
    assert told.returncode == 0, told.stdout + told.stderr
    for name, command in (("map", ["live", "map"]), ("web", ["serve"])):
        helped = logshed(*command, "--help").stdout
        assert services()[name]["command"][: len(command)] == command
        assert all(word in helped for word in services()[name]["command"] if word.startswith("--"))


def test_secrets_are_random_kept_and_let_in_nobody_else(tmp_path: Path) -> None:
    for number in "12":
        (tmp_path / number).mkdir()
        shutil.copy(ROOT / "deploy" / "compose" / "make-secrets", tmp_path / number)
        subprocess.run([tmp_path / number / "make-secrets"], check=True, capture_output=True)

    def secrets(number: str) -> dict[str, str]:
        return {path.name: path.read_text() for path in (tmp_path / number / "secrets").iterdir()}

    first, second = secrets("1"), secrets("2")
    wanted = yaml.safe_load(COMPOSE.read_text())["secrets"]
    assert {f"./compose/secrets/{name}" for name in first} == {one["file"] for one in wanted.values()}
    assert not set(first.values()) & set(second.values())
    assert all(len(text.strip()) >= 20 for text in first.values())
    assert first["redis_password"].strip() in first["logshed.env"]
    assert stat.S_IMODE((tmp_path / "1" / "secrets").stat().st_mode) == 0o700
    subprocess.run([tmp_path / "1" / "make-secrets"], check=True, capture_output=True)
    assert secrets("1") == first
    ignored = (ROOT / ".gitignore").read_text().splitlines()
    assert {"deploy/compose/secrets/", ".env"} <= set(ignored)


def test_the_bucket_of_compose_is_made_once(tmp_path: Path) -> None:
    module = loaded(ROOT / "deploy" / "compose" / "make_bucket.py")
    for name, text in (("s3_access_key", KEY), ("s3_secret_key", SECRET)):
        (tmp_path / name).write_text(text + "\n")
    with S3(tmp_path / "s3") as server:
        assert module.make(server.url, "lake", tmp_path) == "Made the bucket lake."
        assert module.make(server.url, "lake", tmp_path) == "The bucket lake is there."
        assert "lake" in {one["Name"] for one in server.client().list_buckets()["Buckets"]}


def process(folder: Path, pid: int, *words: str) -> None:
    (folder / str(pid)).mkdir()
    (folder / str(pid) / "cmdline").write_bytes("".join(f"{word}\0" for word in words).encode())


def test_the_health_check_finds_what_runs_behind_an_init_and_a_python(tmp_path: Path) -> None:
    healthy = loaded(DOCKER / "healthy.py")
    (tmp_path / "self").mkdir()
    assert healthy.running(tmp_path) == []
    process(tmp_path, 1, "/sbin/docker-init", "--", "logshed", "schedule")
    process(tmp_path, 7, "/opt/logshed/bin/python", "/opt/logshed/bin/logshed", "live", "map", "--listen=0.0.0.0:9000")
    process(tmp_path, 11, "/opt/logshed/bin/python", "/opt/logshed/bin/logshed", "ingest", "/logs")
    words = healthy.running(tmp_path)
    assert words == ["live", "map", "--listen=0.0.0.0:9000"]
    assert healthy.address(words) == "127.0.0.1:9000"
    assert healthy.address(["live", "map"]) == "127.0.0.1:8610"
    assert healthy.address(["live", "map", "--listen", "10.0.0.4:80"]) == "10.0.0.4:80"


class Registry(http.server.BaseHTTPRequestHandler):
    """Answers as a registry of images that lets in only with a token, which it gives to anyone."""

    wanted = f"sha256:{'a1' * 32}"

    def do_GET(self) -> None:
        """Give a token."""
        assert self.path == "/token?service=ours&scope=repository%3Alibrary%2Fpython%3Apull"
        self._answer(200, {}, json.dumps({"token": "letin"}).encode())

    def do_HEAD(self) -> None:
        """Tell the digest of one image."""
        if self.headers["Authorization"] != "Bearer letin":
            host = self.headers["Host"]
            asks = f'Bearer realm="http://{host}/token",service="ours",scope="repository:library/python:pull"'
            self._answer(401, {"WWW-Authenticate": asks})
        elif self.path == "/v2/library/python/manifests/3.11" and "image.index" in self.headers["Accept"]:
            self._answer(200, {"Docker-Content-Digest": self.wanted})
        else:
            self._answer(404, {})

    def _answer(self, status: int, headers: dict[str, str], body: bytes = b"") -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def registry() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Registry) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()


def test_images_are_pinned_to_the_digest_that_the_registry_tells(registry: str) -> None:
    pin = loaded(ROOT / "tools" / "pin_images.py")
    before = f"ARG PYTHON_IMAGE={registry}/library/python:3.11\nFROM ${{PYTHON_IMAGE}}\n    image: logshed:local\n"
    after = before.replace(":3.11\n", f":3.11@{Registry.wanted}\n")
    assert pin.pinned(before) == after
    assert pin.pinned(after.replace("a1a1", "b2b2")) == after
    with pytest.raises(ValueError, match="answers 404 and no digest"):
        pin.pinned(f"    image: {registry}/library/none:1\n")


class DebiansRegistry(Server):
    """A registry of images, with one image that has a configuration and nothing else."""

    manifest = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": {
                "mediaType": "application/vnd.oci.image.config.v1+json",
                "digest": f"sha256:{hashlib.sha256(b'{}').hexdigest()}",
                "size": 2,
            },
            "layers": [],
        }
    ).encode()

    def words(self) -> list[str]:
        """What starts it."""
        storage = f"storage: {{filesystem: {{rootdirectory: {self.folder}/data}}}}"
        (self.folder / "config").write_text(f"version: 0.1\n{storage}\nhttp: {{addr: '127.0.0.1:{self.port}'}}\n")
        return [found("docker-registry", "docker-registry"), "serve", str(self.folder / "config")]

    def push(self) -> str:
        """Push the image, and say what its digest is."""
        url = f"http://127.0.0.1:{self.port}/v2/ours"
        place = urllib3.request("POST", f"{url}/blobs/uploads/").headers["Location"]
        config = json.loads(self.manifest)["config"]["digest"]
        assert urllib3.request("PUT", f"{place}&digest={config}", body=b"{}").status == 201
        kind = {"Content-Type": "application/vnd.oci.image.manifest.v1+json"}
        assert urllib3.request("PUT", f"{url}/manifests/1", body=self.manifest, headers=kind).status == 201
        return f"sha256:{hashlib.sha256(self.manifest).hexdigest()}"


def test_a_real_registry_tells_the_digest_of_what_was_pushed(tmp_path: Path) -> None:
    with DebiansRegistry(tmp_path / "registry") as server:
        told = server.push()
        pin = loaded(ROOT / "tools" / "pin_images.py")
        assert pin.digest(f"127.0.0.1:{server.port}/ours", "1") == told


def test_every_image_of_others_is_found_by_the_tool_that_pins() -> None:
    pin = loaded(ROOT / "tools" / "pin_images.py")
    named = [one["name"] for name in pin.FILES for one in pin.REFERENCE.finditer((ROOT / name).read_text())]
    others = [service["image"] for service in services().values() if not service["image"].startswith("logshed:")]
    assert len(named) == 1 + len(others)
