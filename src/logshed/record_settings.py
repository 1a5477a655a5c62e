"""What the tables of logshed.toml say of records: what is dropped, changed, looked up."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator


def paths(value: object) -> object:
    """Folders from a list, or from one text as the environment has it."""
    return [part for part in value.split(os.pathsep) if part] if isinstance(value, str) else value


class Drop(BaseModel):
    """A rule whose lines are counted under its name and not kept."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1, description="Name under which the dropped lines are counted.")
    match: str | None = Field(None, description="Regular expression (Rust's) searched in the redacted text.")
    source: str | None = Field(None, description="Glob on the source, such as `file:/var/log/health/*`.")
    where: str | None = Field(
        None, description="SQL condition over the columns of `logs`, such as `url_path = '/health'`."
    )

    @model_validator(mode="after")
    def _has_condition(self) -> Self:
        if not (self.match or self.source or self.where):
            raise ValueError("the rule would drop every line; give at least one of match, source, where")
        return self


class TransformTest(BaseModel):
    """Records that go into a transform, and what must come out of it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    given: tuple[dict[str, Any], ...] = Field(
        min_length=1, description="Records that go in: columns of `logs` or `attributes.<key>` and their values."
    )
    expect: tuple[dict[str, Any], ...] = Field(
        description="Records that come out, in order; of each only the columns named are looked at, `[]` is none."
    )

    @field_validator("given", "expect", mode="before")
    @classmethod
    def _one_or_many(cls, value: object) -> object:
        return (value,) if isinstance(value, dict) else value


class Transform(BaseModel):
    """A change to parsed records on their way into the lake."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1, description="Name under which the lines that it drops are counted.")
    source: str | None = Field(None, description="Glob on the source, such as `file:/var/log/shop/*`; all unless set.")
    where: str | None = Field(
        None, description="SQL condition over the columns of `logs`; only these records are changed. All unless set."
    )
    filter: str | None = Field(None, description="SQL condition; records for which it is not true are dropped.")
    dedupe: tuple[str, ...] = Field(
        (), description="Columns; of records with the same values in all of them only the first is kept."
    )
    within: int = Field(
        0, ge=0, description="With `dedupe`: seconds; the first of each such span of the clock is kept. 0 is no span."
    )
    sample: float | None = Field(None, ge=0, le=1, description="Share of the records that is kept.")
    by: str | None = Field(None, description="With `sample`: column whose records are kept or dropped together.")
    rename: dict[str, str] = Field(
        {}, description="From name to name: the value moves where there is one. Attributes are `attributes.<key>`."
    )
    set: dict[str, str] = Field(
        {}, description="Column or `attributes.<key>` to the SQL expression whose value it gets."
    )
    route: str | None = Field(None, min_length=1, description="Collection to put the records into.")
    test: tuple[TransformTest, ...] = Field((), description="Tests that `logshed check` runs: `given` and `expect`.")

    @model_validator(mode="after")
    def _does_something(self) -> Self:
        if not (self.filter or self.dedupe or self.sample is not None or self.rename or self.set or self.route):
            raise ValueError("the rule changes nothing; give one of filter, dedupe, sample, rename, set, route")
        if self.by and self.sample is None:
            raise ValueError("`by` belongs to `sample`; give the share to keep, such as sample = 0.1")
        if self.within and not self.dedupe:
            raise ValueError("`within` belongs to `dedupe`; give the columns to compare")
        return self


def _as_table(value: object) -> object:
    """A list that is only named is a table with its file."""
    return {"file": value} if isinstance(value, str | Path) else value


class ThreatListFile(BaseModel):
    """A threat list."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    file: Path = Field(description="The file: plain text, CSV, a STIX 2.1 bundle, a MISP event or feed.")
    name: str | None = Field(None, min_length=1, description="Its name in `client_threat_list`; the file's unless set.")
    column: str | None = Field(
        None,
        min_length=1,
        description="Of a CSV file the column with the entries, by name or number; else it is found.",
    )
    kind: Literal["user_agent"] | None = Field(
        None, description="`user_agent` where all entries are, though some look like domains; else each tells its own."
    )


class Enrichment(BaseModel):
    """What records are looked up in."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    geoip: Annotated[tuple[Path, ...], BeforeValidator(paths)] = Field(
        (),
        description="Databases in MaxMind's format; they fill `client_geo_*` and `client_as_*`, the first that knows.",
    )
    threat_lists: Annotated[
        tuple[Annotated[ThreatListFile, BeforeValidator(_as_table)], ...], BeforeValidator(paths)
    ] = Field(
        (),
        description="Threat lists, a path each or a table of `file`, `name`, `column`; they fill `client_threat_list`.",
    )

    @classmethod
    def rooted(cls, values: dict[str, Any], base: Path) -> dict[str, Any]:
        """The values with their paths relative to where they were written."""
        return {key: _rooted(paths(value), base) for key, value in values.items()}


def _rooted(value: Any, base: Path) -> Any:
    if isinstance(value, str):
        return base / Path(value).expanduser()
    if isinstance(value, dict) and "file" in value:
        return {**value, "file": _rooted(value["file"], base)}
    return [_rooted(one, base) for one in value] if isinstance(value, list) else value
