"""Keeps the redactors that were made: an ingest uses one policy on many splits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from logshed.redaction.engine import Redactor

if TYPE_CHECKING:
    from logshed.redaction.model import Policy

_MOST = 8
_kept: dict[int, Redactor] = {}


def redactor(policy: Policy) -> Redactor:
    """The redactor of this very policy; made where it is not among the last few."""
    found = _kept.get(id(policy))
    if found is None or found.policy is not policy:  # an identity may be used again
        if len(_kept) >= _MOST:
            _kept.clear()
        found = _kept[id(policy)] = Redactor(policy)
    return found
