"""Score the detections: ``python -m tests.truth_detect [CASE…] [--missed] [--write FILE]``."""
# ruff: noqa: T201 - it talks to developers

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tests.truth_detect import attack_run, page, panther, payload_scoring
from tests.truth_detect.scoring import measured

SHARED = Path(__file__).parents[3] / "shared"


def main() -> int:
    """Score what was asked for."""
    words = argparse.ArgumentParser(prog="python -m tests.truth_detect", description=__doc__)
    words.add_argument("case", nargs="*", help="only these cases")
    words.add_argument("--missed", action="store_true", help="show what was not found")
    words.add_argument("--found", action="store_true", help="show what was found in each case")
    words.add_argument("--shared", type=Path, default=SHARED, help="the folder with truth/crowdsec.jsonl")
    words.add_argument("--write", metavar="FILE", help="write the page of results")
    asked = words.parse_args()
    score = measured(asked.shared, asked.case)
    print("\n".join(page.tables(score)))
    if asked.missed:
        print("\n".join(["", *page.missed(score)]))
    if asked.found:
        print("\n".join(["", *page.found(score)]))
    if asked.write:
        truth = asked.shared / "truth"
        clouds = panther.section(panther.score(truth / "panther.jsonl"))
        attack = attack_run.section(attack_run.run(truth / "files" / "cloudtrail" / "attack_run.jsonl"))
        page.write(score, asked.write, [*payload_scoring.section(), "", *clouds, "", *attack])
    return 0


if __name__ == "__main__":
    sys.exit(main())
