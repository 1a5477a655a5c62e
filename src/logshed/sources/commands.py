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
    "PATH": r"(?:/[A-Za-z0-9_.+@:,=~%-]{1,255}){1,64}|/",
    "FROM": r"\+[0-9]{1,19}",
    "DEPTH": r"[0-9]{1,2}",
    "EPOCH": r"@[0-9]{1,12}",
    "UNIT": r"--unit=[A-Za-z0-9][A-Za-z0-9_.@:\\-]{0,254}",
    "POSITION": r"[a-z]=[0-9a-f]{1,64}(?:;[a-z]=[0-9a-f]{1,64}){0,9}",
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

FOUND = "%d:%i %s %Y %n"
"""What is asked of a file: device and inode, bytes, when it was written, path."""

JOURNAL = (
    "journalctl --output=json --all --no-pager --no-tail --quiet [--directory PATH] [--since EPOCH] "
    "[--after-cursor POSITION] [--follow]"
)

FORMS = f"""
find -L PATH -mindepth DEPTH -maxdepth DEPTH -type f ! -name '*[[:cntrl:]]*' -exec stat -L -c '{FOUND}' {{}} +
stat -L -c '{FOUND}' PATH
tail -c FROM PATH
{JOURNAL}
{JOURNAL} UNIT...
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
            f"cannot run {shown} on a host: only docker ps, logs, inspect and stats, find, stat, tail and journalctl "
            "are, as docs/collect.md has them; correct the name or the option"
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


def find_files(folder: str, least: int, most: int) -> Argv:
    """Lists the regular files below a folder, ``FOUND`` of each a line.

    Args:
        folder: The folder.
        least: How many steps below it files lie at least.
        most: At most.

    Raises:
        UsageError: The folder is none that may be asked for.
    """
    depth = ("-mindepth", str(least), "-maxdepth", str(most))
    kinds = ("-type", "f", "!", "-name", "*[[:cntrl:]]*")
    return check(("find", "-L", folder, *depth, *kinds, "-exec", "stat", "-L", "-c", FOUND, "{}", "+"))


def stat_file(path: str) -> Argv:
    """Tells of one file what ``find_files`` tells."""
    return check(("stat", "-L", "-c", FOUND, path))


def tail_file(path: str, start: int) -> Argv:
    """Gives a file from an offset to its end."""
    return check(("tail", "-c", f"+{start + 1}", path))


def wherever(argv: Argv) -> Argv:
    """A command without the place from which on it reads."""
    return tuple("+1" if re.fullmatch(TYPES["FROM"], word, re.ASCII) else word for word in argv)


def is_path(path: str) -> bool:
    """Whether a path may be asked for: one of blanks, quotes or letters beyond ASCII may not."""
    return re.fullmatch(TYPES["PATH"], path, re.ASCII) is not None


def journal(
    *, directory: str = "", units: Sequence[str] = (), since: int | None = None, cursor: str = "", follow: bool = False
) -> Argv:
    """Gives the entries of systemd's journal, one JSON object a line.

    Args:
        directory: Folder of journal files; empty takes the machine's own.
        units: Only those of these units.
        since: Only those from this second since 1970 on.
        cursor: Only those behind this one.
        follow: Go on with what comes.

    Raises:
        UsageError: A value is none.
    """
    words = ["journalctl", "--output=json", "--all", "--no-pager", "--no-tail", "--quiet"]
    words += ["--directory", directory] if directory else []
    words += ["--since", f"@{since}"] if since is not None else []
    words += ["--after-cursor", cursor] if cursor else []
    words += ["--follow"] if follow else []
    return check((*words, *(f"--unit={unit}" for unit in units)))


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
