"""What answers a point of a regime: facts of a lake in, ``met``, ``not met`` or ``for a human`` with evidence out."""

from __future__ import annotations

import hashlib
import os
import stat
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from logshed.errors import RedactionError
from logshed.lake.names import TABLES
from logshed.pipeline.erase_check import RECEIPTS
from logshed.pipeline.erase_journal import unfinished
from logshed.redaction.keyring import DEFAULT, load_keys
from logshed.retain_settings import Layer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from logshed.pipeline.verify import Verification
    from logshed.redaction.model import Policy, Rule
    from logshed.redaction.regime_files import Point
    from logshed.settings import Settings

State = Literal["met", "not met", "for a human"]
MET: State = "met"
NOT_MET: State = "not met"
HUMAN: State = "for a human"
OTHERS = 0o077
"""Bits of a mode by which group and others may do something."""
LATE_DAYS = 2
"""Upkeep runs once a day, and days go as a whole."""
MOST_NAMED = 6
"""Rules that are named one by one."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a lake.

    Attributes:
        root: Its folder.
        settings: Its settings.
        policy: Its policy.
        rules: All rules there are.
        found: What all of them find in a sample, but for what the policy has put there.
        pseudonyms: Pseudonyms in the sample, by the id of the key in them.
        oldest: When the oldest line was read that is still there.
    """

    root: Path
    settings: Settings
    policy: Policy
    rules: Mapping[str, Rule]
    found: Verification
    pseudonyms: Mapping[str, int]
    oldest: datetime | None

    @property
    def read(self) -> int:
        """Rows of tables that were looked at."""
        return sum(self.found.read.get(table.name, 0) for table in TABLES.values())

    def policies(self) -> Iterator[tuple[str, Policy]]:
        """The policy and its overrides, with what to call them."""
        yield f"the policy {self.policy.name}", self.policy
        for one in self.policy.overrides:
            yield f"its override for {one.collection} and {one.source}", one.policy


def _removed(facts: Facts, point: Point) -> tuple[State, str]:
    names, gaps = _rules(facts, point)
    for what, policy in facts.policies():
        kept = [name for name in names if name not in policy.treatments]
        gaps += [f"{what} keeps {_named(kept)}"] if kept else []
    gaps += _leaks(facts, names)
    if gaps:
        return NOT_MET, "; ".join(gaps)
    allowed = f"; values that stay in any case: {facts.policy.allowed}" if facts.policy.allowed else ""
    return MET, f"{len(names)} rules ({_named(names)}) found nothing in {facts.read:,} rows{allowed}"


def _pseudonymised(facts: Facts, point: Point) -> tuple[State, str]:
    names, gaps = _rules(facts, point)
    for what, policy in facts.policies():
        made = {name: policy.treatments.get(name) for name in names}
        other = [name for name, one in made.items() if one is None or one.pseudonyms is None]
        gaps += [f"{what} makes no pseudonyms of {_named(other)}"] if other else []
    gaps += _leaks(facts, names)
    if gaps:
        return NOT_MET, "; ".join(gaps)
    known = {key.name for key in load_keys(facts.settings.keys).keys}
    strange = sorted(set(facts.pseudonyms) - known)
    if strange:
        return NOT_MET, f"pseudonyms of unknown keys: {', '.join(strange)}; the setting keys names others"
    counts = ", ".join(f"{count:,} of key {key}" for key, count in sorted(facts.pseudonyms.items())) or "none"
    more = "; one value has one pseudonym a key, `logshed key find` tells all" if len(facts.pseudonyms) > 1 else ""
    return MET, f"pseudonyms in {facts.read:,} rows: {counts}; values of {_named(names)} left: 0{more}"


def _keys_apart(facts: Facts, _: Point) -> tuple[State, str]:
    made = [one for _, policy in facts.policies() for one in (*policy.treatments.values(), *policy.columns.values())]
    if not any(one.pseudonyms for one in made):
        return MET, f"the policy {facts.policy.name} makes no pseudonyms, so there is no key to them"
    where = facts.settings.keys
    try:
        ring = load_keys(where)
    except RedactionError as error:
        return NOT_MET, str(error)
    if where.startswith("env:") or "://" in where:
        return HUMAN, f"setting keys is {where.partition('?')[0]}, {len(ring.keys)} keys: who can read it?"
    path = Path(where).expanduser() if where else DEFAULT.expanduser()
    mode = stat.S_IMODE(path.stat().st_mode)
    if path.resolve().is_relative_to(facts.root.resolve()):
        return NOT_MET, f"{path} lies in the lake's folder; move it and say so in the setting keys"
    same = path.stat().st_dev == facts.root.stat().st_dev
    told = "on the same file system as the lake" if same else "on another file system than the lake"
    return MET, f"{path}: mode {mode:o}, {len(ring.keys)} keys, outside the lake's folder, {told}"


def _documented(facts: Facts, _: Point) -> tuple[State, str]:
    silent = [rule.name for rule in facts.policy.rules if not rule.source]
    if not facts.policy.covers or silent:
        what = f"no source of {_named(silent)}" if silent else "its file has no `covers`"
        return NOT_MET, f"the policy {facts.policy.name}: {what}"
    return MET, (
        f"the policy {facts.policy.name} says what it covers and leaves out; {len(facts.policy.rules)} rules with "
        "their sources (`logshed policy show`); redaction_count tells it of every record"
    )


