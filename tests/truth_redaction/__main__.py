"""Measure redaction on planted values: ``python -m tests.truth_redaction [--policy NAME] [--leaks] [--false]``."""
# ruff: noqa: T201 - it talks to developers

from __future__ import annotations

import argparse
import sys

from tests.truth_redaction import lookalikes, page, planting, scoring
from tests.truth_redaction.real import hits


def main() -> int:
    """Measure what was asked for."""
    words = argparse.ArgumentParser(prog="python -m tests.truth_redaction", description=__doc__)
    words.add_argument("--policy", default="default", help="its name or file, or `all` for every rule there is")
    words.add_argument("--seed", type=int, default=planting.SEED, help="of the values (default: always the same)")
    words.add_argument("--each", type=int, default=planting.EACH, help="values of each class in each context")
    words.add_argument("--leaks", action="store_true", help="show lines whose value leaked or whose rest changed")
    words.add_argument("--false", action="store_true", help="show look-alikes that changed, and hits in real files")
    words.add_argument("--limit", type=int, default=2, help="lines shown of each class and context (default 2)")
    words.add_argument("--write", metavar="FILE", help="write the page of results")
    asked = words.parse_args()
    score = scoring.measured(asked.policy, each=asked.each, alike=lookalikes.EACH, seed=asked.seed)
    found = hits(scoring.policy_of(asked.policy))
    print("\n".join(page.tables(score, found)))
    if asked.leaks:
        print("\n".join(["", *page.leaks(score, asked.limit)]))
    if asked.false:
        print("\n".join(["", *page.false(score, found)]))
    if asked.write:
        page.write(score, found, asked.write, scoring.PIECE)
    return 0


if __name__ == "__main__":
    sys.exit(main())
