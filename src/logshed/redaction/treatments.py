"""What stands in place of a value: a tag, nothing, what is left of it, or its pseudonym."""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import polars as pl

from logshed.redaction import masks

if TYPE_CHECKING:
    from collections.abc import Iterable

    from logshed.redaction.keyring import Key
    from logshed.redaction.masks import Mask

PSEUDONYM = "{kind}:{key}:{digest}"
"""The form of a pseudonym unless a policy says another."""
DIGITS = 32
"""Hex digits of a pseudonym's digest unless a policy says other: 128 bits of an HMAC-SHA-256 (RFC 2104, section 5)."""


_KIND = "[a-z][a-z0-9_]*"


@dataclass(frozen=True, slots=True)
class Pseudonyms:
    """How values become pseudonyms.

    Attributes:
        kind: What they are of, such as ``user``; values of two kinds have nothing in common.
        key: The key.
        form: ``{kind}``, ``{key}`` (the key's id) and ``{digest}`` in any text.
        digits: Hex digits of the digest.
    """

    kind: str
    key: Key = field(repr=False)
    form: str = PSEUDONYM
    digits: int = DIGITS

    def of(self, value: str) -> str:
        """The pseudonym of a value, the same wherever it is met."""
        message = f"{self.kind}\0{value.strip()}".encode()
        digest = self._cut(hmac.digest(self.key.secret, message, "sha256").hex())
        return self.form.format(kind=self.kind, key=self.key.name, digest=digest)

    @property
    def bare(self) -> bool:
        """Whether nothing but the digest stands there, so that a number of as many digits looks like one."""
        return self.form == "{digest}"

    def _cut(self, digest: str) -> str:
        """So many digits of a digest; where nothing else stands, the first that have a letter among them."""
        pieces = (digest[start : start + self.digits] for start in range(len(digest) - self.digits + 1))
        return next((piece for piece in pieces if not self.bare or not piece.isdecimal()), digest[: self.digits])

    @property
    def pattern(self) -> str:
        """An expression for pseudonyms of this form, whatever key made them."""
        text = re.escape(self.form).replace(r"\{", "{").replace(r"\}", "}")
        return (
            text.replace("{kind}", _KIND)
            .replace("{key}", "[a-z0-9][a-z0-9_-]*")
            .replace("{digest}", f"[0-9a-f]{{{self.digits}}}")
        )


@dataclass(frozen=True, slots=True)
class Treatment:
    """What is done with the values of a rule.

    Attributes:
        tag: What stands in place of each value, and of what is no single value in any case; may be empty.
        mask: What is left of a value instead.
        pseudonyms: How its pseudonym is made instead.
    """

    tag: str
    mask: Mask | None = None
    pseudonyms: Pseudonyms | None = None

    @property
    def constant(self) -> bool:
        """Whether all values become the same text."""
        return self.mask is None and self.pseudonyms is None

    def of(self, values: pl.Series) -> pl.Series:
        """What stands in place of each value."""
        if self.constant:
            return pl.Series([self.tag], dtype=pl.String).new_from_index(0, len(values))
        distinct = values.unique().drop_nulls()
        if self.mask is not None:
            meant = masks.apply(self.mask, distinct)
        elif self.pseudonyms is not None:
            meant = pl.Series([self.pseudonyms.of(value) for value in distinct.to_list()], dtype=pl.String)
        return values.replace_strict(distinct, meant, default=None, return_dtype=pl.String)

    def of_whole(self, text: str) -> str:
        """What stands in place of an array, an object or another text that is no single value."""
        del text
        return self.tag


_COLOURS = "^(?:\x1b\\[[0-9;]*m)+|(?:\x1b\\[[0-9;]*m)+$"


class Done:
    """Tells values that a policy has put there itself, so that they are not taken for what it looks for."""

    def __init__(self, treatments: Iterable[Treatment], allowed: str = "") -> None:
        """Take a policy's treatments, and an expression for values that stay in any case."""
        found = list(treatments)
        self.tags = frozenset(one.tag for one in found if one.tag)
        forms = sorted({one.pseudonyms.pattern for one in found if one.pseudonyms is not None})
        # A form without the key's id looks like other things, such as a card number: it counts where it was put only.
        telling = sorted({one.pseudonyms.pattern for one in found if one.pseudonyms and "{key}" in one.pseudonyms.form})
        # "user: k1:9f…" under the key `user` is the rest of a pseudonym that begins with its kind.
        whole = [
            f"^(?:{one.removeprefix(_KIND + ':')})$|^(?:{one})(?:[^A-Za-z0-9]+(?:{one})[^A-Za-z0-9]*)*$"
            for one in telling
        ]
        self._pattern = "|".join([*whole, *([f"(?:{allowed})"] if allowed else [])])
        self.expression = "|".join([*sorted(re.escape(tag) for tag in self.tags), *forms])
        """An expression for such a value in a text; empty where there is none."""

    def holds(self, values: pl.Series, treatment: Treatment) -> pl.Series:
        """Which values are such, but for colours around them, to somebody who is about to give them this treatment."""
        values = values.str.replace_all(_COLOURS, "")
        found = values.is_in(list(self.tags))
        own = f"^(?:{treatment.pseudonyms.pattern})$" if treatment.pseudonyms is not None else ""
        pattern = "|".join(one for one in (self._pattern, own) if one)
        return found | values.str.contains(pattern) if pattern else found
