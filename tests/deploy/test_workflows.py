"""The project's workflows are what GitHub takes, run only code that is pinned, and may do no more than they have to."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.deploy.test_containers import checked, program

FOLDER = Path(__file__).parent.parent.parent / ".github" / "workflows"
WORKFLOWS = sorted(FOLDER.glob("*.yml"))
MAY_WRITE = {"publish": {"packages", "id-token", "attestations"}}


def jobs(path: Path) -> dict[str, dict[str, Any]]:
    return dict(yaml.safe_load(path.read_text())["jobs"])


def test_workflows_are_what_github_takes() -> None:
    assert {path.stem for path in WORKFLOWS} == {"ci", "image", "release"}
    checked(program("check-jsonschema"), "--builtin-schema", "vendor.github-workflows", *WORKFLOWS)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_every_action_is_pinned_by_its_commit_and_says_of_which_version(path: Path) -> None:
    used = re.findall(r"^\s*(?:- )?uses: (.+)$", path.read_text(), re.MULTILINE)
    assert used
    assert all(re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", one) for one in used)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_what_a_job_may_write_is_what_publishing_needs(path: Path) -> None:
    text = path.read_text()
    whole = yaml.safe_load(text)
    assert whole["permissions"] in ({}, {"contents": "read"})
    assert "pull_request_target" not in text
    assert "secrets." not in text
    for name, job in jobs(path).items():
        writes = {what for what, how in job.get("permissions", {}).items() if how != "read"}
        assert writes <= MAY_WRITE.get(name, set()), name
        assert job["timeout-minutes"] <= 60, name
    # what others name (branches, titles) goes through the environment, never into a script
    assert all("${{" not in step.get("run", "") for job in jobs(path).values() for step in job["steps"])


def test_the_versions_that_ci_tests_are_those_that_are_promised() -> None:
    tested = jobs(FOLDER / "ci.yml")["test"]["strategy"]["matrix"]["python"]
    promised = re.findall(
        r'"Programming Language :: Python :: (3\.\d+)"', (FOLDER.parent.parent / "pyproject.toml").read_text()
    )
    assert set(promised) <= set(tested)
