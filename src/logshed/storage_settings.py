"""Settings of what lists a lake's tables and where their files lie: ``[catalog]`` and ``[storage]``."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit, urlunsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, field_validator

from logshed.errors import SettingsError

SCHEMES = ("s3", "abfss", "gs", "file")
"""What a warehouse's address may begin with."""

_NAMESPACE = r"^([a-z][a-z0-9_]{0,63})?$"
_LONGEST_SECRET = 65_536


def _as_secrets(value: Any) -> Any:
    """A variable gives one text, ``name=value,name=value``."""
    if not isinstance(value, str):
        return value
    pairs = [pair.partition("=") for pair in value.split(",") if pair.strip()]
    return {name.strip(): held.strip() for name, _, held in pairs}


def secret(value: SecretStr, key: str) -> str:
    """What a secret setting holds, or what the variable or the file holds that it names.

    Args:
        value: The setting: ``env:NAME``, ``file:/path``, or the secret itself; empty where there is none.
        key: What it is called in logshed.toml.

    Raises:
        SettingsError: The variable is not set, or the file cannot be read or is empty.
    """
    text = value.get_secret_value()
    kind, _, place = text.partition(":")
    if kind == "env":
        if found := os.environ.get(place, "").strip():
            return found
        raise SettingsError(f"cannot use {key}: the variable {place} is not set; set it")
    if kind != "file":
        return text
    try:
        with Path(place).expanduser().open(encoding="utf-8") as file:
            found = file.read(_LONGEST_SECRET).strip()
    except (OSError, UnicodeDecodeError) as error:
        cause = getattr(error, "strerror", None) or "it is no text"
        raise SettingsError(f"cannot use {key}: {place}: {cause}; write the secret there, mode 600") from None
    if not found:
        raise SettingsError(f"cannot use {key}: {place} is empty; write the secret there, mode 600")
    return found


class CatalogSettings(BaseModel):
    """The Iceberg catalog that lists the lake's tables."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    type: Literal["sql", "rest", "glue", "hive"] = Field("sql", description="Its kind.")
    uri: SecretStr = Field(
        SecretStr(""),
        description="Its address, such as `postgresql+psycopg2://user@host/db`, `mysql+pymysql://user@host/db`, "
        "`https://host/` of a REST catalog, `thrift://host:9083` of Hive; `env:NAME` and `file:/path` name what holds "
        "it. A file of SQLite in the lake's folder unless set.",
    )
    password: SecretStr = Field(
        SecretStr(""), description="Password of a database's user: `env:NAME` or `file:/path`; not in `uri`."
    )
    name: str = Field("logshed", min_length=1, max_length=64, description="What a database calls this catalog.")
    namespace: str = Field(
        "",
        pattern=_NAMESPACE,
        description="Put before the names of the lake's namespaces (`prod` makes `prod_bronze`), where several lakes "
        "share a catalog.",
    )
    properties: Annotated[dict[str, SecretStr], BeforeValidator(_as_secrets)] = Field(
        {},
        description="Properties of PyIceberg for this catalog, such as `credential`, `token`, `warehouse` or "
        "`glue.region`; values may be `env:NAME` or `file:/path`.",
    )

    @property
    def address(self) -> str:
        """Where it is, with what secrets that may hold; empty where it is the lake's own file."""
        return secret(self.uri, "catalog.uri")

    @property
    def own(self) -> bool:
        """Whether it is a file in the lake's folder."""
        return self.type == "sql" and not self.uri.get_secret_value()

    def __str__(self) -> str:
        """Which catalog it is, without secrets."""
        parts = urlsplit(self.address)
        plain = urlunsplit((parts.scheme.partition("+")[0], parts.netloc.rpartition("@")[2], parts.path, "", ""))
        return " ".join(part for part in (self.type, plain, self.name, self.namespace) if part)


class StorageSettings(BaseModel):
    """Where the files of the lake's tables lie, and how it is reached."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    warehouse: str = Field(
        "",
        description="Address under which all files lie: `s3://bucket/prefix`, "
        "`abfss://container@account.dfs.core.windows.net/prefix`, `gs://bucket/prefix`, `file:///path`. "
        "The lake's folder unless set.",
    )
    endpoint: str = Field("", description="Address of a server that is not the cloud's own, such as MinIO or Ceph.")
    region: str = Field("", description="Region of an S3 bucket; what the cloud's own chain says unless set.")
    access_key: SecretStr = Field(
        SecretStr(""),
        description="Key id of S3, or account key of Azure: `env:NAME` or `file:/path`. The cloud's own chain "
        "(variables, profile, role of the machine) unless set.",
    )
    secret_key: SecretStr = Field(SecretStr(""), description="Secret key of S3: `env:NAME` or `file:/path`.")
    token: SecretStr = Field(
        SecretStr(""),
        description="Session token of S3, SAS token of Azure, or the key file of a service account of Google: "
        "`env:NAME` or `file:/path`.",
    )
    anonymous: bool = Field(False, description="Send requests unsigned.")

    @field_validator("warehouse")
    @classmethod
    def _sound_warehouse(cls, value: str) -> str:
        if not value:
            return value
        parts = urlsplit(value)
        if parts.scheme not in SCHEMES:
            raise ValueError(f"{value!r} is no address of a warehouse; begin it with {', '.join(SCHEMES)} and ://")
        if parts.query or parts.fragment or parts.password:
            raise ValueError("an address of a warehouse holds no secret and no options; see the other keys of storage")
        if parts.scheme == "file" and (parts.netloc or not parts.path.startswith("/")):
            raise ValueError("a file's address has three slashes; write file:///path")
        if parts.scheme != "file" and not parts.netloc:
            raise ValueError(f"{value!r} names no bucket or container; write it after ://")
        if parts.scheme == "abfss" and "@" not in parts.netloc:
            raise ValueError("it names no account; write abfss://container@account.dfs.core.windows.net/prefix")
        return value.rstrip("/")

    @property
    def remote(self) -> bool:
        """Whether the files lie on no disk of this machine."""
        return bool(self.warehouse) and not self.warehouse.startswith("file://")


@dataclass(frozen=True, slots=True)
class Backing:
    """What a lake rests on: its catalog and its storage."""

    catalog: CatalogSettings = field(default_factory=lambda: CatalogSettings.model_validate({}))
    storage: StorageSettings = field(default_factory=lambda: StorageSettings.model_validate({}))
