"""Starts ``logshed`` in processes of their own whose imports are done: otherwise they are a second of each start.

A server imports what commands import, has read our own data files as the first command that needs them does, and runs
nothing else. For each start it forks a process that gets the words, the folder, the environment and the pipes that a
shell would give it; where its user has data files too, it reads them with ours. That ``python -m logshed`` works, and
that a command imports no more than it needs, is for the tests that start an interpreter of their own.
"""

from __future__ import annotations

import atexit
import gc
import os
import pickle
import runpy
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

HEAVY = ("pyiceberg.catalog.sql", "pyiceberg.io.pyarrow", "sqlalchemy.dialects.sqlite.pysqlite", "pyarrow.dataset")
"""What is imported when it is used first."""
CLUSTERS = ("ray", "spark", "ray_data", "spark_frames")
"""Modules that import Ray and Spark, which begin threads and take seconds."""
READ = (
    ("logshed.formats.registry", "load", "_load"),
    ("logshed.redaction.registry", "load_rules", "_load_rules"),
    ("logshed.detections.taxonomy", "load", "_load"),
    ("logshed.detections.registry", "load", "_load"),
)
"""What reads data files once a process, and where it keeps them; otherwise they are most of a second of each start."""
USERS = Path(".config/logshed")
LARGEST = 1 << 17
NUMBER = struct.Struct("=i")


