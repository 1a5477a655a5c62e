from __future__ import annotations

from logshed.cli.progress import left, line, size
from logshed.pipeline.outcome import Progress


def test_sizes_have_the_unit_that_one_can_read() -> None:
    assert [size(count) for count in (0, 999, 1_500, 2_500_000, 3e9)] == ["0 B", "999 B", "1.5 kB", "2.5 MB", "3.0 GB"]


def test_a_line_tells_bytes_lines_speed_rejects_and_what_is_left() -> None:
    progress = Progress(25_000_000, 100_000_000, 100_000, 3, 10.0, "a.log")
    assert line(progress) == "25.0 MB of 100.0 MB, 100,000 lines, 10,000 lines/s, 3 rejected, 0:30 left, a.log"


def test_what_is_left_of_standard_input_is_not_known() -> None:
    assert left(Progress(25, 0, 1, 0, 1.0, "-")) == "?"
