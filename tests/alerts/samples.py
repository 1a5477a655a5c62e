"""Findings for the tests: a plain one, and one in which everything that logs can hold is hostile."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl

from logshed.alert_settings import Alert
from logshed.alerts.common.message import Finding, Message
from logshed.schema import FINDINGS, polars_schema

NOW = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
AUTHOR = "Ada Author"
EVIL = (
    "first\nsecond\r\n\x1b[31m<script>alert(1)</script> a|b \\ k=v <!channel> <!here> @channel @all @here <@U123> "
    "[click](https://evil.example/x) `code` *bold* \u202egnp.exe \u2028 \x00 {rule_title} <https://evil.example|ok> "
    "&amp; CEF:0|Evil|x|1|2|3|10|act=drop\n<13>1 - - - forged " + "A" * 100_000
)


def row(name: str = "web_login", **given: Any) -> dict[str, Any]:
    """A row of ``findings``."""
    found: dict[str, Any] = {
        "timestamp": NOW - timedelta(minutes=5), "end_timestamp": NOW - timedelta(minutes=1),
        "observed_timestamp": NOW, "collection": "shop", "rule_id": "5d6f2ec2-1111-4c6f-9d4b-000000000001",
        "rule_name": name, "rule_title": "Many failed logins", "rule_version": "2026-01-01 abcd",
        "rule_author": AUTHOR, "rule_kind": "correlation", "level": "high", "confidence": "high",
        "technique": "T1110.003 T1078", "actor_type": "client_address", "actor": "192.0.2.7",
        "client_address": "192.0.2.7", "user_id": "alice", "service_name": "shop-web", "event_count": 42, "score": 71.5,
        "explanation": "192.0.2.7 failed to log in 42 times in 4 minutes.",
        "evidence": '["aaaa1111", "bbbb2222", "cccc3333", "dddd4444"]',
        "attributes": [{"key": "url_path", "value": "/login"}], "batch": "01890000-0000-7000-8000-000000000000",
        **given,
    }  # fmt: skip
    text = "|".join(str(found[key]) for key in ("rule_name", "actor", "timestamp", "collection", "level"))
    return {"finding_id": hashlib.md5(text.encode(), usedforsecurity=False).hexdigest(), **found}


def hostile() -> dict[str, Any]:
    """A finding whose every text is hostile."""
    texts = ("rule_title", "rule_name", "rule_author", "actor", "user_id", "service_name", "explanation", "collection")
    return row(
        **dict.fromkeys(texts, EVIL), client_address="not|an=address", technique=EVIL, evidence=EVIL,
        attributes=[{"key": EVIL, "value": EVIL}],
    )  # fmt: skip


def frame(*rows: dict[str, Any]) -> pl.DataFrame:
    """Rows of ``findings`` as a frame."""
    return pl.DataFrame(list(rows), schema=polars_schema(FINDINGS))


def message(*rows: dict[str, Any]) -> Message:
    """A message of these rows."""
    return Message.of([Finding.of(one) for one in frame(*(rows or (row(),))).iter_rows(named=True)])


def alert(to: str, **given: Any) -> Alert:
    """Settings of a destination."""
    return Alert.model_validate({"name": "ops", "to": to, **given})
