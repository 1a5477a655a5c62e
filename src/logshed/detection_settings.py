"""Settings of detection: which rules are off, and what nobody wants to be told of."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class DetectSettings(BaseModel):
    """What `logshed detect` looks for."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    disabled: tuple[str, ...] = Field(
        default=(), description="Globs on the names of rules that are off, such as `web_crawl*`."
    )
    block_level: Literal["low", "medium", "high", "critical"] | None = Field(
        default=None, description="Least threat level of incidents whose source is to be blocked; none unless set."
    )
    block_hours: float = Field(default=4, gt=0, description="For how long.")
    simulate: bool = Field(default=True, description="Whether such decisions are only reported, never exported.")


class Suppress(BaseModel):
    """Findings that are counted under a name and not kept."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1, description="Name under which suppressed findings are counted.")
    rule: str = Field("*", description="Glob on the rule's name.")
    actor: str = Field("*", description="Glob on the actor, or a network as `10.0.0.0/8`.")
    collection: str = Field("*", description="Glob on the collection.")
    until: date | None = Field(None, description="Last day on which it holds; for ever unless set.")
    reason: str = Field("", description="Why, for those who come after.")
