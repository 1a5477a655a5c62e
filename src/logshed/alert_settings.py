"""The settings of one destination of alerts: a table ``[[alert]]`` of logshed.toml, and where its secrets lie."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from datetime import datetime, time
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, field_validator

from logshed.errors import AlertError
from logshed.schema import FINDINGS
from logshed.sizes import Span, seconds

LEVELS = ("informational", "low", "medium", "high", "critical")
"""Sigma's levels, the least first."""

Level = Literal["informational", "low", "medium", "high", "critical"]

SECRETS = ("url", "secret", "token", "routing_key", "password")
"""Keys whose values are never shown."""

PLACES = re.compile(r"\{(?:attributes\.([^{}]+)|([a-z_]+))\}")
"""What a template has filled in: a column of ``findings``, an attribute, or one of ``MORE_PLACES``."""

MORE_PLACES = ("findings", "title")
"""Places of a template besides the columns: how many findings the alert holds, and its title."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_RATE = re.compile(r"\s*([0-9]+)\s*/\s*([0-9]*\s*[smhdw])\s*")
_QUIET = re.compile(r"\s*([0-9]{1,2}:[0-9]{2})\s*-\s*([0-9]{1,2}:[0-9]{2})(?:\s+(\S+))?\s*")
_LONGEST_SECRET = 65_536


@dataclass(frozen=True, slots=True)
class Secret:
    """A value that is never shown, by the place that holds it.

    Attributes:
        where: ``env:NAME`` or ``file:/path``; empty where the value stands in logshed.toml itself.
        literal: The value that stands there.
    """

    where: str
    literal: SecretStr | None = None

    def read(self) -> str:
        """The value as it is now.

        Raises:
            logshed.errors.AlertError: The variable is not set, or the file cannot be read or is empty.
        """
        if self.literal is not None:
            return self.literal.get_secret_value()
        kind, _, name = self.where.partition(":")
        if kind == "env":
            value = os.environ.get(name, "").strip()
            if not value:
                raise AlertError(f"cannot read the secret {self.where}: the variable is not set; set it")
            return value
        try:
            with Path(name).open(encoding="utf-8") as file:
                value = file.read(_LONGEST_SECRET).strip()
        except (OSError, UnicodeDecodeError) as error:
            cause = getattr(error, "strerror", None) or "it is no text"
            raise AlertError(f"cannot read the secret {self.where}: {cause}; write it there, mode 600") from None
        if not value:
            raise AlertError(f"cannot read the secret {self.where}: the file is empty; write it there, mode 600")
        return value

    def __str__(self) -> str:
        return self.where or "(hidden)"


@dataclass(frozen=True, slots=True)
class Rate:
    """At most ``count`` alerts in any ``seconds``."""

    count: int
    seconds: int
    text: str


@dataclass(frozen=True, slots=True)
class Quiet:
    """Hours of the day in which only critical alerts are sent; ``end`` may lie on the next day."""

    start: time
    end: time
    zone: str
    text: str

    def holds(self, now: datetime) -> bool:
        """Whether a moment lies in them."""
        clock = now.astimezone(ZoneInfo(self.zone)).time()
        if self.start < self.end:
            return self.start <= clock < self.end
        return clock >= self.start or clock < self.end


def rate(value: str) -> Rate:
    """A rate such as ``20/1h``.

    Raises:
        ValueError: It is none.
    """
    found = _RATE.fullmatch(value)
    if found is None or not int(found[1]):
        raise ValueError(f"{value!r} is no rate; write it as 20/1h or 5/10m")
    span = found[2].replace(" ", "")
    return Rate(int(found[1]), int(str(seconds(span if span[0].isdigit() else f"1{span}"))), value.strip())


def _rate(value: object) -> object:
    return rate(value) if isinstance(value, str) else value


def _quiet(value: object) -> object:
    if not isinstance(value, str):
        return value
    found = _QUIET.fullmatch(value)
    advice = "write it as 22:00-07:00 Europe/Berlin"
    if found is None:
        raise ValueError(f"{value!r} are no hours; {advice}")
    try:
        start, end = (time.fromisoformat(f"{text:0>5}") for text in (found[1], found[2]))
        zone = ZoneInfo(found[3] or "UTC").key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"{value!r} are no hours of a time zone; {advice}") from None
    if start == end:
        raise ValueError(f"{value!r} begin when they end; {advice}")
    return Quiet(start, end, zone, value.strip())


def _secret(value: object) -> object:
    """Where a secret lies; an address that stands in the file itself is taken as it is, and hidden."""
    if not isinstance(value, str):
        return value
    if value.startswith(("env:", "file:")):
        if not value.partition(":")[2]:
            raise ValueError("it names no place; write env:NAME or file:/path")
        return Secret(value)
    if value.startswith(("http://", "https://")):
        return Secret("", SecretStr(value))
    raise ValueError("a secret stands in the file itself, or it is no address; write env:NAME or file:/path")


SecretPlace = Annotated[Secret, BeforeValidator(_secret)]


class Alert(BaseModel):
    """A destination of alerts: where they go, and which."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    name: str = Field(description="Its name: letters, digits, `-` and `_`.")
    to: str = Field(
        min_length=1,
        description="What it is: `email`, `mattermost`, `ocsf`, `pagerduty`, `slack`, `stdout`, `syslog`, `teams`, "
        "`webhook`, or a destination of your own.",
    )
    url: SecretPlace | None = Field(
        None,
        description="Address to post to: `env:NAME` or `file:/path`. "
        "Only `webhook`, `ocsf` and `pagerduty` take it written out.",
    )
    secret: SecretPlace | None = Field(
        None, description="`webhook`: the key that signs each request, `env:` or `file:`."
    )
    token: SecretPlace | None = Field(None, description="`webhook`, `ocsf`: the bearer token, `env:` or `file:`.")
    routing_key: SecretPlace | None = Field(None, description="`pagerduty`: the integration key, `env:` or `file:`.")
    host: str | None = Field(None, min_length=1, description="`email`, `syslog`: the server.")
    port: int | None = Field(None, ge=1, le=65535, description="Its port; that of the transport unless set.")
    transport: str | None = Field(
        None,
        description="`email`: `starttls` (default), `tls` or `plain`. `syslog`: `udp` (default), `tcp` or `tls`.",
    )
    user: str | None = Field(None, min_length=1, description="`email`: user of the server.")
    password: SecretPlace | None = Field(None, description="`email`: the user's password, `env:` or `file:`.")
    sender: str | None = Field(None, description="`email`: address that it comes from.")
    recipients: tuple[str, ...] = Field((), description="`email`: addresses that it goes to.")
    path: Path | None = Field(None, description="`ocsf`: file to append to; relative to the settings' file.")
    ca_file: Path | None = Field(
        None, description="Certificates (PEM) to trust in place of the system's, for a private authority."
    )
    options: dict[str, str] = Field({}, description="Whatever a destination of your own takes besides; no secrets.")
    level: Level = Field("medium", description="Least level of a finding, by Sigma's names.")
    confidence: Literal["low", "high"] = Field("high", description="Least confidence of a finding.")
    rules: tuple[str, ...] = Field(("*",), min_length=1, description="Globs on the rule's name.")
    collections: tuple[str, ...] = Field(("*",), min_length=1, description="Globs on the collection.")
    group: Span | None = Field(
        None, ge=1, description="Findings of the same actor within this time come as one alert, such as `10m`."
    )
    rate: Annotated[Rate, BeforeValidator(_rate)] | None = Field(
        None,
        description="At most so many alerts, such as `20/1h`; what is over is summed up in one message. "
        "`60/1h` for what people read, none for `ocsf`, `stdout`, `syslog` and `webhook`.",
    )
    quiet: Annotated[Quiet, BeforeValidator(_quiet)] | None = Field(
        None,
        description="Hours in which only critical ones are sent, such as `22:00-07:00 Europe/Berlin`; "
        "the rest is sent after them.",
    )
    template: str | None = Field(
        None, max_length=4096, description="Text of the alert; `{rule_title}` and the like stand for its columns."
    )

    @field_validator("name")
    @classmethod
    def _plain_name(cls, value: str) -> str:
        if not _NAME.fullmatch(value):
            raise ValueError("it may hold at most 64 letters, digits, - and _; give another")
        return value

    @field_validator("secret", "token", "routing_key", "password")
    @classmethod
    def _elsewhere(cls, value: Secret | None) -> Secret | None:
        if value is not None and value.literal is not None:
            raise ValueError("a secret stands in the file itself; write env:NAME or file:/path")
        return value

    @field_validator("template")
    @classmethod
    def _known_places(cls, value: str | None) -> str | None:
        names = (*(column.name for column in FINDINGS), *MORE_PLACES)
        for found in PLACES.finditer(value or ""):
            if found[2] and found[2] not in names:
                raise ValueError(f"there is no {found[0]}; the names are {', '.join(names)} and attributes.<key>")
        return value

    @field_validator("sender", "recipients")
    @classmethod
    def _addresses(cls, value: Any) -> Any:
        for one in (value,) if isinstance(value, str) else value or ():
            if "@" not in one or any(letter <= " " for letter in one):
                raise ValueError(f"{one!r} is no address; write one as ops@example.org")
        return value

    def secrets(self) -> dict[str, Secret]:
        """The secrets that it names, by key."""
        found = {key: getattr(self, key) for key in SECRETS}
        return {key: value for key, value in found.items() if isinstance(value, Secret)}


def rooted(value: object, base: Path) -> object:
    """A table ``[[alert]]`` with paths as they hold from anywhere: relative to the file that names them."""
    if not isinstance(value, dict):
        return value
    found = dict(value)
    for key in ("path", "ca_file"):
        if isinstance(path := value.get(key), str):
            found[key] = base / Path(path).expanduser()
    for key in SECRETS:
        if isinstance(place := value.get(key), str) and place.startswith("file:") and place != "file:":
            found[key] = f"file:{base / Path(place.removeprefix('file:')).expanduser()}"
    return found
