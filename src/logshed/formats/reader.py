"""Reads format files: TOML to a ``Format``, each key checked, errors that name file and key."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from logshed.errors import FormatError
from logshed.formats import grok
from logshed.formats.model import KINDS, LOG_TYPES, Envelope, Format, Sample, Shape, Step, target

if TYPE_CHECKING:
    from collections.abc import Mapping
    from importlib.resources.abc import Traversable


_SAMPLES = "\n[[sample]]"
"""Where the samples of a file begin; in ours nothing else comes after them."""


def read_format(name: str, file: Traversable, *, trusted: bool = False, samples: bool = True) -> Format:
    """Read and check one format file.

    Args:
        name: The format's name.
        file: Its file.
        trusted: Whether it is one of ours, whose patterns our tests have compiled.
        samples: Whether the samples of a trusted file are read too.

    Raises:
        FormatError: The file is no TOML or a key is missing, unknown or wrong; the text names file and key.
    """
    try:
        text = file.read_text(encoding="utf-8")
        data = tomllib.loads(text.partition(_SAMPLES)[0] if trusted and not samples else text)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise FormatError(f"cannot read format {file}: {error}; mend the TOML") from error
    return format_from(name, data, str(file), trusted=trusted)


def format_from(name: str, data: dict[str, Any], where: str, *, trusted: bool = False) -> Format:
    """Build a format from its file's keys; ``where`` is named in errors.

    Raises:
        FormatError: A key is missing, unknown or wrong.
    """
    reader = _Reader(dict(data), where, trusted=trusted)
    kind = reader.choice("kind", KINDS)
    groups = reader.mapping("groups")
    found = Format(
        name=name,
        title=reader.text("title"),
        kind=kind,
        log_type=reader.choice("log_type", LOG_TYPES),
        specificity=reader.typed("specificity", int, None),
        aliases=reader.texts("aliases"),
        references=reader.texts("references"),
        shapes=reader.patterns(groups if kind == "grok" else None) + reader.shapes(),
        log_format=reader.typed("log_format", str, ""),
        log_formats=reader.texts("log_formats"),
        extra=reader.typed("extra", bool, default=False),
        pin=reader.typed("pin", str, ""),
        groups=groups,
        steps=reader.steps(),
        columns=reader.columns(),
        fold=reader.typed("fold", bool, default=False),
        requires=tuple(tuple(paths.split(" | ")) for paths in reader.texts("requires")),
        times=reader.texts("times"),
        zone=reader.typed("zone", str, ""),
        constants=reader.mapping("constants"),
        nulls=reader.texts("nulls"),
        severities=reader.mapping("severities"),
        unescape=reader.typed("unescape", bool, default=False),
        traces=reader.typed("traces", bool, default=False),
        lenient=reader.texts("lenient"),
        min_share=float(reader.typed("min_share", (int, float), 0.0)),
        copies={target(to, {}): target(source, {}) for to, source in reader.mapping("copy").items()},
        values=reader.values(),
        programs=reader.pattern("programs"),
        pair_arrays=reader.texts("pair_arrays"),
        unprefixed=reader.texts("unprefixed"),
        items=reader.texts("items"),
        fields=reader.texts("fields"),
        fewest=reader.typed("fewest", int, 0),
        delimiter=reader.typed("delimiter", str, "," if kind == "csv" else ""),
        quote=reader.typed("quote", str, '"'),
        plus=reader.texts("plus"),
        has_header=reader.typed("header", bool, default=kind == "w3c"),
        **reader.multiline(),
        envelope=reader.envelope(),
        samples=reader.samples(),
    )
    reader.finish()
    if kind == "items":
        found = replace(found, envelope=found.envelope or Envelope(""))
    needs = {
        "regex": ("pattern", found.shapes), "grok": ("pattern", found.shapes),
        "apache": ("log_format", found.log_format),
        "json": ("columns", found.columns), "items": ("items", found.items),
        "csv": ("fields", found.fields or found.has_header),
    }  # fmt: skip
    wanted, given = needs.get(kind, ("", True))
    if not given:
        raise FormatError(f"cannot read format {where}: key `{wanted}` is missing; a format of kind {kind} needs it")
    return found


class _Reader:
    """Takes keys out of a format file's table and says which one is wrong."""

    def __init__(self, data: dict[str, Any], where: str, *, trusted: bool) -> None:
        self.data = data
        self.where = where
        self.trusted = trusted
        self.holds_items = "items" in data

    def inner(self, table: dict[str, Any], where: str) -> _Reader:
        """A reader of a table inside this one."""
        return _Reader(dict(table), f"{self.where}, {where}", trusted=self.trusted)

    def wrong(self, key: str, cause: str) -> FormatError:
        return FormatError(f"cannot read format {self.where}: key `{key}` {cause}; mend that key")

    def typed(self, key: str, kind: type | tuple[type, ...], default: Any) -> Any:
        value = self.data.pop(key, default)
        if value is None:
            raise self.wrong(key, "is missing")
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            names = " or ".join(one.__name__ for one in (kind if isinstance(kind, tuple) else (kind,)))
            raise self.wrong(key, f"must be {names}")
        return value

    def text(self, key: str) -> str:
        return str(self.typed(key, str, None))

    def choice(self, key: str, allowed: tuple[str, ...]) -> str:
        value = self.text(key)
        if value not in allowed:
            raise self.wrong(key, f"is {value!r} but must be one of {', '.join(allowed)}")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        values = self.typed(key, list, [])
        if not all(isinstance(value, str) for value in values):
            raise self.wrong(key, "must be a list of strings")
        return tuple(values)

    def mapping(self, key: str) -> dict[str, str]:
        values: dict[str, str] = self.typed(key, dict, {})
        if not all(isinstance(value, str) for value in values.values()):
            raise self.wrong(key, "must map names to strings")
        return values

    def patterns(self, grok_groups: Mapping[str, str] | None) -> tuple[Shape, ...]:
        """``pattern`` or ``patterns``; Grok's where there are groups for it."""
        patterns = self.texts("patterns")
        single = self.typed("pattern", str, "")
        listed = (single,) if single else patterns
        if grok_groups is None:
            return tuple(Shape(self.regex("pattern", one)) for one in listed)
        extra = self.mapping("grok")
        expanded = [grok.expand(one, self.where, extra, grok_groups) for one in listed]
        return tuple(Shape(self.regex("pattern", text), targets) for text, targets in expanded)

    def shapes(self) -> tuple[Shape, ...]:
        found = []
        for index, table in enumerate(self.typed("shape", list, [])):
            inner = self.inner(table, f"shape {index + 1}")
            pattern = inner.regex("pattern", inner.text("pattern"))
            found.append(Shape(pattern, inner.mapping("groups"), inner.sets(), inner.typed("literal", str, "")))
            inner.finish()
        return tuple(found)

    def sets(self, key: str = "set") -> dict[str, str]:
        return {target(name, {}): value for name, value in self.mapping(key).items()}

    def values(self) -> dict[str, dict[str, str]]:
        tables = self.typed("values", dict, {})
        inner = self.inner(tables, "values")
        return {target(name, {}): inner.mapping(name) for name in tables}

    def pattern(self, key: str) -> str:
        """A pattern that may be left out."""
        return self.regex(key, self.typed(key, str, ""))

    def regex(self, key: str, pattern: str) -> str:
        """A pattern, checked by the engine that will run it."""
        if not pattern or self.trusted:
            return pattern
        import polars as pl  # noqa: PLC0415 - heavy, and only files with patterns need it

        try:
            pl.Series([""]).str.contains(pattern)
        except pl.exceptions.ComputeError as error:
            raise self.wrong(key, f"is no regular expression ({str(error).splitlines()[-1]})") from error
        return pattern

    def columns(self) -> dict[str, tuple[str, ...]]:
        found: dict[str, tuple[str, ...]] = {}
        for column, paths in self.typed("columns", dict, {}).items():
            listed = [paths] if isinstance(paths, str) else paths
            if not isinstance(listed, list) or not all(isinstance(path, str) for path in listed):
                raise self.wrong(f"columns.{column}", "must be a path or a list of paths")
            found[target(column, {})] = tuple(listed)
        return found

    def steps(self) -> tuple[Step, ...]:
        found: list[Step] = []
        for index, table in enumerate(self.typed("step", list, [])):
            inner = self.inner(table, f"step {index + 1}")
            if "shared" in table:
                found.extend(inner.shared_steps())
                inner.finish()
                continue
            step = Step(
                source=inner.text("source"),
                pattern=inner.pattern("pattern"),
                groups=inner.mapping("groups"),
                consume=inner.typed("consume", bool, default=False),
                sets=inner.sets(),
                pairs=inner.pattern("pairs"),
                prefix=inner.typed("prefix", str, ""),
                replace=inner.pattern("replace"),
                replacement=inner.typed("with", str, ""),
                join=inner.data.pop("join", None),
                otherwise=inner.sets("otherwise"),
                unless=inner.typed("unless", str, ""),
                json=inner.typed("json", bool, default=False),
                byte_array=inner.typed("byte_array", bool, default=False),
            )
            if sum(map(bool, (step.pattern, step.pairs, step.replace, step.json, step.byte_array))) != 1:
                raise inner.wrong(
                    "pattern", "must be there, or `pairs`, `replace`, `json` or `byte_array` instead of it"
                )
            found.append(step)
            inner.finish()
        return tuple(found)

    def shared_steps(self) -> tuple[Step, ...]:
        """The steps of a file in ``shared/``: a message that several programs write in lines of their own."""
        name = self.text("shared")
        file = files("logshed") / "formats" / "shared" / f"{name}.toml"
        if not file.is_file():
            raise self.wrong("shared", f"is {name!r} but there are no shared steps of that name")
        data = tomllib.loads(file.read_text(encoding="utf-8"))
        inner = _Reader(data, f"shared/{name}.toml", trusted=self.trusted)
        found = inner.steps()
        inner.finish()
        return found

    def multiline(self) -> dict[str, Any]:
        """The keys that say which lines belong together."""
        table = self.typed("multiline", dict, {})
        if not table:
            return {}
        inner = self.inner(table, "multiline")
        found = {
            "start": inner.pattern("start") or None,
            "more": inner.pattern("more") or None,
            "opener": inner.pattern("opener") or None,
            "whole": inner.typed("whole", bool, default=False),
        }
        inner.finish()
        if found["start"] is None and found["more"] is None:
            raise inner.wrong("start", "must be there, or `more` instead of it")
        return found

    def envelope(self) -> Envelope | None:
        table = self.typed("envelope", dict, {})
        if not table:
            return None
        inner = self.inner(table, "envelope")
        partial = inner.typed("partial", str, "")
        payload = inner.text("payload") if not self.holds_items else inner.typed("payload", str, "")
        found = Envelope(
            payload=payload,
            stream=inner.texts("stream"),
            partial=inner.regex("partial", partial) if partial else None,
            partial_field=inner.typed("partial_field", str, payload),
            trim=inner.typed("trim", str, ""),
            single=inner.typed("single", bool, default=False),
        )
        inner.finish()
        return found

    def samples(self) -> tuple[Sample, ...]:
        found = []
        for index, table in enumerate(self.typed("sample", list, [])):
            inner = self.inner(table, f"sample {index + 1}")
            expect = inner.typed("expect", dict, None)
            found.append(Sample(inner.text("line"), expect, inner.texts("absent"), inner.typed("origin", str, "")))
            inner.finish()
        return tuple(found)

    def finish(self) -> None:
        if self.data:
            key = min(self.data)
            raise self.wrong(key, "is unknown")
