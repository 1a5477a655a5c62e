"""Redacts the names of things, such as paths of files: what stands for a name is clean, distinct and always the same.

A name is what a ledger knows a file by, so two names must not become one: before the part of a path in which something
was replaced stands a mark, which is a keyed digest of what was replaced. Without the key nobody can try out whether it
is that of somebody's address; a plain hash of an address or a card number is found by trying all of them.
"""

from __future__ import annotations

import hmac
import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl

from logshed.redaction.kept import redactor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from logshed.redaction.model import Policy

PATH_ATTRIBUTE = "log.file.path"
MOST_KNOWN = 100_000
"""Names that are kept in mind: senders choose those of their streams."""
MARK_LETTERS = 12
"""48 bits: of a million names that differ in nothing else, two have one mark once in five hundred lakes."""
_LETTERS = str.maketrans("0123456789abcdef", "abcdefghijklmnop")
"""Letters only: digits could be taken for a number of something."""
_SCHEME = re.compile("^[a-z]+:")
_TURNS = 4
_ENDINGS = re.compile(
    r"(?:[.](?:log|txt|out|err|jsonl?|ndjson|csv|tsv|gz|bz2|xz|zst|old|bak|parquet)|[.\-_][0-9]{1,4}"
    r"|[.\-_](?:19|20)[0-9]{2}-?[01][0-9](?:-?[0-3][0-9])?)+$"
)
"""What the names of logs end in: ``ada@example.com.log`` is no address, and yet holds one."""


def of_everything(policy: Policy) -> Policy:
    """What a policy or any of its overrides forbids: a name rests in places that belong to no collection."""
    every = (policy, *(override.policy for override in policy.overrides))
    rules = {rule.name: rule for one in every for rule in one.rules}
    treatments = {name: one for each in reversed(every) for name, one in each.treatments.items()}
    ordered = tuple(sorted(rules.values(), key=lambda rule: (rule.order, rule.name)))
    return replace(policy, rules=ordered, treatments=treatments, columns={}, overrides=())


def stems(names: pl.Series) -> pl.Series:
    """Names without what the names of logs end in, which hides an address from the rule that looks for one."""
    return names.str.replace(_ENDINGS.pattern, "")


class Names:
    """Turns names into those that may rest; one that holds nothing forbidden stays as it is.

    Args:
        policy: The policy; what its overrides forbid is forbidden in names too.
        secret: Gives the key of the marks; asked only where a name needs one.
    """

    def __init__(self, policy: Policy, secret: Callable[[], bytes]) -> None:
        self._redactor = redactor(of_everything(policy))
        self._secret = secret
        self._known: dict[str, str] = {}

    def recorded(self, names: Iterable[str]) -> dict[str, str]:
        """What stands for each of some names.

        Args:
            names: Names of sources, ``file:/var/log/app.log``, or paths.

        Returns:
            By name what may rest instead: the same for the same name, another for another, and itself for itself.
        """
        wanted = list(dict.fromkeys(names))
        if len(self._known) + len(wanted) > MOST_KNOWN:
            self._known.clear()
        new = [name for name in wanted if name not in self._known]
        clean = self._settled([_utf8(name) for name in new])
        changed = [(name, text) for name, text in zip(new, clean, strict=True) if name != text]
        marked = [self._marked(name, text) for name, text in changed]
        stable = self._settled(marked)
        self._known.update((name, name) for name in new)
        for (name, _), found, again in zip(changed, marked, stable, strict=True):
            self._known[name] = found if found == again else self._opaque(name)
        return {name: self._known[name] for name in wanted}

    def texts(self, texts: Sequence[str]) -> list[str]:
        """Texts that speak of names, redacted: nothing tells two of them apart."""
        if not texts:
            return []
        given = pl.Series([_utf8(text) for text in texts], dtype=pl.String)
        return self._redactor.redact(given).text.to_list()

    def _marked(self, name: str, clean: str) -> str:
        """What was redacted of a name, with a mark before the part of the path in which something was replaced."""
        before = name[: _alike(name, clean)]
        end = _alike(name[len(before) :][::-1], clean[len(before) :][::-1])
        # That this tells names apart: equal results have equal marks, so the same was replaced at the same place.
        removed, put = name[len(before) : len(name) - end], clean[len(before) : len(clean) - end]
        mark = self._mark(str(len(before)), removed, put)
        scheme = _SCHEME.match(clean)
        at = before.rfind("/") + 1 or (scheme.end() if scheme else 0)
        return f"{clean[:at]}{mark}~{clean[at:]}"

    def _opaque(self, name: str) -> str:
        """What stands for a name of which a part with a mark would be taken for something forbidden."""
        scheme = _SCHEME.match(name)
        return f"{scheme[0] if scheme else ''}/[REDACTED]/{self._mark('', name, '')}"

    def _mark(self, *parts: str) -> str:
        message = b"name\0" + b"\0".join(part.encode("utf-8", "surrogatepass") for part in parts)
        return hmac.digest(self._secret(), message, "sha256").hex()[:MARK_LETTERS].translate(_LETTERS)

    def _settled(self, names: list[str]) -> list[str]:
        """The names without what is forbidden in any of the forms in which they rest."""
        if not names or not self._redactor.policy.rules or self._clean(names):
            return names
        for _ in range(_TURNS):
            before = names
            for write, read in _FORMS:
                written = pl.Series([write(name) for name in names], dtype=pl.String)
                redacted = self._redactor.redact(written).text
                changed = (redacted != written).arg_true().to_list()
                names = list(names)
                for row in changed:
                    names[row] = read(names[row], str(redacted[row]))
            if names == before:
                break
        return names

    def _clean(self, names: list[str]) -> bool:
        """Whether none of the forms holds anything forbidden, which is asked of all at once."""
        written = pl.Series([write(name) for write, _ in _FORMS for name in names], dtype=pl.String)
        return bool((self._redactor.redact(written).text == written).all())


def _alike(left: str, right: str) -> int:
    """How many characters two texts begin with together."""
    pairs = enumerate(zip(left, right, strict=False))
    return next((place for place, (one, other) in pairs if one != other), min(len(left), len(right)))


def _utf8(name: str) -> str:
    r"""A name with bytes that are no UTF-8 written as ``\udcff``: no table holds them otherwise."""
    return name.encode("utf-8", "backslashreplace").decode("utf-8")


def _path(name: str) -> str:
    return _SCHEME.sub("", name, count=1)


def _with_path(name: str, path: str) -> str:
    scheme = _SCHEME.match(name)
    return f"{scheme[0]}{path}" if scheme else path


def _json(name: str) -> str:
    return json.dumps({PATH_ATTRIBUTE: _path(name)})


def _with_json(name: str, text: str) -> str:
    try:
        return _with_path(name, str(json.loads(text)[PATH_ATTRIBUTE]))
    except (ValueError, KeyError, TypeError):  # what was replaced went beyond the path
        return _with_path(name, "/[REDACTED]")


def _stem(name: str) -> str:
    return _ENDINGS.sub("", name)


def _with_stem(name: str, stem: str) -> str:
    ending = _ENDINGS.search(name)
    return f"{stem}{ending[0] if ending else ''}"


_FORMS: tuple[tuple[Callable[[str], str], Callable[[str, str], str]], ...] = (
    (_stem, _with_stem),
    (str, lambda _, text: text),
    (_path, _with_path),
    (_json, _with_json),
)
"""How a name is written where it rests, and the name that a redacted writing says."""
