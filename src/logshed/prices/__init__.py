"""What clouds ask for storage, requests and machines: a data file with the date and the source of each price."""

from __future__ import annotations

import tomllib
from datetime import date
from decimal import Decimal
from importlib import resources
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from logshed.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

LIST = "list.toml"


def _text(value: object) -> object:
    """A number as it is written: a float of TOML is the nearest binary one, and its cents would be off."""
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


Amount = Annotated[Decimal, BeforeValidator(_text), Field(ge=0, allow_inf_nan=False)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Dated(_Strict):
    name: str = Field(min_length=1)
    date: date
    source: str = Field(min_length=1)


class Storage(_Dated):
    """What a kind of object storage asks."""

    cloud: str = Field(min_length=1)
    gb_month: Amount
    put_1000: Amount
    get_1000: Amount


class Machine(_Dated):
    """What a kind of machine asks for an hour."""

    cloud: str = Field(min_length=1)
    processors: int = Field(ge=1)
    hour: Amount
    spot_hour: Amount


class Engine(_Dated):
    """Processor seconds that a GB of raw logs takes."""

    cpu_s_per_gb: Amount


class Job(_Strict):
    """Machines that are paid for so many minutes a run."""

    name: str = Field(min_length=1)
    machine: str = Field(min_length=1)
    count: int = Field(ge=1)
    minutes: Amount
    runs: Amount


class Assumed(_Strict):
    """What is taken for granted where nothing was measured."""

    commits_per_day: Amount
    writes_per_commit: Amount
    queries_per_day: Amount
    reads_per_query: Amount


class WhatIf(_Strict):
    """What changes beside what was asked."""

    name: str = Field(min_length=1)
    days_bronze: Amount | None = None
    days_silver: Amount | None = None
    days_gold: Amount | None = None
    events: Amount = Decimal(1)


class Prices(_Strict):
    """All of it."""

    currency: str = Field(min_length=1)
    storage: tuple[Storage, ...] = Field(min_length=1)
    machine: tuple[Machine, ...]
    engine: tuple[Engine, ...]
    job: tuple[Job, ...]
    assumed: Assumed
    what_if: tuple[WhatIf, ...]

    @property
    def dated(self) -> tuple[_Dated, ...]:
        """What has a date and a source."""
        return *self.storage, *self.machine, *self.engine

    @model_validator(mode="after")
    def _machines(self) -> Self:
        known = [machine.name for machine in self.machine]
        for job in self.job:
            if job.machine not in known:
                raise ValueError(f"job {job.name!r} is on {job.machine}, which has no [[machine]]; add it")
        return self

    @classmethod
    def load(cls, path: Path | None = None) -> Self:
        """The prices that come with Logshed, with those of a file in their place.

        Args:
            path: The file; None takes what comes with Logshed.

        Raises:
            UsageError: It cannot be read, or a key of it is wrong; the text names the key.
        """
        given = tomllib.loads(resources.files(__name__).joinpath(LIST).read_text("utf-8"))
        if path is not None:
            given |= _read(path)
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            cause, _, advice = first["msg"].removeprefix("Value error, ").partition("; ")
            told = f"{where}: {cause}" if where else cause
            raise UsageError(f"cannot use prices of {path}: {told}; {advice or 'see docs/cost.md'}") from None


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read prices {path}: {error}; correct the file") from None
    except OSError as error:
        raise UsageError(f"cannot read prices {path}: {error.strerror}; check the path") from None
