"""JSON objects, one a record: known paths to columns, every other leaf to an attribute with a dotted name.

Which keys there are is asked first (distinct shapes are few), so that one pass then takes exactly the leaves that
exist. Which paths are objects is guessed from the chunk before and checked. Numbers keep their digits, and arrays
stay text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import polars as pl

from logshed.formats.columns import nothing, where
from logshed.formats.documents import Documents, NotJsonError
from logshed.formats.keys import Keys
from logshed.formats.regex import OK

if TYPE_CHECKING:
    from collections.abc import Sequence

    from logshed.formats.model import Format

MOST_KEYS = 300
"""Distinct keys of one object in a chunk, above which it stays JSON text: it is a map, not a record."""
_DEEPEST = 32
_PLAIN_KEY = re.compile(r"[A-Za-z_@$][A-Za-z0-9_@$.:-]*")
"""Keys that JSON can write in one way only, but for characters as numbers."""
_MOST_GUESSES = 64
_guesses: dict[str, tuple[str, ...]] = {}
"""By format, the paths that were objects in the last chunk that was looked through."""


@dataclass
class _Leaves:
    """What is to be taken from a chunk.

    Attributes:
        paths: Pointers to scalars and arrays; True where one is an object in other rows.
        whole: Whether the root has too many keys, so that the record is kept as text beside its known columns.
    """

    paths: dict[str, bool] = field(default_factory=dict)
    whole: bool = False


def extract(form: Format, text: pl.Series) -> pl.DataFrame:
    """Fields of each row as text, one column a target, and ``_ok``; as many rows as ``text``."""
    looks = _looks_like_objects(text)
    if not looks.any():
        return pl.DataFrame({OK: looks.alias(OK)})
    if looks.all():
        try:
            return _extract(form, text)
        except NotJsonError:  # which row is asked only now
            pass
    with Documents(text) as documents:
        looks &= documents.valid()
    if not looks.any():
        return pl.DataFrame({OK: looks.alias(OK)})
    frame = _extract(form, text.filter(looks))
    index = nothing(text.len(), "", pl.UInt32())
    index = index.scatter(looks.arg_true(), pl.int_range(frame.height, dtype=pl.UInt32, eager=True))
    return pl.DataFrame(frame.select(pl.all().gather(index)).with_columns(pl.col(OK).fill_null(value=False)))


def claims(forms: Sequence[Format], text: pl.Series) -> dict[str, pl.Series]:
    """Which rows each format takes, asked of all formats at once: only the paths that any of them requires."""
    nowhere = pl.Series(OK, [False]).new_from_index(0, text.len())
    found = {form.name: nowhere for form in forms}
    looks = _looks_like_objects(text)
    if not looks.any():
        return found
    with Documents(text.filter(looks)) as documents:
        rows = looks.arg_true().filter(documents.valid())
    if rows.is_empty():
        return found
    demands = {form.name: [[_path(one) for one in alternatives] for alternatives in form.requires] for form in forms}
    sound = text.gather(rows)
    paths = sorted({path for groups in demands.values() for group in groups for path in group})
    with Documents(sound) as documents:
        values = documents.values(_written(paths, sound))
    there = {path: value for path, value in values.items() if value.null_count() < value.len()}
    for form in forms:
        if all(there.keys() & set(group) for group in demands[form.name]):
            found[form.name] = nowhere.clone().scatter(rows, required(form, there, rows.len()))
    return found


def _written(paths: Sequence[str], text: pl.Series) -> list[str]:
    """The paths whose keys are somewhere in the documents' text, as far as keys stand there as they are."""
    everything = "\n".join(text.to_list())
    if "\\u" in everything:
        return list(paths)
    keys = {key for path in paths for key in path.split("/") if _PLAIN_KEY.fullmatch(key)}
    missing = {key for key in keys if f'"{key}"' not in everything}
    return [path for path in paths if missing.isdisjoint(path.split("/"))]


def _looks_like_objects(text: pl.Series) -> pl.Series:
    looks = text.str.starts_with("{").fill_null(value=False)
    return looks if looks.all() else text.str.contains(r"^\s*\{").fill_null(value=False)


def _extract(form: Format, text: pl.Series) -> pl.DataFrame:
    with Documents(text) as documents:
        leaves, values = _guessed(form, documents) or _searched(form, documents)
    named = _named(form, values)
    if leaves.whole:
        named["@json"] = text.alias("@json")
    return pl.DataFrame([*named.values(), required(form, values, text.len())])


def _guessed(form: Format, documents: Documents) -> tuple[_Leaves, dict[str, pl.Series]] | None:
    """The leaves and their values, if the guess of what is an object holds."""
    objects = _guesses.get(form.name)
    if objects is None:
        return None
    leaves = _Leaves()
    inside = set(objects)
    for shape in documents.shapes(list(objects)):
        empty = {path for path, keys in zip(objects, shape, strict=True) if not keys}
        for path, keys in zip(objects, shape, strict=True):
            for key in keys:
                child = f"{path}/{_escape(key)}"
                if child not in inside:
                    leaves.paths[child] = False
                elif child in empty:  # it is there and has no keys: no object here, or an empty one
                    leaves.paths[child] = True
        if len(leaves.paths) > MOST_KEYS or any("\0" in key for keys in shape for key in keys):
            return None
    values = documents.values(list(leaves.paths), [path for path, mixed in leaves.paths.items() if mixed])
    doubtful = [path for path, value in values.items() if value.str.starts_with("{").any()]
    if any("OBJECT" in kinds and path not in inside for path, kinds in documents.kinds(doubtful).items()):
        return None
    return leaves, values


