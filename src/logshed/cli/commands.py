"""What all commands share: the options ``-v`` and ``--log-level``, how errors are told, and exit codes."""

from __future__ import annotations

import errno
import functools
import inspect
import os
import sys
import traceback
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from logshed.cli import asked, engines
from logshed.errors import LogshedError, UsageError, gone

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, MutableMapping, Sequence

FAILED, TOO_MANY_REJECTS, INTERRUPTED, PIPE_CLOSED = 1, 3, 130, 141
"""Exit codes beside 0 (done) and 2 (bad usage); the last two are what shells give for SIGINT and SIGPIPE."""


class LogLevel(StrEnum):
    """How much the program tells of its own work."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


LakeOption = Annotated[
    Path | None,
    typer.Option(
        "--lake", metavar="DIR", help="The lake; LOGSHED_LAKE or logshed.toml say it too.", show_default=False
    ),
]
EngineOptions = engines.EngineOptions
CertificateOption = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Certificate (PEM), to serve HTTPS.", show_default=False)
]
KeyOption = Annotated[Path | None, typer.Option(metavar="FILE", help="Its key (PEM).", show_default=False)]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
_Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Tell what is being done (--log-level info).")]
_Level = Annotated[LogLevel | None, typer.Option(help="Tell more or less; debug shows tracebacks.", show_default=False)]


def add(
    group: typer.Typer,
    name: str,
    function: Callable[..., None],
    *,
    examples: Sequence[str] = (),
    logs: bool = False,
    served: bool = False,
) -> None:
    """Add a function as a command, with the options and the error handling that all commands have.

    Args:
        group: What to add it to.
        name: The command's name.
        function: What it does; its signature gives its options, its docstring its help.
        examples: Command lines that teach it, shown in its help.
        logs: Whether what it calls writes a log of its own by structlog.
        served: Whether a server may be asked instead of a lake on this machine.
    """

    @functools.wraps(function)
    def run(*, verbose: bool = False, log_level: LogLevel | None = None, **options: Any) -> None:
        level = log_level or (LogLevel.INFO if verbose else LogLevel.WARNING)
        _configure_logging(level, structured=logs or level is not LogLevel.WARNING)
        if not served:
            _guarded(functools.partial(asked.refused, name), level)
        _guarded(functools.partial(function, **engines.gathered(whole, options)), level)

    whole = inspect.signature(function, eval_str=True)
    own = engines.spread(whole)
    shared = [
        inspect.Parameter("verbose", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=_Verbose),
        inspect.Parameter("log_level", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=_Level),
    ]
    run.__signature__ = own.replace(parameters=[*own.parameters.values(), *shared])  # type: ignore[attr-defined]
    # Click leaves lines after a lone backspace as they are.
    shown = "\n\n\b\nExamples:\n" + "\n".join(f"  {line}" for line in examples) if examples else ""
    group.command(name, help=(inspect.getdoc(function) or "") + shown)(run)


def let_interrupts_through() -> None:
    """Let Ctrl-C end a read that waits: Polars' own handler, set when it is imported, has such reads begin again."""
    import signal  # noqa: PLC0415 - only commands that read need it

    import polars  # noqa: F401, ICN001, PLC0415 - heavy, and it must have set its handler by now

    signal.siginterrupt(signal.SIGINT, True)


def pairs(given: list[str]) -> dict[str, str]:
    """The values of ``-p name=value`` by name.

    Raises:
        UsageError: One of them has no equals sign.
    """
    found: dict[str, str] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not (name and equals):
            raise UsageError(f"cannot read parameter {text!r}: it has no value; write -p name=value")
        found[name] = value
    return found


def _guarded(call: Callable[[], None], level: LogLevel) -> None:
    """Call it, and turn what goes wrong into one sentence on standard error and an exit code."""
    try:
        call()
        sys.stdout.flush()
    except KeyboardInterrupt:
        _leave("stopped; everything committed so far is whole", INTERRUPTED)
    except LogshedError as error:
        _fail(str(error), error.exit_code, level)
    except OSError as error:
        if error.errno == errno.EPIPE:
            _quiet_stdout()
            raise typer.Exit(PIPE_CLOSED) from None
        if isinstance(error, FileNotFoundError):
            _fail(gone(error), FAILED, level)
        _fail(f"cannot go on: {error}; look at the place that it names", FAILED, level)
    except MemoryError:
        _fail("cannot go on: out of memory; set fewer workers or a smaller batch_bytes", FAILED, level)
    except typer.Exit:
        raise
    except Exception as error:  # noqa: BLE001 - a user is told of our own faults too, and how to see more
        cause = f"{type(error).__name__}: {error}"
        _fail(f"cannot go on: {cause}; this is a fault of Logshed, --log-level debug shows where", FAILED, level)


def _fail(text: str, code: int, level: LogLevel) -> None:
    if level is LogLevel.DEBUG:
        traceback.print_exc(file=sys.stderr)
    _stop(f"error: {text}", code)


def _stop(text: str, code: int) -> None:
    print(text, file=sys.stderr)
    raise typer.Exit(code)


def _leave(text: str, code: int) -> None:
    """End at once: a thread may wait for standard input for ever, and being killed is something that lakes survive."""
    print(text, file=sys.stderr, flush=True)
    sys.stdout.flush()
    os._exit(code)


def _quiet_stdout() -> None:
    """Let the interpreter flush standard output into nothing when its reader has gone."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _configure_logging(level: LogLevel, *, structured: bool) -> None:
    """Send the package's own log to standard error."""
    import logging  # noqa: PLC0415 - `--help` has no use for it

    from logshed.cli.signs import Lines  # noqa: PLC0415 - as logging

    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_structured() if structured else Lines())
    logger = logging.getLogger("logshed")
    logger.handlers = [handler]
    logger.propagate = False
    logger.setLevel(level.value.upper())


def _structured() -> logging.Formatter:
    """Let structlog hand what it is told to the standard library's log, and draw what comes out of it."""
    import structlog  # noqa: PLC0415 - a quarter of a second, for those who need it

    shared: list[Any] = [structlog.stdlib.add_log_level, structlog.processors.TimeStamper(fmt="iso", utc=True)]
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    drawn = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty() and "NO_COLOR" not in os.environ)
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*shared, structlog.stdlib.ExtraAdder()],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _visible, drawn],
    )


def _visible(_: Any, __: str, told: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """What is told, each text as one line; of an exception nothing is changed, which is ours."""
    from logshed.cli.signs import visible  # noqa: PLC0415 - as logging

    return {
        name: visible(value) if isinstance(value, str) and name != "exception" else value
        for name, value in told.items()
    }
