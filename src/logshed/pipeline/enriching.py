"""What the fields of records imply: networks, places, threat lists, templates of paths, user agents, risk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from logshed.enrichment import geography, internal_networks, risk, threat_lists, url_templates, user_agents

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import polars as pl

    from logshed.enrichment.sources import Sources

FILLED = (
    *geography.SCHEMA,
    *("client_network", "client_is_internal", "client_threat_list", "client_risk_level", "url_template"),
    *("user_agent_name", "user_agent_os", "user_agent_is_bot"),
)
"""The columns of ``logs`` that are filled."""


def enriched(frame: pl.DataFrame, networks: Mapping[str, Sequence[str]], sources: Sources) -> pl.DataFrame:
    """Rows of ``logs`` with what their own fields imply.

    Args:
        frame: Rows with the columns that are known.
        networks: Internal networks by name.
        sources: Databases and lists to look them up in.
    """
    # who is inside must be known first, and all of it for the risk
    frame = internal_networks.enrich(frame, list(networks.items()))
    frame = geography.enrich(frame, sources.databases)
    frame = threat_lists.enrich(frame, sources.lists)
    frame = user_agents.enrich(url_templates.enrich(frame))
    return risk.enrich(frame)
