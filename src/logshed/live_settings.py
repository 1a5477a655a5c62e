"""Settings of the hot store: the table ``[live]``."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from logshed.sizes import Size

_SCHEMES = ("redis://", "rediss://", "unix://")


class Live(BaseModel):
    """Where the newest lines are kept hot, and how many of them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    enabled: bool = Field(False, description="Bring what comes into the lake into the hot store, too.")
    redis: SecretStr = Field(
        SecretStr("redis://127.0.0.1:6379/0"),
        description="Redis or Valkey: `redis://user:password@host:6379/0`, `rediss://…`, `unix:///run/redis.sock`.",
    )
    lines: int = Field(10_000, ge=1, le=100_000_000, description="Newest lines that are kept of each collection.")
    hours: float = Field(24, gt=0, le=24 * 366, description="Hours that a line is kept, by its own time.")
    bytes: Size | None = Field(
        None, ge=2**20, description="Bytes that the whole store may take; 90 % of its `maxmemory` unless set."
    )
    expires: Literal["window", "day"] = Field(
        "window",
        description="When the lines of a collection go that gets no more: `hours` after the last one, or at the end of "
        "that one's day (UTC).",
    )
    allow_unbounded: bool = Field(
        False, description="Use a Redis that has no `maxmemory`, or may evict counters when it is full."
    )

    @field_validator("redis")
    @classmethod
    def _sound_url(cls, value: SecretStr) -> SecretStr:
        if not value.get_secret_value().startswith(_SCHEMES):
            raise ValueError("that is no URL of a Redis; write redis://127.0.0.1:6379/0")
        return value
