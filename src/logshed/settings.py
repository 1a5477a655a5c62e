"""Typed settings; the only reader of logshed.toml, of .env and of the environment.

What is nearer to the call wins: an option of the command, the environment, ``.env``, ``logshed.toml``, the default.
"""

from __future__ import annotations

import difflib
import os
from ipaddress import ip_network
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from logshed.alert_settings import Alert
from logshed.detection_settings import DetectSettings, Suppress
from logshed.engine_settings import EngineSettings
from logshed.errors import SettingsError
from logshed.forward_settings import Forward
from logshed.kafka_settings import Kafka
from logshed.live_settings import Live
from logshed.object_settings import Objects
from logshed.objective_settings import Objective
from logshed.receive_settings import Receive
from logshed.record_settings import Drop, Enrichment, ThreatListFile, Transform, TransformTest, paths
from logshed.retain_settings import Retain
from logshed.schedule_settings import Schedule
from logshed.setting_layers import FILE, PREFIX, Names, dotenv, key_of, layers, rooted
from logshed.sizes import Size
from logshed.ssh_settings import Place, Ssh
from logshed.storage_settings import Backing, CatalogSettings, StorageSettings
from logshed.web_settings import Web

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["Drop", "Enrichment", "Settings", "ThreatListFile", "Transform", "TransformTest", "unknown_variables"]

ELSEWHERE = frozenset({"LOGSHED_SINK_TOKEN", "LOGSHED_SERVER", "LOGSHED_TOKEN", "LOGSHED_TOKEN_FILE"})
"""Variables that are no settings: commands read them."""
TABLES = frozenset(
    [
        "internal_networks",
        "drop",
        "transform",
        "detect",
        "suppress",
        "alert",
        "objective",
        "collect",
        "schedule",
        "forward",
    ]
)
"""Settings that only the file can hold."""
NESTED: dict[str, type[BaseModel]] = {
    "enrichment": Enrichment,
    "ssh": Ssh,
    "live": Live,
    "catalog": CatalogSettings,
    "storage": StorageSettings,
    "objects": Objects,
    "kafka": Kafka,
    "retain": Retain,
    "engine": EngineSettings,
    "receive": Receive,
    "web": Web,
}
"""Tables of settings, each with a variable: ``LOGSHED_ENRICHMENT_GEOIP``."""


