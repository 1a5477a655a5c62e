from __future__ import annotations

import gzip
import io
import os
import random
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from logshed.sources import files

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LINE = b"2026-11-22 10:00:00 INFO started\n"


def found_names(*paths: object) -> list[str]:
    return [Path(target.path).name for target in files.discover([str(path) for path in paths]).targets]


def only_problem(path: object) -> str:
    found = files.discover([str(path)])
    assert not found.targets
    [problem] = found.problems
    return problem.message


def test_a_folder_gives_its_files_in_name_order_to_any_depth(write: Callable[..., Path], tmp_path: Path) -> None:
    for name in ("b.log", "a/z.log", "a/y/x.log", "c"):
        write(name, LINE)
    assert found_names(tmp_path) == ["x.log", "z.log", "b.log", "c"]


def test_below_a_folder_what_is_no_log_is_skipped_with_its_reason(write: Callable[..., Path], tmp_path: Path) -> None:
    write("app.log", LINE)
    write(".hidden.log", LINE)
    write("photo.png", b"\x89PNG\r\n\x1a\n")
    write("wtmp", bytes(range(256)) * 40)
    write("state", b"SQLite format 3\0" + bytes(100))
    (tmp_path / "dangling.log").symlink_to(tmp_path / "nowhere")
    os.mkfifo(tmp_path / "pipe")
    found = files.discover([str(tmp_path)])
    assert [Path(target.path).name for target in found.targets] == ["app.log"]
    assert found.problems == []
    reasons = {Path(skipped.path).name: skipped.message for skipped in found.skipped}
    assert reasons.keys() == {".hidden.log", "photo.png", "wtmp", "state", "dangling.log", "pipe"}
    assert reasons[".hidden.log"] == "hidden"
    assert reasons["dangling.log"] == "a link that leads nowhere"
    assert reasons["pipe"] == "not a regular file"
    assert "an SQLite database" in reasons["state"]


def test_links_that_lead_back_are_followed_once_and_each_file_is_taken_once(
    write: Callable[..., Path], tmp_path: Path
) -> None:
    log = write("pods/app/0.log", LINE)
    (tmp_path / "pods/app/up").symlink_to(tmp_path)
    (tmp_path / "pods/self").symlink_to(tmp_path / "pods/self")
    (tmp_path / "containers").mkdir()
    (tmp_path / "containers/app.log").symlink_to(log)
    found = files.discover([str(tmp_path), str(log)])
    assert [target.source for target in found.targets] == [f"file:{log}"]
    assert found.problems == []


def test_a_glob_finds_files_and_one_without_matches_is_a_problem(write: Callable[..., Path], tmp_path: Path) -> None:
    for name in ("a.log", "b.log", "b.txt", "deep/er/c.log", "od[d].log"):
        write(name, LINE)
    assert found_names(tmp_path / "*.log") == ["a.log", "b.log", "od[d].log"]
    assert found_names(tmp_path / "**" / "c.*") == ["c.log"]
    assert found_names(tmp_path / "od[d].log") == ["od[d].log"]
    message = only_problem(tmp_path / "*.nope")
    assert message == f"cannot find {tmp_path}/*.nope: no file matches; check the pattern"


def test_a_missing_file_is_a_problem_and_the_others_go_on(write: Callable[..., Path], tmp_path: Path) -> None:
    good = write("good.log", LINE)
    found = files.discover([str(tmp_path / "gone.log"), str(good)])
    assert [target.path for target in found.targets] == [str(good)]
    gone = f"{tmp_path}/gone.log"
    assert [problem.message for problem in found.problems] == [
        f"cannot read {gone}: No such file or directory; check the path"
    ]


def test_a_folder_without_logs_is_a_problem(write: Callable[..., Path], tmp_path: Path) -> None:
    assert "cannot find logs in" in only_problem(tmp_path)
    assert "it holds no files" in only_problem(tmp_path)
    write("logo.png", b"\x89PNG\r\n\x1a\n")
    assert "none of its 1 files is a log" in only_problem(tmp_path)


def test_an_excluded_folder_is_not_entered(write: Callable[..., Path], tmp_path: Path) -> None:
    write("app.log", LINE)
    write("lake/metadata.json", b"{}\n")
    found = files.discover([str(tmp_path)], exclude=[str(tmp_path / "lake")])
    assert [Path(target.path).name for target in found.targets] == ["app.log"]


