"""Job files for Databricks, EMR and Glue hold no key that their APIs do not know; what they run is run here."""

from __future__ import annotations

import json
import os
import py_compile
import shlex
import subprocess
import sys
from dataclasses import fields
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from logshed.api import Lake
from logshed.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

DEPLOY = Path(__file__).parent.parent.parent / "deploy"
NOTEBOOKS = DEPLOY / "databricks" / "notebooks"
AWS = {
    "emr/serverless-application.json": ("emr-serverless", "CreateApplication"),
    "emr/serverless-job.json": ("emr-serverless", "StartJobRun"),
    "emr/step.json": ("emr", "AddJobFlowSteps"),
    "glue/job.json": ("glue", "CreateJob"),
    "glue/trigger.json": ("glue", "CreateTrigger"),
}
"""Each file with the service and the call that takes it."""
JOB = DEPLOY / "spark" / "logshed_job.py"
LINES = "".join(
    f'{{"timestamp":"2026-11-01T00:00:{n:02d}Z","message":"GET /{n}","url.path":"/{n}"}}\n' for n in range(9)
)


def read(name: str) -> Any:
    return json.loads((DEPLOY / name).read_text())


@lru_cache
def input_of(service: str, call: str) -> Any:
    """The description of what a call takes, in AWS' own client."""
    from botocore.session import get_session  # noqa: PLC0415 - heavy

    return get_session().get_service_model(service).operation_model(call).input_shape


def complaints(name: str, given: Any) -> str:
    """What is wrong with a file for AWS."""
    from botocore.validate import ParamValidator  # noqa: PLC0415 - heavy

    shape = input_of(*AWS[name])
    told = dict(given)
    for required, member in shape.members.items():  # a client fills in what only makes a call the same when repeated
        if member.metadata.get("idempotencyToken"):
            told.setdefault(required, "token")
    return str(ParamValidator().validate(told, shape).generate_report())


def unknown(kind: Any, given: Any, path: str = "") -> list[str]:
    """Keys and values that Databricks' own classes lose when they read them and write them down again."""
    again = kind.from_dict(json.loads(json.dumps(given))).as_dict()
    return list(lost(given, again, path))


def lost(given: Any, again: Any, path: str) -> Iterator[str]:
    if isinstance(given, dict) and isinstance(again, dict):
        for key, value in given.items():
            yield from lost(value, again.get(key), f"{path}.{key}")
    elif isinstance(given, list) and isinstance(again, list) and len(given) == len(again):
        for place, pair in enumerate(zip(given, again, strict=True)):
            yield from lost(*pair, f"{path}[{place}]")
    elif given != again:
        yield path


@pytest.mark.parametrize("name", AWS)
def test_a_file_for_aws_has_what_its_call_takes_and_a_misspelt_key_is_found(name: str) -> None:
    given = read(name)
    assert complaints(name, given) == ""
    first = next(iter(given))
    assert f'Unknown parameter in input: "{first}x"' in complaints(name, {**given, f"{first}x": given[first]})


def test_a_misspelt_key_deep_in_a_file_for_aws_is_found() -> None:
    given = read("glue/job.json")
    given["ExecutionProperty"] = {"MaxConcurrentRun": 1}
    assert "MaxConcurrentRun" in complaints("glue/job.json", given)


def test_the_run_for_databricks_has_what_its_api_takes_and_a_misspelt_key_is_found() -> None:
    from databricks.sdk.service import jobs  # noqa: PLC0415 - heavy

    given = read("databricks/jobs/hourly_etl.json")
    assert set(given) == {"run_name", "timeout_seconds", "tasks"}
    for place, task in enumerate(given["tasks"]):
        assert unknown(jobs.SubmitTask, task) == []
        after = [one["task_key"] for one in task.get("depends_on", [])]
        assert after == [one["task_key"] for one in given["tasks"][place - 1 : place]]
    planted = {**given["tasks"][0], "notebok_task": {}}
    planted["new_cluster"] = {**planted["new_cluster"], "spark_versoin": "17"}
    assert unknown(jobs.SubmitTask, planted) == [".new_cluster.spark_versoin", ".notebok_task"]


def test_the_bundle_has_what_databricks_takes_and_a_misspelt_key_or_value_is_found() -> None:
    from databricks.sdk.service import jobs  # noqa: PLC0415 - heavy

    text = (DEPLOY / "databricks" / "databricks.yml").read_text()
    given = yaml.safe_load(text)
    assert set(given) == {"bundle", "variables", "resources", "targets"}
    assert all(set(one) <= {"description", "default"} for one in given["variables"].values())
    named = {part.partition("}")[0] for part in text.split("${var.")[1:]}
    assert named == set(given["variables"])
    (job,) = given["resources"]["jobs"].values()
    assert unknown(jobs.JobSettings, job) == []
    assert {field.name for field in fields(jobs.JobSettings)} > set(job)
    assert (job["max_concurrent_runs"], job["schedule"]["pause_status"]) == (1, "UNPAUSED")
    for task in job["tasks"]:
        assert (DEPLOY / "databricks" / task["notebook_task"]["notebook_path"]).is_file()
        assert task["job_cluster_key"] == job["job_clusters"][0]["job_cluster_key"]
    job["schedule"] |= {"pause_status": "GOING", "timezone": "UTC"}
    assert unknown(jobs.JobSettings, job) == [".schedule.pause_status", ".schedule.timezone"]


