"""The report of a redaction: what was looked for, what was found, by which rules; signed so that a change shows."""

from __future__ import annotations

import hashlib
import hmac
import json
import tomllib
from typing import TYPE_CHECKING, Any, cast

from logshed import plugins
from logshed.errors import RedactionError
from logshed.redaction.registry import load_rules

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from logshed.redaction.keyring import Key, KeyRing
    from logshed.redaction.model import Policy
    from logshed.redaction.treatments import Treatment

FORMAT = "logshed redaction report 1"
"""What the document calls itself; the number changes with its shape."""
ALGORITHM = "HMAC-SHA-256"


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


def signed(report: Mapping[str, Any], key: Key) -> dict[str, Any]:
    """The report with an HMAC-SHA-256 (RFC 2104) of its canonical JSON, the key's id included."""
    body = {**report, "signature": {"algorithm": ALGORITHM, "key": key.name}}
    return {**body, "signature": {**body["signature"], "value": _mac(body, key)}}


def verified(report: Mapping[str, Any], keys: KeyRing) -> str:
    """Check a report's signature.

    Returns:
        The id of the key that signed it.

    Raises:
        RedactionError: It is no report, it is not signed, the key is not there, or it was changed since.
    """
    signature = report.get("signature")
    if report.get("report") != FORMAT:
        raise RedactionError(f"cannot verify the report: it is no '{FORMAT}'; name the JSON that sanitize wrote")
    if not isinstance(signature, dict) or signature.get("algorithm") != ALGORITHM:
        raise RedactionError("cannot verify the report: it is not signed; write it with --sign")
    key = next((one for one in keys.keys if one.name == signature.get("key")), None)
    if key is None:
        raise RedactionError(
            f"cannot verify the report: there is no key {signature.get('key')}; name its file in `keys`"
        )
    body = {**report, "signature": {name: value for name, value in signature.items() if name != "value"}}
    if not hmac.compare_digest(_mac(body, key), str(signature.get("value"))):
        raise RedactionError("cannot verify the report: it was changed since it was signed; do not rely on it")
    return key.name


def parse(text: bytes, path: str) -> dict[str, Any]:
    """A report from its JSON; a key that stands twice is refused, since readers differ in which one counts.

    Raises:
        RedactionError: It is no JSON object.
    """
    try:
        found = json.loads(text, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise RedactionError(f"cannot verify {path}: it is no JSON ({error}); name the JSON of a report") from None
    if not isinstance(found, dict):
        raise RedactionError(f"cannot verify {path}: it is no report; name the JSON that sanitize wrote")
    return found


def canonical(report: Mapping[str, Any]) -> bytes:
    """The one spelling of a report that is signed: keys sorted, no blanks, UTF-8."""
    return json.dumps(report, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def _mac(body: Mapping[str, Any], key: Key) -> str:
    return hmac.digest(key.secret, canonical(body), "sha256").hex()


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found


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
