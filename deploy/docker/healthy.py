#!/opt/logshed/bin/python
"""The health check of Logshed's images: exits with 0 where what the container runs does what it is there for.

A door (``live map``) has to answer; a scheduler has to know its runs and be able to read what came of them; of anything
else the settings have to be sound.
"""

from __future__ import annotations

import http.client
import ssl
import subprocess
import sys
from functools import partial
from pathlib import Path

SECONDS = 10
DOOR = "127.0.0.1:8610"
EVERYWHERE = ("", "0.0.0.0", "[::]")  # noqa: S104 - nothing is bound


def running(processes: Path) -> list[str]:
    """The words behind ``logshed`` of the first process that is one; empty where there is none."""
    for pid in sorted(int(entry.name) for entry in processes.iterdir() if entry.name.isdigit()):
        words = (processes / str(pid) / "cmdline").read_bytes().decode(errors="replace").split("\0")[:-1]
        names = [Path(word).name for word in words]
        if "logshed" in names[:2]:
            return words[names.index("logshed") + 1 :]
    return []


def address(words: list[str]) -> str:
    """Where a door is asked: its port, and this machine where it listens on every address."""
    listen = DOOR
    for word, after in zip(words, [*words[1:], ""], strict=True):
        name, _, value = word.partition("=")
        if name == "--listen":
            listen = value or after
    host, _, port = listen.rpartition(":")
    return f"{'127.0.0.1' if host in EVERYWHERE else host}:{port}"


def answers(words: list[str]) -> bool:
    """Whether a door answers; that it wants a token is an answer. Its certificate is that of its public name."""
    host, _, port = address(words).rpartition(":")
    secure = any(word.partition("=")[0] == "--certificate" for word in words)
    unchecked = ssl._create_unverified_context() if secure else None  # noqa: S323, SLF001 - it is this machine
    kind = partial(http.client.HTTPSConnection, context=unchecked) if secure else http.client.HTTPConnection
    door = kind(host, int(port), timeout=SECONDS)
    try:
        door.request("GET", "/login")
        return door.getresponse().status < http.HTTPStatus.INTERNAL_SERVER_ERROR
    except (OSError, http.client.HTTPException) as error:
        print(f"cannot reach the door at {address(words)}: {error}", file=sys.stderr)
        return False
    finally:
        door.close()


def main() -> int:
    """Look at what runs here."""
    words = running(Path("/proc"))
    if words[:2] == ["live", "map"]:
        return 0 if answers(words) else 1
    asked = ["schedule", "list", "--json"] if words[:1] == ["schedule"] else ["check"]
    return 0 if subprocess.run(["/opt/logshed/bin/logshed", *asked], check=False).returncode == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
