"""Settings of the web application: the table ``[web]`` of logshed.toml."""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Self
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)

from logshed.errors import SettingsError
from logshed.receive_settings import Address, address
from logshed.sizes import Span

LISTEN = "127.0.0.1:8600"
_PATHS = ("certificate", "key", "accounts")


def _several(value: object) -> object:
    return [one.strip() for one in value.split(",")] if isinstance(value, str) else value


class Oidc(BaseModel):
    """An identity provider that speaks OpenID Connect."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    issuer: str = Field(description="Its address, exactly as it names itself in what it signs.")
    client_id: str = Field(min_length=1, description="Name of this application there.")
    client_secret: SecretStr | None = Field(
        None, description="Secret of this application there, `env:NAME` or `file:/path`; none for a public client."
    )
    title: str = Field("single sign-on", min_length=1, description="What the button for it says.")
    scopes: Annotated[tuple[str, ...], BeforeValidator(_several)] = Field(
        ("openid", "profile", "email"), description="What is asked for; some want `groups`, too."
    )
    name_claim: str = Field("preferred_username", min_length=1, description="Claim that holds the user's name.")
    groups_claim: str = Field(
        "groups",
        min_length=1,
        description="Claim that holds the groups; with dots for one inside: `realm_access.roles`.",
    )
    roles: dict[str, str] = Field({}, description="Roles by group; of several the one that may do most.")
    collections: dict[str, tuple[str, ...]] = Field(
        {}, description="Globs on collections by group; those of all of a user's groups together."
    )
    role: str | None = Field(None, description="Role of those whom no group gives one; they are not let in unless set.")
    ca_file: Path | None = Field(None, description="Certificates (PEM) to trust in place of the system's.")

    @field_validator("issuer")
    @classmethod
    def _sound_issuer(cls, value: str) -> str:
        parts = urlsplit(value)
        local = parts.hostname is not None and Address(parts.hostname, 0).is_local
        if not parts.hostname or parts.scheme not in ("http", "https") or parts.query or parts.fragment:
            raise ValueError(f"{value!r} is no address; write it as https://id.example.org/realms/logs")
        if parts.scheme == "http" and not local:
            raise ValueError("who sits on the way could sign in as anybody; write https://")
        return value

    @field_validator("client_secret")
    @classmethod
    def _placed(cls, value: SecretStr | None) -> SecretStr | None:
        kind, _, place = (value.get_secret_value() if value else "env:-").partition(":")
        if kind not in ("env", "file") or not place:
            raise ValueError("a secret stands in the file itself; write env:NAME or file:/path")
        return value

    @field_validator("scopes")
    @classmethod
    def _with_openid(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return value if "openid" in value else ("openid", *value)


class Web(BaseModel):
    """Where the web application listens, and how people sign in."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    listen: str = Field(LISTEN, description="Host and port.")
    certificate: Path | None = Field(None, description="Certificate (PEM), to speak TLS; needs `key`.")
    key: Path | None = Field(None, description="Its key (PEM).")
    proxies: Annotated[tuple[str, ...], BeforeValidator(_several)] = Field(
        (), description="Addresses or networks of proxies that are believed who asks, and whether by TLS."
    )
    public_url: str | None = Field(
        None, description="Its address as people write it, such as `https://logs.example.org`."
    )
    accounts: Path | None = Field(
        None, description="File of those who may sign in; `logshed-accounts.db` beside `tokens` unless set."
    )
    idle: Span = Field(8 * 3600, ge=60, le=30 * 86_400, description="How long a session lasts without a request: `8h`.")
    session: Span = Field(7 * 86_400, ge=60, le=365 * 86_400, description="How long a session lasts at most: `7d`.")
    receivers: Annotated[tuple[str, ...], BeforeValidator(_several)] = Field(
        (),
        description="Addresses of `logshed receive` on other machines that tell their figures, such as "
        "`http://10.0.0.5:9464`, for the page of receivers.",
    )
    passwords: bool = Field(True, description="Let people sign in by a password; `false` leaves `[web.oidc]` alone.")
    oidc: Oidc | None = Field(None, description="An identity provider; the file's alone.")

    @property
    def address(self) -> Address:
        """Where it listens."""
        return address(self.listen)

    @property
    def address_of_people(self) -> str:
        """Its address as people reach it, without a slash at its end."""
        return self.public_url or f"{'https' if self.certificate else 'http'}://{self.address}"

    @property
    def secure(self) -> bool:
        """Whether people reach it by TLS alone."""
        return self.certificate is not None or (self.public_url or "").startswith("https://")

    def given(self, **options: str | Path | tuple[str, ...] | None) -> Self:
        """The settings with what a command was told; None leaves them as they are.

        Raises:
            SettingsError: They are not safe together.
        """
        named = {name: value for name, value in options.items() if value is not None}
        try:
            return self.model_validate({**dict(self), **named})
        except ValidationError as error:
            raise SettingsError(f"cannot serve: {error.errors()[0]['msg'].removeprefix('Value error, ')}") from None

    @field_validator("listen")
    @classmethod
    def _sound_listen(cls, value: str) -> str:
        return str(address(value))

    @field_validator("proxies")
    @classmethod
    def _sound_proxies(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for one in value:
            ip_network(one)
        return value

    @field_validator("receivers")
    @classmethod
    def _sound_receivers(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for one in value:
            parts = urlsplit(one)
            if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/") or parts.query:
                raise ValueError(f"{one!r} is no address; write it as http://10.0.0.5:9464")
            if parts.username or parts.password:
                raise ValueError(
                    "an address of receivers holds a password; let the receiver listen where none is asked"
                )
        return tuple(one.rstrip("/") for one in value)

    @field_validator("public_url")
    @classmethod
    def _sound_url(cls, value: str | None) -> str | None:
        parts = urlsplit(value or "http://localhost")
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/") or parts.query:
            raise ValueError(f"{value!r} is no address of its own; write it as https://logs.example.org")
        return value.rstrip("/").lower() if value else None

    @model_validator(mode="after")
    def _safe(self) -> Self:
        if (self.certificate is None) != (self.key is None):
            raise ValueError("a certificate needs its key, and a key its certificate; give both or neither")
        behind = bool(self.proxies) and (self.public_url or "").startswith("https://")
        if not (self.address.is_local or self.certificate is not None or behind):
            raise ValueError(
                "others than this machine reach it, and what they send can be read on its way; give certificate and "
                "key, listen on 127.0.0.1, or name a proxy that speaks TLS in proxies and its https address in "
                "public_url"
            )
        if not self.passwords and self.oidc is None:
            raise ValueError("nobody could sign in; give [web.oidc], or leave passwords out")
        return self


def rooted(value: dict[str, Any], base: Path) -> dict[str, Any]:
    """The table ``[web]`` with paths as they hold from anywhere: relative to the file that names them."""
    found = {
        **value,
        **{name: base / Path(one).expanduser() for name in _PATHS if isinstance(one := value.get(name), str)},
    }
    if isinstance(oidc := value.get("oidc"), dict):
        own = dict(oidc)
        if isinstance(path := own.get("ca_file"), str):
            own["ca_file"] = base / Path(path).expanduser()
        if isinstance(secret := own.get("client_secret"), str) and secret.startswith("file:") and secret != "file:":  # noqa: S105 - a place
            own["client_secret"] = f"file:{base / Path(secret.removeprefix('file:')).expanduser()}"
        found["oidc"] = own
    return found
