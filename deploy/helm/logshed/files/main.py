"""Runs the command of job.json with the settings beside it: what a job on a cluster begins with."""

import json
import os
import sys
from pathlib import Path

from logshed.cli import main

here = Path(__file__).parent
words = json.loads((here / "job.json").read_text(encoding="utf-8"))
os.chdir(here)
sys.argv = ["logshed", *words]
main()
