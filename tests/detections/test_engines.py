"""A rule finds the same records on DuckDB, on ClickHouse's engine and in the shared scan."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from logshed.api import Lake
from logshed.detections import registry
from logshed.detections.loading import read_rules
from logshed.pipeline.detect import Detect
from logshed.pipeline.rule_scan import statement
from logshed.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterable

pytest.importorskip("chdb", reason="needs the extra `clickhouse`, which is not installed")

ANSWERS = Path(__file__).parent.parent / "sql" / "clickhouse_answers.py"
TOGETHER = 20
"""Rules that are asked in one statement: most of the time of each is its planning."""
TRIED = """
title: Case
name: case
logsource: {category: webserver}
detection:
  s: {cs-user-agent|contains: [MOZILLA, 'it''s', 'a\\*b'], cs-method: get}
  f: {sc-status: 200}
  condition: s and not f
---
title: Wild
name: wild
logsource: {category: webserver}
detection: {s: {c-uri: '/*.h?ml*'}, t: {c-uri|re: '(?i)\\.PNG$'}, f: {user_id: null}, condition: (s or t) and f}
---
title: Numbers
name: numbers
logsource: {category: webserver}
detection: {s: {sc-bytes|gte: 1000, sc-status|lt: 400, c-ip|cidr: 83.0.0.0/8}, condition: s}
---
title: Attributes
name: attributes
logsource: {product: logshed}
detection: {s: {some.key|contains: x}, k: [firefox, 'wget*'], condition: not s and k}
"""


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory, examples: Path) -> Lake:
    root = tmp_path_factory.mktemp("engines")
    made = Lake.open(root / "lake", create=True, settings=Settings.load(root, environ={}))
    made.ingest([examples / "access.log", examples / "app.jsonl", examples / "auth.log"])
    return made


def test_every_rule_finds_the_same_records_on_both_engines(lake: Lake) -> None:
    rules = {rule.name: rule for rule in read_rules("tried", TRIED, "tried.yml")}
    own = [one for rule in registry.load().rules.values() for one in (rule.bases or (rule,))]
    # what the scanner decodes has no expression in SQL
    rules |= {rule.name: rule for rule in own if all(field.sql for field in rule.fields.values())}
    found = [f"SELECT '{name}' AS rule, record_id FROM ({statement(rule)}) AS found" for name, rule in rules.items()]
    statements = [
        f"SELECT * FROM ({' UNION ALL '.join(part)}) AS found ORDER BY 1, 2" for part in batched(found, TOGETHER)
    ]
    done = subprocess.run(
        [sys.executable, str(ANSWERS), str(lake.root)],
        input=pickle.dumps([(sql, {}) for sql in statements]),
        capture_output=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent.parent / "src")},
    )
    answers: list[Any] = pickle.loads(done.stdout)  # noqa: S301 - of our own process
    hits = 0
    for names, sql, answer in zip(batched(rules, TOGETHER), statements, answers, strict=True):
        here = lake.query(sql).rows()
        assert isinstance(answer, tuple), (names, answer)
        assert answer[2] == here, names
        hits += len(here)
    assert hits > 50


def batched(names: Iterable[str], size: int) -> list[list[str]]:
    listed = list(names)
    return [listed[start : start + size] for start in range(0, len(listed), size)]


def test_the_shared_scan_finds_what_the_statements_do(lake: Lake) -> None:
    rules = {rule.name: rule for rule in read_rules("tried", TRIED, "tried.yml")}
    verb = Detect(lake._opened(), lake.settings, ["none"])
    verb._scan = type(verb._scan)(list(rules.values()))
    found = verb.hits("true")
    for name, rule in rules.items():
        count = len(lake.query(statement(rule)))
        assert found.filter(found["rule"] == name).height == count, name
        assert count > 0 or name == "numbers", name
