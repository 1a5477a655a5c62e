"""Describes what policies do, rule by rule and column by column, and how two of them differ."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from logshed.redaction.policy_files import describe_policy
from logshed.redaction.registry import load_rules

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from logshed.redaction.model import Policy
    from logshed.redaction.treatments import Treatment

KEEP = "keep"


def described(name: str, extra: Sequence[Path] = ()) -> dict[str, Any]:
    """What a policy covers, and what it does with what each rule finds, with columns and with single collections.

    Args:
        name: A policy's name or file.
        extra: More roots to look for policies and rules in (the ``plugins`` path of logshed.toml).

    Raises:
        RedactionError: There is none, or it is wrong.
    """
    policy = describe_policy(name, extra)
    rules = [
        {
            "rule": rule.name,
            "class": rule.kind,
            **treated(policy.treatments.get(rule.name)),
            "title": rule.title,
            "source": rule.source,
        }
        for rule in load_rules(extra).values()
    ]
    return {
        "name": policy.name,
        "title": policy.title,
        "covers": policy.covers,
        "rules": rules,
        "columns": {column: treated(treatment) for column, treatment in policy.columns.items()},
        "allowed": policy.allowed,
        "overrides": [override(one.collection, one.source, one.policy, policy) for one in policy.overrides],
    }


def differences(first: str, second: str, extra: Sequence[Path] = ()) -> list[dict[str, Any]]:
    """What two policies treat differently: rules, columns of logs, and values that stay in any case.

    Args:
        first: A policy's name or file.
        second: Another's.
        extra: As for ``described``.

    Raises:
        RedactionError: There is none of a name, or it is wrong.
    """
    one, other = (describe_policy(name, extra) for name in (first, second))
    places = [
        *(("rule", name, one.treatments, other.treatments) for name in load_rules(extra)),
        *(("column", name, one.columns, other.columns) for name in sorted({*one.columns, *other.columns})),
    ]
    found = [
        (what, name, treated(before.get(name)), treated(after.get(name)))
        for what, name, before, after in places
        if before.get(name) != after.get(name)
    ]
    found += [
        (what, "", {"action": "", "in_place": before}, {"action": "", "in_place": after})
        for what, before, after in (
            ("allowed", one.allowed, other.allowed),
            ("overrides", str(len(one.overrides)), str(len(other.overrides))),
        )
        if before != after
    ]
    return [{"what": what, "name": name, "first": a, "second": b} for what, name, a, b in found]


def override(collection: str, source: str, policy: Policy, base: Policy) -> dict[str, Any]:
    """What is treated differently in a collection or source."""
    names = {*policy.treatments, *base.treatments}
    differs = {
        name: treated(policy.treatments.get(name))
        for name in sorted(names)
        if policy.treatments.get(name) != base.treatments.get(name)
    }
    columns = {*policy.columns, *base.columns}
    differs |= {
        name: treated(policy.columns.get(name))
        for name in sorted(columns)
        if policy.columns.get(name) != base.columns.get(name)
    }
    return {"collection": collection, "source": source, "differs": differs}


def treated(treatment: Treatment | None) -> dict[str, str]:
    """The action and what stands in place of a value."""
    if treatment is None:
        return {"action": KEEP, "in_place": "the value"}
    if treatment.pseudonyms is not None:
        made = treatment.pseudonyms
        form = made.form.format(kind=made.kind, key="{key}", digest=f"{{{made.digits} hex digits}}")
        return {"action": "pseudonym", "in_place": form}
    if treatment.mask is not None:
        return {"action": "mask", "in_place": treatment.mask.shows}
    return {"action": "tag", "in_place": treatment.tag} if treatment.tag else {"action": "drop", "in_place": "nothing"}
