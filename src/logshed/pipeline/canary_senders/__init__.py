"""How a canary sends its lines: one file per protocol, found by what its ``SENDERS`` names."""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

from logshed.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from logshed.pipeline.canary_senders.model import Sender
    from logshed.pipeline.sinks import Sink


@cache
def known() -> Mapping[str, Callable[[Sink], Sender]]:
    """What makes a sender, by the beginning of its addresses (``otlp+http``)."""
    found: dict[str, Callable[[Sink], Sender]] = {}
    for module in pkgutil.iter_modules(__path__):
        found |= getattr(import_module(f"{__name__}.{module.name}"), "SENDERS", {})
    return found


def opened(sink: Sink) -> Sender:
    """What sends to an address.

    Raises:
        UsageError: There is no such protocol, or a package that it needs is missing.
        DeliveryError: It cannot be reached, and trying again would not help.
    """
    if sink.kind not in known():
        kinds = ", ".join(f"{kind}://" for kind in sorted(known()))
        raise UsageError(f"cannot send to {sink.kind}://: there is no such door; write one of {kinds}")
    try:
        return known()[sink.kind](sink)
    except ImportError as error:
        raise UsageError(
            f"cannot send by {sink.kind}: {error.name} is not installed; pip install 'logshed[receive]'"
        ) from None
