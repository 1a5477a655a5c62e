"""Files are followed as they grow and rotate, and every line comes once, whatever stops in between."""

from __future__ import annotations

import asyncio
import gzip
import os
from collections import defaultdict
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from logshed.errors import GoneError, SourceError, UnreachableError, UsageError
from logshed.sources.known_files import Found, KnownFiles
from logshed.sources.machines import Glob, LocalMachine
from logshed.sources.sorting import Sorting
from logshed.sources.tail import Tail
from logshed.sources.taking import POSITION

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence

    from logshed.sources.feeds import Arrival, Cursor, Stream
    from logshed.sources.machines import Entry

KEY = b"k" * 32


class Resting:
    """A sink in which lines rest at once, later, or never, as a crash leaves them; its cursors are what then rests.

    Args:
        lag: Arrivals of a stream that are kept waiting before they rest.
    """

    def __init__(self, lag: int = 0) -> None:
        self.lines: dict[tuple[str, str], list[str]] = defaultdict(list)
        self.cursors: dict[tuple[str, str], Cursor] = {}
        self.told: list[tuple[str, str, str]] = []
        self.notes: list[tuple[str, str, str, Any]] = []
        self.lag = lag
        self._waiting: dict[tuple[str, str], list[Arrival]] = defaultdict(list)

    def cursor(self, stream: Stream) -> Cursor:
        """Where a stream goes on."""
        return self.cursors.get((stream.source, stream.collection), {})

    async def put(self, arrivals: Sequence[Arrival]) -> None:
        """Take lines."""
        for arrival in arrivals:
            key = (arrival.stream.source, arrival.stream.collection)
            waiting = self._waiting[key]
            waiting.append(arrival)
            while len(waiting) > (0 if key[0].endswith(POSITION) else self.lag):
                one = waiting.pop(0)
                self.lines[key] += [line.decode() for line in one.lines]
                self.cursors[key] = one.cursor(len(one.lines))

    def rest(self) -> None:
        """Let rest what waits, before its position does."""
        for key, waiting in self._waiting.items():
            for one in waiting:
                self.lines[key] += [line.decode() for line in one.lines]
                self.cursors[key] = one.cursor(len(one.lines))

    def tell(self, target: str, state: str, text: str = "") -> None:
        """Note it."""
        self.told.append((target, state, text))

    def note(self, verb: str, target: str, outcome: str = "ok", details: Any = None) -> None:
        """Note it."""
        self.notes.append((verb, target, outcome, details))

    def crash(self) -> Resting:
        """What is there after one: what waits is gone."""
        after = Resting(self.lag)
        after.lines, after.cursors = self.lines, self.cursors
        return after

    def of(self, path: Path, collection: str = "") -> list[str]:
        """Lines that came of a file."""
        return self.lines[f"file:{path}", collection]


class CrashError(Exception):
    """What comes when the first lines rest."""


class Crashing(Resting):
    """A sink that takes lines once."""

    async def put(self, arrivals: Sequence[Arrival]) -> None:
        """Take lines, and end all."""
        await super().put(arrivals)
        raise CrashError


class Handle:
    """An open file, of which no inode is told."""

    def __init__(self, path: str) -> None:
        self._file = os.open(path, os.O_RDONLY)
        status = os.fstat(self._file)
        self.size, self.changed = status.st_size, int(status.st_mtime)

    async def read(self, start: int, size: int) -> bytes:
        """Some of its bytes."""
        return os.pread(self._file, size, start)

    def close(self) -> None:
        """Close it."""
        os.close(self._file)


class Nameless(LocalMachine):
    """This machine as SFTP shows one: without inodes, and times in seconds."""

    def __init__(self) -> None:
        self._known = KnownFiles(self._opened)

    async def listed(self, glob: Glob) -> list[Entry]:
        """What lies there."""
        found = [Found(one.path, one.size, one.changed) for one in await super().listed(glob)]
        return await self._known.entries(glob.text, found, again=True) or []

    async def blocks(self, entry: Entry, start: int) -> AsyncIterator[bytes]:
        """A file's bytes."""
        async with self._opened(entry.path) as file:
            if not self._known.is_it(entry, await file.read(0, 256)):
                raise GoneError(f"cannot read {entry.path}: it is another one; try again")
            while block := await file.read(start, 2**20):
                yield block
                start += len(block)

    @asynccontextmanager
    async def _opened(self, path: str) -> AsyncIterator[Handle]:
        file = Handle(path)
        try:
            yield file
        finally:
            file.close()


