"""Bodies as large as a door lets them be."""

from __future__ import annotations

import re
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest
from tests.fuzz import growing
from tests.fuzz.targets import BY_NAME, LIMITS

OF_STREAMS = {"syslog", "forward"}
"""What comes in pieces of 128 KiB, however much there is."""
MEGABYTES = 1024
"""Of a process that has such a body three times: as it came, as a request has it, and without its head."""


@pytest.mark.soak
@pytest.mark.parametrize("name", sorted(BY_NAME.keys() - OF_STREAMS))
def test_the_largest_bodies_of_the_smallest_pieces_take_bounded_memory(name: str) -> None:
    with ProcessPoolExecutor(1, get_context("spawn")) as child:
        assert child.submit(_peak, name).result() <= MEGABYTES


def _peak(name: str) -> int:
    """The most memory that a process ever had that decoded them all, in MB."""
    for data in growing.inputs(name, LIMITS.inflated_bytes):
        BY_NAME[name].run(data)
    told = re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())
    assert told is not None
    return int(told[1]) // 1024  # its own: getrusage tells also that of the process that began it