def test_bundle_run_and_notebooks_speak_of_the_same_parameters() -> None:
    bundle = yaml.safe_load((DEPLOY / "databricks" / "databricks.yml").read_text())
    (job,) = bundle["resources"]["jobs"].values()
    for task, once in zip(job["tasks"], read("databricks/jobs/hourly_etl.json")["tasks"], strict=True):
        source = (NOTEBOOKS / f"{task['task_key']}.py").read_text()
        assert source.startswith("# Databricks notebook source\n")
        asked = {line.split('"')[1] for line in source.splitlines() if line.startswith("dbutils.widgets.text(")}
        for one in (task, once):
            assert one["notebook_task"]["base_parameters"].keys() == asked
        secrets = [value for value in once["new_cluster"]["spark_env_vars"].values() if value.startswith("{{secrets/")]
        assert len(secrets) == 2


def test_every_python_file_compiles_and_every_variable_is_a_setting(tmp_path: Path) -> None:
    for number, path in enumerate(sorted(DEPLOY.rglob("*.py"))):
        py_compile.compile(str(path), cfile=str(tmp_path / f"{number}.pyc"), doraise=True)
    known = (DEPLOY.parent / "docs" / "reference" / "settings.md").read_text()
    given = json.dumps([read(name) for name in AWS] + [read("databricks/jobs/hourly_etl.json")])
    for name in {
        word for word in shlex.split(given.replace("\\", " ").replace('"', " ")) if word.startswith("LOGSHED_")
    }:
        assert f"`{name.strip(':,')}`" in known


def test_a_job_sets_its_environment_runs_its_commands_and_ends_with_the_first_that_fails(tmp_path: Path) -> None:
    (tmp_path / "app.log").write_text(LINES)
    given = {"LOGSHED_LAKE": str(tmp_path / "lake"), "LOGSHED_CATALOG_PROPERTIES": '{"pool_pre_ping": "true"}'}
    run = "ingest app.log --format json ; query 'SELECT nothing' ; maintain"
    words = ["--JOB_NAME", "hourly", "--set", json.dumps(given), "--run", run, "--enable-metrics", "true"]
    environment = {**os.environ, "PYTHONPATH": str(DEPLOY.parent / "src")}
    done = subprocess.run(
        [sys.executable, str(JOB), *words], capture_output=True, text=True, check=False, cwd=tmp_path, env=environment
    )
    assert done.returncode == 1, done.stderr
    begun = [line for line in done.stdout.splitlines() if line.startswith("$ ")]
    assert begun == [
        "$ logshed ingest app.log --format json",
        "$ logshed query 'SELECT nothing'",
    ]
    lake = Lake.open(tmp_path / "lake", settings=Settings.load(tmp_path, environ={}))
    assert lake.query("SELECT count(*) FROM logs").rows() == [(9,)]


@pytest.mark.soak
def test_a_submitted_job_works_in_the_session_that_it_was_submitted_to(tmp_path: Path) -> None:
    pytest.importorskip("pyspark", reason="needs PySpark, which is not installed")
    (tmp_path / "app.log").write_text(LINES)
    (tmp_path / "events").mkdir()
    events = [
        "--conf",
        "spark.eventLog.enabled=true",
        "--conf",
        "spark.eventLog.compress=false",
        "--conf",
        f"spark.eventLog.dir={tmp_path / 'events'}",
    ]
    given = {"LOGSHED_LAKE": str(tmp_path / "lake"), "LOGSHED_ENGINE_NAME": "spark"}
    run = "ingest app.log --format json ; aggregate traffic_hourly"
    words = ["--master", "local[2]", *events, str(JOB), "--set", json.dumps(given), "--run", run]
    environment = {**os.environ, "PYTHONPATH": str(DEPLOY.parent / "src"), "PYSPARK_PYTHON": sys.executable}
    submit = Path(sys.executable).with_name("spark-submit")
    done = subprocess.run([submit, *words], capture_output=True, text=True, check=False, cwd=tmp_path, env=environment)
    assert done.returncode == 0, done.stderr[-3000:]
    lake = Lake.open(tmp_path / "lake", settings=Settings.load(tmp_path, environ={}))
    assert lake.query("SELECT sum(requests) FROM traffic_hourly").rows() == [(9,)]
    told = "".join(path.read_text() for path in (tmp_path / "events").rglob("*") if path.is_file())
    assert '"spark.master":"local[2]"' in told
    assert '"spark.master":"local[*' not in told
    assert "MapInArrow" in told


@pytest.mark.soak
@pytest.mark.parametrize("engine", ["local", "spark"])
def test_the_notebooks_run_one_after_the_other_on_spark_and_spark_answers_as_the_lake_does(
    engine: str, tmp_path: Path
) -> None:
    pytest.importorskip("pyspark", reason="needs PySpark, which is not installed")
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "app.log").write_text(LINES)
    script = Path(__file__).with_name("on_spark.py")
    environment = {
        **os.environ,
        "PYTHONPATH": f"{DEPLOY.parent / 'src'}{os.pathsep}{NOTEBOOKS}",
        "LOGSHED_LAKE": str(tmp_path / "lake"),
        "PYSPARK_PYTHON": sys.executable,
    }
    done = subprocess.run(
        [sys.executable, str(script), engine],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env=environment,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    told = json.loads(done.stdout.splitlines()[-1])
    lake = Lake.open(tmp_path / "lake", settings=Settings.load(tmp_path, environ={}))
    tables = [name for name, one in lake.stored().items() if one.name.startswith(("gold.", "security."))]
    assert sorted(told) == sorted(tables)
    assert {name: lake.query(f"SELECT count(*) FROM {name}").rows()[0][0] for name in tables} == told
    assert told["traffic_hourly"] == 1
