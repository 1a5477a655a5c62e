"""Names the variable parts of paths, so that requests to one endpoint can be counted together: fills ``url_template``.

The rules are in ``url_templates.toml``, with examples. A path is taken apart first and its segments decoded then, once,
so that an encoded slash parts nothing.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any
from urllib.parse import unquote

import polars as pl

_PATH, _TEMPLATE = "url_path", "url_template"
_VARIABLE = "[0-9%;?]"
"""What a path must have for its template to be another text than the path, unless it is deep."""
_CUT = "…"
_KEPT_ENCODED = frozenset("/?;")
"""They would part the path anew."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of variable part.

    Attributes:
        pattern: Matches a whole segment.
        also: Must be found in the segment too; empty where nothing must.
        replacement: What a segment that fits becomes.
    """

    pattern: str
    also: str
    replacement: str


def enrich(frame: pl.DataFrame) -> pl.DataFrame:
    """Give each path its template; each distinct path is looked at once.

    Args:
        frame: Rows with ``url_path`` (String); without that column nothing is added.

    Returns:
        The frame with ``url_template`` (String), null where the path is null. A template that the record itself has
        (the route that a framework logs) stays.
    """
    if _PATH not in frame.columns or frame[_PATH].null_count() == frame.height:
        return frame
    paths = frame[_PATH].drop_nulls().unique()
    table = pl.DataFrame({_PATH: paths, "_made": templates(paths)})
    made = frame.select(_PATH).join(table, on=_PATH, how="left", maintain_order="left")["_made"]
    if _TEMPLATE in frame.columns:
        made = frame[_TEMPLATE].cast(pl.String).zip_with(frame[_TEMPLATE].is_not_null(), made)
    return frame.with_columns(made.alias(_TEMPLATE))


def templates(paths: pl.Series) -> pl.Series:
    """The template of each path.

    Args:
        paths: String, best distinct; no nulls.
    """
    deepest = _rules()[1]
    slashes = paths.str.count_matches("/", literal=True)
    places = (paths.str.contains(_VARIABLE) | (slashes > deepest)).arg_true()
    if places.is_empty():
        return paths
    return paths.clone().scatter(places, _templates(paths.gather(places), deepest))


def _templates(paths: pl.Series, deepest: int) -> pl.Series:
    if paths.str.contains("[?;]").any():
        paths = paths.str.replace(r"[?](?s:.*)$", "").str.replace_all(r";[^/]*", "")
    parts = paths.str.split("/")
    deep = parts.list.len() > deepest + 1
    parts = parts.list.head(deepest + 1)
    segments = parts.explode()
    tried = segments.str.contains("[0-9%]").arg_true()
    if tried.len():
        known = segments.gather(tried).to_frame("segment")
        distinct = known["segment"].unique()
        table = pl.DataFrame({"segment": distinct, "made": _segments(distinct)})
        made = known.join(table, on="segment", how="left", maintain_order="left")["made"]
        segments = segments.scatter(tried, made)
    rows = pl.int_range(parts.len(), eager=True).repeat_by(parts.list.len()).explode().set_sorted()
    # Gathering lists and joining them takes half the time of joining in the groups.
    lists = pl.DataFrame({"row": rows, "segment": segments}).group_by("row", maintain_order=True).agg("segment")
    joined = lists["segment"].list.join("/")
    return joined.zip_with(~deep, joined + f"/{_CUT}") if deep.any() else joined


def _segments(segments: pl.Series) -> pl.Series:
    """Distinct segments, each decoded and, where a rule fits it, replaced."""
    encoded = segments.str.contains("%[0-9A-Fa-f]{2}").arg_true()
    if encoded.len():  # only these, and each once: Polars decodes nothing of the kind
        decoded = [_decoded(text) for text in segments.gather(encoded)]
        segments = segments.clone().scatter(encoded, pl.Series(decoded, dtype=pl.String))
    left = segments.str.contains("[0-9]").arg_true()
    for rule in _rules()[0]:
        own = segments.gather(left)
        fits = own.str.contains(rule.pattern)
        if rule.also and fits.any():
            fits &= own.str.contains(rule.also)
        if fits.any():
            made = own.filter(fits).str.replace(rule.pattern, rule.replacement)
            segments = segments.clone().scatter(left.filter(fits), made)
            left = left.filter(~fits)
    return segments


def _decoded(text: str) -> str:
    """Percent-decoded once; what is no UTF-8, or would part the path, stays as it is."""
    try:
        decoded = unquote(text, errors="strict")
    except UnicodeDecodeError:
        return text
    return text if _KEPT_ENCODED & set(decoded) or not decoded.isprintable() else decoded


@lru_cache(maxsize=1)
def _rules() -> tuple[tuple[Rule, ...], int]:
    """The rules, and how many segments a template has at most."""
    data = data_file()
    rules = []
    for one in data["rule"]:
        before, ending = one.get("before", ""), one.get("ending", data["ending"])
        pattern = f"^({before})(?:{one['pattern']})({ending})$"
        rules.append(Rule(pattern, one.get("also", ""), f"${{1}}{{{one['name']}}}${{2}}"))
    return tuple(rules), int(data["deepest"])


def data_file() -> dict[str, Any]:
    """What ``url_templates.toml`` holds."""
    return tomllib.loads(files("logshed.enrichment").joinpath("url_templates.toml").read_text(encoding="utf-8"))
