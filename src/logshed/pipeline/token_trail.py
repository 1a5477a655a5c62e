"""Writes down who made or revoked a token, or uploaded files; brings it into the lake's trail where there is a lake."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from logshed.lake import folder
from logshed.pipeline.trail import FILE, Trail
from logshed.redaction.engine import Redactor
from logshed.redaction.naming import of_everything
from logshed.redaction.policy_files import load_policy

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from logshed.settings import Settings


def note(settings: Settings, verb: str, target: str, details: Mapping[str, Any], outcome: str = "ok") -> None:
    """Write down what was done to a token, or by someone who needs no lake, redacted by the policy.

    Args:
        settings: Where the log lies: in the spool, where there is one, else beside the tokens; and the lake.
        verb: Such as ``token create``.
        target: The token's id.
        details: What it allows.
        outcome: ``ok``, ``refused`` or ``failed``.

    Raises:
        LogshedError: It cannot be written, or the lake cannot be reached.
    """
    redactor = Redactor(of_everything(load_policy(settings.policy, settings.plugins, keys=settings.keys)))
    trail = Trail(_path(settings), lambda text: str(redactor.redact(pl.Series([text])).text[0]))
    trail.note(verb, target, outcome, details)
    if folder.is_lake(settings.lake):
        from logshed.lake.store import Store  # noqa: PLC0415 - heavy

        trail.ship(Store.open(settings.lake, create=False, backing=settings.backing))


def _path(settings: Settings) -> Path:
    if settings.spool.is_dir():
        return settings.spool / FILE
    return settings.tokens.with_name(f"{settings.tokens.stem}.{FILE}")
