"""The risk of a client follows from where it is and who names it."""

from __future__ import annotations

import polars as pl

from logshed.enrichment.risk import enrich


def test_inside_is_low_outside_is_medium_on_a_list_is_high_and_nothing_is_said_without_an_address() -> None:
    frame = pl.DataFrame(
        {"client_is_internal": [True, False, True, False, None], "client_threat_list": [None, None, "a", "a", "a"]}
    )
    assert enrich(frame)["client_risk_level"].to_list() == ["low", "medium", "high", "high", None]
    assert enrich(frame.drop("client_threat_list"))["client_risk_level"].to_list() == [
        "low", "medium", "low", "medium", None,
    ]  # fmt: skip


def test_a_risk_that_the_record_tells_stays_and_without_addresses_nothing_is_added() -> None:
    frame = pl.DataFrame({"client_is_internal": [True, True], "client_risk_level": ["critical", None]})
    assert enrich(frame)["client_risk_level"].to_list() == ["critical", "low"]
    assert enrich(pl.DataFrame({"n": [1]})).columns == ["n"]
