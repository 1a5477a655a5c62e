"""Settings of hosts that are collected from: the tables ``[ssh]`` and ``[[collect]]``, and the variables of old."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError, field_validator

from logshed.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping

OLDER = {"host": "HETZNER_HOST", "user": "HETZNER_USER", "key": "HETZNER_SSH_KEY"}
"""Variables of the collector that Logshed comes from; anything else that is set wins over them."""

_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,252})")
_V6 = re.compile(r"[0-9A-Fa-f:.]{2,45}(?:%[A-Za-z0-9._-]{1,32})?")
_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,63}")
_ADDRESS = re.compile(
    r"(?:ssh://)?(?:(?P<user>[^@]*)@)?(?:\[(?P<v6>[^\]]*)\]|(?P<host>[^:\[\]]*))(?::(?P<port>[0-9]{1,5}))?/?"
)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")
_CONTAINER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,254}")
_ENGINE = re.compile(r"unix:///[A-Za-z0-9_./-]{1,200}|context:[A-Za-z0-9][A-Za-z0-9_.+-]{0,127}|local")
_MOST_PORT = 65_535


def _names(value: object) -> object:
    return tuple(value.split(",")) if isinstance(value, str) else value


class Ssh(BaseModel):
    """How hosts are reached: ``[ssh]``, or for one host its ``[[collect]]``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str = Field("", description="Address of a host: `web1`, `ssh://user@web1:22`; `~/.ssh/config` is read.")
    user: str = Field("", description="User there; else as `~/.ssh/config` has it, else your own.")
    port: int | None = Field(None, ge=1, le=_MOST_PORT, description="Port; else as `~/.ssh/config` has it, else 22.")
    key: SecretStr | None = Field(
        None, description="Private key: a file, or the key itself; else those of `~/.ssh` and of the agent."
    )
    passphrase: SecretStr | None = Field(None, description="Passphrase of the key.")
    known_hosts: Path | None = Field(None, description="File of known host keys, `~/.ssh/known_hosts` unless set.")
    accept_new: bool = Field(False, description="Record the key of a host that is not known, instead of refusing it.")
    files: Literal["auto", "shell", "sftp"] = Field(
        "auto", description="How files are read: over a shell, over SFTP; `auto` takes SFTP where no commands run."
    )
    connect_seconds: float = Field(15, gt=0, le=600, description="Seconds to connect and log in.")
    command_seconds: float = Field(
        60, gt=0, le=3600, description="Seconds that a command with a short answer may take."
    )
    silence_seconds: float = Field(
        60, gt=0, le=3600, description="Seconds of silence after which a host counts as gone."
    )
    most_bytes: int = Field(
        2**30,
        ge=2**16,
        le=2**40,
        description="Bytes of one container that `save` and the Python interface take at most.",
    )

    @field_validator("host")
    @classmethod
    def _sound_host(cls, value: str) -> str:
        if value:
            address(value)
        return value

    @field_validator("user")
    @classmethod
    def _sound_user(cls, value: str) -> str:
        if value and not _USER.fullmatch(value):
            raise ValueError("that is no name of a user; write letters, digits, . _ -")
        return value


class Place(Ssh):
    """One place that is collected from: ``[[collect]]``. What it leaves out is as ``[ssh]`` has it."""

    name: str = Field("", description="What to call it; else its address.")
    docker: str = Field(
        "",
        description="A Docker of this machine instead of a host: `local`, `unix:///run/docker.sock`, `context:NAME`.",
    )
    containers: Annotated[tuple[str, ...], BeforeValidator(_names)] = Field(
        (), description="Only these containers; all unless set."
    )
    collection: str = Field("", description="Collection of its records; the run's unless set.")

    @field_validator("name")
    @classmethod
    def _sound_name(cls, value: str) -> str:
        if value and not _NAME.fullmatch(value):
            raise ValueError("that is no name; write letters, digits, . _ -")
        return value

    @field_validator("docker")
    @classmethod
    def _sound_engine(cls, value: str) -> str:
        if value and not _ENGINE.fullmatch(value):
            raise ValueError("that is no Docker of this machine; write local, unix:///path or context:NAME")
        return value

    @field_validator("containers")
    @classmethod
    def _sound_containers(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for one in value:
            if not _CONTAINER.fullmatch(one):
                raise ValueError(f"{one[:80]!r} is no name of a container; write one as `docker ps` does")
        return value


def address(text: str) -> tuple[str, str, int | None]:
    """User, host and port of an address; what it does not name is empty.

    Raises:
        ValueError: It is none; the text says so without it, for it may hold a password.
    """
    found = _ADDRESS.fullmatch(text) if text.isascii() else None
    advice = "; write ssh://user@host:port, host alone, or [address]:port"
    if found is None:
        raise ValueError(f"that is no address of a host{advice}")
    user, host, port = found["user"] or "", found["v6"] or found["host"] or "", found["port"]
    if ":" in user:
        raise ValueError("a password stands in it, which is not used; log in with a key")
    if not (_V6 if found["v6"] else _HOST).fullmatch(host):
        raise ValueError(f"that is no address of a host{advice}")
    if user and not _USER.fullmatch(user):
        raise ValueError(f"that is no name of a user{advice}")
    if port is not None and not 1 <= int(port) <= _MOST_PORT:
        raise ValueError(f"there is no such port{advice}")
    return user, host, int(port) if port else None


def older(environ: Mapping[str, str]) -> dict[str, Any]:
    """What the variables of old set of ``[ssh]``.

    Raises:
        SettingsError: A value is off; the text names the variable.
    """
    given = {key: environ[name] for key, name in OLDER.items() if environ.get(name)}
    try:
        Ssh.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        cause, _, advice = first["msg"].removeprefix("Value error, ").partition("; ")
        name = OLDER[str(first["loc"][0])]
        raise SettingsError(f"cannot use the environment: {name}: {cause}; {advice or 'correct it'}") from None
    return {"ssh": given} if given else {}


def rooted(value: dict[str, Any], base: Path) -> dict[str, Any]:
    """Paths of ``[ssh]`` and ``[[collect]]`` as they hold from anywhere."""
    found = dict(value)
    if isinstance(known := value.get("known_hosts"), str):
        found["known_hosts"] = base / Path(known).expanduser()
    if isinstance(key := value.get("key"), str) and key and "PRIVATE KEY" not in key:
        found["key"] = str(base / Path(key).expanduser())
    return found
