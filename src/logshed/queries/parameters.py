"""The values that the asker of a question may choose."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

from logshed.errors import UsageError
from logshed.networks import pattern
from logshed.queries.header import wrong

if TYPE_CHECKING:
    from collections.abc import Mapping

ParameterKind = Literal["integer", "number", "string", "boolean", "addresses"]
"""Addresses are one or several, networks too; the statement sees the regular expression that they match."""

SCOPE = ("since", "until", "collection", "before")
"""Parameters that every question has."""

_KEYS = {"kind", "default", "meaning"}


@dataclass(frozen=True, slots=True)
class Parameter:
    """A value that the asker may choose.

    Attributes:
        kind: Its type.
        default: Its value where none is given; None means any.
        meaning: One line that says what it does.
    """

    kind: ParameterKind
    default: object
    meaning: str

    def read(self, name: str, value: object) -> object:
        """A given value, text from a command line too, in the parameter's type.

        Raises:
            logshed.errors.UsageError: It is not of that type.
        """
        try:
            return _READERS[self.kind](value)
        except (TypeError, ValueError, KeyError) as error:
            advice = "give one" if self.kind != "addresses" else "give addresses or networks such as 10.0.0.0/8"
            raise UsageError(f"cannot set {name} to {value!r}: it is no {self.kind}; {advice}") from error


def read(what: str, header: Mapping[str, Any]) -> dict[str, Parameter]:
    """The parameters that a header declares, by name.

    Raises:
        logshed.errors.QueryError: One is wrong.
    """
    return {key: _parameter(what, key, value) for key, value in header.get("parameters", {}).items()}


def _parameter(what: str, key: str, value: object) -> Parameter:
    if key in SCOPE or not isinstance(value, dict) or not {"kind", "meaning"} <= set(value) <= _KEYS:
        raise wrong(what, f"parameters.{key} is wrong", f"give it kind, default and meaning; {SCOPE} are given")
    if value["kind"] not in get_args(ParameterKind):
        raise wrong(what, f"parameters.{key}.kind is {value['kind']!r}", f"take {get_args(ParameterKind)}")
    return Parameter(value["kind"], value.get("default"), str(value["meaning"]))


def _boolean(value: object) -> bool:
    return value if isinstance(value, bool) else {"true": True, "false": False}[str(value).lower()]


def _string(value: object) -> str:
    if isinstance(value, list | tuple):
        raise TypeError
    return str(value)


def _addresses(value: object) -> str:
    given = value if isinstance(value, list | tuple) else str(value).split(",")
    return pattern(str(one) for one in given)


_READERS: dict[str, Any] = {
    "integer": int,
    "number": float,
    "string": _string,
    "boolean": _boolean,
    "addresses": _addresses,
}
