"""Finds what a plug-in folder holds: our own files, installed packages' and the user's, all by one path.

A thing's name is its file's stem. A user's file wins over a package's, a package's over ours.
"""

from __future__ import annotations

import sys
from functools import lru_cache
from importlib.metadata import entry_points
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from importlib.resources.abc import Traversable

USER_FOLDER = Path("~/.config/logshed")


def data_files(folder: str, suffix: str, extra: Iterable[Path] = ()) -> dict[str, Traversable]:
    """Every data file of a plug-in folder by its name.

    Args:
        folder: The plug-in folder, such as ``formats``.
        suffix: The files' ending, such as ``.toml``.
        extra: More roots to look in, each with the plug-in folder inside it (the ``plugins`` path of logshed.toml).

    Returns:
        Files by stem, sorted; later roots win: ours, installed packages', the user's, ``extra``.
    """
    found: dict[str, Traversable] = {}
    for root in _roots(folder, extra):
        for entry in root.iterdir():
            if entry.is_file() and entry.name.endswith(suffix) and not entry.name.startswith((".", "_")):
                found[entry.name.removesuffix(suffix)] = entry
    return dict(sorted(found.items()))


def _roots(folder: str, extra: Iterable[Path]) -> Iterator[Traversable]:
    yield files("logshed") / folder
    for name in _packages(folder, tuple(sys.path)):
        package = files(name)
        if package.is_dir():
            yield package
    for path in (USER_FOLDER.expanduser(), *extra):
        if (path / folder).is_dir():
            yield path / folder


@lru_cache(maxsize=64)
def _packages(folder: str, _: tuple[str, ...]) -> tuple[str, ...]:
    """What installed packages offer; a look at all of them takes longer than many a question, so once a path."""
    return tuple(one.value for one in entry_points(group=f"logshed.{folder}"))
