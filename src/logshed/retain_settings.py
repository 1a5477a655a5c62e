"""Settings of how long rows are kept: the table ``[retain]``."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

Layer = Literal["bronze", "silver", "gold", "findings", "incidents", "audit"]
FOREVER = "forever"
_DAYS = {"": 1, "d": 1, "w": 7, "y": 365}


def _days(given: Any) -> int | None:
    """Days of ``7d``, ``12w``, ``1y``; None of ``forever``."""
    if given is None or given is False or str(given).lower() in (FOREVER, "false"):
        return None
    found = re.fullmatch(r"([0-9]{1,6})([dwy]?)", given) if isinstance(given, str) else None
    days = given if type(given) is int else int(found[1]) * _DAYS[found[2]] if found else 0
    if days < 1:
        raise ValueError(f"{given!r} is no span of a day or more; write one such as 7d, 12w, 1y, or forever")
    return days


Kept = Annotated[int | None, BeforeValidator(_days)]
"""Days, or None for ever."""


class Own(BaseModel):
    """How long rows of one collection are kept where that is not as of the others."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    bronze: Kept = Field(None, description="Of `lines`.")
    silver: Kept = Field(None, description="Of `logs`.")
    gold: Kept = Field(None, description="Of gold tables.")
    findings: Kept = Field(None, description="Of `findings`.")
    incidents: Kept = Field(None, description="Of `incidents`.")


class Retain(BaseModel):
    """How long rows are kept, by when they were read or written; `logshed maintain` takes away what is older."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    enabled: bool = Field(
        True, description="Take away what is old at all; `retain = false` is the same as `false` here."
    )
    bronze: Kept = Field(
        7,
        description="How long `lines` keeps rows after they were read: `7d`, `12w`, `1y`, `forever`, or days.",
    )
    silver: Kept = Field(90, description="How long `logs` keeps rows after they were read.")
    gold: Kept = Field(365, description="How long gold tables keep a day after it was last computed.")
    findings: Kept = Field(365, description="How long findings are kept after they were found.")
    incidents: Kept = Field(365, description="How long incidents are kept after they last changed.")
    audit: Kept = Field(365, description="How long entries of the audit trail are kept.")
    collection: dict[str, Own] = Field({}, description="Other spans for some collections, by name.")

    def days(self, layer: Layer) -> tuple[int | None, dict[str, int | None]]:
        """Days that rows of a layer are kept, and of collections that have a span of their own; None is for ever."""
        if not self.enabled:
            return None, {}
        own = {name: getattr(one, layer) for name, one in self.collection.items() if layer in one.model_fields_set}
        return getattr(self, layer), own

    def why(self, layer: Layer) -> str:
        """The setting by which rows of a layer go, and whether anybody has set it."""
        days, own = self.days(layer)
        set_by = "" if layer in self.model_fields_set else " (the default)"
        others = "".join(f", {name}: {_span(span)}" for name, span in sorted(own.items()))
        return f"retain.{layer} = {_span(days)}{set_by}{others}"


def _span(days: int | None) -> str:
    return FOREVER if days is None else f"{days}d"
