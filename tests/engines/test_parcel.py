"""What goes to workers and comes back, and what is said where there is no cluster."""

from __future__ import annotations

import importlib
import pickle
import socket
import sys
from typing import TYPE_CHECKING

import pytest

from logshed.engine_settings import EngineSettings
from logshed.engines import made, parcel, reach
from logshed.errors import EngineError, SettingsError, WorkerLostError
from logshed.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.conftest import Run


class Odd(Exception):  # noqa: N818 - a library's name for it
    """One that cannot be made again of what it is pickled to."""

    def __init__(self, one: int, other: int) -> None:
        super().__init__(f"{one} and {other}")


class Square:
    """A task."""

    def __call__(self, item: int, /) -> int:
        """The square of what is above zero."""
        if item < 0:
            raise ValueError("below zero")
        if item == 0:
            raise Odd(1, 2)
        return item * item

    def stop(self) -> None:
        """Nothing is under way."""


class Lost(Exception):  # noqa: N818 - what an engine's library raises
    """A worker was lost."""


def here(sent: parcel.Parcel, items: dict[int, bytes]) -> Iterator[tuple[int, bytes]]:
    """An engine that performs in this process, and loses the worker of 13."""
    for number, item in items.items():
        if pickle.loads(item) == 13:  # noqa: S301 - our own
            raise Lost("the worker died")
        yield number, parcel.perform(sent, item)


def test_a_failure_comes_back_as_what_it_was_and_stops_no_other() -> None:
    done = list(parcel.run(Square(), [3, -1, 0], here, lambda _: False))
    assert [one.result for one in done] == [9, None, None]
    assert isinstance(done[1].error, ValueError)
    assert str(done[2].error) == "Odd: 1 and 2"


def test_where_a_worker_is_lost_again_and_again_the_rest_runs_alone() -> None:
    done = list(parcel.run(Square(), [2, 13, 4], here, lambda error: isinstance(error, Lost)))
    assert [(one.item, one.result) for one in done] == [(2, 4), (13, None), (4, 16)]
    assert isinstance(done[1].error, WorkerLostError)


TRACE = """An exception was thrown from the Python worker:
Traceback (most recent call last):
  File "worker.py", line 3301, in main
    check_python_version(infile)
{}
"""
MISMATCH = (
    "[PYTHON_VERSION_MISMATCH] Python in worker has different version: 3.12 than that in driver: 3.11, "
    "PySpark cannot run with different minor versions."
)


@pytest.mark.parametrize("cause", [MISMATCH, "No module named 'logshed'", 'Cannot run program "/opt/python": error=2'])
def test_workers_that_cannot_open_a_task_end_the_run_and_say_what_they_need(cause: str) -> None:
    rounds = []

    def together(_sent: parcel.Parcel, items: dict[int, bytes]) -> Iterator[tuple[int, bytes]]:
        rounds.append(items)
        yield from ()
        raise Lost(TRACE.format(f"some.library.RuntimeError: {cause}"))

    python, version = parcel.versions()
    with pytest.raises(EngineError) as told:
        list(parcel.run(Square(), [1, 2, 3], together, lambda error: isinstance(error, Lost)))
    assert not isinstance(told.value, WorkerLostError)
    assert cause.rstrip(".") in str(told.value)
    assert f"install Python {python} and Logshed {version}" in str(told.value)
    assert len(rounds) == 1


def test_of_a_lost_worker_the_line_of_the_trace_is_told_that_says_why() -> None:
    def together(_sent: parcel.Parcel, _items: dict[int, bytes]) -> Iterator[tuple[int, bytes]]:
        yield from ()
        raise Lost(
            "An error occurred while calling o53.collect.\n: org.apache.spark.SparkException: Job aborted: why\n"
        )

    (done,) = parcel.run(Square(), [1], together, lambda error: isinstance(error, Lost))
    assert "lost each time (org.apache.spark.SparkException: Job aborted: why); out of memory" in str(done.error)


