"""Makes a tree of a search's text.

From loosest to tightest: OR, AND (also where two terms just stand beside each other), NOT or ``-``, brackets.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from logshed.search.lexer import tokens
from logshed.search.model import And, Everything, Mistake, Node, Not, Or, Word

if TYPE_CHECKING:
    from logshed.search.lexer import Token

MOST_TERMS, DEEPEST = 200, 40
"""Terms of a search, and brackets and NOTs inside each other: no engine's limit is near."""


def parse(text: str) -> Node:
    """The tree of a search.

    Raises:
        logshed.errors.QueryError: The text is wrong; the error points at the place.
    """
    try:
        return tree(text)
    except Mistake as mistake:
        raise mistake.told(text) from None


def tree(text: str) -> Node:
    """The same, raising what stands at which place.

    Raises:
        Mistake: The text is wrong.
    """
    found = list(tokens(text))
    if not found:
        return Everything()
    terms = [token for token in found if token.kind == "term"]
    if len(terms) > MOST_TERMS:
        odd = terms[MOST_TERMS]
        raise Mistake(f"there are more than {MOST_TERMS} terms", "use a list, or `logshed query`", odd.at, odd.end)
    parser = _Parser(found)
    node = parser.either(0)
    if (rest := parser.ahead) is not None:
        raise Mistake("no bracket is open here", "take it out, or quote it", rest.at, rest.end)
    return node


class _Parser:
    """Reads tokens by recursive descent."""

    def __init__(self, found: list[Token]) -> None:
        self._tokens = found
        self._place = 0

    @property
    def ahead(self) -> Token | None:
        """The next token."""
        return self._tokens[self._place] if self._place < len(self._tokens) else None

    def _take(self) -> Token:
        self._place += 1
        return self._tokens[self._place - 1]

    def _next_is(self, *kinds: str) -> bool:
        return self.ahead is not None and self.ahead.kind in kinds

    def either(self, depth: int) -> Node:
        """Terms with OR between them."""
        parts = [self._all(depth)]
        while self._next_is("OR"):
            self._take()
            parts.append(self._all(depth))
        return _flat(Or, parts)

    def _all(self, depth: int) -> Node:
        parts = [self._one(depth)]
        while self._next_is("AND", "NOT", "(", "term"):
            if self._next_is("AND"):
                self._take()
            parts.append(self._one(depth))
        return _flat(And, parts)

    def _one(self, depth: int) -> Node:
        token = self.ahead
        if token is None or token.kind in {"AND", "OR", ")"}:
            raise self._missing(token)
        if depth >= DEEPEST:
            raise Mistake("brackets and NOTs are nested too deep", "write it flatter", token.at, token.end)
        self._take()
        if token.kind == "NOT":
            return Not(self._one(depth + 1))
        if token.term is not None:
            return _term(token.term)
        inner = self.either(depth + 1)
        if not self._next_is(")"):
            raise Mistake("this bracket is not closed", "close it with ), or quote it", token.at, token.end)
        self._take()
        return inner

    def _missing(self, token: Token | None) -> Mistake:
        if token is None or (token.kind == ")" and self._place):
            last = self._tokens[self._place - 1]
            return Mistake("nothing stands behind this", "write a term behind it, or quote it", last.at, last.end)
        return Mistake("no term stands before this", "write one before it, or quote it", token.at, token.end)


def _term(term: Node) -> Node:
    if isinstance(term, Word) and not term.regex and not term.value.quoted and set(term.value.text) == {"*"}:
        return Everything()
    return term


def _flat(kind: type[And | Or], parts: list[Node]) -> Node:
    flat: list[Node] = []
    for part in parts:
        flat.extend(part.parts if isinstance(part, And | Or) and type(part) is kind else [part])
    return flat[0] if len(flat) == 1 else kind(tuple(flat))
