from __future__ import annotations

import os
import string
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.pipeline.samples import access, accesses

from logshed.api import Lake
from logshed.errors import LakeError
from logshed.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
PEAK = """
import re, sys
from pathlib import Path
from logshed.api import Lake
report = Lake.open(sys.argv[1], create=True).ingest([sys.argv[2]])
peak = int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
print(report.totals.read, report.totals.cut, peak // 1024)
"""
"""The peak is the program's own: that which ``getrusage`` tells is also of the process that began it."""


def noise(size: int) -> str:
    """Letters that nothing packs well, and no rule looks at twice."""
    return os.urandom(size).translate((string.ascii_letters * 5)[:256].encode()).decode()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of four megabytes."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("needs the right to mount a small file system")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_full_disk_is_told_and_leaves_nothing_half_done(small_disk: Path, tmp_path: Path) -> None:
    settings = Settings.load(tmp_path, environ={})
    lake = Lake.open(small_disk / "lake", create=True, settings=settings)
    small = tmp_path / "small.log"
    small.write_text(accesses(0, 100))
    lake.ingest([small])
    large = tmp_path / "large.log"
    large.write_text("".join(access(number, agent=noise(400)) for number in range(12_000)))
    with pytest.raises(LakeError, match="disk is full"):
        lake.ingest([large])
    assert lake.audit().ok
    assert lake.query("SELECT count(*) FROM logs").rows() == [(100,)]
    subprocess.run(["mount", "-o", "remount,size=64m", str(small_disk)], check=True)
    assert lake.ingest([large]).totals.stored == 12_000
    assert lake.audit().ok


@pytest.mark.slow
@pytest.mark.parametrize(
    ("shape", "blocks"),
    [("one line of 100 MB", 0), ("lines of many sizes", 10), pytest.param("more lines", 40, marks=pytest.mark.soak)],
)
def test_memory_does_not_grow_with_the_line_or_the_file(shape: str, blocks: int, tmp_path: Path) -> None:
    log = tmp_path / "large.log"
    with log.open("w") as handle:
        if shape == "one line of 100 MB":
            handle.write(accesses(0, 10))
            for _ in range(100):
                handle.write("x" * 1_000_000)
            handle.write("\n" + accesses(10, 20))
        else:
            block = accesses(0, 100_000)
            for _ in range(blocks):
                handle.write(block)
    done = subprocess.run(
        [sys.executable, "-c", PEAK, str(tmp_path / "lake"), str(log)],
        check=True,
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(ROOT / "src"), "HOME": str(tmp_path)},
        cwd=tmp_path,
    )
    read, cut, peak = map(int, done.stdout.split())
    assert (read, cut) == ((21, 1) if shape == "one line of 100 MB" else (blocks * 100_000, 0))
    assert peak < 1536
