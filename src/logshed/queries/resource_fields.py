"""Fields of attributes that say how much of a resource is in use: the part ``resource_fields`` of statements."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from logshed.plugins import data_files
from logshed.queries.header import words, wrong

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

NAME = "resource_fields"
FOLDER = "queries/resources"
DESCRIPTION = "Fields of attributes that say how much of a resource is in use: name, resource, unit and factor to it."
_FILE_KEYS = {"title", "references", "field", "sample"}
_FIELD_KEYS = {"name", "resource", "unit", "factor"}


@dataclass(frozen=True, slots=True)
class ResourceField:
    """A field.

    Attributes:
        name: Its key in ``attributes``.
        resource: What is in use: cpu, memory, disk, connections, pool, queue, threads or load.
        unit: What its values are told in.
        factor: What they are multiplied by for that.
    """

    name: str
    resource: str
    unit: str
    factor: float


@dataclass(frozen=True, slots=True)
class ResourceFile:
    """A file of fields that one program writes.

    Attributes:
        title: The program.
        fields: The fields.
        samples: Lines of logs, each with the values by field.
    """

    title: str
    fields: tuple[ResourceField, ...]
    samples: tuple[tuple[str, dict[str, float]], ...]


def load(extra: Iterable[Path] = ()) -> dict[str, ResourceFile]:
    """Every file by its name: ours, installed packages', the user's.

    Raises:
        logshed.errors.QueryError: A file is wrong.
    """
    return {name: parse(name, file.read_text("utf-8")) for name, file in data_files(FOLDER, ".toml", extra).items()}


@lru_cache(maxsize=64)  # each question reads them all: a text is understood once
def parse(name: str, text: str) -> ResourceFile:
    """A file from its text.

    Raises:
        logshed.errors.QueryError: It is wrong; the text names the file and the key.
    """
    what = f"the resources {name}"
    try:
        said = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise wrong(what, f"it is no TOML ({error})", "mend it") from error
    if unknown := sorted(set(said) - _FILE_KEYS):
        raise wrong(what, f"it has the unknown key {unknown[0]!r}", f"take {', '.join(sorted(_FILE_KEYS))}")
    if not said.get("field"):
        raise wrong(what, "it names no fields", "write [[field]] with name, resource and unit")
    samples = tuple((str(one["line"]), dict(one["expected"])) for one in said.get("sample", ()))
    return ResourceFile(words(what, said, "title"), tuple(_field(what, one) for one in said["field"]), samples)


def sql(files: Iterable[ResourceFile]) -> str:
    """A statement with a row for each field; of a name that two files have, the first one's."""
    fields: dict[str, ResourceField] = {}
    for field in (field for file in files for field in file.fields):
        fields.setdefault(field.name, field)
    return "\nUNION ALL\n".join(
        f"SELECT {_text(one.name)} AS field, {_text(one.resource)} AS resource, {_text(one.unit)} AS unit, "
        f"CAST({one.factor!r} AS DOUBLE) AS factor"
        for one in fields.values()
    )


def _field(what: str, said: Any) -> ResourceField:
    if not isinstance(said, dict) or not {"name", "resource", "unit"} <= set(said) <= _FIELD_KEYS:
        raise wrong(what, f"field {said!r} is wrong", "give it name, resource, unit and at most a factor")
    factor = said.get("factor", 1.0)
    if isinstance(factor, bool) or not isinstance(factor, int | float):
        raise wrong(what, f"field.factor is {factor!r}", "give a number")
    name, resource, unit = (words(what, said, key) for key in ("name", "resource", "unit"))
    return ResourceField(name, resource, unit, float(factor))


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
