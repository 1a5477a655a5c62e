"""Builds the project's image on a Docker engine of the tests' own, upon a base made from Debian's packages."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.servers import Engine, found

ROOT = Path(__file__).parent.parent.parent
DOCKER = ROOT / "deploy" / "docker"
DOCKERFILE = DOCKER / "Dockerfile"
PACKAGES = "python3,python3-venv,ca-certificates"
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")


def base_image() -> str:
    """The image that the Dockerfile begins from, without its digest."""
    given = re.search(r"^ARG PYTHON_IMAGE=(\S+)", DOCKERFILE.read_text(), re.MULTILINE)
    assert given is not None
    return given[1].partition("@")[0]


def make_base(engine: Engine, folder: Path) -> str:
    """A base with Debian 12's Python, under the name of the one that the Dockerfile wants: there is no registry."""
    program = found("debootstrap", "debootstrap")
    words = ["--variant=minbase", f"--include={PACKAGES}", "bookworm", folder / "base"]
    done = subprocess.run([program, *words], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no Debian can be had here: {done.stdout[-300:]}{done.stderr[-300:]}")
    with subprocess.Popen(["tar", "-C", folder / "base", "-c", "."], stdout=subprocess.PIPE) as packed:
        subprocess.run(
            [found("docker", "docker.io"), "-H", engine.socket, "import", "-", base_image()],
            stdin=packed.stdout,
            check=True,
            capture_output=True,
        )
    shutil.rmtree(folder / "base")
    return base_image()


def builder() -> str:
    """A Docker client that has BuildKit: with its plug-in, or of a version that needs none."""
    for folder in os.environ.get("PATH", "").split(":"):
        program = Path(folder) / "docker"
        if not program.exists():
            continue
        if subprocess.run([program, "buildx", "version"], capture_output=True, check=False).returncode == 0:
            return str(program)
        told = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
        if re.search(r"version (18\.09|19\.03|20\.10)\.", told):
            return str(program)
    pytest.skip("needs a Docker client with BuildKit: apt-get install docker.io or docker-buildx")


def build(engine: Engine, folder: Path, target: str, tag: str) -> None:
    """Build a target of the Dockerfile; this machine's certificates let pip through a proxy of its own."""
    (folder / "pip.conf").write_text("[global]\ncert = /run/secrets/ca\n")
    secrets = ["--secret", f"id=pip,src={folder / 'pip.conf'}", "--secret", f"id=ca,src={CERTIFICATES}"]
    words: list[Any] = [
        builder(), "-H", engine.socket, "build", "--network", "host", *(secrets if CERTIFICATES.exists() else []),
        "--build-arg", "REVISION=tested", "--file", DOCKERFILE, "--target", target, "--tag", tag, ROOT,
    ]  # fmt: skip
    environment = {**os.environ, "DOCKER_BUILDKIT": "1"}
    done = subprocess.run(words, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr[-3000:]
