"""Settings of the doors that logs are pushed to: ``[receive]`` and one table in it per door."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, field_validator, model_validator

from logshed.sizes import Size, Span

HTTP, GRPC = "127.0.0.1:4318", "127.0.0.1:4317"
"""Where OpenTelemetry's exporters send unless told otherwise."""
_PATHS = ("certificate", "key", "clients")
_PORTS = 2**16


@dataclass(frozen=True, slots=True)
class Address:
    """Where a door listens.

    Attributes:
        host: Name or address, without brackets.
        port: 0 takes a free one.
    """

    host: str
    port: int

    @property
    def is_local(self) -> bool:
        """Whether this machine alone reaches it."""
        if self.host == "localhost":
            return True
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return False

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def address(text: str) -> Address:
    """An address as it is written.

    Raises:
        ValueError: It is none.
    """
    host, colon, port = text.strip().rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not (colon and host and port.isascii() and port.isdigit() and int(port) < _PORTS):
        raise ValueError(f"{text!r} is no address; write host:port as 127.0.0.1:4318")
    return Address(host, int(port))


def _several(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _placed(value: SecretStr) -> SecretStr:
    kind, _, place = value.get_secret_value().partition(":")
    if kind not in ("env", "file") or not place:
        raise ValueError("a secret stands in the file itself; write env:NAME or file:/path")
    return value


class Door(BaseModel):
    """Where a protocol is spoken, and to whom."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    listen: Annotated[tuple[str, ...], BeforeValidator(_several)] = Field(
        min_length=1, description="Host and port, or a list of them."
    )
    collection: str | None = Field(
        None, min_length=1, description="Collection of what names none; that of `[receive]` unless set."
    )
    certificate: Path | None = Field(None, description="Certificate (PEM), to speak TLS; needs `key`.")
    key: Path | None = Field(None, description="Its key (PEM).")
    insecure: bool = Field(
        False,
        description="Listen where others than this machine reach it without TLS, or without knowing who they are.",
    )

    @property
    def addresses(self) -> tuple[Address, ...]:
        """Where it listens."""
        return tuple(map(address, self.listen))

    @property
    def is_local(self) -> bool:
        """Whether this machine alone reaches it."""
        return all(one.is_local for one in self.addresses)

    @property
    def knows_clients(self) -> bool:
        """Whether clients have to prove who they are."""
        return False

    @property
    def speaks_tls(self) -> bool:
        """Whether what is sent is hidden from others."""
        return self.certificate is not None

    @field_validator("listen")
    @classmethod
    def _sound_listen(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(str(address(one)) for one in value)

    @model_validator(mode="after")
    def _safe(self) -> Self:
        if (self.certificate is None) != (self.key is None):
            raise ValueError("a certificate needs its key, and a key its certificate; give both or neither")
        if self.is_local or self.insecure:
            return self
        if not self.speaks_tls:
            raise ValueError(
                "others than this machine reach it, and what they send can be read on its way; give certificate and "
                "key, listen on 127.0.0.1, or say insecure = true"
            )
        if not self.knows_clients:
            raise ValueError(
                "others than this machine reach it, and nobody asks who they are; ask for tokens or certificates, "
                "listen on 127.0.0.1, or say insecure = true"
            )
        return self


class TokenDoor(Door):
    """A door that lets in by tokens."""

    tokens: bool | None = Field(
        None, description="Let in by tokens alone; unless set, where others than this machine reach it."
    )

    @property
    def knows_clients(self) -> bool:
        """Whether a token is asked for."""
        return not self.is_local if self.tokens is None else self.tokens


class HttpDoor(TokenDoor):
    """OTLP, ``_bulk``, Loki, HEC, lines and webhooks over HTTP."""

    webhook_secret: SecretStr | None = Field(
        None, description="Secret that webhooks are signed with, `env:NAME` or `file:/path`; none is taken without it."
    )
    request_bytes: Size = Field(2**24, ge=1024, le=2**30, description="Bytes of a request.")
    inflated_bytes: Size = Field(2**26, ge=1024, le=2**31, description="Bytes of a request, decompressed.")
    connections: int = Field(1000, ge=1, le=100_000, description="Connections at once; more are closed.")

    _places = field_validator("webhook_secret")(_placed)


class GrpcDoor(TokenDoor):
    """OTLP over gRPC."""

    request_bytes: Size = Field(2**22, ge=1024, le=2**28, description="Bytes of a message, decompressed.")
    connections: int = Field(1000, ge=1, le=100_000, description="Connections at once; more are closed.")


class StreamDoor(Door):
    """A protocol over TCP or TLS."""

    clients: Path | None = Field(
        None, description="Authorities (PEM) whose certificates clients have to show; needs `certificate`."
    )
    connections: int = Field(1024, ge=1, le=100_000, description="Connections at once; more are closed.")

    @property
    def knows_clients(self) -> bool:
        """Whether a certificate is asked for."""
        return self.clients is not None and self.certificate is not None


class ForwardDoor(StreamDoor):
    """Fluentd's forward protocol."""

    shared_key: SecretStr | None = Field(None, description="Key that clients have to know, `env:NAME` or `file:/path`.")
    users: dict[str, SecretStr] = Field(
        {}, description="Passwords by user, `env:NAME` or `file:/path`; needs `shared_key`."
    )

    _places = field_validator("shared_key")(_placed)

    @field_validator("users")
    @classmethod
    def _placed_users(cls, value: dict[str, SecretStr]) -> dict[str, SecretStr]:
        return {name: _placed(one) for name, one in value.items()}

    @model_validator(mode="after")
    def _keyed(self) -> Self:
        if self.users and self.shared_key is None:
            raise ValueError("users need a shared_key; give one")
        return self

    @property
    def knows_clients(self) -> bool:
        """Whether a key or a certificate is asked for."""
        return self.shared_key is not None or super().knows_clients


class DatagramDoor(Door):
    """Syslog over UDP, where anybody can send in anybody's name."""


class Receive(BaseModel):
    """The doors that logs are pushed to, and what they bear."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    collection: str | None = Field(
        None, min_length=1, description="Collection of what names none; the setting `collection` unless set."
    )
    every: Span = Field(5, ge=1, le=3600, description="How often the spool is emptied into the lake, such as `2s`.")
    waiting_bytes: Size = Field(
        2**26, ge=2**20, le=2**34, description="Bytes that may wait to be written, of all clients; more are sent away."
    )
    streams: int = Field(
        10_000, ge=1, le=1_000_000, description="Sources that clients may name; those of more are one source."
    )
    metrics: str | None = Field(
        None, description="Host and port of an address of its own for `/metrics`, `/healthz` and `/readyz`."
    )
    traces: str | None = Field(
        None, description="Address of an OTLP collector that takes traces of this program's own work."
    )
    http: HttpDoor | None = Field(None, description="OTLP, `_bulk`, Loki, HEC, lines and webhooks over HTTP.")
    grpc: GrpcDoor | None = Field(None, description="OTLP over gRPC.")
    syslog_tcp: StreamDoor | None = Field(None, description="Syslog over TCP or TLS.")
    syslog_udp: DatagramDoor | None = Field(None, description="Syslog over UDP.")
    forward: ForwardDoor | None = Field(None, description="Fluentd's forward protocol.")

    @field_validator("metrics")
    @classmethod
    def _sound_metrics(cls, value: str | None) -> str | None:
        return value if value is None else str(address(value))

    @property
    def doors(self) -> dict[str, Door]:
        """The doors that are to be opened, by name: those of the settings, else the two that exporters look for."""
        named = {name: one for name in type(self).model_fields if isinstance(one := getattr(self, name), Door)}
        usual: dict[str, tuple[type[Door], str]] = {"http": (HttpDoor, HTTP), "grpc": (GrpcDoor, GRPC)}
        return named or {name: kind.model_validate({"listen": listen}) for name, (kind, listen) in usual.items()}


def rooted(value: Any, base: Path) -> Any:
    """The paths in a table ``[receive]``, relative to the file that names them."""
    if not isinstance(value, dict):
        return value
    return {name: _rooted_door(one, base) if isinstance(one, dict) else one for name, one in value.items()}


def _rooted_door(table: dict[str, Any], base: Path) -> dict[str, Any]:
    paths = {name: base / Path(one).expanduser() for name in _PATHS if isinstance(one := table.get(name), str)}
    return {**table, **paths}