MACHINES: dict[str, type[LocalMachine]] = {"inodes": LocalMachine, "no inodes": Nameless}


@pytest.fixture(params=MACHINES)
def either(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests that are done with a machine that tells inodes, and with one that does not."""
    monkeypatch.setitem(globals(), "Machine", MACHINES[request.param])


Machine: type[LocalMachine] = LocalMachine


def read(sink: Resting, *paths: Path | str, **options: Any) -> Resting:
    """Take what there is now."""
    asyncio.run(Tail(Machine(), [Glob.parse(str(path)) for path in paths], KEY, **options).run(sink))
    return sink


def numbered(first: int, last: int) -> Iterator[str]:
    return (f"line {number}" for number in range(first, last))


def write(path: Path, first: int, last: int) -> None:
    with path.open("a") as file:
        file.writelines(f"{line}\n" for line in numbered(first, last))


@pytest.mark.usefixtures("either")
def test_a_file_is_read_on_where_it_was(tmp_path: Path) -> None:
    log, sink = tmp_path / "app.log", Resting()
    for upto in (10, 10, 11, 300):
        write(log, len(sink.of(log)), upto)
        sink = read(sink.crash(), log)
    assert sink.of(log) == list(numbered(0, 300))


@pytest.mark.usefixtures("either")
def test_an_unfinished_line_waits_for_its_end(tmp_path: Path) -> None:
    log, sink = tmp_path / "app.log", Resting()
    log.write_text("one\ntw")
    assert read(sink, log).of(log) == ["one"]
    log.write_text("one\ntwo\n")
    assert read(sink.crash(), log).of(log) == ["one", "two"]


@pytest.mark.usefixtures("either")
@pytest.mark.parametrize("packed", [False, True])
def test_what_was_renamed_is_read_to_its_end_before_what_took_its_place(tmp_path: Path, packed: bool) -> None:
    log, sink = tmp_path / "app.log", Resting()
    (tmp_path / "app.log.1").write_text("old\n")
    os.utime(tmp_path / "app.log.1", (0, 0))
    write(log, 0, 10)
    read(sink, log)
    write(log, 10, 20)
    (tmp_path / "app.log.1").rename(tmp_path / "app.log.2")
    log.rename(tmp_path / "app.log.1")
    if packed:
        pack(tmp_path / "app.log.1")
    write(log, 20, 30)
    assert read(sink.crash(), log).of(log) == list(numbered(0, 30))
    assert read(sink.crash(), log).of(log) == list(numbered(0, 30))


@pytest.mark.usefixtures("either")
@pytest.mark.parametrize("packed", [False, True])
def test_what_was_copied_and_truncated_is_read_to_its_end(tmp_path: Path, packed: bool) -> None:
    log, sink = tmp_path / "app.log", Resting()
    write(log, 0, 100)
    read(sink, log)
    write(log, 100, 200)
    (tmp_path / "app.log.1").write_bytes(log.read_bytes())
    os.truncate(log, 0)
    if packed:
        pack(tmp_path / "app.log.1")
    write(log, 200, 203)
    assert read(sink.crash(), log).of(log) == list(numbered(0, 203))
    write(log, 203, 500)
    assert read(sink.crash(), log).of(log) == list(numbered(0, 500))


@pytest.mark.parametrize("packed_in_time", [True, False])
def test_a_copy_that_is_just_being_packed_is_waited_for_a_little(tmp_path: Path, packed_in_time: bool) -> None:
    log, sink = tmp_path / "app.log", Resting()
    write(log, 0, 100)
    read(sink, log)
    write(log, 100, 2_000)
    packed = gzip.compress(log.read_bytes())
    copy = tmp_path / "app.log.1.gz"
    copy.write_bytes(packed[: len(packed) // 2])
    os.truncate(log, 0)
    write(log, 2_000, 2_003)

    class Packing(LocalMachine):
        """Another look finds the copy whole."""

        looks = 0

        async def listed(self, glob: Glob) -> list[Entry]:
            """What lies there."""
            self.looks += 1
            if self.looks == 2 and packed_in_time:
                copy.write_bytes(packed)
            return await super().listed(glob)

    asyncio.run(Tail(Packing(), [Glob.parse(str(log))], KEY).run(sink.crash()))
    found = sink.of(log)
    assert found == [*numbered(0, 2_000 if packed_in_time else len(found) - 3), *numbered(2_000, 2_003)]


@pytest.mark.usefixtures("either")
def test_a_file_that_was_truncated_and_is_longer_by_now_is_known_by_its_bytes(tmp_path: Path) -> None:
    log, sink = tmp_path / "app.log", Resting()
    write(log, 0, 100)
    read(sink, log)
    os.truncate(log, 0)
    write(log, 500, 800)
    assert read(sink.crash(), log).of(log) == [*numbered(0, 100), *numbered(500, 800)]


@pytest.mark.usefixtures("either")
def test_what_came_and_was_rotated_away_between_two_looks_is_read_too(tmp_path: Path) -> None:
    log, sink = tmp_path / "app.log", Resting()
    write(log, 0, 10)
    os.utime(log, (1_000, 1_000))
    read(sink, log)
    log.rename(tmp_path / "app.log.3")
    for number in (2, 1):
        rotated = tmp_path / f"app.log.{number}"
        write(rotated, 30 - number * 10, 40 - number * 10)
        os.utime(rotated, (3_000 - number, 3_000 - number))
    write(log, 30, 40)
    assert read(sink.crash(), log).of(log) == list(numbered(0, 40))[:10] + list(numbered(10, 40))


@pytest.mark.usefixtures("either")
@pytest.mark.parametrize("names", ["app.log.{}", "app.log.{}.gz", "app.log-2026-11-0{}", "app.log-2026-11-0{}.gz"])
def test_what_was_rotated_away_in_one_second_is_read_the_oldest_first(tmp_path: Path, names: str) -> None:
    log, sink = tmp_path / "app.log", Resting()
    write(log, 0, 10)
    read(sink, log)
    for age in (3, 2, 1):
        write(log, 40 - age * 10, 50 - age * 10)
        os.utime(log, (3_000_000_000, 3_000_000_000))
        rotated = names.format(age if "-" not in names else 4 - age)
        log.rename(tmp_path / rotated.removesuffix(".gz"))
        if rotated.endswith(".gz"):
            pack(tmp_path / rotated.removesuffix(".gz"))
    write(log, 40, 50)
    assert read(sink.crash(), log).of(log) == [*numbered(0, 50)]


@pytest.mark.usefixtures("either")
@pytest.mark.parametrize("packed", [False, True])
def test_what_was_seen_and_not_read_when_a_crash_came_is_read_after_it(tmp_path: Path, packed: bool) -> None:
    log, old = tmp_path / "app.log", [tmp_path / f"app.log.{age}" for age in range(4)]
    old[0] = log
    suffix = ".gz" if packed else ""

    def rotate(at: int) -> None:
        os.utime(log, (at, at))
        for age in (2, 1):
            with suppress(FileNotFoundError):
                Path(f"{old[age]}{suffix}").rename(f"{old[age + 1]}{suffix}")
        log.rename(old[1])
        if packed:
            pack(old[1])

    write(log, 0, 10)
    sink = read(Resting(), log)
    write(log, 10, 20)
    rotate(2_000_000_001)
    write(log, 20, 30)
    rotate(2_000_000_002)
    write(log, 30, 40)
    os.utime(log, (2_000_000_003, 2_000_000_003))
    crashing = Crashing()
    crashing.lines, crashing.cursors = sink.lines, sink.cursors
    with pytest.raises(CrashError):
        read(crashing, log)
    assert crashing.of(log) == [*numbered(0, 20)]
    rotate(2_000_000_004)
    write(log, 40, 50)
    assert read(crashing.crash(), log).of(log) == [*numbered(0, 50)]


def test_a_copy_that_got_the_inode_of_a_file_that_was_left_out_is_read_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("logshed.sources.tail.POLL_S", 0.1)
    log, old, sink = tmp_path / "app.log", tmp_path / "app.log.1", Resting()
    write(old, 900, 910)
    os.utime(old, (1_000, 1_000))
    write(log, 0, 10)

    async def follow() -> None:
        feed = Tail(LocalMachine(), [Glob.parse(str(log))], KEY, follow=True)
        running = asyncio.ensure_future(feed.run(sink))
        await comes(sink, log, 10)
        for first, last in ((10, 35), (35, 70)):  # first what was left out lies there, then what was read
            write(log, first, first + 10)
            old.write_bytes(log.read_bytes())
            os.truncate(log, 0)
            write(log, first + 10, last)
            await comes(sink, log, last)
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running

    asyncio.run(follow())
    assert sink.of(log) == [*numbered(0, 70)]


async def comes(sink: Resting, log: Path, lines: int) -> None:
    """Wait for so many lines."""
    for _ in range(600):
        if len(sink.of(log)) >= lines:
            return
        await asyncio.sleep(0.1)


@pytest.mark.usefixtures("either")
def test_files_that_a_glob_finds_are_each_a_stream_and_rotated_ones_belong_to_theirs(tmp_path: Path) -> None:
    write(tmp_path / "a.log", 10, 20)
    write(tmp_path / "b.log", 0, 5)
    write(tmp_path / "a.log.1", 0, 10)
    os.utime(tmp_path / "a.log.1", (0, 0))
    sink = read(Resting(), tmp_path / "*.log")
    assert (sink.of(tmp_path / "a.log"), sink.of(tmp_path / "b.log")) == ([*numbered(10, 20)], [*numbered(0, 5)])
    sink = read(Resting(), tmp_path / "*")
    assert sink.of(tmp_path / "a.log") == [*numbered(0, 20)]
    (tmp_path / "a.log").rename(tmp_path / "a.log.2")
    write(tmp_path / "a.log", 20, 21)
    assert read(sink.crash(), tmp_path / "*").of(tmp_path / "a.log") == [*numbered(0, 21)]
    assert {source for source, _ in sink.lines} == {
        f"file:{tmp_path}/{name}{end}" for name in ("a.log", "b.log") for end in ("", POSITION)
    }


@pytest.mark.usefixtures("either")
@pytest.mark.parametrize("lag", [0, 1, 3])
def test_lines_of_many_collections_come_once_each_whatever_a_crash_takes(tmp_path: Path, lag: int) -> None:
    log, sink = tmp_path / "web.log", Resting(lag)
    sorting = Sorting(collection_from=" ([0-9]+)$")
    written: list[str] = []
    for upto in (50, 300, 301, 900):
        lines = [f"GET /{number} {number % 7}" for number in range(len(written), upto)]
        written += lines
        for chunk in (lines[: len(lines) // 2], lines[len(lines) // 2 :]):
            with log.open("a") as file:
                file.writelines(f"{line}\nno id here\n" for line in chunk)
            sink = read(sink.crash(), log, sorting=sorting)
    sink.lag = 0
    read(sink.crash(), log, sorting=sorting)
    for collection in range(7):
        assert sink.of(log, str(collection)) == [line for line in written if line.endswith(f" {collection}")]
    assert sink.cursors[f"file:{log}{POSITION}", ""]["dropped"] == {"no collection": 900}


@pytest.mark.usefixtures("either")
@pytest.mark.parametrize("how", ["renamed", "copied", "packed"])
def test_lines_that_rest_before_the_position_knows_come_once_though_their_file_is_rotated(
    tmp_path: Path, how: str
) -> None:
    log, sink = tmp_path / "app.log", Resting(1)
    write(log, 0, 10)
    read(sink, log)
    sink.rest()
    assert sink.cursors[f"file:{log}{POSITION}", ""]["parts"][0]["offset"] == 0
    write(log, 10, 20)
    if how == "renamed":
        log.rename(tmp_path / "app.log.1")
    else:
        (tmp_path / "app.log.1").write_bytes(log.read_bytes())
        os.truncate(log, 0)
    if how == "packed":
        pack(tmp_path / "app.log.1")
    write(log, 20, 50)
    sink = sink.crash()
    sink.lag = 0
    assert read(sink, log).of(log) == [*numbered(0, 50)]


def test_lines_without_a_collection_are_kept_where_that_is_asked_for(tmp_path: Path) -> None:
    log = tmp_path / "web.log"
    log.write_text("a 1\nb\n \xff 2\n-x- ../3\n")
    sorting = Sorting(match="[ab]|\xff", collection_from=" (\\S+)$", unmatched="rest")
    sink = read(Resting(), log, sorting=sorting)
    assert (sink.of(log, "1"), sink.of(log, "rest"), sink.of(log, "2")) == (["a 1"], ["b"], [" \xff 2"])
    assert sink.cursors[f"file:{log}{POSITION}", ""]["dropped"] == {"no match": 1}


def test_what_may_not_rest_is_no_collection(tmp_path: Path) -> None:
    log = tmp_path / "web.log"
    log.write_text("a 1\nb bob@example.com\nc 2\n")
    sorting = Sorting(collection_from=" (\\S+)$", clean=lambda names: [name.replace("bob", "[NAME]") for name in names])
    sink = read(Resting(), log, sorting=sorting)
    assert {collection for _, collection in sink.lines} == {"1", "2", ""}
    assert sink.cursors[f"file:{log}{POSITION}", ""]["dropped"] == {"no collection": 1}


def test_cursors_hold_nothing_of_the_lines(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    log.write_text("password=hunter2 and more\n" * 3)
    assert "hunter2" not in str(read(Resting(), log).cursors)


def test_new_files_are_taken_up_and_ended_following_leaves_no_line(tmp_path: Path) -> None:
    sink = Resting()

    async def follow() -> None:
        feed = Tail(Machine(), [Glob.parse(f"{tmp_path}/*/*.log")], KEY, follow=True)
        running = asyncio.ensure_future(feed.run(sink))
        await asyncio.sleep(0.2)
        (tmp_path / "a").mkdir()
        write(tmp_path / "a" / "x.log", 0, 5)
        await comes(sink, tmp_path / "a" / "x.log", 5)
        write(tmp_path / "a" / "x.log", 5, 9)
        await comes(sink, tmp_path / "a" / "x.log", 9)
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running

    asyncio.run(follow())
    assert sink.of(tmp_path / "a" / "x.log") == [*numbered(0, 9)]


def test_what_cannot_be_collected_is_said() -> None:
    with pytest.raises(SourceError, match="cannot look into /no/such/folder: No such file"):
        read(Resting(), "/no/such/folder/*.log")
    with pytest.raises(SourceError, match=r"cannot find /no-such\*.log on local: no file matches"):
        read(Resting(), "/no-such*.log")
    for wrong in ("x.log", "/var/../etc/passwd", "/var/log/", "/var/\nlog"):
        with pytest.raises(UsageError, match="no path of a file from the root on"):
            Glob.parse(wrong)
    for sorting, text in (
        (Sorting(match="("), "no regular expression"),
        (Sorting(collection_from="x"), "has no group"),
        (Sorting(collection_from="(x)", unmatched="../x"), "no collection"),
    ):
        with pytest.raises(UsageError, match=text):
            sorting.check()


class Breaking(LocalMachine):
    """A machine to which the connection breaks while a file is read, now and then."""

    def __init__(self) -> None:
        self.breaks = 4

    async def blocks(self, entry: Entry, start: int) -> AsyncIterator[bytes]:
        """A file's bytes in small pieces, up to a break."""
        async for block in super().blocks(entry, start):
            for place in range(0, len(block), 1000):
                await asyncio.sleep(0)
                yield block[place : place + 1000]
                if self.breaks and entry.path.endswith("b.log"):
                    self.breaks -= 1
                    raise UnreachableError("cannot read: the connection was cut; look at the network")


def test_a_connection_that_breaks_costs_no_line_of_any_file(tmp_path: Path) -> None:
    for name in ("a.log", "b.log", "c.log"):
        write(tmp_path / name, 0, 2000)
    sink = Resting(1)

    async def follow() -> None:
        running = asyncio.ensure_future(Tail(Breaking(), [Glob.parse(f"{tmp_path}/*.log")], KEY, follow=True).run(sink))
        for _ in range(900):
            await asyncio.sleep(0.1)
            if sum(len(sink.of(tmp_path / name)) for name in ("a.log", "b.log", "c.log")) > 5700:
                break
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running

    asyncio.run(follow())
    assert ("local", "waiting", "cannot read: the connection was cut; look at the network") in sink.told
    sink.lag = 0
    read(sink.crash(), tmp_path / "*.log")
    for name in ("a.log", "b.log", "c.log"):
        assert sink.of(tmp_path / name) == [*numbered(0, 2000)]


def test_a_line_without_an_end_is_taken_in_pieces(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    log.write_bytes(b"x" * 40_000_000)
    assert [len(line) for line in read(Resting(), log).of(log)] == [16 * 2**20, 16 * 2**20]


def pack(path: Path) -> None:
    """Compress a file as logrotate does: the new one has the time of the old one."""
    status = path.stat()
    packed = path.with_name(f"{path.name}.gz")
    packed.write_bytes(gzip.compress(path.read_bytes()))
    os.utime(packed, (status.st_atime, status.st_mtime))
    path.unlink()
