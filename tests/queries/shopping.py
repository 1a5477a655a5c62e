"""The steps of shops found again in plain Python, slowly, from what the files of the shops say."""

from __future__ import annotations

import re
from collections import defaultdict
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from logshed.shops import ANY, load

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from logshed.shops import Shop
    from logshed.shops.model import Match

Row = dict[str, Any]
Step = tuple[Row, str | None]


def shops(asked: str) -> list[Shop]:
    """The shops that are tried, in order."""
    found = load()
    return sorted(found.values(), key=lambda shop: shop.rank or 0) if asked == ANY else [found[asked]]


def event_of(row: Row, names: Iterable[str]) -> str | None:
    said = [row.get("event_name"), *((row.get("attributes") or {}).get(name) for name in names)]
    return next((one for one in said if one is not None), None)


def fits(row: Row, shop: Shop, rule: Match) -> bool:
    """Whether a record is what the rule says."""
    if (event_of(row, shop.event_attributes) or "").lower() in rule.events:
        return True
    status, path, query = row.get("http_response_status_code"), row.get("url_path"), row.get("url_query")
    return (
        bool(rule.paths or rule.queries)
        and status is not None
        and (status in rule.statuses if rule.statuses else status < 400)
        and (not rule.paths or (path is not None and any(re.search(one, path) for one in rule.paths)))
        and (not rule.queries or (query is not None and any(re.search(one, query) for one in rule.queries)))
        and (not rule.methods or row.get("http_request_method") in rule.methods)
    )


def told(rows: Iterable[Row], params: dict[str, Any], kind: str = "step") -> list[Step]:
    """Requests and events with the step, or feature, that they are."""
    names = {name for shop in load().values() for name in shop.event_attributes}
    found = []
    for row in rows:
        if row.get("http_response_status_code") is None and event_of(row, sorted(names)) is None:
            continue
        if params["exclude_bots"] and row.get("user_agent_is_bot"):
            continue
        left_out = params["exclude_client"]
        if left_out is not None and re.search(left_out, row.get("client_address") or ""):
            continue
        rules = ((shop, rule) for shop in shops(params["shop"]) for rule in getattr(shop, kind))
        found.append((row, next((rule.name for shop, rule in rules if fits(row, shop, rule)), None)))
    return found


def visitor(row: Row) -> tuple[Any, ...] | None:
    if row.get("session_id") is not None:
        return (row["session_id"],)
    client = row.get("client_address")
    return None if client is None else (client, row.get("user_agent_original"))


def shop_sessions(rows: Iterable[Row], params: dict[str, Any]) -> list[tuple[Any, int, list[Step]]]:
    """The sessions of visitors who took a step: visitor, number, records in order."""
    by_visitor: dict[Any, list[Step]] = defaultdict(list)
    for row, step in told(rows, params):
        if (who := visitor(row)) is not None:
            by_visitor[who].append((row, step))
    found = []
    for who, of in by_visitor.items():
        if any(step for _, step in of):
            of.sort(key=lambda one: (one[0]["timestamp"], one[0]["source"], one[0]["offset"]))
            found += [(who, number, part) for number, part in enumerate(cut(of, params["gap"]))]
    return found


def cut(of: Sequence[Step], minutes: int) -> list[list[Step]]:
    parts = [[of[0]]]
    for sooner, later in pairwise(of):
        if later[0]["timestamp"] - sooner[0]["timestamp"] > timedelta(minutes=minutes):
            parts.append([])
        parts[-1].append(later)
    return parts


def said(row: Row, asked: str, key: str) -> str | None:
    """What stands where the shop says: in an attribute, else in the query, else in the path."""
    places = [getattr(shop, key) for shop in shops(asked)]
    attributes = row.get("attributes") or {}
    for name in (name for place in places for name in place.attributes):
        if attributes.get(name) is not None:
            return str(attributes[name])
    names = {name for place in places for name in place.parameters}
    for pair in (row.get("url_query") or "").split("&"):
        name, _, value = pair.partition("=")
        if name in names and value:
            return value
    for place in places:
        if place.path and (match := re.search(place.path, row.get("url_path") or "")):
            return match[1]
    return None


def value_of(row: Row, params: dict[str, Any]) -> float | None:
    """The value that a record has, as the documentation says that numbers are read."""
    if params["value"] is None:
        text = said(row, params["shop"], "value")
    else:
        pairs = dict(pair.partition("=")[::2] for pair in (row.get("url_query") or "").split("&"))
        text = (row.get("attributes") or {}).get(params["value"], pairs.get(params["value"]))
    text = (text or "").replace("%2C", ",").replace("+", " ").removeprefix("EUR ")
    if re.fullmatch(r"\d{1,3}(,\d{3})+(\.\d+)?", text):
        text = text.replace(",", "")
    elif "," in text:
        text = text.replace(".", "").replace(",", ".")
    return float(text) if re.fullmatch(r"\d+(\.\d+)?", text) else None


def order_key(row: Row) -> tuple[Any, ...]:
    """One for all records of an order."""
    found = said(row, "any", "order")
    return ("one", row["source"], row["offset"]) if found in {None, "[ORDER]"} else ("id", found)