class Process:
    """A process that was started, with what is used here of ``subprocess.Popen``.

    Attributes:
        pid: Its number.
        returncode: As ``subprocess.Popen`` has it; None while nobody has waited for its end.
    """

    def __init__(self, told: socket.socket, printed: Sequence[int] = ()) -> None:
        self._told = told
        self._printed = printed
        self.pid: int = NUMBER.unpack(told.recv(NUMBER.size))[0]
        self.returncode: int | None = None

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code, once it has ended.

        Raises:
            subprocess.TimeoutExpired: It has not within so many seconds.
        """
        if self.returncode is None:
            self._told.settimeout(timeout)
            try:
                status = self._told.recv(NUMBER.size)
            except (TimeoutError, BlockingIOError):
                raise subprocess.TimeoutExpired("logshed", timeout or 0) from None
            self.returncode = os.waitstatus_to_exitcode(NUMBER.unpack(status)[0])
            self._told.close()
        return self.returncode

    def poll(self) -> int | None:
        """Its exit code if it has ended."""
        with suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """What it has printed and complained of, once it has ended.

        Raises:
            subprocess.TimeoutExpired: It has not within so many seconds.
        """
        self.wait(timeout)
        files, self._printed = self._printed, ()
        for file in files:
            os.lseek(file, 0, os.SEEK_SET)
        out, err = (_read(file).decode() for file in files) if files else ("", "")
        return out, err

    def send_signal(self, number: int) -> None:
        """Send it a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it as a crash does."""
        self.send_signal(signal.SIGKILL)


class Starter:
    """The server, as the tests see it; it ends with them.

    Args:
        environment: What its imports are done with.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._server = subprocess.Popen(
                [sys.executable, __file__, str(theirs.fileno())],
                env={**environment, "OPENBLAS_NUM_THREADS": "1"},  # NumPy's other threads would not be in the forks
                pass_fds=[theirs.fileno()],
            )

    def start(
        self,
        words: Sequence[str],
        folder: Path,
        environment: Mapping[str, str],
        files: Sequence[int],
        module: str = "logshed",
        printed: Sequence[int] = (),
    ) -> Process:
        """Start a program with some words; ``files`` are what it reads, writes and complains to."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            message = pickle.dumps((module, list(words), str(folder), dict(environment)))
            socket.send_fds(self._socket, [message], [*files, theirs.fileno()])
        return Process(ours, printed)

    def open(
        self, words: Sequence[str], folder: Path, environment: Mapping[str, str], told: Path | None = None
    ) -> Process:
        """Start ``logshed`` with some words, to be asked for what it printed when it has ended.

        Args:
            words: Its words.
            folder: Where it runs.
            environment: Its environment.
            told: Where it complains, to be read meanwhile.
        """
        err = _file() if told is None else os.open(told, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        given, *printed = (os.open(os.devnull, os.O_RDONLY), _file(), err)
        process = self.start(words, folder, environment, [given, *printed], printed=printed)
        os.close(given)
        return process

    def run(
        self, words: Sequence[str], folder: Path, environment: Mapping[str, str], stdin: bytes, timeout: float
    ) -> subprocess.CompletedProcess[bytes]:
        """Run ``logshed`` with some words to its end.

        Raises:
            subprocess.TimeoutExpired: It did not end within so many seconds, and was killed.
        """
        if any(
            name.startswith("PYTHON") and value != self._environment.get(name) for name, value in environment.items()
        ):
            return self._interpreted(words, folder, environment, stdin, timeout)
        (given, stdin_end), (stdout_end, out), (stderr_end, err) = os.pipe(), os.pipe(), os.pipe()
        process = self.start(words, folder, environment, [given, out, err])
        for file in (given, out, err):
            os.close(file)
        with ThreadPoolExecutor(3) as pool:
            pool.submit(_write, stdin_end, stdin)
            read = [pool.submit(_read, file) for file in (stdout_end, stderr_end)]
            try:
                code = process.wait(timeout)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
        return subprocess.CompletedProcess(list(words), code, *(one.result() for one in read))

    def _interpreted(
        self, words: Sequence[str], folder: Path, environment: Mapping[str, str], stdin: bytes, timeout: float
    ) -> subprocess.CompletedProcess[bytes]:
        """The same by an interpreter of its own: what is set of Python in the environment is read at its start only."""
        return subprocess.run(
            [sys.executable, "-m", "logshed", *words],
            check=False,
            capture_output=True,
            input=stdin,
            cwd=folder,
            env=environment,
            timeout=timeout,
        )

    def stop(self) -> None:
        """End the server."""
        self._socket.close()
        self._server.wait()


def _file() -> int:
    """A file without a name: what is printed into a pipe that nobody reads would stop a process at some time."""
    file, name = tempfile.mkstemp()
    Path(name).unlink()
    return file


def _write(file: int, content: bytes) -> None:
    with suppress(BrokenPipeError), open(file, "wb") as opened:
        opened.write(content)


def _read(file: int) -> bytes:
    with open(file, "rb") as opened:
        return opened.read()


def _import() -> None:
    """What commands import, at once."""
    package = import_module("logshed")
    for module in walk_packages(package.__path__, "logshed."):
        if not module.name.endswith(("__main__", *CLUSTERS)):
            import_module(module.name)
    for name in HEAVY:
        import_module(name)


def _read_data() -> None:
    """What commands read of our own. Nothing here may start threads: they would not be in the forks."""
    for module, load, _ in READ:
        getattr(import_module(module), load)()
    literals, formats = import_module("logshed.formats.literals"), import_module("logshed.formats.registry")
    for shape in (shape for form in formats.load().values() for shape in form.shapes):
        literals.needed(shape.pattern)
    redaction = import_module("logshed.redaction")
    import_module("logshed.redaction.engine").Redactor(redaction.load_policy("default"))


def _forget_data() -> None:
    """Let a process read what its user has beside ours."""
    for module, _, kept in READ:
        getattr(import_module(module), kept).cache_clear()


def _bury() -> None:
    """Let those go that have waited for a process and have told of its end."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _serve(asked: socket.socket) -> tuple[Any, list[int]] | None:
    """Answer until the tests end, and give None; in a process that was started, what it was given."""
    while True:
        _bury()
        message, files, _, _ = socket.recv_fds(asked, LARGEST, 4)
        if not message:
            return None
        *pipes, told = files
        if not os.fork():
            started = os.fork()
            if not started:
                os.close(told)
                return pickle.loads(message), pipes  # noqa: S301 - of our own tests
            for file in pipes:
                os.close(file)
            os.write(told, NUMBER.pack(started))
            os.write(told, NUMBER.pack(os.waitpid(started, 0)[1]))
            os._exit(0)
        for file in files:
            os.close(file)


def _become(given: Any, pipes: Sequence[int]) -> None:
    """Be what ``python -m logshed`` is when a shell has started it."""
    module, words, folder, environment = given
    for number, pipe in enumerate(pipes):
        os.dup2(pipe, number)
        os.close(pipe)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    if (Path.home() / USERS).exists():
        _forget_data()
    sys.argv = [module, *words]
    sys.path[0] = folder
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as ended:
        _end(ended.code)


def _end(code: object) -> None:
    """Leave as the interpreter does, but do not take apart what was imported: it costs more than most commands."""
    threading._shutdown()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code if isinstance(code, int) else 0)


def main() -> None:
    """Serve; each process that was started comes out of it as well."""
    sys.path[0] = os.devnull  # not the folder of the tests
    _import()
    _read_data()
    warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)  # idle, of allocators
    gc.collect()
    gc.freeze()  # else each process would copy all pages when it counts what is garbage
    with socket.socket(fileno=int(sys.argv[1])) as asked:
        found = _serve(asked)
    if found is not None:
        _become(*found)


if __name__ == "__main__":
    main()
