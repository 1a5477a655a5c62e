"""A host gets nothing to run but what the grammar allows, whatever names, options and settings say."""

from __future__ import annotations

import asyncio
import itertools
import json
import shlex
from typing import TYPE_CHECKING, Any

import pytest
from tests.servers import Sshd

from logshed.errors import LogshedError, SettingsError, UsageError
from logshed.settings import Settings
from logshed.sources import commands, places
from logshed.sources.docker import Docker
from logshed.sources.ssh import SshHost
from logshed.ssh_settings import Place

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PAYLOADS = (
    "reboot", "rm -rf /", "id>/tmp/x", "cat /etc/shadow", "docker rm -f shop", "docker exec shop sh", "curl x|sh",
)  # fmt: skip
AROUND = (
    ";{}", "shop;{}", "shop; {}", "shop&&{}", "shop||{}", "shop|{}", "shop&{}", "$({})", "shop$({})", "`{}`",
    "shop`{}`",
    "shop\n{}", "shop\r\n{}", "\n{}", "shop\0{}", "shop'{}'", "shop';{};'", 'shop";{};"', "shop>{}", "shop<({})",
    "${{IFS}}{}", "shop #{}", "shop\\;{}", "{{{}}}", "shop\t{}", "shop\x0b{}", "shop\x1b[2J{}", "!{}", "~/{}", "*{}",
)  # fmt: skip
OPTIONS = (
    "--", "-", "-f", "--follow", "--privileged", "-H=tcp://evil:2375", "--host=tcp://evil:2375", "--tlscacert=/x",
    "--config=/tmp", "--details", "--env=A=B", "-e", "-v/:/host", "--volume=/:/host", "--context=evil", "-lfatal",
)  # fmt: skip
LOOK_ALIKES = (
    "\N{CYRILLIC SMALL LETTER DZE}hop", "sh\N{CYRILLIC SMALL LETTER O}p", "shop\N{FULLWIDTH SEMICOLON}reboot",
    "shop\N{GREEK QUESTION MARK}reboot",
    "\N{HYPHEN}\N{HYPHEN}follow", "\N{MINUS SIGN}f", "\N{FULLWIDTH HYPHEN-MINUS}f", "shop\N{NO-BREAK SPACE}x",
    "shop\N{LINE SEPARATOR}reboot", "shop\N{ZERO WIDTH SPACE}", "shop\N{RIGHT-TO-LEFT OVERRIDE}",
    "\N{FULLWIDTH DIGIT ONE}",
    "\N{ARABIC-INDIC DIGIT ONE}", "sho\N{LATIN SMALL LETTER P}\N{COMBINING ACUTE ACCENT}", "shop\N{NEXT LINE}id",
    "\ud800",
)  # fmt: skip
ODD = (
    "", " ", ".", "..", "../etc", "/etc/passwd", "a/b", "a b", "a" * 256, "a" * 100_000, "A=B", "LD_PRELOAD=x", "%s",
    "%00",
    "a,b", "a:b", "a@b", "{{.Config.Env}}", "{{json .}}", "_a", ".a", "\x7f", "\xff", "\0", "a\0", "(a)", "[a]",
    "a?", "a*",
)  # fmt: skip
HOSTILE = (*(around.format(one) for one in PAYLOADS for around in AROUND), *OPTIONS, *LOOK_ALIKES, *ODD)
ID = "a" * 64
ALLOWED = {
    ("docker", "ps"): commands.docker_ps(),
    ("docker", "inspect"): commands.docker_inspect([ID]),
}
RECORDER = r"""#!/bin/sh
printf '%s\0' "$SSH_ORIGINAL_COMMAND" >>"$0.asked"
env >>"$0.env"
[ -t 0 ] || [ -t 1 ] && echo HAS-TTY >>"$0.env"
case "$SSH_ORIGINAL_COMMAND" in
"docker ps "*) cat "$0.ps" ;;
"docker inspect "*) cat "$0.inspect" ;;
"docker logs "*) echo "2026-01-05T10:00:00.000000001Z hello" ;;
esac
"""