class Settings(BaseModel):
    """Everything that can be set once for all commands."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    lake: Path = Field(Path("logshed-lake"), description="Folder of the lake; relative to the file that names it.")
    collection: str = Field("default", min_length=1, description="Collection of what is ingested.")
    workers: int | None = Field(None, ge=1, le=1024, description="Threads that ingest; one per processor unless set.")
    policy: str = Field("default", min_length=1, description="Redaction policy: a name or the path of a policy file.")
    keys: str = Field(
        "",
        description="Keys of pseudonyms: a file of mode 600, `env:NAME`, or a URL; "
        "`~/.config/logshed/keys` where that is there.",
    )
    plugins: Annotated[tuple[Path, ...], BeforeValidator(paths)] = Field(
        (), description="Folders with `formats/`, `redaction/`, `queries/`, `dashboards/` or `alerts/` of your own."
    )
    max_line_bytes: Size = Field(
        2**20, ge=1024, le=2**28, description="A longer line is kept cut to this size, and the cut is counted."
    )
    split_bytes: Size = Field(2**26, ge=2**16, description="Bytes of a file that one unit of work takes.")
    batch_bytes: Size = Field(
        2**24, ge=2**16, le=2**30, description="Bytes that one worker has in hand at a time; memory grows with it."
    )
    spool: Path = Field(
        Path("logshed-spool"),
        description="Folder where collected lines rest until a lake has them; relative like `lake`.",
    )
    spool_bytes: Size = Field(
        2**30, ge=2**20, description="Bytes that the spool may take; beyond them collecting pauses, and says so."
    )
    tokens: Path = Field(
        Path("logshed-tokens.db"),
        description="File of the tokens that let readers in, of which it holds hashes alone; relative like `lake`.",
    )
    timezone: str | None = Field(
        None, description="Time zone of timestamps that name none, such as `Europe/Paris`; UTC unless set."
    )
    internal_networks: dict[str, tuple[str, ...]] = Field(
        {
            "loopback": ("127.0.0.0/8", "::1/128"),
            "private": ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"),
            "link-local": ("169.254.0.0/16", "fe80::/10"),
        },
        description="Networks of your own by name; they fill `client_network` and `client_is_internal`.",
    )
    enrichment: Enrichment = Field(
        default_factory=lambda: Enrichment.model_validate({}),
        description="Databases and lists in which records are looked up.",
    )
    drop: tuple[Drop, ...] = Field((), description="Rules for lines that are counted and not kept.")
    transform: tuple[Transform, ...] = Field((), description="Changes to records on their way, in this order.")
    detect: DetectSettings = Field(default_factory=DetectSettings, description="What `logshed detect` looks for.")
    suppress: tuple[Suppress, ...] = Field((), description="Findings that are counted and not kept.")
    alert: tuple[Alert, ...] = Field((), description="Destinations of alerts.")
    objective: tuple[Objective, ...] = Field((), description="Service level objectives.")
    ssh: Ssh = Field(
        default_factory=lambda: Ssh.model_validate({}), description="How hosts that are collected from are reached."
    )
    collect: tuple[Place, ...] = Field((), description="Places that `logshed collect docker` collects from.")
    schedule: tuple[Schedule, ...] = Field((), description="What `logshed schedule` runs by the clock.")
    forward: tuple[Forward, ...] = Field((), description="Records that `logshed forward` sends on.")
    live: Live = Field(
        default_factory=lambda: Live.model_validate({}), description="The hot store of the newest lines, on Redis."
    )
    catalog: CatalogSettings = Field(
        default_factory=lambda: CatalogSettings.model_validate({}), description="What lists the lake's tables."
    )
    storage: StorageSettings = Field(
        default_factory=lambda: StorageSettings.model_validate({}), description="Where the lake's files lie."
    )
    retain: Retain = Field(default_factory=lambda: Retain.model_validate({}), description="How long rows are kept.")
    engine: EngineSettings = Field(
        default_factory=lambda: EngineSettings.model_validate({}), description="What runs the work."
    )
    receive: Receive = Field(
        default_factory=lambda: Receive.model_validate({}), description="The doors that logs are pushed to."
    )
    web: Web = Field(default_factory=lambda: Web.model_validate({}), description="The web application.")
    objects: Objects = Field(
        default_factory=lambda: Objects.model_validate({}),
        description="Object stores that logs are read from, and uploaded to.",
    )
    kafka: Kafka = Field(default_factory=lambda: Kafka.model_validate({}), description="Kafka, whose topics are read.")

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str | None) -> str | None:
        try:
            return value if value is None else ZoneInfo(value).key
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(f"{value!r} is no time zone; write one as Europe/Paris or UTC") from None

    @field_validator("internal_networks")
    @classmethod
    def _sound_networks(cls, value: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        for network in (network for networks in value.values() for network in networks):
            ip_network(network)
        return value

    @field_validator("drop", "transform", "suppress", "objective")
    @classmethod
    def _own_names(cls, value: tuple[Any, ...], info: ValidationInfo) -> tuple[Any, ...]:
        names = [rule.name for rule in (*value, *(info.data.get("drop", ()) if info.field_name == "transform" else ()))]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            what = "objectives" if info.field_name == "objective" else "rules"
            raise ValueError(f"two {what} are named {twice[0]}; give each its own name")
        return value

    @field_validator("alert", "schedule", "forward")
    @classmethod
    def _own_files(cls, value: tuple[Any, ...], info: ValidationInfo) -> tuple[Any, ...]:
        names = [one.name.lower() for one in value]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            what = {"alert": "destinations", "schedule": "runs"}.get(str(info.field_name), "forwardings")
            raise ValueError(f"two {what} are named {twice[0]}; give each its own name")
        return value

    @classmethod
    def load(
        cls,
        folder: str | Path | None = None,
        *,
        environ: Mapping[str, str] | None = None,
        file: str | Path | None = None,
    ) -> Self:
        """Settings as they hold in a folder.

        Args:
            folder: Where ``logshed.toml`` and ``.env`` may lie; None takes the working directory.
            environ: The environment; None takes the process's own.
            file: Another file than ``logshed.toml`` there, which has to be there; its paths are relative to it.

        Raises:
            SettingsError: A key is unknown or its value is off; the text names the key and where it stands.
        """
        folder = Path.cwd() if folder is None else Path(folder)
        if file is not None and not Path(file).is_file():
            raise SettingsError(f"cannot read {file}: there is no such file; check the path")
        given: dict[str, Any] = {name: folder / f"logshed-{name}" for name in ("lake", "spool")}
        given["tokens"] = folder / "logshed-tokens.db"
        origins: dict[str, str] = {}
        for origin, base, values in layers(folder, os.environ if environ is None else environ, file, _names()):
            for key, value in values.items():
                found = rooted(key, value, base)
                if key in NESTED and isinstance(found, bool):
                    found = {"enabled": found}  # so that a variable that sets one key more switches nothing on again
                nested = key in NESTED and isinstance(found, dict) and isinstance(given.get(key), dict)
                given[key] = given[key] | found if nested else found
            origins |= dict.fromkeys(values, origin)
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            raise SettingsError(_told(error, origins)) from None

    @property
    def backing(self) -> Backing:
        """What the lake rests on."""
        return Backing(self.catalog, self.storage)

    @property
    def accounts(self) -> Path:
        """The file of those who may sign in."""
        return self.web.accounts or self.tokens.with_name("logshed-accounts.db")

    def run_by(self, given: Mapping[str, Any]) -> Self:
        """The settings with another engine, or the same with other values.

        Raises:
            SettingsError: A value is off, or of no use to threads of this process.
        """
        if not given:
            return self
        try:
            engine = EngineSettings.model_validate({**self.engine.model_dump(), **given})
        except ValidationError as error:
            first = error.errors()[0]
            name = {"name": "engine"}.get(str(first["loc"][0]), str(first["loc"][0]).replace("_", "-"))
            raise SettingsError(f"cannot use --{name}: {first['msg'].removeprefix('Value error, ')}") from None
        useless = [name for name in ("address", "task_memory") if name in given and engine.name == "local"]
        if useless:
            raise SettingsError(
                f"cannot use --{useless[0].replace('_', '-')}: threads of this process do the work; "
                "add --engine ray or --engine spark, or leave it out"
            )
        return self.model_copy(update={"engine": engine})

    def enriched(self, **given: Sequence[str | Path] | None) -> Self:
        """The settings with other databases or lists; None leaves them as they are."""
        values = {name: tuple(files) for name, files in given.items() if files is not None}
        return self.model_copy(update={"enrichment": Enrichment.model_validate({**dict(self.enrichment), **values})})


def unknown_variables(folder: Path, environ: Mapping[str, str] | None = None) -> list[str]:
    """Variables named ``LOGSHED_...`` in ``.env`` or the environment that set nothing, each with the nearest name."""
    known = _names()
    found = {**dotenv(folder), **(os.environ if environ is None else environ)}
    names = [name for name in found if name.startswith(PREFIX) and not key_of(name, known) and name not in ELSEWHERE]
    near = {name: _nearest(name.removeprefix(PREFIX).lower(), Settings.model_fields) for name in sorted(names)}
    return [f"{name} ({one})" for name, one in near.items()]


def _names() -> Names:
    return Names(Settings.model_fields.keys() - TABLES - NESTED.keys(), NESTED)


def _told(error: ValidationError, origins: Mapping[str, str]) -> str:
    """The first thing that is wrong, in words; the rest comes to light when it is right."""
    first = error.errors()[0]
    where = first["loc"]
    origin = origins.get(str(where[0]), FILE) if where else FILE
    name = ".".join(str(part) for part in where)
    shown = PREFIX + name.upper().replace(".", "_") if origin != FILE else name
    if first["type"] == "extra_forbidden":
        return f"cannot use {origin}: unknown key {shown}; {_nearest(str(where[-1]), _known(where))}"
    cause = first["msg"].removeprefix("Value error, ")
    cause, _, advice = cause.partition("; ")
    return f"cannot use {origin}: {shown}: {cause}; {advice or 'correct it, see docs/configuration.md'}"


def _known(where: tuple[int | str, ...]) -> Iterable[str]:
    """The keys that are known where an unknown one stands."""
    if len(where) == 1:
        return Settings.model_fields
    if where[0] in NESTED:
        return NESTED[str(where[0])].model_fields
    own: dict[str, type[BaseModel]] = {
        "drop": Drop, "detect": DetectSettings, "suppress": Suppress, "alert": Alert, "objective": Objective,
        "collect": Place, "schedule": Schedule,
    }  # fmt: skip
    if where[0] in own:
        return own[str(where[0])].model_fields
    return TransformTest.model_fields if "test" in where else Transform.model_fields


def _nearest(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(known), n=1)
    return f"did you mean {near[0]}?" if near else f"the keys are {', '.join(known)}"
