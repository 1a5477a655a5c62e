"""Keeps the redactors that were made: an ingest uses one policy on many splits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from logshed.redaction.engine import Redactor

if TYPE_CHECKING:
    from logshed.redaction.model import Policy

_MOST = 8
_kept: dict[int, Redactor] = {}


def redactor(policy: Policy) -> Redactor:
    """The redactor of this policy, or of one that says the same; made where it is not among the last few."""
    found = _kept.get(id(policy))
    if found is None or found.policy is not policy:  # an identity may be used again
        found = next((one for one in list(_kept.values()) if one.policy == policy), None)
    if found is None:
        if len(_kept) >= _MOST:
            _kept.clear()
        found = Redactor(policy)
        _kept[id(policy)] = found
    return found