def tar_of(data: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        member = tarfile.TarInfo("app.log")
        member.size = len(data)
        archive.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\x7fELF" + bytes(200), "it is a program"),
        (b"PK\x03\x04" + bytes(200), "a zip archive; unpack it first"),
        (tar_of(LINE), "a tar archive; unpack it first"),
        (gzip.compress(tar_of(LINE)), "a tar archive; unpack it first"),
        (gzip.compress(bytes(range(256)) * 40), "it is binary; if it is text in another encoding"),
        (random.Random(1).randbytes(100_000), "it is binary"),  # noqa: S311 - no secret
        (b"LPKSHHRH" + bytes(100), "journalctl"),
    ],
)
def test_a_binary_file_that_the_user_names_is_a_problem_that_says_what_it_is(
    content: bytes, said: str, write: Callable[..., Path]
) -> None:
    message = only_problem(write("thing.log", content))
    assert message.startswith("cannot read ")
    assert said in message


@pytest.mark.parametrize(
    "content",
    [
        b"text with a NUL \0 in it\n" * 20,
        b"\x1b[31mred\x1b[0m text\n" * 20,
        bytes(200_000) + LINE * 3_000,
        b"caf\xe9\n" * 100,
        "日本語のログ\n".encode("cp932") * 100,
    ],
)
def test_text_with_odd_bytes_is_a_log(content: bytes, write: Callable[..., Path]) -> None:
    assert found_names(write("odd.log", content)) == ["odd.log"]


def test_an_empty_file_is_a_target_with_nothing_to_do(write: Callable[..., Path]) -> None:
    found = files.discover([str(write("empty.log", b""))])
    [target] = found.targets
    assert (target.note, target.size) == ("empty", 0)
    assert files.plan(target, files.identify(target, []), format="x", final=True) == []
    assert len(files.sample(target)) == 0


@pytest.fixture
def public() -> Iterator[Path]:
    """A folder that every user may enter."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def test_what_may_not_be_read_is_a_problem_that_says_so(public: Path) -> None:
    (public / "closed.log").write_bytes(LINE)
    (public / "shut").mkdir()
    (public / "shut/in.log").write_bytes(LINE)
    (public / "open.log").write_bytes(LINE)
    (public / "closed.log").chmod(0)
    (public / "shut").chmod(0)
    script = (
        f"import os, sys\nsys.path[:] = {sys.path!r}\n"
        "from logshed.sources import files\n"
        "os.getuid() or os.setuid(65534)\n"
        f"found = files.discover([{str(public)!r}])\n"
        "print([t.path for t in found.targets], *[p.message for p in found.problems], sep='|')\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    (public / "shut").chmod(0o755)
    assert done.stdout.rstrip("\n").split("|") == [
        f"['{public}/open.log']",
        f"cannot read {public}/closed.log: Permission denied; run this as a user who may read it",
        f"cannot read {public}/shut: Permission denied; run this as a user who may read it",
    ]


def run_on_stdin(path: str, data: bytes) -> str:
    script = (
        "import sys\nfrom logshed.sources import files\n"
        "found = files.discover([sys.argv[1]])\n"
        "[target], problems = found.targets, found.problems\n"
        "sample = files.sample(target)\n"
        "[split] = files.plan(target, files.identify(target, []), format='x')\n"
        "rows = [row for frame in files.read(split) for row in frame.rows()]\n"
        "print(target.source, target.codec, len(sample), len(rows), rows[0][0], rows[-1][0], sep='|')\n"
    )
    done = subprocess.run([sys.executable, "-c", script, path], input=data, capture_output=True, check=True)
    return done.stdout.decode().strip()


@pytest.mark.parametrize("path", ["-", "/dev/stdin"])
def test_standard_input_is_looked_at_and_then_read_whole(path: str) -> None:
    source = "stdin:" if path == "-" else "pipe:/dev/stdin"
    lines = b"".join(b"line %d\n" % number for number in range(100_000))
    assert run_on_stdin(path, lines + b"end") == f"{source}|plain|600|100001|line 0|end"
    assert run_on_stdin(path, gzip.compress(lines)) == f"{source}|gzip|600|100000|line 0|line 99999"


def test_a_file_that_is_met_under_two_names_is_taken_once(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("INFO one\n")
    (tmp_path / "b.log").hardlink_to(tmp_path / "a.log")
    found = files.discover([str(tmp_path)])
    assert [target.path for target in found.targets] == [str(tmp_path / "a.log")]
