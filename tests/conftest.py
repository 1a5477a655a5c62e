"""What several tests need: the shared truth files, and the program as its users run it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import pytest
from hypothesis import HealthCheck, settings
from tests.servers import Engine
from tests.started import Starter

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT = Path(__file__).parent.parent
TICKET_RULE = """
title = "Ticket"
tag = "TICKET"
class = "personal"
source = "our own"
needles = ["TCK-"]
patterns = ['TCK-[0-9]+']
true = [{ text = "see TCK-12", redacted = "see [TICKET]" }]
"""
HEAVY = [line.split()[1] for line in (ROOT / "tests" / "heavy.txt").read_text().splitlines() if line[0] != "#"]
"""Files of tests that take long, the longest first."""
UNTIMED = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
"""How long an example takes, or is sought, is the machine's doing."""
settings.register_profile("same", derandomize=True, **UNTIMED)
settings.register_profile("chance", **UNTIMED)


def pytest_configure(config: pytest.Config) -> None:
    """Try the same examples in every run, that it fails by what was changed; what soaks seeks others."""
    if not config.getoption("--hypothesis-profile"):
        settings.load_profile("chance" if "soak" in config.option.markexpr else "same")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Let what takes long begin first: a worker that gets it last works alone at the end. What soaks is to be asked."""
    if "soak" not in config.option.markexpr:
        items[:] = [item for item in items if item.get_closest_marker("soak") is None]
    places = {ROOT / name: place for place, name in enumerate(HEAVY)}
    items.sort(key=lambda item: places.get(item.path, len(places)))


class Run(Protocol):
    """Runs ``logshed`` with some words and returns what came of it."""

    def __call__(
        self, *words: str | Path, stdin: str | bytes = b"", env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run it to its end."""


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of shared truth files that lies beside the checkout."""
    folder = ROOT.parent / "shared"
    if not (folder / "truth").is_dir():
        pytest.skip("needs the folder ../shared/truth beside the checkout, which is not there")
    return folder


@pytest.fixture(scope="session")
def examples() -> Path:
    """The sample logs of the repository."""
    return ROOT / "examples"


@pytest.fixture(scope="session")
def environment() -> dict[str, str]:
    """The environment without settings of Logshed or of the terminal; the package is found where the tests found it."""
    ours = ("LOGSHED_", "COLUMNS", "NO_COLOR", "PAGER")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return {**kept, "PYTHONPATH": str(ROOT / "src"), "PYTHONWARNINGS": "error", "TERM": "dumb"}


@pytest.fixture(scope="session")
def starter(environment: dict[str, str]) -> Iterator[Starter]:
    """Starts the program in processes of their own, without the second that its imports take."""
    started = Starter(environment)
    yield started
    started.stop()


@pytest.fixture
def logshed(tmp_path: Path, environment: dict[str, str], starter: Starter) -> Run:
    """The program in a process of its own, in an empty working directory, without the caller's settings."""

    def run(
        *words: str | Path, stdin: str | bytes = b"", env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        given = stdin.encode() if isinstance(stdin, str) else stdin
        done = starter.run([str(word) for word in words], tmp_path, {**environment, **(env or {})}, given, timeout=120)
        return subprocess.CompletedProcess(
            done.args, done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")
        )

    return run


@pytest.fixture(scope="session")
def ticket_rule() -> str:
    """The file of a redaction rule of the user's own."""
    return TICKET_RULE


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """A Docker engine of the tests' own; skipped where none can run."""
    started = Engine(tmp_path_factory.mktemp("docker"))
    yield started
    started.stop()
