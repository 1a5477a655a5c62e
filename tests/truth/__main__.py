"""Score the truth files, show the failures: ``python -m tests.truth [SOURCE…] [--format NAME] [--wrong]``."""

from __future__ import annotations

import argparse
import sys

from tests.truth.board import FIELD_SOURCES, OTHER_SOURCES, everything, print_failures, print_table
from tests.truth.page import write


def main() -> int:
    """Score what was asked for."""
    words = argparse.ArgumentParser(prog="python -m tests.truth", description=__doc__)
    words.add_argument("source", nargs="*", help=f"of {', '.join((*FIELD_SOURCES, *OTHER_SOURCES))}")
    words.add_argument("--format", help="only this format, as its source names it")
    words.add_argument("--wrong", action="store_true", help="show the wrong leaves")
    words.add_argument("--unparsed", action="store_true", help="show the unparsed leaves")
    words.add_argument("--limit", type=int, default=40, help="failures shown (default 40)")
    words.add_argument("--write", metavar="FILE", help="write the page of results")
    asked = words.parse_args()
    board = everything(asked.source, only=asked.format)
    print_table(board, by_format=bool(asked.source) or asked.format is not None)
    kinds = [kind for kind in ("wrong", "unparsed") if getattr(asked, kind)]
    if kinds:
        print_failures(board, kinds, asked.limit)
    if asked.write:
        write(board, asked.write)
    return 0


if __name__ == "__main__":
    sys.exit(main())
