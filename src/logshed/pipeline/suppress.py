"""Keeps back findings that nobody wants to be told of: allow-lists in the settings, and mutes in the lake's folder."""

from __future__ import annotations

import json
from datetime import date, datetime
from fnmatch import translate
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, Any

import polars as pl
from pydantic import ValidationError

from logshed.detection_settings import Suppress
from logshed.errors import LakeError
from logshed.lake.folder import write_atomically
from logshed.lake.held import held
from logshed.pipeline.switches import FOLDER

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from logshed.settings import Settings

FILE = "suppressions.json"


class Suppressions:
    """What is kept back.

    Args:
        settings: Whose ``suppress`` holds.
        root: The lake's folder, whose file of mutes holds too.
    """

    def __init__(self, settings: Settings, root: Path) -> None:
        self._rules = (*settings.suppress, *read(root))

    def apply(self, found: pl.DataFrame, now: datetime) -> tuple[pl.DataFrame, dict[str, int]]:
        """The findings that are left, and how many each rule kept back, by its name."""
        counts: dict[str, int] = {}
        for rule in self._rules:
            if rule.until is not None and now.date() > rule.until:
                continue
            hit = _matches(found["rule_name"], rule.rule) & _matches(found["collection"], rule.collection)
            hit &= _actors(found["actor"], rule.actor)
            if hit.any():
                counts[rule.name] = counts.get(rule.name, 0) + int(hit.sum())
                found = found.filter(~hit)
        return found, counts


def read(root: Path) -> tuple[Suppress, ...]:
    """The mutes of a lake.

    Raises:
        LakeError: Their file is damaged.
    """
    path = root / FOLDER / FILE
    if not path.exists():
        return ()
    try:
        return tuple(Suppress.model_validate(one) for one in json.loads(path.read_text()))
    except (ValueError, ValidationError, OSError) as error:
        raise LakeError(f"cannot read {path}: {error.__class__.__name__}; correct the file or remove it") from error


def add(root: Path, rule: Suppress) -> None:
    """Add a mute to a lake; one of the same name is replaced."""
    with held(root / FOLDER):
        write(root, [*(one for one in read(root) if one.name != rule.name), rule])


def remove(root: Path, name: str) -> bool:
    """Remove a mute; whether there was one."""
    with held(root / FOLDER):
        known = read(root)
        kept = [one for one in known if one.name != name]
        if len(kept) < len(known):
            write(root, kept)
    return len(kept) < len(known)


def write(root: Path, rules: Iterable[Suppress]) -> None:
    """Write a lake's mutes anew."""
    path = root / FOLDER / FILE
    path.parent.mkdir(exist_ok=True)
    write_atomically(path, json.dumps([_plain(rule) for rule in rules], indent=1))


def _plain(rule: Suppress) -> dict[str, Any]:
    return {key: value.isoformat() if isinstance(value, date) else value for key, value in rule.model_dump().items()}


def _matches(values: pl.Series, glob: str) -> pl.Series:
    if glob == "*":
        return pl.repeat(value=True, n=len(values), dtype=pl.Boolean, eager=True)
    return values.str.contains(translate(glob).replace(r"\Z", "$").replace(r"\z", "$")).fill_null(value=False)


def _actors(values: pl.Series, wanted: str) -> pl.Series:
    """Actors by a glob, or the addresses of a network."""
    try:
        network = ip_network(wanted, strict=False)
    except ValueError:
        return _matches(values, wanted)
    known = {text: _inside(text, network) for text in values.drop_nulls().unique()}
    return pl.Series([known.get(text, False) for text in values], dtype=pl.Boolean)


def _inside(text: str, network: Any) -> bool:
    try:
        return ip_address(text) in network
    except ValueError:
        return False