class Recorder(Sshd):
    """A server that records what it is asked to run, and answers like Docker."""

    def __init__(self, folder: Path) -> None:
        self.script = folder.with_name("recorder")
        self.script.write_text(RECORDER)
        self.script.chmod(0o755)
        self._file("inspect").write_text(
            f'{{"id":"{ID}","name":"/shop","status":"exited","started":"2026-01-05T10:00:00Z",'
            '"finished":"2026-01-05T11:00:00Z","restarts":0,"driver":"json-file","image":"x","labels":null}\n'
        )
        self._file("ps").write_text(_ps("shop"))
        super().__init__(folder, forced=str(self.script))

    @property
    def asked(self) -> list[str]:
        """What arrived."""
        file = self._file("asked")
        return file.read_bytes().decode().split("\0")[:-1] if file.exists() else []

    @property
    def variables(self) -> str:
        """The environment that its commands had."""
        return self._file("env").read_text()

    def lists(self, *names: str) -> None:
        """Let ``docker ps`` tell of containers with these names."""
        self._file("ps").write_text("".join(map(_ps, names)))

    def place(self, **values: Any) -> Place:
        """How it is reached."""
        return Place(host=self.address, key=str(self.key), known_hosts=self.known, **values)

    def _file(self, name: str) -> Path:
        return self.script.with_name(f"recorder.{name}")


def _ps(name: str) -> str:
    return json.dumps({"ID": ID, "Names": name, "Image": "x", "State": "exited", "Status": "Exited (0)"}) + "\n"


@pytest.fixture
def recorder(tmp_path: Path) -> Iterator[Recorder]:
    """The server."""
    server = Recorder(tmp_path / "ssh")
    yield server
    server.cut()


class Nothing:
    """Takes lines and keeps their number."""

    def __init__(self) -> None:
        self.lines = 0

    def cursor(self, stream: object) -> dict[str, Any]:
        """All is new."""
        del stream
        return {}

    async def put(self, arrivals: Any) -> None:
        """Count them."""
        self.lines += sum(len(one.lines) for one in arrivals)

    def tell(self, *said: object) -> None:
        """Leave it."""

    def note(self, *said: object) -> None:
        """Leave it."""


def test_the_corpus_is_large_enough() -> None:
    assert len(set(HOSTILE)) >= 200


@pytest.mark.parametrize("form", ["logs", "inspect", "stats"])
def test_no_hostile_name_makes_a_command(form: str) -> None:
    make: Any = {
        "logs": commands.docker_logs,
        "inspect": lambda name: commands.docker_inspect([name]),
        "stats": lambda name: commands.docker_stats(["shop", name]),
    }[form]
    for name in HOSTILE:
        with pytest.raises(UsageError):
            make(name)


def test_what_is_allowed_is_one_word_each_and_comes_apart_again() -> None:
    for argv in (
        commands.docker_ps(),
        commands.docker_logs("shop_1.a-b", since="2026-01-05T10:00:00.5Z", until="2026-01-05T11:00:00Z", follow=True),
        commands.docker_inspect(["a", "b"]),
        commands.docker_stats(["a"]),
    ):
        assert tuple(shlex.split(commands.quoted(argv))) == argv


def test_commands_that_change_or_are_longer_than_allowed_are_refused() -> None:
    for argv in (
        ("docker", "rm", "shop"), ("docker", "exec", "shop", "sh"), ("docker", "ps"), ("docker", "logs", "shop"),
        ("sh",),
        (), ("docker",), ("sudo", *commands.docker_ps()), (*commands.docker_ps(), "--size"), ("docker ps",),
        ("docker", "stats", "shop"), (*commands.docker_inspect(["a"] * commands.MOST_WORDS), "a"),
        ("docker", "inspect", "--type", "container", "--format", "{{json .Config.Env}}", "shop"),
    ):  # fmt: skip
        with pytest.raises(UsageError, match=r"^cannot run .*docs/collect\.md"):
            commands.check(argv)


def test_nothing_hostile_reaches_a_host(recorder: Recorder, tmp_path: Path) -> None:
    refused = asyncio.run(_attacks(recorder, tmp_path))
    assert refused >= 5 * len(HOSTILE)
    assert recorder.asked == []
    assert "Accepted publickey" not in recorder.log.read_text()  # not even a connection was made


async def _attacks(recorder: Recorder, folder: Path) -> int:
    host, refused = SshHost(recorder.place()), 0
    for text in HOSTILE:
        for argv in (
            ("docker", "logs", "--timestamps", text), ("docker", text), (text,),
            ("docker", "logs", text, "shop"),
            ("docker", "logs", "--timestamps", "--since", text, "shop"), (*commands.docker_ps(), text),
        ):  # fmt: skip
            with pytest.raises(UsageError):
                await host.start(argv)
            refused += 1
        with pytest.raises(UsageError):
            Docker(host, b"key", containers=["shop", text])
        if "\0" in text or "\ud800" in text or not text:
            continue
        for key in ("host", "user", "name", "docker", "containers"):
            if _is_sound(key, text):
                continue
            keys = {"host": "web1", key: [text] if key == "containers" else text}
            lines = [f"{name} = {_toml(value)}" for name, value in keys.items()]
            (folder / "logshed.toml").write_text("\n".join(["[[collect]]", *lines]), "utf-8")
            with pytest.raises(SettingsError, match=rf"collect\.0\.{key}"):
                Settings.load(folder, environ={})
            refused += 1
        (folder / "logshed.toml").unlink(missing_ok=True)
        if not _is_sound("user", text):
            with pytest.raises(SettingsError, match="LOGSHED_SSH_USER"):
                Settings.load(folder, environ={"LOGSHED_SSH_USER": text})
    await host.close()
    return refused


