"""Takes typed values out of the data files of rules and policies; a wrong one is named with its file and key."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING, Any, TypeVar, cast, get_args

import polars as pl

from logshed.errors import RedactionError
from logshed.redaction.model import Action

if TYPE_CHECKING:
    from collections.abc import Iterable
    from importlib.resources.abc import Traversable
    from pathlib import Path

T = TypeVar("T")

_KIND = re.compile(r"[a-z][a-z0-9_]*")
_TAG = re.compile(r"[A-Z][A-Z0-9_]*")


class Table:
    """Takes typed values out of a data file and names the file and the key of a wrong one.

    Args:
        values: What the file says.
        what: The file, for errors.
        prefix: The table inside it, for errors.
        trusted: Whether it is one of ours, whose expressions our tests have compiled.
    """

    def __init__(self, values: dict[str, Any], what: str, prefix: str = "", *, trusted: bool = False) -> None:
        self._values = dict(values)
        self._what = what
        self._prefix = prefix
        self._trusted = trusted

    def take(self, key: str, kind: type[T], default: T | None = None) -> T:
        """The value of a key, which is known from now on."""
        value = self._values.pop(key, default)
        if value is None:
            raise self.error(key, "it is missing", "add it")
        if not isinstance(value, kind):
            raise self.error(key, f"it is a {type(value).__name__}, not a {kind.__name__}", "correct it")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts."""
        values = self.take(key, list, [])
        if not all(isinstance(value, str) and value for value in values):
            raise self.error(key, "it must be a list of texts that are not empty", "correct it")
        return tuple(values)

    def regex(self, key: str, value: str) -> str:
        """An expression; tried out unless it is one of ours: trying those takes a tenth of a second of each start."""
        if self._trusted:
            return value
        try:
            pl.Series([""]).str.contains(value)
        except pl.exceptions.ComputeError as error:
            raise self.error(key, f"'{value}' is no regular expression ({_first_line(error)})", "correct it") from error
        return value

    def one_of(self, key: str, value: str, allowed: Iterable[str]) -> str:
        """A value that must be one of some."""
        if value not in allowed:
            raise self.error(key, f"'{value}' is unknown", f"use one of {', '.join(allowed)}")
        return value

    def tag(self, key: str, value: str) -> str:
        """A tag's text."""
        if not _TAG.fullmatch(value):
            raise self.error(key, f"'{value}' is no tag", "use capitals, digits and _, such as EMAIL")
        return value

    def kind(self, key: str, value: str) -> str:
        """What pseudonyms are of."""
        if not _KIND.fullmatch(value):
            raise self.error(key, f"'{value}' is no kind of pseudonym", "use small letters and _, such as user")
        return value

    def number(self, key: str, default: int, least: int, most: int) -> int:
        """A whole number between two."""
        value = self.take(key, int, default)
        if isinstance(value, bool) or not least <= value <= most:
            raise self.error(key, f"{value} is not between {least} and {most}", "correct it")
        return value

    def table(self, key: str) -> Table:
        """A table inside this one."""
        return Table(self.take(key, dict, {}), self._what, f"{self._prefix}{key}.", trusted=self._trusted)

    def tables(self, key: str) -> list[Table]:
        """A list of tables inside this one."""
        values = self.take(key, list, [])
        if not all(isinstance(value, dict) for value in values):
            raise self.error(key, "it must be a list of tables", f"write [[{key}]]")
        places = (f"{self._prefix}{key} {number}." for number in range(1, len(values) + 1))
        return [
            Table(value, self._what, place, trusted=self._trusted) for value, place in zip(values, places, strict=True)
        ]

    def actions(self, key: str, known: Iterable[str]) -> dict[str, Action]:
        """A table of names to actions."""
        actions = self.take(key, dict, {})
        for name, action in actions.items():
            self.one_of(key, name, known)
            self.one_of(f"{key}.{name}", str(action), get_args(Action))
        return cast("dict[str, Action]", actions)

    def finish(self) -> None:
        """Refuse keys that nothing asked for."""
        for key in self._values:
            raise self.error(key, "no such key is known", "remove it")

    def error(self, key: str, cause: str, remedy: str) -> RedactionError:
        """What is wrong with a key, to be raised."""
        return RedactionError(f"cannot load {self._what}: {self._prefix}{key}: {cause}; {remedy}")


def read_table(what: str, file: Traversable | Path, *, trusted: bool = False) -> Table:
    """A data file's table.

    Args:
        what: What the file is of, for errors.
        file: The file.
        trusted: Whether it is one of ours, whose expressions our tests have compiled.

    Raises:
        RedactionError: It cannot be read or is no TOML.
    """
    try:
        return Table(tomllib.loads(file.read_text(encoding="utf-8")), f"{what} {file}", trusted=trusted)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RedactionError(f"cannot load {what} {file}: {error}; correct the file") from error
    except OSError as error:
        raise RedactionError(f"cannot load {what} {file}: {error.strerror}; give a file that can be read") from error


def _first_line(error: Exception) -> str:
    return next((line for line in reversed(str(error).splitlines()) if line.strip()), "")
