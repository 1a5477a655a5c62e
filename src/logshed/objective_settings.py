"""The settings of one service level objective: a table ``[[objective]]`` of logshed.toml."""

from __future__ import annotations

import re
from datetime import timedelta
from fnmatch import fnmatchcase
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

LONGEST_DAYS = 365
_WINDOW = re.compile(r"([1-9][0-9]{0,2})d")


class Objective(BaseModel):
    """What share of a service's requests is to be good."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1, max_length=64, description="Name of the objective.")
    service: str = Field("*", description="Glob on the service; each service that fits has a budget of its own.")
    collection: str = Field("*", description="Glob on the collection.")
    kind: Literal["availability", "latency"] = Field(
        "availability",
        description="`availability`: a request is good that the server did not fail; `latency`: one that was quick.",
    )
    target: float = Field(gt=0, lt=100, description="Percent of requests that are to be good, such as `99.9`.")
    threshold_ms: float | None = Field(
        None, gt=0, description="Milliseconds within which a request is quick; of `latency`."
    )
    window: str = Field("28d", description="Days over which the target holds, such as `28d` or `30d`.")
    min_requests: int = Field(10, ge=1, description="Requests of an alert's longer window below which it says nothing.")

    @field_validator("window")
    @classmethod
    def _days(cls, value: str) -> str:
        found = _WINDOW.fullmatch(value.strip())
        if found is None or int(found[1]) > LONGEST_DAYS:
            raise ValueError(f"{value!r} are no days; write 1d to {LONGEST_DAYS}d, such as 28d")
        return value.strip()

    @model_validator(mode="after")
    def _threshold(self) -> Self:
        if self.kind == "latency" and self.threshold_ms is None:
            raise ValueError("threshold_ms is missing; give the milliseconds within which a request is quick")
        if self.kind == "availability" and self.threshold_ms is not None:
            raise ValueError("threshold_ms is of no use for availability; leave it out, or set kind = 'latency'")
        return self

    @property
    def length(self) -> timedelta:
        """How long the window is."""
        return timedelta(days=int(self.window.removesuffix("d")))

    @property
    def budget(self) -> float:
        """The share of requests that may be bad, 0 to 1."""
        return 1 - self.target / 100

    def holds_for(self, collection: str, service: str | None) -> bool:
        """Whether it is an objective of a service."""
        return fnmatchcase(collection, self.collection) and fnmatchcase(service or "", self.service)
