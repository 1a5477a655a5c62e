"""Redacts one record that is a dict in Python: what its JSON text comes to, with its keys as columns."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import polars as pl

from logshed.errors import LogshedError
from logshed.pipeline.settling import UNREDACTABLE
from logshed.redaction.treatments import Done
from logshed.redaction.verify import ABSENT
from logshed.schema import UNMAPPED

if TYPE_CHECKING:
    from logshed.redaction.engine import Redactor
    from logshed.redaction.model import Policy
    from logshed.redaction.treatments import Treatment


def sanitize_record(record: dict[str, Any], redactor: Redactor) -> dict[str, Any]:
    """A record without what the policy forbids: what its JSON text comes to; its keys are columns.

    Raises:
        LogshedError: It holds what JSON has no form for.
    """
    record = _with_columns(record, redactor.policy)
    try:
        text = json.dumps(record, ensure_ascii=False)
        if not _is_text(text):
            text = json.dumps(record)
    except (TypeError, ValueError, RecursionError) as error:
        raise LogshedError(f"cannot sanitize the record: {error}; give values that JSON has a form for") from None
    given = pl.Series([text], dtype=pl.String)
    for clean in (redactor.redact, redactor.rewrite):
        try:
            found = json.loads(str(clean(given).text[0]))
        except ValueError:  # no JSON any more; that its strings are no UTF-8 is one too
            continue
        if isinstance(found, dict):
            return found
    return {"redacted": UNREDACTABLE}


def _with_columns(record: dict[str, Any], policy: Policy) -> dict[str, Any]:
    """The record with what the policy says of columns done to its keys, and to those of its attributes."""
    if not policy.columns:
        return record
    done = Done([*policy.treatments.values(), *policy.columns.values()], policy.allowed)
    treated = {key: _treated(value, policy.columns.get(key), done) for key, value in record.items()}
    inside = treated.get(UNMAPPED)
    if isinstance(inside, dict):
        named = {key: _treated(value, policy.columns.get(key), done) for key, value in inside.items()}
        treated[UNMAPPED] = named
    return treated


def _treated(value: Any, treatment: Treatment | None, done: Done) -> Any:
    """What stands in place of a column's value; nothing and what logs write for it stay."""
    if treatment is None or value is None:
        return value
    if isinstance(value, (dict, list, tuple)):
        return treatment.of_whole(str(value)) if value else value
    given = pl.Series([value if isinstance(value, str) else str(value)], dtype=pl.String)
    if given.str.contains(ABSENT)[0] or done.holds(given, treatment)[0]:
        return value
    return str(treatment.of(given)[0])


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
