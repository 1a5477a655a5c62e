"""Completes a search that is being written: names of fields, and the values that records have in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from logshed.pipeline.explore import Window
from logshed.pipeline.explore_fields import attribute, short, values
from logshed.schema import SILVER, UNMAPPED
from logshed.search import sql
from logshed.search.context import context, written
from logshed.search.fields import LEVEL, field
from logshed.search.model import Mistake
from logshed.search.values import LEVELS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from logshed.pipeline.explore import Query

MOST = 12
MOST_KEYS = 500
_COUNTED = {"text", "address", "attribute", "integer", "boolean"}
"""Kinds of fields whose values are worth offering: nobody picks a duration out of a list."""


class Offer(NamedTuple):
    """Something that could stand there.

    Attributes:
        text: What is shown.
        insert: What replaces the text that is completed.
        detail: What it means.
        records: How many have it; None where they were not counted.
    """

    text: str
    insert: str
    detail: str = ""
    records: int | None = None


class Completion(NamedTuple):
    """What could stand at a place.

    Attributes:
        kind: ``field`` or ``value``.
        begin: From where the text is replaced.
        end: Up to where.
        offers: What by, best first.
    """

    kind: str
    begin: int
    end: int
    offers: list[Offer]


def complete(query: Query, window: Window, text: str, at: int) -> Completion:
    """What could stand at a place of a search.

    Args:
        query: Runs a statement.
        window: The records whose fields and values are offered; what the search says itself does not count.
        text: The search so far, right or not.
        at: The place in it.
    """
    found = context(text, at)
    offers = (
        _fields(query, window, found.text) if found.kind == "field" else _values(query, window, found.field, found.text)
    )
    return Completion(found.kind, found.begin, found.end, list(offers)[:MOST])


def _fields(query: Query, window: Window, text: str) -> Iterable[Offer]:
    wanted = text.lower().replace(".", "_")
    offers = [Offer(LEVEL, f"{LEVEL}:", "the level, whatever the log calls it")]
    for column in SILVER:
        if column.name != UNMAPPED:
            name = short(column.name)
            offers.append(
                Offer(name, f"{name}:", column.meaning if name == column.name else f"{column.name}: {column.meaning}")
            )
    likely = [offer for offer in offers if wanted in offer.text.lower() or wanted in offer.detail.split(":")[0].lower()]
    likely.sort(key=lambda offer: (not offer.text.lower().startswith(wanted), wanted not in offer.text.lower()))
    if text and len(likely) < MOST:
        likely += _keys(query, window, text)
    return likely


def _keys(query: Query, window: Window, text: str) -> Iterator[Offer]:
    """Attributes whose key has the text in it."""
    wanted = text.removeprefix(f"{UNMAPPED}.").lower()
    where = window.everything.and_(f"{UNMAPPED} IS NOT NULL").where
    keys = f"SELECT unnest(map_keys({UNMAPPED})) AS name FROM logs WHERE {where}"
    like = f"contains(lower(name), {sql.literal(wanted)})"
    for key, count in query(
        f"SELECT name, count(*) FROM ({keys}) WHERE {like} GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {MOST}"
    ).rows():
        yield Offer(attribute(key), f"{attribute(key)}:", "an attribute", count)


def _values(query: Query, window: Window, name: str, text: str) -> Iterable[Offer]:
    try:
        found = field(name)
    except Mistake:
        return
    if found.kind == "level":
        yield from (Offer(level, level) for level in LEVELS if level.startswith(text.lower()))
    elif found.kind in _COUNTED:
        everything = Window("", window.everything)
        for value, count in values(query, everything, name, text.strip("*"), MOST).top:
            yield Offer(value, written(value), "", count)
