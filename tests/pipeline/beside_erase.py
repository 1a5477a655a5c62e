"""A process that ingests three times while another erases; run by test_erasing.py."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.pipeline.test_erasing import lines, opened


def main(lake: str, log: str) -> None:
    """Ingest records of others."""
    for number in range(10, 13):
        with Path(log).open("a") as file:
            file.write(lines(number, ("bert", "carl")))
        opened(Path(lake)).ingest([log], format="json")


if __name__ == "__main__":
    main(*sys.argv[1:])