def _searched(form: Format, documents: Documents) -> tuple[_Leaves, dict[str, pl.Series]]:
    """The leaves and their values, found level by level."""
    leaves = _Leaves()
    objects = [""]
    keys = _union(documents, [""])[""]
    leaves.whole = len(keys) > MOST_KEYS or _hostile(keys)
    if leaves.whole:
        wanted = [path for paths in form.columns.values() for path in paths]
        wanted += [_path(demand) for paths in form.requires for demand in paths]
        known = {_first(path) for path in wanted}
        first = Keys([f"/{_escape(key)}" for key in keys], fold=form.fold)
        keys = {_unescape(one[1:]) for path in known for one in first.meant_by(path)}
    paths = sorted(f"/{_escape(key)}" for key in keys)
    maps: set[str] = set()  # objects that stay text, but for their known keys
    for depth in range(_DEEPEST):
        kinds = documents.kinds(paths)
        below = _union(documents, [path for path in paths if "OBJECT" in kinds[path] and depth < _DEEPEST - 1])
        records = {path for path, keys in below.items() if 0 < len(keys) <= MOST_KEYS and not _hostile(keys)}
        maps |= {path for path, keys in below.items() if keys and path not in records}
        for path in paths:
            if path not in records or kinds[path] - {"OBJECT", "NULL"}:
                leaves.paths[path] = path in records
        objects.extend(sorted(records))
        paths = sorted(f"{path}/{_escape(key)}" for path in records for key in below[path])
        if not paths:
            break
    known = {path for paths in form.columns.values() for path in paths} if maps else set()
    leaves.paths.update((path, False) for path in known - leaves.paths.keys() if path.rpartition("/")[0] in maps)
    if not leaves.whole and len(objects) <= _MOST_GUESSES:
        _guesses[form.name] = tuple(objects)
    mixed = [path for path, is_mixed in leaves.paths.items() if is_mixed]
    return leaves, documents.values(list(leaves.paths), mixed)


def _union(documents: Documents, objects: list[str]) -> dict[str, set[str]]:
    """The keys that each object has in any row."""
    found: dict[str, set[str]] = {path: set() for path in objects}
    for shape in documents.shapes(objects) if objects else []:
        for path, keys in zip(objects, shape, strict=True):
            found[path] |= keys
    return found


def _first(path: str) -> str:
    """The key at the root that a path begins with, as a path."""
    return "/" + path.split("/")[1]


def _hostile(keys: set[str]) -> bool:
    """Whether SQL cannot name a key."""
    return any("\0" in key for key in keys)


def _escape(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")


def _unescape(key: str) -> str:
    return key.replace("~1", "/").replace("~0", "~")


def _named(form: Format, values: dict[str, pl.Series]) -> dict[str, pl.Series]:
    """Columns by the format's paths, the first that holds something; all else are attributes."""
    named: dict[str, pl.Series] = {}
    rest = dict(values)
    keys = Keys(values, fold=form.fold)
    for column, paths in form.columns.items():
        chosen: pl.Series | None = None
        for path in dict.fromkeys(there for meant in paths for there in keys.meant_by(meant)):
            value = rest.pop(path, None)
            if value is None:
                continue
            if len(paths) > 1 and form.nulls:
                value = where(~value.is_in(list(form.nulls)), value)
            if chosen is None:
                chosen = value
                continue
            spare = (chosen.is_not_null() & value.is_not_null() & (chosen != value)).fill_null(value=False)
            if spare.any():
                rest[path] = where(spare, value)
            chosen = chosen.fill_null(value)
        if chosen is not None:
            named[column] = chosen.alias(column)
    _name_attributes(form, named, rest)
    return named


def _name_attributes(form: Format, named: dict[str, pl.Series], rest: dict[str, pl.Series]) -> None:
    """Add what no column takes, row by row under its own name where nothing else in the row has that."""
    for path in sorted(rest, key=lambda path: _bare(form, path)[0]):
        name, value = _dotted(path), rest[path]
        short = _dotted(_bare(form, path)[1])
        if short != name:
            held = named.get(short, nothing(value.len()))
            named[short] = held.fill_null(value).alias(short)
            value = where(held.is_not_null(), value)
            if value.null_count() == value.len():
                continue
        while name in named:
            name += "'"
        named[name] = value.alias(name)


def _bare(form: Format, path: str) -> tuple[int, str]:
    """A path without the object whose keys stand for themselves, and that object's place among such."""
    for place, prefix in enumerate(form.unprefixed, 1):
        if path.startswith(f"{prefix}/"):
            return place, path[len(prefix) :]
    return 0, path


def _dotted(path: str) -> str:
    return "@" + ".".join(_unescape(key) for key in path[1:].split("/"))


def _path(demand: str) -> str:
    """The path that a demand is about: ``/path`` or ``/path ~ pattern``."""
    return demand.partition(" ~ ")[0]


def required(form: Format, values: dict[str, pl.Series], height: int) -> pl.Series:
    """Whether each row has what the format demands: ``/path`` or ``/path ~ pattern``, alternatives by ``|``."""
    ok = pl.Series(OK, [True]).new_from_index(0, height)
    for alternatives in form.requires:
        met = pl.Series(OK, [False]).new_from_index(0, height)
        for alternative in alternatives:
            path, _, pattern = alternative.partition(" ~ ")
            if path in values:
                found = values[path].str.contains(pattern) if pattern else values[path].is_not_null()
                met = met | found.fill_null(value=False)
            if not pattern:  # an object in some rows may be a text in others, or empty
                for inner in [one for one in values if one.startswith(f"{path}/")]:
                    met = met | values[inner].is_not_null()
        ok = ok & met.fill_null(value=False)
    return ok.alias(OK)
