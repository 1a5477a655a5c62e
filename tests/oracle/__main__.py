"""Asks Spark, with Iceberg's own Java library, of a lake before and after upkeep: `make oracle`.

PySpark wants an environment of its own beside the tests' one, and Java; where one is not to be had that is said.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.oracle.lake import ASKED, TABLES, made

from logshed.api import Lake
from logshed.lake.compact_plan import Sizes
from logshed.pipeline.maintain import Maintain
from logshed.settings import Settings

if TYPE_CHECKING:
    from tests.oracle.lake import Answer, Rows

ROOT = Path(__file__).parent.parent.parent
PACKAGES = ["pyspark==3.5.9", "snowpark-connect-deps-iceberg==1.0.3"]
"""The second holds Iceberg's runtime for Spark 3.5 (Apache-2.0), which is on no Python index by itself."""
DEBIAN = ["java:openjdk-17-jre-headless", "/usr/share/java/sqlite-jdbc.jar:libxerial-sqlite-jdbc-java"]


def spark_python() -> Path | None:
    """The Python of the environment with PySpark; None where it cannot be made, which was told then."""
    subprocess.run([ROOT / "tools" / "system-packages", *DEBIAN], check=False)
    if shutil.which("java") is None and not os.environ.get("JAVA_HOME"):
        sys.stdout.write("skipped: Spark needs Java 17, which is not installed; Debian: openjdk-17-jre-headless\n")
        return None
    folder = (ROOT / (os.environ.get("VENV", ".venv") + "-spark")).absolute()
    python = folder / "bin" / "python"
    if (folder / "made").exists():
        return python
    venv.create(folder, with_pip=True)
    done = subprocess.run([python, "-m", "pip", "install", "-q", *PACKAGES], check=False)
    if done.returncode:
        sys.stdout.write(f"skipped: {' and '.join(PACKAGES)} cannot be installed here\n")
        return None
    (folder / "made").touch()
    return python


def on_spark(python: Path, lake: Lake, folder: Path) -> dict[str, Any]:
    """What Spark says: by the tables' metadata files, and by the lake's own catalog."""
    stored = lake.stored(list(TABLES))
    given = {
        "folder": str(folder),
        "answers": str(folder / "answers.json"),
        "name": "logshed",
        "catalog": str(lake.root / "catalog.db"),
        "warehouse": f"file://{lake.root}/warehouse",
        "metadata": {short: one.metadata for short, one in stored.items()},
        "asked": [one.of("spark", {short: short for short in TABLES}) for one in ASKED.values()],
        "listed": [one.of("spark", {s: f"logshed.{name}" for s, name in TABLES.items()}) for one in ASKED.values()],
    }
    script = Path(__file__).with_name("on_spark.py")
    done = subprocess.run([python, script], input=json.dumps(given), capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"cannot ask Spark: {done.stderr[-3000:]}")
    found: dict[str, Any] = json.loads((folder / "answers.json").read_text())
    return found


def rows_of(lake: Lake) -> Rows:
    """What PyIceberg reads."""
    return {s: lake._opened().load(name).scan().to_arrow().to_pylist() for s, name in TABLES.items()}


def compared(stage: str, lake: Lake, before: Rows, told: dict[str, Any]) -> int:
    """Say for each question whether all say what PyIceberg read before upkeep; gives how often they do not."""
    wrong = 0
    now = rows_of(lake)
    for place, (about, asked) in enumerate(ASKED.items()):
        expected = asked.slowly(before)
        duckdb = lake.query(asked.of("duckdb", {short: short for short in TABLES})).rows()
        answers: dict[str, Answer | None] = {
            "pyiceberg": asked.slowly(now),
            "duckdb": [list(row) for row in duckdb],
            "spark": told["asked"][place],
            "spark by the catalog": told["listed"] and told["listed"][place],
        }
        for engine, answer in answers.items():
            same = "no driver for SQLite" if answer is None else "same" if answer == expected else "DIFFERENT"
            wrong += same == "DIFFERENT"
            sys.stdout.write(f"{stage:14} {about:32} {engine:22} {same}\n")
            if same == "DIFFERENT":
                sys.stdout.write(f"  expected {expected}\n  got      {answer}\n")
    return wrong


def main() -> int:
    """Ask, and tell; 1 where an answer differs."""
    python = spark_python()
    if python is None:
        return 0
    with tempfile.TemporaryDirectory(prefix="logshed-oracle-") as named:
        folder = Path(named)
        settings = Settings.load(folder, environ={})
        lake = made(folder, ROOT / "examples", settings)
        wrong, before = 0, rows_of(lake)
        for stage in ("as ingested", "after upkeep"):
            began = time.monotonic()
            told = on_spark(python, lake, folder)
            wrong += compared(stage, lake, before, told)
            sys.stdout.write(f"Spark {told['spark']}, Java {told['java']}: {time.monotonic() - began:.0f} s\n")
            upkeep = Maintain(lake._opened(), settings, grace_s=0, alone=True, sizes=Sizes(least=2)).run()
            assert not [one.error for one in upkeep if one.error]
            lake = Lake.open(lake.root, settings=settings)
    sys.stdout.write(f"{wrong} answers differ\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
