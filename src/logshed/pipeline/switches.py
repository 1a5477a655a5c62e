"""Which rules are on: the settings say it, and people switch single ones, which is kept in the lake's folder."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from logshed.errors import LakeError
from logshed.lake.folder import write_atomically
from logshed.lake.held import held

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from logshed.detections.model import Rule

FILE = "switches.json"
FOLDER = "security"


@dataclass(frozen=True, slots=True)
class Switch:
    """What somebody said of one rule.

    Attributes:
        rule: The rule's name.
        on: Whether it is looked for.
        by: Who said it.
        made: When, ISO 8601.
        reason: Why.
    """

    rule: str
    on: bool
    by: str
    made: str
    reason: str = ""


class Switches:
    """Which rules are on now.

    Args:
        disabled: Globs on the names of rules that the settings switch off.
        root: The lake's folder; what people switched there goes before the settings. None where there is no lake.
    """

    def __init__(self, disabled: Sequence[str], root: Path | None = None) -> None:
        self._disabled = tuple(disabled)
        self._said = {one.rule: one for one in (read(root) if root else ())}

    def on(self, rule: str) -> bool:
        """Whether a rule is looked for."""
        said = self._said.get(rule)
        return self.by_settings(rule) if said is None else said.on

    def by_settings(self, rule: str) -> bool:
        """Whether the settings leave it on."""
        return not named(rule, self._disabled)

    def said(self, rule: str) -> Switch | None:
        """Who switched it; None where the settings hold."""
        return self._said.get(rule)


def read(root: Path) -> list[Switch]:
    """What was switched in a lake, by name.

    Raises:
        LakeError: The file is damaged.
    """
    path = root / FOLDER / FILE
    if not path.exists():
        return []
    try:
        return [Switch(**one) for one in json.loads(path.read_text())]
    except (ValueError, TypeError, OSError) as error:
        raise LakeError(f"cannot read {path}: {type(error).__name__}; correct the file or remove it") from error


def switch(root: Path, rule: str, *, on: bool, by: str, reason: str = "") -> Switch:
    """Switch a rule on or off, whatever the settings say.

    Raises:
        LakeError: It cannot be kept.
    """
    made = Switch(rule, on, by, datetime.now(UTC).isoformat(timespec="seconds"), reason)
    with held(root / FOLDER):
        _write(root, [*(one for one in read(root) if one.rule != rule), made])
    return made


def leave(root: Path, rule: str) -> bool:
    """Let the settings say again whether a rule is on; whether somebody had switched it.

    Raises:
        LakeError: It cannot be kept.
    """
    with held(root / FOLDER):
        known = read(root)
        kept = [one for one in known if one.rule != rule]
        if len(kept) < len(known):
            _write(root, kept)
    return len(kept) < len(known)


def chosen(rules: dict[str, Rule], globs: Sequence[str], switches: Switches | None = None) -> dict[str, Rule]:
    """The rules that are asked for by name, or all that are on."""
    if globs:
        return {name: rule for name, rule in rules.items() if named(name, globs)}
    return {name: rule for name, rule in rules.items() if switches is None or switches.on(name)}


def named(name: str, globs: Sequence[str]) -> bool:
    """Whether a name fits one of some globs."""
    return any(fnmatchcase(name, glob) for glob in globs)


def _write(root: Path, switches: Sequence[Switch]) -> None:
    ordered = sorted(switches, key=lambda one: one.rule)
    write_atomically(root / FOLDER / FILE, json.dumps([asdict(one) for one in ordered], indent=1))
