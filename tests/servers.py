"""Real servers that tests start and end: an SSH server on loopback with keys of its own, and a Docker engine."""

from __future__ import annotations

import io
import os
import shutil
import signal
import subprocess
import tarfile
import time
from pathlib import Path

import pytest
from tests.ports import free_port

PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
IMAGE = "lines"
KEPT = ("PATH", "HOME")
START_S = 60


def found(name: str, package: str) -> str:
    """The path of a program; the test is skipped where there is none."""
    path = shutil.which(name, path=PATH)
    if path is None:
        pytest.skip(f"needs {name}: apt-get install {package}")
    return path


class Sshd:
    """An SSH server on loopback.

    Args:
        folder: Where its keys and its log lie.
        forced: A command that it runs instead of what is asked for.
        environment: What its commands have in their environment.
        options: More lines of its configuration.
        listen: Its address.
        within: What it is started by, such as ``ip netns exec``.
    """

    def __init__(
        self,
        folder: Path,
        *,
        forced: str = "",
        environment: dict[str, str] | None = None,
        options: tuple[str, ...] = (),
        listen: str = "127.0.0.1",
        within: tuple[str, ...] = (),
    ) -> None:
        self._within = within
        self.listen = listen
        self._sshd = found("sshd", "openssh-server")
        keygen = found("ssh-keygen", "openssh-client")
        folder.mkdir(mode=0o700)
        self.folder, self.key, self.known = folder, folder / "key", folder / "known_hosts"
        self.log = folder / "log"
        for name in ("key", "other", "host"):
            subprocess.run([keygen, "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
        self.user = subprocess.run(["id", "-un"], check=True, capture_output=True, text=True).stdout.strip()
        self.port = free_port()
        (folder / "authorized_keys").write_text((folder / "key.pub").read_text())
        self.trust(folder / "host.pub")
        setenv = " ".join(f'"{name}={value}"' for name, value in (environment or {}).items())
        lines = [
            *options,  # what is said first holds
            f"Port {self.port}",
            f"ListenAddress {listen}",
            f"HostKey {folder / 'host'}",
            f"AuthorizedKeysFile {folder / 'authorized_keys'}",
            "PidFile none",
            "StrictModes no",
            "UsePAM no",
            "PasswordAuthentication no",
            "KbdInteractiveAuthentication no",
            "PermitRootLogin prohibit-password",
            "AcceptEnv *",
            "LogLevel VERBOSE",
            *([f"ForceCommand {forced}"] if forced else []),
            *([f"SetEnv {setenv}"] if setenv else []),
        ]
        (folder / "config").write_text("\n".join(lines) + "\n")
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    @property
    def address(self) -> str:
        """Its address with the user that it lets in."""
        return f"ssh://{self.user}@{self.listen}:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """Variables by which Logshed gets in."""
        return {"LOGSHED_SSH_KEY": str(self.key), "LOGSHED_SSH_KNOWN_HOSTS": str(self.known)}

    def trust(self, public: Path) -> None:
        """Let a key be the one that is known of it."""
        kind, key = public.read_text().split()[:2]
        self.known.write_text(f"[{self.listen}]:{self.port} {kind} {key}\n")

    def start(self) -> None:
        """Start it, and wait until it listens."""
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(exist_ok=True)
        before = self._listening()
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*self._within, self._sshd, "-D", "-e", "-f", self.folder / "config"],
                stderr=log,
                start_new_session=True,
            )
        end = time.monotonic() + START_S
        while self._process.poll() is None and time.monotonic() < end:
            if self._listening() > before:
                return
            time.sleep(0.05)
        pytest.skip(f"sshd does not start here: {self.log.read_text()[-500:]}")

    def _listening(self) -> int:
        """How often it has said that it listens."""
        return self.log.read_text(errors="replace").count("Server listening on") if self.log.exists() else 0

    def cut(self) -> None:
        """End it and every connection through it at once."""
        if self._process is None:
            return
        for child in _children(self._process.pid):
            for one in (*_children(child), child):
                _end(one, signal.SIGKILL)
        self._process.kill()
        self._process.wait()
        self._process = None


class Engine:
    """A Docker engine with an image that has BusyBox and nothing else.

    Args:
        folder: Where all of its data lies.
    """

    def __init__(self, folder: Path) -> None:
        if os.geteuid() != 0:
            pytest.skip("needs root to start a Docker engine")
        daemon, self._docker = found("dockerd", "docker.io"), found("docker", "docker.io")
        busybox = Path(found("busybox", "busybox-static"))
        self.socket = f"unix://{folder}/s"
        self._exec = folder / "exec"
        self.log = folder / "log"
        words = (
            "--data-root",
            folder / "data",
            "--exec-root",
            self._exec,
            "-p",
            folder / "pid",
            "-H",
            self.socket,
        )
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [daemon, *words, "--bridge=none", "--iptables=false", "--ip-forward=false"],
                stdout=log, stderr=log, start_new_session=True, env={**os.environ, "PATH": PATH},
            )  # fmt: skip
        end = time.monotonic() + START_S
        while self._process.poll() is None and not self._answers() and time.monotonic() < end:
            time.sleep(0.1)
        if not self._answers():
            self.stop()
            pytest.skip(f"no Docker engine starts here: {self.log.read_text()[-300:]}")
        subprocess.run(
            [self._docker, "-H", self.socket, "import", "-", IMAGE],
            input=_image(busybox),
            check=True,
            capture_output=True,
        )

    def __call__(self, *words: str) -> str:
        """Run ``docker`` with some words."""
        return subprocess.run(
            [self._docker, "-H", self.socket, *words], check=True, capture_output=True, text=True, errors="replace"
        ).stdout

    def run(self, name: str, script: str, *words: str) -> str:
        """Start a container with a shell script."""
        return self("run", "-d", "--name", name, "--network", "none", *words, IMAGE, "sh", "-c", script).strip()

    def clear(self) -> None:
        """Remove all containers."""
        if names := self("ps", "-aq").split():
            self("rm", "-f", *names)

    def stop(self) -> None:
        """End it and what it started."""
        if self._process.poll() is None and self._answers():
            self.clear()
        self._process.terminate()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for left in self._exec.glob("netns/*"):  # the engine leaves the network of the host mounted
            subprocess.run(["umount", left], check=False, capture_output=True)

    def _answers(self) -> bool:
        return subprocess.run([self._docker, "-H", self.socket, "ps"], check=False, capture_output=True).returncode == 0


def _image(busybox: Path) -> bytes:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as tar:
        for name in ("bin/busybox", "bin/sh"):
            tar.add(busybox, name)
        for name in ("awk", "sleep", "head", "tr", "cat", "printf", "yes"):
            link = tarfile.TarInfo(f"bin/{name}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            tar.addfile(link)
    return data.getvalue()


def _children(pid: int) -> list[int]:
    try:
        return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except FileNotFoundError:
        return []


def _end(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return
