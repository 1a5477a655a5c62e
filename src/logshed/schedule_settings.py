"""The settings of what runs by the clock: a table ``[[schedule]]`` of logshed.toml."""

from __future__ import annotations

import re
import shlex
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError
from pydantic import BaseModel, ConfigDict, Field, field_validator

from logshed.sizes import Span

VERBS = frozenset(
    {
        *("aggregate", "alert", "anomalies", "audit", "canary", "capacity", "collect", "compliance", "cost"),
        *("decisions", "detect", "doctor", "enrich", "forward", "ingest", "live", "maintain", "patterns", "query"),
        *("rejects", "reparse", "replay", "report", "run", "sanitize", "scan", "search", "slo", "spool", "upload"),
        *("verify", "verify-redaction"),
    }
)
"""Commands that may run by the clock: none that a person asks for (``erase``, ``promote``), or that makes keys."""
SHORT = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
FIELDS = 5
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class Schedule(BaseModel):
    """A command that runs by the clock."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(description="Name of the run.")
    cron: str = Field(
        description="When: minute, hour, day of month, month, day of week as cron has them (`*/5 * * * *`, "
        "`30 2 * * mon-fri`), or `@hourly`, `@daily`, `@weekly`, `@monthly`, `@yearly`."
    )
    run: str = Field(description="What: the words of a command, such as `ingest /var/log/nginx`.")
    timezone: str | None = Field(None, description="Zone of `cron`; the setting `timezone` unless set, else UTC.")
    timeout: Span | None = Field(None, description="A run that takes longer is ended, such as `2h`; never unless set.")
    catch_up: bool = Field(True, description="A run whose time passed while nothing could start it is done once.")
    jitter: Span | None = Field(None, description="Begin up to so much later; how much differs by time, name and host.")
    enabled: bool = Field(True, description="Run by the clock; `logshed schedule run NAME` does in any case.")

    @field_validator("name")
    @classmethod
    def _sound_name(cls, value: str) -> str:
        if _NAME.fullmatch(value) is None:
            raise ValueError("it may hold at most 64 letters, digits, `.`, `_` and `-`; choose another")
        return value

    @field_validator("cron")
    @classmethod
    def _sound_cron(cls, value: str) -> str:
        text = SHORT.get(value.strip().lower(), value.strip())
        try:
            if len(text.split()) != FIELDS:
                raise ValueError(f"{value!r} has no five fields; write it as */5 * * * * or @daily")
            next(CronSim(text, datetime(2026, 1, 1, tzinfo=UTC)))
        except (CronSimError, StopIteration) as error:
            cause = str(error) or "that time never comes"
            raise ValueError(f"{value!r} is no time: {cause}; write it as */5 * * * * or @daily") from None
        return text

    @field_validator("run")
    @classmethod
    def _sound_run(cls, value: str) -> str:
        try:
            words = shlex.split(value)
        except ValueError as error:
            raise ValueError(f"it cannot be cut into words: {error}; close the quotation mark") from None
        if not words or words[0] not in VERBS:
            given = words[0] if words else "nothing"
            known = ", ".join(sorted(VERBS))
            raise ValueError(f"{given!r} is no command that may run by the clock; begin with one of {known}")
        return value

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str | None) -> str | None:
        try:
            return value if value is None else ZoneInfo(value).key
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(f"{value!r} is no time zone; write one as Europe/Paris or UTC") from None

    @property
    def words(self) -> list[str]:
        """The command and its words."""
        return shlex.split(self.run)
