"""The validators that a rule's file may name; each judges a column of distinct candidates at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from logshed.redaction.checks import cards, secrets, tokens

if TYPE_CHECKING:
    from collections.abc import Callable

    import polars as pl

CHECKS: dict[str, Callable[[pl.Series], pl.Series]] = {
    "payment_card": cards.payment_card,
    "jwt_header": tokens.jwt_header,
    "basic_credentials": tokens.basic_credentials,
    "crc32_token": secrets.crc32_token,
    "discord_token": secrets.discord_token,
    "mixed_token": secrets.mixed_token,
    "spoken_password": secrets.spoken_password,
    "high_entropy": secrets.high_entropy,
}
