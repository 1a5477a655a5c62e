"""The options that choose what runs the work of a command; a command takes them as one parameter ``run_by``."""

from __future__ import annotations

import inspect
from enum import StrEnum
from typing import Annotated, Any, Final

import typer

PARAMETER: Final = "run_by"
"""The parameter of a command's function that stands for all of them: their values by the keys of ``[engine]``."""

EngineOptions = dict[str, Any]


class EngineName(StrEnum):
    """What runs the work."""

    LOCAL = "local"
    RAY = "ray"
    SPARK = "spark"


_KEYS = {"engine": "name"}
"""Keys of ``[engine]`` by options that are called otherwise."""
_OPTIONS: dict[str, Any] = {
    "engine": Annotated[
        EngineName | None,
        typer.Option(help="What runs the work; threads of this process unless set.", show_default=False),
    ],
    "address": Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="The cluster: auto, host:6379 (Ray), spark://host:7077; one is begun here unless set.",
            show_default=False,
        ),
    ],
    "num_cpus": Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Processors to use; all unless set.", show_default=False)
    ],
    "task_cpus": Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Processors that a task takes.", show_default=False)
    ],
    "task_memory": Annotated[
        str | None, typer.Option(metavar="SIZE", help="Memory that a task takes, such as 2GB.", show_default=False)
    ],
}


def spread(signature: inspect.Signature) -> inspect.Signature:
    """A function's signature with the options in place of the one parameter."""
    if PARAMETER not in signature.parameters:
        return signature
    own = [one for name, one in signature.parameters.items() if name != PARAMETER]
    given = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=kind)
        for name, kind in _OPTIONS.items()
    ]
    return signature.replace(parameters=[*own, *given])


def gathered(signature: inspect.Signature, options: dict[str, Any]) -> dict[str, Any]:
    """What a function of that signature is called with: the options that are given as one parameter."""
    if PARAMETER not in signature.parameters:
        return options
    given = {_KEYS.get(name, name): options.pop(name) for name in _OPTIONS}
    return options | {PARAMETER: {name: value for name, value in given.items() if value is not None}}
