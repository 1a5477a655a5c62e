"""Who may come in: tokens for every door, each for some collections and some verbs."""

from __future__ import annotations

from logshed.access.grants import VERBS, Grant
from logshed.access.rates import Rates
from logshed.access.tokens import Token, Tokens

__all__ = ["VERBS", "Grant", "Rates", "Token", "Tokens"]
