"""Runs commands of Logshed as the main file of a Spark job: EMR, EMR Serverless, Glue, ``spark-submit``.

    spark-submit logshed_job.py --set '{"LOGSHED_LAKE": "/tmp/logshed"}' --run 'ingest s3://logs/raw/ ; detect'

``--set`` is JSON of variables for the environment (no secrets: a job's arguments can be read by whoever sees it),
``--run`` the commands, with a ``;`` between blanks. The first one that fails ends the job, with its code. What else a
service puts into a job's arguments is left alone.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import sys
from itertools import groupby


def commands(text: str) -> list[list[str]]:
    """The words of each command."""
    groups = groupby(shlex.split(text), lambda word: word == ";")
    return [list(words) for between, words in groups if not between]


def main(given: list[str]) -> int:
    """Run them in this process, in which the job's Spark session is.

    Returns:
        0, or the code of the command that failed.
    """
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("--set", type=json.loads, default={})
    parser.add_argument("--run", type=commands, required=True)
    known, _ = parser.parse_known_args(given)
    os.environ.update(known.set)
    if any("spark" in words for words in known.run) or os.environ.get("LOGSHED_ENGINE_NAME") == "spark":
        # The engine takes the session that is there; without one it would begin its own, on this machine alone.
        from pyspark.sql import SparkSession  # noqa: PLC0415 - a job without Spark does not need it

        SparkSession.builder.appName("logshed").getOrCreate()
    from logshed.cli import main as logshed  # noqa: PLC0415 - reads the environment

    for words in known.run:
        print("$ logshed", shlex.join(words), flush=True)
        sys.argv = ["logshed", *words]
        try:
            logshed()
        except SystemExit as done:
            if done.code:
                return done.code if isinstance(done.code, int) else 1
    return 0


if __name__ == "__main__":
    ended = main(sys.argv[1:])
    if ended:  # a service takes any SystemExit for a failure
        sys.exit(ended)
