"""Finds every format: ours, installed packages', the user's own."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from logshed.errors import FormatError
from logshed.formats.model import Format, read_format
from logshed.plugins import data_files

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from logshed.formats.choice import Choice


def load(extra: Iterable[Path] = ()) -> Mapping[str, Format]:
    """All formats by name, aliases left out; read once per set of extra roots.

    Raises:
        FormatError: A file is wrong.
    """
    return _load(tuple(extra))


@lru_cache(maxsize=8)
def _load(extra: tuple[Path, ...]) -> dict[str, Format]:
    return {name: read_format(name, file) for name, file in data_files("formats", ".toml", extra).items()}


def find(name: str, formats: Mapping[str, Format]) -> Format:
    """The format of this name or alias.

    Raises:
        FormatError: There is none; the text names the nearest.
    """
    if name in formats:
        return formats[name]
    for candidate in formats.values():
        if name in candidate.aliases:
            return candidate
    import difflib  # noqa: PLC0415 - only for the error

    known = [*formats, *(alias for one in formats.values() for alias in one.aliases)]
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean `{near[0]}`?" if near else "`logshed formats list` shows all"
    raise FormatError(f"cannot use format {name}: there is none of that name; {hint}")


def check(choice: Choice, formats: Mapping[str, Format] | None = None) -> Choice:
    """The same choice with aliases resolved.

    Raises:
        FormatError: A name is unknown, or an envelope is none.
    """
    table = load() if formats is None else formats
    envelopes = [find(name, table) for name in choice.envelopes]
    for one in envelopes:
        if one.envelope is None:
            raise FormatError(f"cannot unwrap {one.name}: it is no envelope; put it behind the last `/`")
    return type(choice)(tuple(one.name for one in envelopes), tuple(find(name, table).name for name in choice.formats))
