"""What people type beside the logs, such as notes: nothing that the lake's policy forbids may rest there either."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from logshed.redaction.engine import Redactor
from logshed.redaction.naming import of_everything
from logshed.redaction.policy_files import load_policy

if TYPE_CHECKING:
    from collections.abc import Callable

    from logshed.settings import Settings


def safe(settings: Settings) -> Callable[[str], str]:
    """Makes texts such that they may rest in a lake.

    Args:
        settings: Whose policy holds.

    Raises:
        RedactionError: The policy cannot be read.
    """
    redactor = Redactor(of_everything(load_policy(settings.policy, settings.plugins, keys=settings.keys)))

    def one(text: str) -> str:
        return str(redactor.redact(pl.Series([text])).text[0]) if text else text

    return one
