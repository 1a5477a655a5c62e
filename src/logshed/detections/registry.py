"""Finds every rule: ours, installed packages', the user's own and those that were added."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from logshed import plugins
from logshed.detections.loading import read_rules
from logshed.errors import DetectionError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from logshed.detections.model import Rule

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Loaded:
    """The rules that there are.

    Attributes:
        rules: Those that can run, by name.
        broken: Files of users that cannot, with the reason; ours never are.
    """

    rules: dict[str, Rule]
    broken: dict[str, str]


def load(extra: Iterable[Path] = ()) -> Loaded:
    """Every rule. A broken file of a user's is told and stops no other."""
    return _load(tuple(extra))


@lru_cache(maxsize=4)
def _load(extra: tuple[Path, ...]) -> Loaded:
    rules: dict[str, Rule] = {}
    broken: dict[str, str] = {}
    for stem, file in plugins.data_files("detections", ".yml", extra).items():
        try:
            text = file.read_text(encoding="utf-8")
            found = read_rules(stem, text, str(file), extra)
        except (OSError, UnicodeDecodeError) as error:
            broken[stem] = f"cannot load rule {file}: {error}; give a file that can be read"
        except DetectionError as error:
            broken[stem] = str(error)
        else:
            rules |= {rule.name: rule for rule in found}
    for reason in broken.values():
        log.warning("%s", reason)
    return Loaded(dict(sorted(rules.items())), broken)


def rule(name: str, extra: Iterable[Path] = ()) -> Rule:
    """The rule of this name.

    Raises:
        DetectionError: There is none, or its file is broken; the text names the nearest.
    """
    loaded = load(extra)
    if name in loaded.rules:
        return loaded.rules[name]
    if name in loaded.broken:
        raise DetectionError(loaded.broken[name])
    import difflib  # noqa: PLC0415 - only for the error

    near = difflib.get_close_matches(name, loaded.rules, n=1)
    meant = f"did you mean {near[0]}?" if near else "`logshed rules list` shows them"
    raise DetectionError(f"cannot find rule {name}: there is none; {meant}")
