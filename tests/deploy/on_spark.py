"""Runs the notebooks of deploy/databricks on PySpark, with a stand-in for the parameters that Databricks hands them."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from pyspark.sql import SparkSession

NOTEBOOKS = Path(__file__).parent.parent.parent / "deploy" / "databricks" / "notebooks"


class Widgets:
    """What notebooks use of ``dbutils.widgets``: a default, over which what the task gives wins."""

    def __init__(self, given: dict[str, str]) -> None:
        self._given = given
        self._known: dict[str, str] = {}

    def text(self, name: str, default: str) -> None:
        """Name a parameter."""
        self._known[name] = self._given.get(name, default)

    def get(self, name: str) -> str:
        """Its value."""
        return self._known[name]


class Utilities:
    """``dbutils``."""

    def __init__(self, given: dict[str, str]) -> None:
        self.widgets = Widgets(given)


def main() -> None:
    """Print, as the last line, how many rows each table has that the notebooks made."""
    engine = sys.argv[1] if len(sys.argv) > 1 else "local"
    given = {"source": "raw", "engine": engine, "schema": "default", "exchange": "exchange"}
    warehouse = Path("spark-warehouse").absolute()
    builder = SparkSession.builder.master("local[2]").config("spark.sql.warehouse.dir", str(warehouse))
    spark = builder.config("spark.ui.enabled", "false").config("spark.sql.session.timeZone", "UTC").getOrCreate()
    for name in ("bronze", "silver", "gold"):
        code = compile((NOTEBOOKS / f"{name}.py").read_text(), f"{name}.py", "exec")
        exec(code, {"spark": spark, "dbutils": Utilities(given), "__name__": "__main__"})  # noqa: S102 - as Databricks
    tables = [table.name for table in spark.catalog.listTables("default")]
    sys.stdout.write(json.dumps({name: spark.table(name).count() for name in tables}) + "\n")
    spark.stop()


if __name__ == "__main__":
    main()
