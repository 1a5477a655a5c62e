"""What Sigma's log sources and field names are in ``logs``: a data file per taxonomy, formats' own paths behind it."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from logshed import plugins
from logshed.detections.conditions import KEYWORDS
from logshed.detections.model import Field, FieldKind
from logshed.errors import DetectionError
from logshed.formats import registry
from logshed.schema import SILVER_BY_NAME, UNMAPPED

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from importlib.resources.abc import Traversable
    from pathlib import Path

    from logshed.formats.model import Format

_KEYS = {"title", "match", "formats", "where", "fields", "made", "documented"}
_SOURCE = ("category", "product", "service")
_KINDS: dict[str, FieldKind] = {"int": "number", "long": "number", "double": "number", "boolean": "boolean"}
_TEXT_COLUMNS = ("body", "url_path", "url_query", "http_referrer", "user_agent_original", "exception_message")
_WHOLE = f"concat_ws(' ', {', '.join(_TEXT_COLUMNS)}, array_to_string(map_values({UNMAPPED}), ' '))"
"""A record's text: ``body`` is null where a format's columns hold the whole line."""


@dataclass(frozen=True, slots=True)
class Taxonomy:
    """One kind of log source.

    Attributes:
        name: The file's stem.
        title: What it is.
        matches: Log sources of rules that it is for; of several taxonomies the one that names the most keys is taken.
        where: Condition over ``logs`` for its records.
        fields: A rule's field to an expression over ``logs``.
        made: Fields that the scanner makes, by the name of what makes them.
        paths: Fields of the formats' own documents and where these formats put them.
        formats: These formats.
        documented: More fields that these formats may give, ``*`` for any end: their samples need not show them.
    """

    name: str
    title: str
    matches: tuple[Mapping[str, str], ...]
    where: str
    fields: Mapping[str, str]
    made: frozenset[str] = frozenset()
    paths: Mapping[str, str] = field(default_factory=dict)
    formats: tuple[str, ...] = ()
    documented: tuple[str, ...] = ()

    def resolve(self, name: str) -> Field:
        """What a rule's field is in ``logs``."""
        if name == KEYWORDS:
            return Field(name, _WHOLE)
        if name in self.made:
            return Field(name, "")
        if name in self.fields:
            return Field(name, self.fields[name], _kind(self.fields[name]))
        if name in SILVER_BY_NAME and name != UNMAPPED:
            return Field(name, f'"{name}"', _kind(name))
        key = name.removeprefix("attributes.")
        if key in self.paths:
            return Field(name, self.paths[key])
        return Field(name, attribute(key), known=any(fnmatchcase(key, one) for one in self.documented))


def attribute(key: str) -> str:
    """The value of an attribute, as SQL."""
    return f"{UNMAPPED}['" + key.replace("'", "''") + "']"


def find(logsource: Mapping[str, str | None], extra: Iterable[Path] = ()) -> Taxonomy:
    """The taxonomy for a rule's log source.

    Raises:
        DetectionError: There is none.
    """
    best: tuple[int, Taxonomy] | None = None
    for taxonomy in load(extra).values():
        for match in taxonomy.matches:
            if all(logsource.get(key) == value for key, value in match.items()) and (
                best is None or len(match) > best[0]
            ):
                best = (len(match), taxonomy)
    if best is None:
        said = ", ".join(f"{key} {value}" for key, value in logsource.items() if value) or "nothing"
        raise DetectionError(f"logsource: no taxonomy is for {said}; add detections/taxonomies/NAME.toml")
    return best[1]


def attributes_of(taxonomy: Taxonomy, extra: Iterable[Path] = ()) -> frozenset[str]:
    """Attributes that the taxonomy's formats are known to give, by their samples; empty where it names no format."""
    formats = registry.load(extra, samples=True)
    return frozenset(
        key.removeprefix("attributes.")
        for name in taxonomy.formats
        for sample in formats[name].samples
        for key in sample.expect
        if key.startswith("attributes.")
    )


def load(extra: Iterable[Path] = ()) -> Mapping[str, Taxonomy]:
    """Every taxonomy by name: ours, installed packages', the user's."""
    return _load(tuple(extra))


@lru_cache(maxsize=8)
def _load(extra: tuple[Path, ...]) -> dict[str, Taxonomy]:
    formats = registry.load(extra)
    found = plugins.data_files("detections/taxonomies", ".toml", extra)
    return {name: _read(name, file, formats) for name, file in found.items()}


def _read(name: str, file: Traversable, formats: Mapping[str, Format]) -> Taxonomy:
    try:
        data = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DetectionError(f"cannot load taxonomy {file}: {error}; correct the file") from error
    if unknown := sorted(set(data) - _KEYS):
        raise DetectionError(f"cannot load taxonomy {file}: no such key as {unknown[0]} is known; remove it")
    named = data.get("formats", [])
    for one in named:
        if one not in formats:
            raise DetectionError(f"cannot load taxonomy {file}: formats: there is no format {one}; correct it")
    where = [data["where"]] if data.get("where") else []
    if named:
        where.append(f"log_format IN ({', '.join(repr(one) for one in named)})")
    return Taxonomy(
        name=name,
        title=data.get("title", name),
        matches=tuple(_matches(file, data.get("match", []))),
        where=f"({' OR '.join(where)})" if where else "",
        fields=dict(data.get("fields", {})),
        made=frozenset(data.get("made", [])),
        paths=_paths([formats[one] for one in named]),
        formats=tuple(named),
        documented=tuple(data.get("documented", [])),
    )


def _matches(file: Traversable, said: Any) -> Iterator[Mapping[str, str]]:
    for match in said if isinstance(said, list) else [said]:
        if not isinstance(match, dict) or not set(match) <= set(_SOURCE):
            raise DetectionError(f"cannot load taxonomy {file}: match: it takes {', '.join(_SOURCE)}; correct it")
        yield match


def _paths(formats: list[Format]) -> dict[str, str]:
    """Where these formats put the values of their documents: an attribute of that name, or a column."""
    columns: dict[str, list[str]] = {}
    for one in formats:
        for target, paths in one.columns.items():
            for path in paths:
                columns.setdefault(path.strip("/").replace("/", "."), []).append(target)
    alone = {target for one in formats for target, paths in one.columns.items() if len(paths) == 1}
    found = {}
    for path, targets in columns.items():
        places = [_place(target) for target in dict.fromkeys(targets)]
        # a column that only this path fills is asked first: looking into the map takes longer
        places = [*places, attribute(path)] if set(targets) <= alone else [attribute(path), *places]
        found[path] = f"coalesce({', '.join(places)})"
    return found


def _place(target: str) -> str:
    if target in SILVER_BY_NAME:
        return f'CAST("{target}" AS VARCHAR)'
    return attribute(target.removeprefix("@"))


def _kind(column: str) -> FieldKind:
    known = SILVER_BY_NAME.get(column.strip('"'))
    return _KINDS.get(known.kind, "text") if known else "text"
