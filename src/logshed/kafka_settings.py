"""Settings of Kafka, from whose topics messages are read: ``[kafka]``."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from logshed.storage_settings import secret

_FILES = ("ca", "certificate", "key")


@dataclass(frozen=True, slots=True)
class KafkaAccess:
    """How clusters are reached.

    Attributes:
        brokers: Where a cluster is asked that an address does not name, ``host:port,host:port``; empty for none.
        name: What the cluster is called in names of sources; its own id where empty.
        seconds: How long an answer may take.
        options: What the client is configured with, secrets among it.
    """

    brokers: str = ""
    name: str = ""
    seconds: float = 15.0
    options: tuple[tuple[str, str], ...] = field(default=(), repr=False)


class Kafka(BaseModel):
    """How the brokers are reached, and what is read of a topic."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    brokers: str = Field(
        "",
        pattern=r"^([A-Za-z0-9._\-\[\]:]+(,[A-Za-z0-9._\-\[\]:]+)*)?$",
        description="Brokers of addresses that name none, as `kafka:///orders`: `b1:9092,b2:9092`.",
    )
    name: str = Field(
        "",
        pattern=r"^[A-Za-z0-9._-]{0,100}$",
        description="What to call the cluster in the names of its sources; the id that it has itself unless set. "
        "Changed later, its topics are read anew.",
    )
    security: Literal["plaintext", "ssl", "sasl_plaintext", "sasl_ssl"] = Field(
        "plaintext", description="How the brokers' port is secured."
    )
    mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        "SCRAM-SHA-512", description="How SASL logs in."
    )
    user: str = Field("", description="User that SASL logs in.")
    password: SecretStr = Field(
        SecretStr(""), description="Its password: `env:NAME`, `file:/path`, or the password itself."
    )
    ca: Path | None = Field(None, description="Certificates that brokers' are signed by; the system's unless set.")
    certificate: Path | None = Field(None, description="Certificate that Logshed shows.")
    key: Path | None = Field(None, description="Its private key.")
    key_password: SecretStr = Field(SecretStr(""), description="Password of the key, as `password`.")
    isolation: Literal["read_committed", "read_uncommitted"] = Field(
        "read_committed", description="Whether messages of transactions wait until these are committed."
    )
    group: str = Field(
        "logshed",
        min_length=1,
        max_length=200,
        description="Consumer group for which rights are given. Nothing is committed to it: the ledger knows how far "
        "a topic is read.",
    )
    seconds: float = Field(15, gt=0, le=600, description="Seconds that an answer of the brokers may take.")

    @classmethod
    def rooted(cls, values: dict[str, Any], base: Path) -> dict[str, Any]:
        """Values with paths that hold from anywhere."""
        found = {name: base / Path(values[name]).expanduser() for name in _FILES if isinstance(values.get(name), str)}
        return {**values, **found}

    def access(self) -> KafkaAccess:
        """The same for who asks brokers.

        Raises:
            SettingsError: A variable or a file that holds a secret is not there.
        """
        options = {
            "security.protocol": self.security,
            "isolation.level": self.isolation,
            "group.id": self.group,
            "ssl.ca.location": str(self.ca or ""),
            "ssl.certificate.location": str(self.certificate or ""),
            "ssl.key.location": str(self.key or ""),
            "ssl.key.password": secret(self.key_password, "kafka.key_password"),
        }
        if self.security.startswith("sasl"):
            options["sasl.mechanism"] = self.mechanism
            options["sasl.username"] = self.user
            options["sasl.password"] = secret(self.password, "kafka.password")
        given = tuple(sorted((name, value) for name, value in options.items() if value))
        return KafkaAccess(self.brokers, self.name, self.seconds, given)
