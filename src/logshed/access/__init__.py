"""Who may come in: users and tokens for every door, each for some collections and some verbs."""

from __future__ import annotations

from logshed.access.grants import VERBS, Grant, covered
from logshed.access.people import People
from logshed.access.rates import Rates
from logshed.access.tokens import Token, Tokens

__all__ = ["VERBS", "Grant", "People", "Rates", "Token", "Tokens", "covered"]
