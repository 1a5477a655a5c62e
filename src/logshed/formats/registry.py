"""Finds every format: ours, installed packages', the user's own."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING

from logshed.errors import FormatError
from logshed.formats import adhoc, headers
from logshed.formats.reader import read_format
from logshed.plugins import data_files

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from logshed.formats.choice import Choice
    from logshed.formats.model import Format


def load(extra: Iterable[Path] = (), *, samples: bool = False) -> Mapping[str, Format]:
    """All formats by name, aliases left out; read once per set of extra roots.

    Args:
        extra: More roots, as ``plugins.data_files`` takes them.
        samples: Whether our own come with their samples, which are half of what there is to read.

    Raises:
        FormatError: A file is wrong.
    """
    return _load(tuple(extra), samples)


@lru_cache(maxsize=8)
def _load(extra: tuple[Path, ...], samples: bool) -> dict[str, Format]:
    ours = str(files("logshed") / "formats")
    return {
        name: read_format(name, file, trusted=str(file).startswith(ours), samples=samples)
        for name, file in data_files("formats", ".toml", extra).items()
    }


def find(name: str, formats: Mapping[str, Format]) -> Format:
    """The format of this name or alias.

    Raises:
        FormatError: There is none; the text names the nearest.
    """
    if name in formats:
        return formats[name]
    if ":" in name:
        return _defined(name, formats)
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
    return type(choice)(
        tuple(one.spelling for one in envelopes), tuple(find(name, table).spelling for name in choice.formats)
    )


def _defined(name: str, formats: Mapping[str, Format]) -> Format:
    """A format whose definition is in its name: the user's own, or one of ours with a file's header."""
    kind, _, text = name.partition(":")
    if kind in adhoc.KINDS:
        return adhoc.pinned(name)
    return _bound(find(kind, formats), text)


@lru_cache(maxsize=256)
def _bound(form: Format, text: str) -> Format:
    bound = headers.bound(form, text) if form.has_header else None
    if bound is None:
        raise FormatError(f"cannot use format {form.name}:{text}: that is no header of {form.name}; name {form.name}")
    return bound