def test_a_cluster_of_ray_of_another_python_is_refused_with_both_versions() -> None:
    pytest.importorskip("ray")
    utils = importlib.import_module("ray._private.utils")
    _, own = utils.compute_version_info()
    with pytest.raises(RuntimeError) as mismatch:
        utils.check_version_info({"ray_version": "2.9.0", "python_version": "3.9.1"}, "this node")
    cause = reach.cause(mismatch.value)
    assert "Python: 3.9.1" in cause
    assert f"Python: {own}" in cause


def test_nothing_to_do_asks_no_engine() -> None:
    assert list(parcel.run(Square(), [], here, lambda _: False)) == []


@pytest.mark.parametrize("field", ["python", "logshed"])
def test_other_versions_are_refused_before_the_task_is_opened(field: str) -> None:
    sent = parcel.packed(Square(), 1)._replace(task=b"of another version", **{field: "0.1.dev"})
    _, error = pickle.loads(parcel.perform(sent, b""))  # noqa: S301 - our own
    assert isinstance(error, EngineError)
    assert f"{field.capitalize()} 0.1.dev" in str(error)
    assert "install the same versions on both" in str(error)


@pytest.mark.parametrize(("name", "address"), [("ray", "127.0.0.1:{port}"), ("spark", "spark://127.0.0.1:{port}")])
def test_no_cluster_at_the_address_is_told_at_once(name: str, address: str) -> None:
    pytest.importorskip({"ray": "ray", "spark": "pyspark"}[name])
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        given = address.format(port=one.getsockname()[1])
        with pytest.raises(EngineError, match=f"cannot reach {name.capitalize()} at {given}: .*refused; look whether"):
            list(made(EngineSettings(name=name, address=given)).run(Square(), [1]))


def test_one_of_several_addresses_is_enough() -> None:
    with socket.socket() as one, socket.socket() as other:
        for each in (one, other):
            each.bind(("127.0.0.1", 0))
        other.listen()
        ports = [each.getsockname()[1] for each in (one, other)]
        reach.assert_listens("spark://" + ",".join(f"127.0.0.1:{port}" for port in ports), "Spark", 7077)


@pytest.mark.parametrize(("name", "package"), [("ray", "ray"), ("spark", "pyspark.errors")])
def test_a_missing_package_is_told_with_what_to_install(
    name: str, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.delitem(sys.modules, f"logshed.engines.{name}", raising=False)
    with pytest.raises(EngineError, match=rf"is not installed; pip install 'logshed\[{name}\]'"):
        importlib.import_module(f"logshed.engines.{name}")


def test_the_options_of_an_engine_overrule_the_settings(tmp_path: Path) -> None:
    (tmp_path / "logshed.toml").write_text('[engine]\nname = "ray"\naddress = "auto"\nretries = 5\n')
    settings = Settings.load(tmp_path, environ={"LOGSHED_ENGINE_TASK_MEMORY": "2GB"})
    engine = settings.run_by({"address": "head:6379"}).engine
    assert (engine.name, engine.address, engine.retries, engine.task_memory) == ("ray", "head:6379", 5, 2 * 10**9)
    with pytest.raises(SettingsError, match="cannot use --task-memory"):
        settings.run_by({"task_memory": "much"})


@pytest.mark.parametrize("option", [{"address": "head:6379"}, {"task_memory": "2GB"}])
def test_what_only_a_cluster_takes_is_refused_where_threads_do_the_work(option: dict[str, str], tmp_path: Path) -> None:
    settings = Settings.load(tmp_path, environ={"LOGSHED_ENGINE_ADDRESS": "auto"})
    assert settings.run_by({"name": "local"}).engine.address == "auto"  # what is set for another day stays
    name = next(iter(option)).replace("_", "-")
    with pytest.raises(SettingsError, match=f"cannot use --{name}: threads of this process do the work; add --engine"):
        settings.run_by(option)


def test_following_runs_here_alone(logshed: Run, tmp_path: Path) -> None:
    done = logshed("ingest", "--follow", tmp_path, "--engine", "ray", "--lake", tmp_path / "lake")
    assert done.returncode == 2
    assert "--engine" in done.stderr
