"""Writes the rules of shops as SQL, in DuckDB's dialect, where a part of a statement has a place for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from logshed.shops.reading import ANY, load

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from logshed.shops.model import Match, Shop, Where


def filled(sql: str, extra: Iterable[Path] = ()) -> str:
    """A statement with the rules of all shops in the places that it has for them, ``{{place}}`` and the like.

    Args:
        sql: The statement. ``$shop`` in it is the shop that is asked for; ``{{place_of}}`` takes a column ``shop``.
        extra: More roots to look for shops in.

    Raises:
        logshed.errors.QueryError: A shop's file is wrong.
    """
    shops = list(load(extra).values())
    for name, write in _FRAGMENTS.items():
        if (mark := f"{{{{{name}}}}}") in sql:
            sql = sql.replace(mark, write(shops))
    return sql


def _place(shops: Sequence[Shop], asked: str = "$shop") -> str:
    return _told(shops, asked, lambda shop: [(one, str(one.place)) for one in shop.step])


def _feature(shops: Sequence[Shop]) -> str:
    return _told(shops, "$shop", lambda shop: [(one, _text(one.name)) for one in shop.feature])


def _steps(shops: Sequence[Shop]) -> str:
    """Rows of every choice of a shop: shop, place, step, and the place of the step that must have come before."""
    rows = []
    for asked, chosen in _choices(shops).items():
        steps = {name: place for shop in chosen for name, place in shop.places.items()}
        before = 0
        for name, (place, optional) in sorted(steps.items(), key=lambda one: one[1]):
            rows.append(f"SELECT {_text(asked)} AS shop, {place} AS place, {_text(name)} AS step, {before} AS after")
            before = before if optional else place
    return "\nUNION ALL ".join(rows)


def _event(shops: Sequence[Shop]) -> str:
    names = dict.fromkeys(name for shop in shops for name in shop.event_attributes)
    return f"coalesce({', '.join(('event_name', *(f'attributes[{_text(name)}]' for name in names), 'NULL'))})"


def _levels(shops: Sequence[Shop]) -> str:
    """The rows of ``events`` with when their way to an order began, and when its step before was last seen.

    A step counts where the one before came first, and within the time from the newest beginning that led there; so
    each place looks at the rows before for the place that it comes after.
    """
    window = "OVER (PARTITION BY visitor, attempt ORDER BY number ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)"
    highest = max(place for shop in shops for place, _ in shop.places.values())
    levels = ["began_1 AS (SELECT *, CASE WHEN place = 1 THEN at_us END AS began_1 FROM events)"]
    for place in range(2, highest + 1):
        sooner = range(1, place)
        starts = " ".join(f"WHEN {one} THEN start_{one}" for one in sooner)
        start = f"CASE after WHEN 0 THEN at_us {starts} END"
        begun = f"CASE WHEN place = {place} AND at_us - ({start}) <= within_us THEN {start} END AS began_{place}"
        last = f"began_{place - 1}"
        levels.append(
            f"seen_{place - 1} AS (SELECT *, max({last}) {window} AS start_{place - 1}, "
            f"max(CASE WHEN {last} IS NOT NULL THEN at_us END) {window} AS last_{place - 1} FROM {last})"
        )
        levels.append(f"began_{place} AS (SELECT *, {begun} FROM seen_{place - 1})")
    begins = ", ".join(f"began_{place}" for place in range(1, highest + 1))
    lasts = " ".join(f"WHEN {place} THEN last_{place}" for place in range(1, highest))
    before = f"CASE after {lasts} END" if lasts else "NULL"
    return ",\n".join(
        (
            *levels,
            f"levels AS (SELECT *, coalesce({begins}, NULL) AS start_us, {before} AS before_us FROM began_{highest})",
        )
    )


def _choices(shops: Sequence[Shop]) -> dict[str, list[Shop]]:
    ranked = sorted((shop for shop in shops if shop.rank is not None), key=lambda shop: (shop.rank, shop.name))
    return {ANY: ranked, **{shop.name: [shop] for shop in shops}}


def _told(shops: Sequence[Shop], asked: str, rules: Callable[[Shop], Sequence[tuple[Match, str]]]) -> str:
    """What the rules of the shop that is asked for tell of a record; of several shops, the first that matches.

    Few records match, so all patterns are first looked for at once: DuckDB tries a pattern of one column alone once for
    each different value of it.
    """
    cases = []
    for name, chosen in _choices(shops).items():
        if each := [(shop, rule, told) for shop in chosen for rule, told in rules(shop)]:
            paths, queries, events = (
                list(dict.fromkeys(pattern for _, rule, _ in each for pattern in getattr(rule, key)))
                for key in ("paths", "queries", "events")
            )
            may = [_found("url_path", paths)] if paths else []
            may += [_found("url_query", queries)] if queries else []
            may += [f"{_event(chosen)} IS NOT NULL"] if events else []
            matches = " ".join(f"WHEN {_condition(shop, rule)} THEN {told}" for shop, rule, told in each)
            cases.append(f"WHEN {asked} = {_text(name)} THEN CASE WHEN {' OR '.join(may)} THEN CASE {matches} END END")
    return f"CASE {' '.join(cases)} END" if cases else "NULL"


def _condition(shop: Shop, rule: Match) -> str:
    either = []
    if rule.paths or rule.queries:
        status = "http_response_status_code"
        parts = [_in(status, map(str, rule.statuses)) if rule.statuses else f"{status} < 400"]
        parts += [_found("url_path", rule.paths)] if rule.paths else []
        parts += [_found("url_query", rule.queries)] if rule.queries else []
        parts += [_in("http_request_method", map(_text, rule.methods))] if rule.methods else []
        either.append(f"({' AND '.join(parts)})")
    if rule.events:
        either.append(_in(f"lower({_event([shop])})", map(_text, rule.events)))
    return " OR ".join(either)


def _value(where: Callable[[Shop], Where]) -> Callable[[Sequence[Shop]], str]:
    """Where a value stands, as an expression: in an attribute, else in the query, else in the path."""

    def write(shops: Sequence[Shop]) -> str:
        cases = []
        for name, chosen in _choices(shops).items():
            if said := _stands([where(shop) for shop in chosen]):
                cases.append(f"WHEN $shop = {_text(name)} THEN coalesce({', '.join(said)}, NULL)")
        return f"CASE {' '.join(cases)} END" if cases else "NULL"

    return write


def _stands(places: Sequence[Where]) -> list[str]:
    attributes = dict.fromkeys(name for place in places for name in place.attributes)
    found = [f"attributes[{_text(name)}]" for name in attributes]
    names = "|".join(dict.fromkeys(name.replace(".", "[.]") for place in places for name in place.parameters))
    if names:
        found.append(f"nullif(regexp_extract(url_query, {_text(f'(?:^|&)(?:{names})=([^&]+)')}, 1), '')")
    paths = [place.path for place in places if place.path is not None]
    return found + [f"nullif(regexp_extract(url_path, {_text(path)}, 1), '')" for path in paths]


def _found(column: str, patterns: Iterable[str]) -> str:
    return f"regexp_matches({column}, {_text('|'.join(f'(?:{pattern})' for pattern in patterns))})"


def _in(what: str, values: Iterable[str]) -> str:
    return f"{what} IN ({', '.join(values)})"


def _text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


_FRAGMENTS: dict[str, Callable[[Sequence[Shop]], str]] = {
    "place": _place,
    "place_of": lambda shops: _place(shops, "shop"),
    "feature": _feature,
    "event": _event,
    "steps": _steps,
    "levels": _levels,
    "value": _value(lambda shop: shop.value),
    "order": _value(lambda shop: shop.order),
    "term": _value(lambda shop: shop.search.terms),
    "hits": _value(lambda shop: shop.search.hits),
}
"""What may stand in a part between two pairs of braces."""