def _approval(facts: Facts, point: Point) -> tuple[State, str]:
    digest = hashlib.sha256(facts.policy.source.encode()).hexdigest()[:16]
    return HUMAN, f"{point.ask or 'approval of this policy'}: {facts.policy.name}, SHA-256 of its file {digest}…"


def _retention(facts: Facts, _: Point) -> tuple[State, str]:
    """Met where every layer has a span, and nothing is there that is older, by the days that upkeep may be late."""
    retain = facts.settings.retain
    spans = {layer: retain.days(layer)[0] for layer in get_args(Layer)}
    endless = [layer for layer, days in spans.items() if days is None]
    own = [f"{name}.{layer}" for layer in spans for name, days in retain.days(layer)[1].items() if days is None]
    told = ", ".join(f"{layer} {days} days" for layer, days in spans.items() if days is not None)
    if endless or own:
        return NOT_MET, f"kept for ever: {', '.join([*endless, *own])}; give each a span in [retain]; {told}"
    longest = max([spans["bronze"] or 0, *(days or 0 for days in retain.days("bronze")[1].values())])
    if facts.oldest is not None and (now := datetime.now(UTC)) - facts.oldest > timedelta(days=longest + LATE_DAYS):
        age = (now - facts.oldest).days
        return (
            NOT_MET,
            f"[retain] says {told}, and the oldest line was read {age} days ago; run `logshed maintain` daily",
        )
    oldest = f"the oldest line was read {facts.oldest:%Y-%m-%d}" if facts.oldest else "there is no line yet"
    return MET, f"[retain] says {told}; {oldest}; `logshed maintain`, run daily, takes away what is older"


def _access(facts: Facts, _: Point) -> tuple[State, str]:
    info = facts.root.stat()
    mode = stat.S_IMODE(info.st_mode)
    told = f"{facts.root}: mode {mode:o}, owner {info.st_uid}, group {info.st_gid}"
    if mode & OTHERS:
        open_files = sum(1 for own in _modes(facts.root) if own & OTHERS)
        return NOT_MET, f"{told}; {open_files:,} files in it are open to others; chmod -R go= {facts.root}"
    return MET, f"{told}: nobody else may enter it"


def _erasure(facts: Facts, _: Point) -> tuple[State, str]:
    """Met where what a person is known by can be looked for under every key, and no erasure is half done."""
    begun = unfinished(facts.root)
    if begun:
        return NOT_MET, f"{len(begun)} erasures were begun and not finished, the first {begun[0]}: run them again"
    strange = sorted(set(facts.pseudonyms) - _known_keys(facts))
    if strange:
        return NOT_MET, f"pseudonyms of unknown keys: {', '.join(strange)}: nobody can find a person by them"
    masked = [name for _, policy in facts.policies() for name, one in policy.treatments.items() if one.mask is not None]
    gone = f"; what masks leave of {_named(sorted(set(masked)))} cannot be looked for" if masked else ""
    count = sum(1 for _ in (facts.root / RECEIPTS).glob("*.json"))
    return MET, f"`logshed erase` finds values and pseudonyms of every key and signs a receipt; {count:,} so far{gone}"


def _known_keys(facts: Facts) -> set[str]:
    try:
        return {key.name for key in load_keys(facts.settings.keys).keys}
    except RedactionError:
        return set()  # there are none, so no pseudonym has one


def _trail(_: Facts, __: Point) -> tuple[State, str]:
    names = ", ".join(table.name for table in TABLES.values())
    return NOT_MET, f"no table records who looked at what: the lake has {names}"


def _human(_: Facts, point: Point) -> tuple[State, str]:
    return HUMAN, point.ask


CHECKS: dict[str, Callable[[Facts, Point], tuple[State, str]]] = {
    "removed": _removed,
    "pseudonymised": _pseudonymised,
    "keys_apart": _keys_apart,
    "documented": _documented,
    "approval": _approval,
    "retention": _retention,
    "access": _access,
    "erasure": _erasure,
    "trail": _trail,
    "human": _human,
}


def _rules(facts: Facts, point: Point) -> tuple[list[str], list[str]]:
    """The rules that a point means, and what is missing of them."""
    of_classes = [name for name, rule in facts.rules.items() if rule.kind in point.classes]
    names = list(dict.fromkeys([*of_classes, *(name for name in point.rules if name in facts.rules)]))
    missing = [name for name in point.rules if name not in facts.rules]
    empty = [one for one in point.classes if not any(rule.kind == one for rule in facts.rules.values())]
    gaps = [f"there is no rule {_named(missing)}"] if missing else []
    return names, gaps + ([f"there is no rule of class {', '.join(empty)}"] if empty else [])


def _leaks(facts: Facts, names: list[str]) -> list[str]:
    found: dict[str, int] = {}
    for leak in facts.found.leaks:
        if leak.rule in names:
            found[leak.rule] = found.get(leak.rule, 0) + leak.count
    counts = ", ".join(f"{count:,} by {rule}" for rule, count in sorted(found.items()))
    return [f"found in {facts.read:,} rows and the lake's files: {counts}"] if found else []


def _named(names: list[str]) -> str:
    more = len(names) - MOST_NAMED
    return ", ".join(names[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def _modes(root: Path) -> Iterator[int]:
    """Permissions of every file in a folder; of one that goes meanwhile there are none."""
    for folder, _, names in os.walk(root):
        for name in names:
            with suppress(FileNotFoundError):
                yield stat.S_IMODE(Path(folder, name).stat().st_mode)
