"""Takes out of messages the values that are told by their form: numbers, addresses, paths, times.

The masks are in ``masks.toml``, each with examples. All digits are read as 0 first, over the bytes of a whole column:
most messages of a kind become the same text by that alone, and the masks see each text once.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

import numpy as np
import polars as pl
import pyarrow as pa

LONGEST = 2_000
"""Characters of a message that are looked at; what follows is left out of its template."""

_AS_ZERO = np.arange(256, dtype=np.uint8)
_AS_ZERO[ord("0") : ord("9") + 1] = ord("0")
_AS_ZERO[2] = ord(" ")
"""Byte 2 is what the masks set aside quotes with, so no message may bring one."""
_BLANKS = r"[\s\x00]+"


@dataclass(frozen=True, slots=True)
class Mask:
    """One kind of value.

    Attributes:
        name: Its name.
        title: What it covers.
        pattern: A regular expression of Rust's ``regex``.
        to: What stays in its place; ``$1`` is the first group.
        examples: Messages, each with what all masks together make of it.
    """

    name: str
    title: str
    pattern: str
    to: str
    examples: tuple[tuple[str, str], ...]


@lru_cache(maxsize=1)
def masks() -> tuple[Mask, ...]:
    """All masks in the order in which they apply."""
    data = tomllib.loads(files("logshed.patterns").joinpath("masks.toml").read_text(encoding="utf-8"))
    return tuple(
        Mask(**{**one, "examples": tuple((text, masked) for text, masked in one["examples"])}) for one in data["mask"]
    )


def zeroed(messages: pl.Series) -> pl.Series:
    """The messages' first lines, cut to ``LONGEST`` characters, with every digit as 0.

    Args:
        messages: Strings; a null stays null.
    """
    text = messages.rename("zeroed")
    if (text.str.len_bytes() > LONGEST).any():
        text = text.str.slice(0, LONGEST)
    if text.str.contains("\n", literal=True).any():
        text = text.str.strip_chars().str.replace(r"(?s)\r?\n.*", "")
    array = text.to_arrow(compat_level=pl.CompatLevel.oldest()).cast(pa.large_string())
    validity, offsets, values = array.buffers()
    if values is None:
        return text
    read = pa.py_buffer(_AS_ZERO[np.frombuffer(values, np.uint8)])
    made = pa.LargeStringArray.from_buffers(len(array), offsets, read, validity, offset=array.offset)
    return pl.Series("zeroed", made, dtype=pl.String)


def masked(texts: pl.Series) -> pl.Series:
    """The texts with every value replaced by its mask, such as ``<NUM>``, and blanks made single ones.

    Args:
        texts: Strings whose digits are all 0, as ``zeroed`` makes them; best each only once.
    """
    column = pl.col("masked")
    for one in masks():
        column = column.str.replace_all(one.pattern, one.to)
    tidy = column.str.replace_all(_BLANKS, " ").str.strip_chars(" ")
    return texts.rename("masked").to_frame().select(tidy).to_series()
