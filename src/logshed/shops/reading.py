"""Finds the kinds of shops: ours, installed packages' and the user's; refuses a file that is wrong."""

from __future__ import annotations

import tomllib
from functools import lru_cache
from typing import TYPE_CHECKING

from logshed.errors import QueryError
from logshed.plugins import data_files

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from logshed.shops.model import Shop

ANY = "any"
"""Stands for all shops that have a rank: each record is taken by the first that knows it."""


def load(extra: Iterable[Path] = ()) -> Mapping[str, Shop]:
    """Every kind of shop by name.

    Args:
        extra: More roots to look in (the ``plugins`` path of logshed.toml).

    Raises:
        QueryError: A file is wrong, or two shops with a rank give a step two places.
    """
    return _load(tuple(extra))


@lru_cache(maxsize=4)
def _load(extra: tuple[Path, ...]) -> Mapping[str, Shop]:
    shops = {
        name: parse(name, file.read_text(encoding="utf-8"))
        for name, file in data_files("shops", ".toml", extra).items()
    }
    known: dict[str, tuple[int, bool]] = {}
    for shop in shops.values():
        for step, place in shop.places.items() if shop.rank is not None else ():
            if known.setdefault(step, place) != place:
                raise QueryError(
                    f"cannot load the shop {shop.name}: its step {step} has another place than in another shop; "
                    "give it the same, or take out its rank"
                )
    return shops


def parse(name: str, text: str) -> Shop:
    """A kind of shop from its file's text.

    Raises:
        QueryError: The file is wrong; the text names the key.
    """
    from pydantic import ValidationError  # noqa: PLC0415 - heavy, and few questions are of shops

    from logshed.shops.model import Shop  # noqa: PLC0415 - as above

    if name == ANY:
        raise QueryError(f"cannot load the shop {name}: the name stands for all shops; give the file another")
    try:
        return Shop.model_validate({"name": name, **tomllib.loads(text)})
    except tomllib.TOMLDecodeError as error:
        raise QueryError(f"cannot load the shop {name}: it is no TOML ({error}); mend it") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise QueryError(
            f"cannot load the shop {name}: {where}: {first['msg']}; docs/commerce.md has the keys"
        ) from error