def _is_sound(key: str, text: str) -> bool:
    """What is odd as the name of a container may be a sound host."""
    try:
        Place.model_validate({key: [text] if key == "containers" else text})
    except ValueError:
        return False
    return all(letter.isascii() and (letter.isalnum() or letter in "._-/:@") for letter in text)


def _toml(value: object) -> str:
    return json.dumps(value).replace("\x7f", "\\u007f")


def test_a_docker_that_lies_about_names_gets_no_more_than_ids(recorder: Recorder) -> None:
    recorder.lists("shop", *(name for name in HOSTILE if "\ud800" not in name))
    sink = Nothing()
    asyncio.run(Docker(SshHost(recorder.place()), b"key").run(sink))
    assert sink.lines == 1
    arrived = [tuple(shlex.split(line)) for line in recorder.asked]
    assert [argv[:2] for argv in arrived] == [("docker", "ps"), ("docker", "inspect"), ("docker", "logs")]
    assert all(commands.check(argv) for argv in arrived)
    assert arrived[0] == commands.docker_ps()
    assert set(itertools.chain(*(argv[6:] for argv in arrived[1:2]))) == {ID}
    assert arrived[2] == commands.docker_logs(ID, since="1970-01-01T00:00:00.000000000Z")


def test_neither_terminal_nor_environment_nor_agent_nor_ports_come_along(
    recorder: Recorder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    (home / ".ssh").mkdir(parents=True)
    (home / ".ssh" / "config").write_text(
        "Host *\n  ForwardAgent yes\n  RequestTTY force\n  SendEnv CANARY*\n  SetEnv OTHER=canary\n"
        "  RemoteCommand reboot\n  ForwardX11 yes\n"
    )
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("CANARY_TOKEN", "canary")
    monkeypatch.setenv("TERM", "xterm")
    asyncio.run(Docker(SshHost(recorder.place()), b"key").run(Nothing()))
    assert len(recorder.asked) == 3
    assert all(line.startswith("docker ") for line in recorder.asked)
    for word in ("canary", "HAS-TTY", "SSH_AUTH_SOCK", "SSH_TTY", "DISPLAY", "xterm"):
        assert word not in recorder.variables


def test_settings_and_calls_name_places(tmp_path: Path) -> None:
    (tmp_path / "logshed.toml").write_text(
        '[ssh]\nuser = "deploy"\nconnect_seconds = 3\n[[collect]]\nhost = "web1"\n[[collect]]\nhost = "web2"\n'
        'user = "ops"\n[[collect]]\ndocker = "local"\nname = "here"\n[[collect]]\nhost = "web1"\n'
    )
    found = places.places(Settings.load(tmp_path, environ={}))
    assert [(one.name, one.user, one.connect_seconds) for one in found] == [
        ("web1", "deploy", 3), ("web2", "ops", 3), ("here", "deploy", 3), ("web1~2", "deploy", 3),
    ]  # fmt: skip
    older = {"HETZNER_HOST": "old", "HETZNER_USER": "ada", "HETZNER_SSH_KEY": "/k"}
    settings = Settings.load(tmp_path / "none", environ={**older, "LOGSHED_SSH_USER": "bob"})
    (only,) = places.places(settings)
    assert (only.host, only.user, only.key.get_secret_value() if only.key else "") == ("old", "bob", "/k")
    with pytest.raises(SettingsError, match="HETZNER_USER: that is no name of a user"):
        Settings.load(tmp_path / "none", environ={"HETZNER_USER": "a b"})
    with pytest.raises(UsageError, match="cannot collect: no host is named"):
        places.places(Settings.load(tmp_path / "none", environ={}))


def test_an_address_with_a_password_is_refused_without_telling_it() -> None:
    with pytest.raises(LogshedError) as caught:
        places.places(Settings(), ["ssh://ada:hunter2@web1"])
    assert "hunter2" not in str(caught.value)
    assert "a password stands in it" in str(caught.value)
