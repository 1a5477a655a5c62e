"""The names under which sources rest and are told of: those of their files, but for what the policy forbids."""

from __future__ import annotations

import secrets
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import PurePath
from typing import TYPE_CHECKING

import polars as pl

from logshed.buckets.address import Address, is_address
from logshed.errors import RedactionError, SourceError
from logshed.redaction.keyring import load_keys
from logshed.redaction.naming import PATH_ATTRIBUTE, Names
from logshed.redaction.verify import ABSENT
from logshed.sources.model import Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from logshed.lake.store import Store
    from logshed.redaction.model import Policy
    from logshed.settings import Settings
    from logshed.sources.model import Target
    from logshed.work import Checkpoint

_FILE = "file:"
_PASSING = secrets.token_bytes(32)
"""Where there is no lake to keep a secret, names need to be told apart only as long as this process runs."""


class Naming:
    """Names the sources of one run.

    Args:
        policy: The policy.
        settings: ``keys``, ``drop`` and ``transform`` count.
        collection: Collection of the records.
        store: The lake; None where nothing is kept.
    """

    def __init__(self, policy: Policy, settings: Settings, collection: str, store: Store | None) -> None:
        """Check the policy.

        Raises:
            RedactionError: It says of the column ``source`` what would make the ledger useless.
        """
        _check(policy)
        self._policy = policy
        self._collection = collection
        self._names = Names(policy, _secret(policy, settings, store))
        globs = [*(one.source for one in settings.drop), *(one.source for one in settings.transform)]
        globs += [one.source for one in policy.overrides]
        self._globs = [glob for glob in dict.fromkeys(globs) if glob is not None]
        self._told: dict[str, str] = {}

    def targets(self, targets: Sequence[Target]) -> list[Target]:
        """The targets with names that may rest: ``source`` in the tables, ``path`` in all that is told.

        They are opened by their ``locator``, which stays and goes nowhere.
        """
        recorded = self._names.recorded(name for target in targets for name in (target.source, target.path))
        named = []
        for target in targets:
            source = recorded[target.source]
            told = recorded[target.path] if source == target.source else _path(source)
            if told != target.path or source != target.source:
                self._told[target.locator] = told
            named.append(replace(target, source=source, path=told))
        return named

    def checkpoints(self, known: Iterable[Checkpoint]) -> list[Checkpoint]:
        """Checkpoints under the names that their sources have by this policy, the furthest of each generation.

        A ledger from before names were redacted, or by another policy, has other names: reading goes on where it ends.
        """
        known = list(known)
        recorded = self._names.recorded(one.source for one in known)
        furthest: dict[tuple[str, str], Checkpoint] = {}
        for one in known:
            key = (recorded[one.source], one.generation)
            if key not in furthest or one.end > furthest[key].end:
                furthest[key] = replace(one, source=key[0])
        return list(furthest.values())

    def folders(self, targets: Iterable[Target]) -> set[str]:
        """Under what folders the ledger may know files beside these: also as they were named without this policy."""
        found: set[str] = set()
        for target in targets:
            if target.is_object:
                found |= {target.source.rpartition("/")[0], _raw(target).rpartition("/")[0]}
                continue
            found.add(str(PurePath(target.source).parent))
            if not target.is_stream and not target.generation:
                found.add(str(PurePath(f"{_FILE}{target.locator}").parent))
        return found

    def names(self, targets: Iterable[Target]) -> set[str]:
        """By what names the ledger may know these: also those that they had without this policy."""
        found = {name for target in targets for name in (target.source, f"{_FILE}{target.locator}")}
        return {name for name in found if name == name.encode(errors="replace").decode()}  # others rest in no ledger

    def resource(self, target: Target, service: str | None) -> tuple[tuple[str, str], ...]:
        """What produced a target's lines, sorted pairs; a column that the policy names is treated here too."""
        own = {} if target.is_stream else {PATH_ATTRIBUTE: _path(target.source)}
        found = dict(target.resource) if target.generation else own
        if service:
            found["service.name"] = self._names.texts([service])[0]
        policy = self._policy.of(target.collection or self._collection, target.source)
        pairs = ((name, self._treated(policy, name.replace(".", "_"), value)) for name, value in found.items())
        return tuple(sorted((name, value) for name, value in pairs if value))

    def check(self, target: Target) -> None:
        """Refuse a file for which a glob was meant that the name that rests no longer fits.

        Raises:
            SourceError: What the glob's rule says would not be done, neither now nor when the records are read again.
        """
        if target.is_stream or target.generation or target.source == _raw(target):
            return
        for glob in self._globs:
            if fnmatchcase(_raw(target), glob) and not fnmatchcase(target.source, glob):
                raise SourceError(
                    f"cannot ingest {target.path}: {self._names.texts([glob])[0]}, the source of an override, a drop "
                    "rule or a transform, fits its real name and not the one that rests; write * for what is redacted"
                )

    def told(self, text: str, locator: str = "") -> str:
        """A sentence about a file, as it may be told and logged."""
        if locator in self._told:
            text = text.replace(locator, self._told[locator])
        return self._names.texts([text])[0]

    def current(self, locator: str) -> str:
        """What to call the file that is being read."""
        return self._told.get(locator, locator)

    def problems(self, problems: Sequence[Problem]) -> list[Problem]:
        """Problems as they may be told."""
        paths = self._names.recorded(one.path for one in problems)
        messages = self._names.texts([one.message.replace(one.path, paths[one.path]) for one in problems])
        return [Problem(paths[one.path], message) for one, message in zip(problems, messages, strict=True)]

    def _treated(self, policy: Policy, column: str, value: str) -> str:
        treatment = policy.columns.get(column)
        values = pl.Series([value], dtype=pl.String)
        if treatment is None or values.str.contains(ABSENT)[0]:
            return value
        return str(treatment.of(values)[0])


def _path(source: str) -> str:
    return source if is_address(source) else source.partition(":")[2]


def _raw(target: Target) -> str:
    """The source's name without this policy."""
    return str(Address.parse(target.locator)) if target.is_object else f"{_FILE}{target.locator}"


def _check(policy: Policy) -> None:
    for one in (policy, *(override.policy for override in policy.overrides)):
        if "source" in one.columns:
            raise RedactionError(
                f"cannot use policy {policy.name}: its columns name source, by which the lake knows files again; "
                "take it out: what the policy's rules find in names of files is replaced in any case"
            )


def _secret(policy: Policy, settings: Settings, store: Store | None) -> Callable[[], bytes]:
    """What gives the key of marks in names: of the policy's keys the oldest, since a rotation must not rename files."""
    every = (policy, *(override.policy for override in policy.overrides))
    made = [one for each in every for one in (*each.treatments.values(), *each.columns.values())]
    if any(one.pseudonyms is not None for one in made):
        return lambda: load_keys(settings.keys).keys[0].secret
    return (lambda: _PASSING) if store is None else (store.secret)
