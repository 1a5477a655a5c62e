"""The pinned choice of formats for a source: envelopes to unwrap, then candidates in order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Choice:
    """Envelopes, outermost first, and candidate formats, most specific first.

    Its text form is ``docker_json/java,json``: ``/`` ends an envelope, ``,`` separates candidates. An envelope whose
    payload no candidate takes keeps the payload as the record's body, so ``docker_json/`` is a whole choice.
    """

    envelopes: tuple[str, ...] = ()
    formats: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the text form; unknown names are found when the choice is used."""
        *envelopes, formats = text.split("/")
        return cls(
            tuple(name.strip() for name in envelopes if name.strip()),
            tuple(name.strip() for name in formats.split(",") if name.strip()),
        )

    def __str__(self) -> str:
        return "".join(f"{name}/" for name in self.envelopes) + ",".join(self.formats)

    @property
    def names(self) -> tuple[str, ...]:
        """Every format that takes part, envelopes first."""
        return self.envelopes + self.formats
