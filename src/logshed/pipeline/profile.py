"""What fields the records of files have: how often, of which types, with which values."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

import orjson
import polars as pl

from logshed.formats import registry
from logshed.formats.choice import Choice
from logshed.formats.envelopes import unwrap_records
from logshed.schema import UNMAPPED

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from logshed.formats.model import Format
    from logshed.pipeline.passing import Pass
    from logshed.pipeline.stages import Refined

REQUIRED_SHARE = 0.95
"""Share of the records below which a required field counts as missing."""

EXAMPLES = 3
DEEPEST = 32
_LONGEST = 120
_OURS = frozenset(
    {
        *("source", "generation", "offset", "item", "batch", "collection", "observed_timestamp", "redaction_count"),
        *("timestamp_source", "log_format", "log_type", "log_file_path", "parse_error", "client_network"),
        *("client_is_internal", UNMAPPED),
    }
)
"""Columns that Logshed fills, whatever the record holds."""

_JSON_TYPES = {
    "str": "string", "int": "integer", "float": "number", "bool": "boolean", "null": "null", "list": "array",
    "dict": "object", "timestamp": "string",
}  # fmt: skip


@dataclass(slots=True)
class Field:
    """One field of a profile.

    Attributes:
        present: Records in which it is there and not null.
        types: Records by type: str, int, float, bool, timestamp, list, dict, null.
        values: How often each value was seen; none of objects and lists.
    """

    present: int = 0
    types: Counter[str] = field(default_factory=Counter)
    values: Counter[Any] = field(default_factory=Counter)


@dataclass(slots=True)
class Profile:
    """The fields of some records.

    Attributes:
        records: Records looked at.
        rejected: Records among them that no format took; they have no fields.
        fields: By path, ``http.status`` or ``items[].id``, in the order in which they were met.
        aliases: Usual names of our columns (``message``), for what is required of text logs.
    """

    records: int = 0
    rejected: int = 0
    fields: dict[str, Field] = field(default_factory=dict)
    aliases: Mapping[str, str] = field(default_factory=dict)

    def share(self, name: str) -> float:
        """The share of the records in which a field is, 0 to 1."""
        known = self.fields.get(name) or self.fields.get(self.aliases.get(name, ""))
        return known.present / self.records if known and self.records else 0.0

    def missing(self, required: Sequence[str]) -> list[str]:
        """The required fields that fewer than 95 % of the records have."""
        return [name for name in required if self.share(name) < REQUIRED_SHARE]

    def as_dict(self, required: Sequence[str] = ()) -> dict[str, Any]:
        """For machines."""
        described = {
            name: {
                "share": round(self.share(name), 6),
                "types": dict(one.types.most_common()),
                "distinct": len(one.values),
                "examples": examples(one),
            }
            for name, one in self.fields.items()
        }
        found: dict[str, Any] = {"records": self.records, "rejected": self.rejected, "fields": described}
        if required:
            found |= {"required": list(required), "missing": self.missing(required)}
        return found


def profile(passing: Pass, paths: Sequence[str], samples: int) -> Profile:
    """Look at about so many records of these files, of long ones at the head, the middle and the end.

    Args:
        passing: Reads the files, redaction first; cut into pieces where they should be looked at in several places.
        paths: Files, folders, globs, or ``-``.
        samples: Records to look at, of all files together.
    """
    found = Profile(aliases=_aliases(passing.formats))
    plans = passing.plans(paths)
    for number, plan in enumerate(plans):
        quota = -(-(samples - found.records) // (len(plans) - number))
        pieces = sorted({0, len(plan.splits) // 2, len(plan.splits) - 1})
        for place, piece in enumerate(pieces):
            split = plan.splits[piece]
            taken = _look(found, passing, split.format, passing.frames(split), -(-quota // (len(pieces) - place)))
            quota -= taken
    return found


def json_schema(found: Profile) -> dict[str, Any]:
    """The profile as a JSON Schema; a field that every record has is required."""
    root: dict[str, Any] = {"type": "object", "properties": {}}
    for path, one in found.fields.items():
        place, last = _place(root, path)
        types = sorted({_JSON_TYPES[name] for name in one.types})
        described: dict[str, Any] = place["properties"].setdefault(last, {})
        described["type"] = types[0] if len(types) == 1 else types
        if set(one.types) == {"timestamp"}:
            described["format"] = "date-time"
        if place is root and one.present == found.records:
            root.setdefault("required", []).append(last)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **root}


def _place(root: dict[str, Any], path: str) -> tuple[dict[str, Any], str]:
    """The object schema that a field belongs to, and its name there."""
    place = root
    *parents, last = _steps(root, path)
    for step in parents:
        name, is_list = step.removesuffix("[]"), step.endswith("[]")
        place = place.setdefault("properties", {}).setdefault(name, {})
        if is_list:
            place = place.setdefault("items", {"type": "object"})
    place.setdefault("properties", {})
    return place, last


def _steps(root: dict[str, Any], path: str) -> list[str]:
    """The path taken apart at those dots before which an object or a list of objects is known."""
    steps: list[str] = []
    place, rest = root, path
    while True:
        properties = place.get("properties", {})
        heads = [name for name in properties if rest.startswith((f"{name}.", f"{name}[]."))]
        if not heads:
            return [*steps, rest]
        head = max(heads, key=len)
        is_list = rest[len(head) :].startswith("[]")
        steps.append(head + "[]" * is_list)
        place = properties[head].setdefault("items", {"type": "object"}) if is_list else properties[head]
        rest = rest[len(steps[-1]) + 1 :]


def _look(found: Profile, passing: Pass, choice: str, frames: Iterator[Refined], quota: int) -> int:
    """Add the first records of a piece; returns how many they were."""
    taken = 0
    for refined in frames:
        if taken >= quota:
            break
        lines = refined.lines.head(quota - taken)
        logs = refined.logs.join(lines, on="offset", how="semi", maintain_order="left")
        taken += lines.height
        found.records += lines.height
        found.rejected += int(lines["parse_error"].is_not_null().sum())
        _add(found, lines, logs, Choice.parse(choice), passing.formats)
    return taken


def _add(
    found: Profile, lines: pl.DataFrame, logs: pl.DataFrame, choice: Choice, formats: Mapping[str, Format]
) -> None:
    taken = logs.filter(pl.col("parse_error").is_null()).unique("offset", keep="first", maintain_order=True)
    text = taken.join(lines.select("offset", "text"), on="offset", how="left", maintain_order="left")["text"]
    for name in choice.envelopes:
        text = unwrap_records(text, registry.find(name, formats))[1]
    whole = [_document(one) for one in text]
    for document in whole:
        if document is not None:
            _count(found.fields, _flat(document))
    columns = taken.filter(pl.Series([document is None for document in whole], dtype=pl.Boolean))
    for row in columns.drop(_OURS - {UNMAPPED}).with_columns(_own_time(columns)).iter_rows(named=True):
        attributes = row.pop(UNMAPPED) or {}
        _count(found.fields, ((name, value) for name, value in {**row, **attributes}.items() if value is not None))


def _own_time(columns: pl.DataFrame) -> pl.Series:
    """The time where the record itself has one."""
    return columns.select(pl.when(pl.col("timestamp_source") != "observed").then(pl.col("timestamp"))).to_series()


def _document(text: str | None) -> dict[str, Any] | None:
    try:
        found = orjson.loads(text or "")
    except orjson.JSONDecodeError:
        return None
    return found if isinstance(found, dict) else None


def _flat(value: dict[str, Any], before: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
    """Every path of an object with its value, parents before children."""
    for name, inner in value.items():
        path = f"{before}{name}"
        yield path, inner
        if depth < DEEPEST:
            if isinstance(inner, dict):
                yield from _flat(inner, f"{path}.", depth + 1)
            elif isinstance(inner, list):
                for one in inner:
                    if isinstance(one, dict):
                        yield from _flat(one, f"{path}[].", depth + 1)


def _count(fields: dict[str, Field], pairs: Iterator[tuple[str, Any]] | Any) -> None:
    """Count the fields of one record; a field inside a list counts once for presence."""
    seen: set[str] = set()
    for name, value in pairs:
        one = fields.setdefault(name, Field())
        one.types[_type(value)] += 1
        if value is not None and name not in seen:
            seen.add(name)
            one.present += 1
        if value is not None and not isinstance(value, dict | list):
            one.values[value if not isinstance(value, float) or value == value else "NaN"] += 1  # noqa: PLR0124 - NaN


def _type(value: object) -> str:
    names = {datetime: "timestamp", type(None): "null"}
    return names.get(type(value), type(value).__name__)


def examples(one: Field) -> list[Any]:
    """The commonest values, long ones cut."""
    return [
        value[:_LONGEST] + "…" if isinstance(value, str) and len(value) > _LONGEST else value
        for value, _ in one.values.most_common(EXAMPLES)
    ]


def _aliases(formats: Mapping[str, Format]) -> dict[str, str]:
    """Usual names by which people ask for our columns, as the format for any JSON object knows them."""
    paths = formats["json"].columns if "json" in formats else {}
    return {path.removeprefix("/"): column for column, listed in reversed(list(paths.items())) for path in listed}
