"""Files into a lake by Spark: its executors read, redact, parse and write; this process commits, exactly once."""

# ruff: noqa: INP001, T201 - a script that talks to people

from __future__ import annotations

import shutil

from clusters import BUILD, HERE, show
from logshed.api import Lake
from logshed.engine_settings import EngineSettings
from logshed.settings import Settings

LAKE = BUILD / "spark-lake"
LOGS = ("access.log", "app.jsonl", "auth.log", "docker-json.log")
RECORDS = """
SELECT log_format, count(*) AS records, count(parse_error) AS rejected, sum(redaction_count) AS redacted
FROM logs GROUP BY 1 ORDER BY 2 DESC
"""


def main() -> None:
    """Ingest the sample logs twice: the second time there is nothing new. With ``address`` it is done by a cluster."""
    shutil.rmtree(LAKE, ignore_errors=True)
    settings = Settings.load().model_copy(update={"engine": EngineSettings(name="spark", num_cpus=2)})
    lake = Lake.open(LAKE, create=True, settings=settings)
    for _ in range(2):
        totals = lake.ingest([HERE / name for name in LOGS]).totals
        print(f"read {totals.read:,} lines, stored {totals.stored:,}, rejected {totals.rejected:,}")
    show("What is in the lake", lake.query(RECORDS).pl())
    print(f"\nEvery line accounted for: {lake.audit().ok}")


if __name__ == "__main__":
    main()
