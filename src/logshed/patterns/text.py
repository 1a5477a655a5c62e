"""Writes the template of each group of messages, and joins groups whose templates say the same."""

from __future__ import annotations

import hashlib

import polars as pl

from logshed.patterns.absorbing import absorbed
from logshed.patterns.tokens import ANY, MASK
from logshed.patterns.tree import FEW_WORDS

ID_DIGITS = 12
"""Hexadecimal digits of a template's id: among a million templates two have the same by chance once in 500 times."""

_VALUE = "\x03"
_BEFORE, _AFTER = "=:/([{<\"'-_#@,", ",;:)]}>\"'.-_/="
"""What may stand between a value and the constant part of its token."""
_FIELD = r"<\*>=<\*>"
_RUN = r"(?:<\*>|<LIST>)(?:[,;]? (?:<\*>|<LIST>))+"
_LETTER = r"\p{L}"


def written(wide: pl.DataFrame) -> pl.DataFrame:
    """The template of each message.

    Args:
        wide: One row a token of the messages, as ``tree.groups`` gives them.

    Returns:
        One row a message, in order: ``id`` and ``template``.
    """
    spelled = _spelled(wide)
    places = wide.select("group", "place", "scope").unique().join(spelled, on=["scope", "place"])
    groups = wide.group_by("row", maintain_order=True).agg(pl.col("group").first())
    text = (
        places.sort("group", "place")
        .group_by("group", maintain_order=True)
        .agg(pl.col("text").str.join(" "), pl.len().alias("tokens"))
    )
    text = text.join(groups.group_by("group").agg(pl.len().alias("messages")), on="group", maintain_order="left")
    return groups.join(_joined(text), on="group", maintain_order="left").select("id", "template")


def identity(template: str) -> str:
    """A template's id: the head of its SHA-256."""
    return hashlib.sha256(template.encode()).hexdigest()[:ID_DIGITS]


def _spelled(wide: pl.DataFrame) -> pl.DataFrame:
    """What stands in the template at each place of each scope: ``scope``, ``place``, ``text``."""
    plain = pl.col("token").str.replace_all(MASK, _VALUE)
    distinct = wide.select("scope", "place", "token").unique().with_columns(plain=plain)
    backwards = pl.col("plain").str.reverse()
    ends = distinct.group_by("scope", "place").agg(
        pl.col("token").first(),
        pl.len().alias("tokens"),
        # All texts begin with what the least and the greatest of them begin with.
        pl.concat_list(pl.col("plain").min(), pl.col("plain").max()).alias("heads"),
        pl.concat_list(backwards.min(), backwards.max()).alias("tails"),
    )
    same = ends.filter(pl.col("tokens") == 1).select("scope", "place", text="token")
    vary = ends.filter(pl.col("tokens") > 1)
    texts = [_varying(*pair) for pair in zip(vary["heads"].to_list(), vary["tails"].to_list(), strict=True)]
    return pl.concat([same, vary.select("scope", "place", text=pl.Series(texts, dtype=pl.String))])


def _varying(heads: list[str], tails: list[str]) -> str:
    """A value with what all tokens have before and behind it, up to a sign of punctuation."""
    if heads[0] == heads[1]:
        return heads[0].replace(_VALUE, ANY)
    head, tail = _common(*heads), _common(*tails)
    head = head[: max(map(head.rfind, _BEFORE)) + 1]
    tail = tail[: max(map(tail.rfind, _AFTER)) + 1]
    if len(head) + len(tail) > min(map(len, (*heads, *tails))):
        tail = ""
    return (head + _VALUE + tail[::-1]).replace(_VALUE, ANY)


def _common(one: str, other: str) -> str:
    """What both begin with."""
    apart = next((place for place, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]), None)
    return one[: min(len(one), len(other)) if apart is None else apart]


def _joined(text: pl.DataFrame) -> pl.DataFrame:
    """Groups with the template that they share with others that say the same: ``group``, ``id``, ``template``.

    Lists of different lengths come together here: a run of values of no one kind is one value.
    """
    said = text.with_columns(pl.col("text").str.replace_all(_FIELD, ANY).str.replace_all(_RUN, ANY))
    said = said.with_columns(
        key=pl.when(pl.col("text").str.replace_all(MASK, "").str.contains(_LETTER))
        .then(pl.col("text").str.replace_all(MASK, ANY))
        .otherwise(pl.col("text"))
    )
    said = absorbed(_various_first(said))
    template = pl.when(pl.col("text").n_unique().over("key") == 1).then("text").otherwise("key")
    said = said.select("group", template=template)
    distinct = said["template"].unique()
    ids = pl.DataFrame({"template": distinct, "id": [identity(one) for one in distinct]})
    return said.join(ids, on="template", maintain_order="left")


def _various_first(said: pl.DataFrame) -> pl.DataFrame:
    """Templates that differ in nothing but the first word begin with a value, if they are many."""
    first, rest = pl.col("key").str.extract(r"^([^ ]+) "), pl.col("key").str.extract(r"^[^ ]+ (.*)$")
    many = (first.n_unique().over(rest) > FEW_WORDS) & rest.str.replace_all(MASK, "").str.contains(_LETTER)
    return said.with_columns(key=pl.when(many.fill_null(value=False)).then(ANY + pl.lit(" ") + rest).otherwise("key"))
