"""What a host may be asked to run, and nothing else: a closed grammar of argument vectors, quoted once.

A command is made as a vector of arguments, matched whole against a form, and quoted by one function; the text of no
setting ever is a part of a shell's line. What is not allowed is refused before a connection is made.
"""

from __future__ import annotations

import re
import shlex
from functools import cache
from typing import TYPE_CHECKING

from logshed.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

Argv = tuple[str, ...]

CONTAINER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,254}")
"""Docker's own grammar of names and ids."""

TYPES = {
    "CONTAINER": CONTAINER.pattern,
    "TIME": r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?Z",
}
"""What may stand for a word in capitals. No type takes a blank, a quote, a leading dash or anything beyond ASCII."""

STATE = (
    '{"id":{{json .Id}},"name":{{json .Name}},"status":{{json .State.Status}},"started":{{json .State.StartedAt}},'
    '"finished":{{json .State.FinishedAt}},"restarts":{{json .RestartCount}},'
    '"driver":{{json .HostConfig.LogConfig.Type}},'
    '"image":{{json .Config.Image}},"labels":{{json .Config.Labels}}}'
)
"""What is asked of a container: its environment, which holds passwords, stays where it is."""

FORMS = f"""
docker ps --all --no-trunc --format '{{{{json .}}}}'
docker logs --timestamps [--since TIME] [--until TIME] [--follow] CONTAINER
docker inspect --type container --format '{STATE}' CONTAINER...
docker stats --no-stream --no-trunc --format '{{{{json .}}}}' CONTAINER...
"""
"""One form a line. ``[--option TYPE]`` may be left out, ``TYPE...`` stands for one to ``MOST_WORDS`` of them."""

MOST_WORDS = 200
MOST_BYTES = 65_536
"""Bytes of a whole command: far below what any system takes."""


def check(argv: Sequence[str]) -> Argv:
    """A command that a host may be asked to run, as it is.

    Args:
        argv: Program and arguments.

    Raises:
        UsageError: No form allows it.
    """
    given = tuple(argv)
    whole = "\0".join(given) if all(isinstance(word, str) and "\0" not in word for word in given) else ""
    if len(whole) > MOST_BYTES or not any(form.fullmatch(whole) for form in _forms()):
        shown = " ".join(repr(str(word)[:40]) for word in given[:6])
        raise UsageError(
            f"cannot run {shown} on a host: only docker ps, logs, inspect and stats are, as docs/collect.md has them; "
            "correct the name or the option"
        )
    return given


def quoted(argv: Sequence[str]) -> str:
    """A command as the host's shell takes it; this is the only place that quotes.

    Raises:
        UsageError: It is not allowed.
    """
    return shlex.join(check(argv))


def container(name: str) -> str:
    """The name of a container, as it is.

    Raises:
        UsageError: It is none.
    """
    if not CONTAINER.fullmatch(name):
        raise UsageError(
            f"cannot collect the container {name[:80]!r}: that is no name of a container; write one as `docker ps` does"
        )
    return name


def docker_ps() -> Argv:
    """Lists all containers, one JSON object a line."""
    return check(("docker", "ps", "--all", "--no-trunc", "--format", "{{json .}}"))


def docker_logs(name: str, *, since: str = "", until: str = "", follow: bool = False) -> Argv:
    """Gives what a container wrote.

    Args:
        name: Its name or id.
        since: From when on, RFC 3339 in UTC; empty takes all.
        until: Up to when.
        follow: Go on with what it writes.

    Raises:
        UsageError: A value is none.
    """
    times = (*(("--since", since) if since else ()), *(("--until", until) if until else ()))
    return check(("docker", "logs", "--timestamps", *times, *(("--follow",) if follow else ()), name))


def docker_inspect(names: Sequence[str]) -> Argv:
    """Tells the state of containers, one JSON object a line, without their environment."""
    return check(("docker", "inspect", "--type", "container", "--format", STATE, *names))


def docker_stats(names: Sequence[str]) -> Argv:
    """Tells once what containers take of the host, one JSON object a line."""
    return check(("docker", "stats", "--no-stream", "--no-trunc", "--format", "{{json .}}", *names))


@cache
def _forms() -> tuple[re.Pattern[str], ...]:
    return tuple(_compiled(line) for line in FORMS.strip().splitlines())


def _compiled(line: str) -> re.Pattern[str]:
    """A form as a pattern over the words of a command with NUL between them."""
    pattern, closing = "", 0
    for number, word in enumerate(shlex.split(line)):
        opens = word.startswith("[--")
        closes = word.endswith("]") and (opens or closing)
        bare = word.removeprefix("[").removesuffix("]") if opens or closes else word
        many = bare.removesuffix("...")
        between = r"\0" if number else ""
        piece = f"(?:{TYPES[many]})" if many in TYPES else re.escape(bare)
        if many != bare:
            piece = f"{piece}(?:\\0{piece}){{0,{MOST_WORDS - 1}}}"
        pattern += ("(?:" if opens else "") + between + piece + (")?" if closes else "")
        closing = closing + opens - bool(closes)
    return re.compile(pattern, re.ASCII)
