"""The report of a redaction: what was looked for, what was found, by which rules."""

from __future__ import annotations

import hashlib
import tomllib
from typing import TYPE_CHECKING, Any, cast

from logshed import plugins
from logshed.errors import RedactionError
from logshed.redaction import signing
from logshed.redaction.registry import load_rules

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from logshed.redaction.keyring import KeyRing
    from logshed.redaction.model import Policy
    from logshed.redaction.treatments import Treatment

FORMAT = "logshed redaction report 1"
"""What the document calls itself; the number changes with its shape."""


def looked_for(policy: Policy, extra: Iterable[Path] = ()) -> list[dict[str, Any]]:
    """Every rule there is and what the policy does with what it finds, in the order in which they go.

    Args:
        policy: The policy.
        extra: More roots to look for rules in (the ``plugins`` path of logshed.toml).
    """
    roots = tuple(extra)
    sources = plugins.data_files("redaction", ".toml", roots)
    return [
        {
            "rule": rule.name,
            "title": rule.title,
            "class": rule.kind,
            "tag": rule.tag,
            "action": _action(policy.treatments.get(rule.name)),
            "source": rule.source,
            "examples": len(rule.true) + len(rule.false),
            "sha256": hashlib.sha256(sources[rule.name].read_bytes()).hexdigest(),
        }
        for rule in load_rules(roots).values()
    ]


def policy_told(policy: Policy, extra: Iterable[Path] = ()) -> dict[str, Any]:
    """A policy's name, title and the SHA-256 of its file's text, and of those that it extends."""
    return {
        "name": policy.name,
        "title": policy.title,
        "covers": policy.covers,
        "sha256": _hash(policy.source),
        "extends": _bases(policy.source, tuple(extra)),
    }


def key_id(policy: Policy) -> str | None:
    """The id of the key that makes the policy's pseudonyms; None where it makes none."""
    made = [one.pseudonyms for one in (*policy.treatments.values(), *policy.columns.values())]
    return next((one.key.name for one in made if one is not None), None)


def verified(report: Mapping[str, Any], keys: KeyRing) -> str:
    """Check a report's signature.

    Returns:
        The id of the key that signed it.

    Raises:
        RedactionError: It is no report, it is not signed, the key is not there, or it was changed since.
    """
    if report.get("report") != FORMAT:
        raise RedactionError(f"cannot verify the report: it is no '{FORMAT}'; name the JSON that sanitize wrote")
    return signing.verified(report, keys, what="the report", advice="write it with --sign")


def _action(treatment: Treatment | None) -> str:
    if treatment is None:
        return "keep"
    if treatment.pseudonyms is not None:
        return "pseudonym"
    if treatment.mask is not None:
        return "mask"
    return "tag" if treatment.tag else "drop"


def _bases(source: str, roots: tuple[Path, ...]) -> list[dict[str, str]]:
    """The policies below one, nearest first."""
    policies = plugins.data_files("redaction/policies", ".toml", roots)
    found: list[dict[str, str]] = []
    while name := cast("str", tomllib.loads(source).get("extends", "")):
        file = policies.get(name)
        source = file.read_text(encoding="utf-8") if file else open_text(name)
        found.append({"name": name, "sha256": _hash(source)})
    return found


def open_text(path: str) -> str:
    """A policy's text by its path."""
    from pathlib import Path  # noqa: PLC0415 - only for those who extend a policy by its path

    return Path(path).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
