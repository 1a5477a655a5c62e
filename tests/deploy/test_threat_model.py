"""Each test that the threat model names is there and runs by itself; each control has one."""

from __future__ import annotations

import ast
import re
from pathlib import Path

TESTS = Path(__file__).parent.parent
PAGE = (TESTS.parent / "docs" / "threat-model.md").read_text()
NAMED = re.findall(r"`([\w/]+\.py)::(\w+)`", PAGE)
ROW = re.compile(r"^\| ([STRIDE]) \| .+ \|$", re.MULTILINE)


def functions(path: Path) -> dict[str, bool]:
    """The functions of a file, each with whether it runs only when it is asked for."""
    tree = ast.parse(path.read_text())
    whole = "pytest.mark.soak" in "".join(
        ast.unparse(node)
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "pytestmark"
    )
    found = (node for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return {
        node.name: whole or any(ast.unparse(one).startswith("pytest.mark.soak") for one in node.decorator_list)
        for node in found
    }


def test_every_test_that_is_named_is_there_and_is_run_each_time() -> None:
    assert len(NAMED) > 70
    files = {name: functions(TESTS / name) for name, _ in NAMED}
    assert [(name, test) for name, test in NAMED if test not in files[name]] == []
    assert [(name, test) for name, test in NAMED if files[name][test]] == []


def test_every_threat_has_a_control_and_a_test_and_every_letter_has_threats() -> None:
    rows = [row for row in PAGE.splitlines() if ROW.fullmatch(row)]
    assert len(rows) > 40
    assert [row for row in rows if "::test_" not in row.rstrip("| ").rpartition("|")[2]] == []
    assert {row[2] for row in rows} == set("STRIDE")
