"""What is to be erased: a value with its pseudonyms under every key, and the rows of each table that hold it."""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING
from urllib.parse import quote

import polars as pl

from logshed.errors import RedactionError, UsageError
from logshed.lake.names import CASES, FOUND, GOLD, LOGS
from logshed.redaction.keyring import load_keys
from logshed.redaction.policy_files import forms, load_policy
from logshed.redaction.treatments import DIGITS, PSEUDONYM, Pseudonyms
from logshed.schema import SILVER, UNMAPPED

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from logshed.redaction.keyring import Key
    from logshed.settings import Settings

TELLING_DIGITS = 16
"""So many hex digits of a pseudonym are found by themselves, whatever stands around them."""
COLUMNS = frozenset(column.name for column in SILVER if column.kind != "map")
"""Columns whose value may be erased; any other name is that of an attribute."""
_PAIRS = pl.List(pl.Struct({"key": pl.String, "value": pl.String}))
_LETTERS = str.maketrans("0123456789abcdef", "abcdefghijklmnop")
"""Letters only: digits could be taken for a number of something."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A value to be erased.

    Attributes:
        column: The column of ``logs``, or the key of an attribute, whose value it is.
        values: How it may stand there: plain, and as each pseudonym.
        needles: What of it is looked for inside any text: pseudonyms, and the plain value where that is wanted.
        words: The plain value as it may stand in texts, if it is looked for there.
        keys: Ids of the keys whose pseudonyms are looked for.
        unkeyed: Why no pseudonyms are looked for; empty where they are.
        attribute: The key of the attribute whose value it is; empty where it is that of a column alone.
    """

    column: str
    values: tuple[str, ...] = field(repr=False)
    needles: tuple[str, ...] = field(repr=False)
    words: tuple[str, ...] = field(repr=False, default=())
    keys: tuple[str, ...] = ()
    unkeyed: str = ""
    attribute: str = ""

    @classmethod
    def of(
        cls,
        column: str,
        value: str,
        settings: Settings,
        *,
        anywhere: bool = False,
        promoted: Mapping[str, str] = MappingProxyType({}),
    ) -> Subject:
        """The subject of a request.

        Args:
            column: A column of ``logs`` or the key of an attribute.
            value: Its value as the logs had it, or as it rests.
            settings: Where keys are, and the form of pseudonyms.
            anywhere: Look for the plain value in all texts too.
            promoted: Attributes that are columns, by the column: they have the value too, also where files are older.

        Raises:
            UsageError: There is no value.
            RedactionError: The policy makes pseudonyms, and there is no key to find them by.
        """
        value = value.strip()
        if not (value and column):
            raise UsageError("cannot erase nothing: the value is empty; give one")
        keys, unkeyed = _keys(settings)
        made = _pseudonyms(value, keys, settings)
        bare = [one for text, digits, one in made if digits >= TELLING_DIGITS and one in text]
        full = [text for text, _, _ in made]
        words = _words(value) if anywhere else ()
        return cls(
            column,
            tuple(dict.fromkeys((value, *full))),
            tuple(dict.fromkeys((*full, *bare))),
            words,
            tuple(key.name for key in keys),
            unkeyed,
            promoted.get(column, "" if column in COLUMNS else column),
        )

    def name(self, secret: bytes) -> str:
        """What stands for it where it must not be told: a keyed hash, in letters."""
        message = b"erase\0" + self.column.encode() + b"\0" + self.values[0].encode()
        return hmac.digest(secret, message, "sha256").hex()[:32].translate(_LETTERS)

    @property
    def narrow(self) -> bool:
        """Whether it is looked for in its column alone."""
        return not (self.needles or self.words)

    def rows(self, name: str, columns: Iterable[tuple[str, str]]) -> pl.Expr:
        """Which rows of a table hold it.

        Args:
            name: The table's full name.
            columns: Names and kinds of its columns.
        """
        known = dict(columns)
        equal = [pl.col(one).cast(pl.String).is_in(list(self.values)) for one in self._equal(name, known)]
        if name == LOGS.name and self.attribute and UNMAPPED in known:
            equal.append(pl.col(UNMAPPED).map.get(self.attribute).is_in(list(self.values)))
        if name == FOUND.name and UNMAPPED in known:  # what matched stands there, each value by itself
            own = pl.element().struct.field("value").is_in(list(self.values))
            equal.append(pl.col(UNMAPPED).cast(_PAIRS).list.eval(own).list.any())
        if self.narrow:
            return pl.any_horizontal(equal or [pl.lit(value=False)]).fill_null(value=False)
        texts = [self.within(pl.col(one)) for one, kind in known.items() if kind == "string"]
        texts += [
            pl.col(one).cast(_PAIRS).list.eval(self.within(pl.element().struct.field("value"))).list.any()
            for one, kind in known.items()
            if kind.startswith("map")
        ]
        return pl.any_horizontal([*equal, *texts]).fill_null(value=False)

    def named(self) -> Subject:
        """The same where only its plain value, as a word of any text, is looked for."""
        return replace(self, values=(), needles=(), words=_words(self.values[0]))

    def within(self, text: pl.Expr) -> pl.Expr:
        """Which texts hold it somewhere."""
        found = text.str.contains_any(list(self.needles)) if self.needles else pl.lit(value=False)
        if self.words:
            found |= text.str.contains(_word(self.words))
        return found

    def in_texts(self, texts: Sequence[str]) -> pl.Series:
        """Which of some texts hold it somewhere."""
        frame = pl.DataFrame({"text": pl.Series(texts, dtype=pl.String)})
        return frame.select(self.within(pl.col("text")).fill_null(value=False).alias("hit"))["hit"]

    def _equal(self, name: str, known: dict[str, str]) -> list[str]:
        """Columns of which the whole value tells it."""
        if name.startswith(f"{GOLD}."):
            return [one for one, kind in known.items() if kind == "string" and one != "collection"]
        wanted = [self.column]
        if name in (FOUND.name, CASES.name):
            wanted += ["actor", *(["source_ip"] if self.column == "client_address" else [])]
        return [one for one in dict.fromkeys(wanted) if known.get(one, "map") not in ("map", "map<string, string>")]


def _words(value: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys((value, quote(value, safe=""))))


def _word(values: Sequence[str]) -> str:
    inner = "|".join(re.escape(one) for one in values)
    return rf"(?:^|[^\p{{L}}\p{{N}}_])(?:{inner})(?:$|[^\p{{L}}\p{{N}}_])"


def _keys(settings: Settings) -> tuple[tuple[Key, ...], str]:
    """All keys, or why there are none."""
    try:
        return load_keys(settings.keys).keys, ""
    except RedactionError as error:
        load_policy(settings.policy, settings.plugins, keys=settings.keys)  # raises where it makes pseudonyms
        return (), str(error)


def _pseudonyms(value: str, keys: Iterable[Key], settings: Settings) -> list[tuple[str, int, str]]:
    """Every pseudonym of the value with its digits, and these alone: of every kind, key, and form that is known."""
    known = forms(settings.policy, settings.plugins)
    made = []
    for key in keys:
        for kind in known.kinds:
            for form, digits in dict.fromkeys(((known.form, known.digits), (PSEUDONYM, DIGITS))):
                bare = Pseudonyms(kind, key, "{digest}", digits).of(value)
                made.append((Pseudonyms(kind, key, form, digits).of(value), digits, bare))
    return made
