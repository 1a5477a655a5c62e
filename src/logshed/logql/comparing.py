"""Compares a label with a value, in SQL: as a text, a number, a duration, a size, an address."""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING

from logshed.logql import quantities, regexes
from logshed.networks import of_version_4
from logshed.search.sql import literal, number

if TYPE_CHECKING:
    from logshed.logql.labels import Found
    from logshed.logql.model import Compared

_MILLISECONDS = 1000


def text(side: str, operator: str, value: str) -> str:
    """A comparison of texts; a label that is not there is an empty one, as with Loki."""
    if operator == "=":
        return f"{side} = {literal(value)}" if value else f"coalesce({side}, '') = ''"
    if operator == "!=":
        return f"coalesce({side}, '') <> {literal(value)}"
    if operator == "=~" and (texts := regexes.alternatives(value)):
        return f"{side} IN ({', '.join(map(literal, texts))})"
    if value in {".*", ".+"}:
        there = "true" if value == ".*" else f"coalesce({side}, '') <> ''"
        return there if operator == "=~" else f"NOT ({there})"
    matches = f"regexp_full_match(coalesce({side}, ''), {literal('(?s)' + value)})"
    return matches if operator == "=~" else f"NOT {matches}"


def compared(found: Found, of: Compared) -> str:
    """A comparison; it is NULL where the label is not there, or is no number."""
    match of.unit:
        case "text":
            return text(found.text, of.operator, str(of.value))
        case "ip":
            network = ipaddress.ip_network(str(of.value), strict=False)
            pattern = of_version_4(network) if isinstance(network, ipaddress.IPv4Network) else ""
            matches = f"regexp_full_match({found.text}, {literal(pattern)})"
            return matches if of.operator == "=" else f"NOT {matches}"
        case _:
            operator = "<>" if of.operator == "!=" else of.operator
            return f"{amount(found, of.unit)} {operator} {number(float(of.value))}"


def amount(found: Found, unit: str) -> str:
    """A label as a number: of durations seconds, of sizes bytes. NULL and NaN are both none."""
    if unit == "duration":
        sides = [
            f"{one} / {_MILLISECONDS}.0" if found.kind == "duration" else f"CAST({one} AS DOUBLE)"
            for one in found.numbers
        ]
        sides.append(quantities.seconds(found.text))
    elif unit == "bytes":
        sides = [f"CAST({one} AS DOUBLE)" for one in found.numbers] + [quantities.size(found.text)]
    else:
        sides = [f"CAST({one} AS DOUBLE)" for one in found.numbers] + [f"TRY_CAST({found.text} AS DOUBLE)"]
    sides = sides[:1] if found.numbers and found.text == f"CAST({found.numbers[0]} AS VARCHAR)" else sides
    joined = sides[0] if len(sides) == 1 else f"coalesce({', '.join(sides)})"
    return f"nullif({joined}, CAST('NaN' AS DOUBLE))"


def escaped(key: str) -> str:
    """A key as a part of a regular expression."""
    return re.escape(key)
