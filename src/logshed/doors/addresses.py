"""Which receiver answers at an address: all that are found, those of fixed addresses before those of any."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from starlette.routing import compile_path

from logshed import plugins, receivers
from logshed.errors import DoorError

if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Iterable, Mapping
    from importlib.resources.abc import Traversable

    from logshed.receivers.model import Request, Route

FOLDER = "receivers"
_OURS = Path(next(iter(receivers.__path__)))


@dataclass(frozen=True, slots=True)
class Receiver:
    """A protocol that is spoken over HTTP.

    Attributes:
        name: Of the protocol.
        routes: Its addresses.
        check: Refuses a request that is not signed by a secret, which stands in for a token; None where a protocol
            has no signatures.
    """

    name: str
    routes: tuple[Route, ...]
    check: Callable[[Request, str], None] | None = None


class Place(NamedTuple):
    """What is at an address for a method.

    Attributes:
        receiver: The protocol.
        route: What it does.
        name: The last part of the address where it is any name, such as that of a webhook; else empty.
    """

    receiver: Receiver
    route: Route
    name: str = ""


def found(extra: Iterable[Path] = ()) -> tuple[Receiver, ...]:
    """All receivers that speak HTTP: modules with ``NAME`` and ``ROUTES``, ours, installed packages' and the user's.

    Args:
        extra: More folders to look in, as ``plugins.data_files`` has them.

    Raises:
        DoorError: One of them cannot be loaded.
    """
    some = (_loaded(name, file) for name, file in plugins.data_files(FOLDER, ".py", extra).items())
    return tuple(
        Receiver(one.NAME, tuple(one.ROUTES), getattr(one, "check", None)) for one in some if hasattr(one, "ROUTES")
    )


def _loaded(name: str, file: Traversable) -> Any:
    path = Path(str(file))
    if path.parent == _OURS:
        return import_module(f"{receivers.__name__}.{name}")
    named = f"logshed_plugins.{FOLDER}.{name}"
    spec = spec_from_file_location(named, path)
    if spec is None or spec.loader is None:
        raise DoorError(f"cannot load the receiver {path}: it is no module; correct or remove it")
    module = sys.modules[named] = module_from_spec(spec)  # data classes look for their module there
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # a stranger's file may fail in any way
        raise DoorError(
            f"cannot load the receiver {path}: it fails with {type(error).__name__}; correct or remove it"
        ) from error
    return module


class Addresses:
    """The addresses of some receivers.

    Args:
        some: The receivers.
    """

    def __init__(self, some: Iterable[Receiver]) -> None:
        self._fixed: dict[str, dict[str, Place]] = {}
        named: dict[str, dict[str, Place]] = {}
        for receiver in some:
            for route in receiver.routes:
                into = (named if "{" in route.path else self._fixed).setdefault(route.path, {})
                for method in route.methods:
                    into.setdefault(method, Place(receiver, route))
        self._named: list[tuple[re.Pattern[str], Mapping[str, Place]]] = [
            (compile_path(path)[0], named[path]) for path in sorted(named, key=_how_open)
        ]

    def fixed(self, path: str) -> Mapping[str, Place] | None:
        """What is at a fixed address, by method; None where there is none."""
        return self._fixed.get(path)

    def named(self, path: str, method: str) -> Place | None:
        """What is at an address of which some parts may be any name, for a method; None where nothing is."""
        for pattern, places in self._named:
            place = places.get(method)
            if place is not None and (match := pattern.match(path)):
                return place._replace(name=match[match.lastindex or 0])
        return None

    def methods(self, path: str) -> tuple[str, ...]:
        """The methods that an address has; none where there is no such address."""
        some = set(self._fixed.get(path, ()))
        for pattern, places in self._named:
            if pattern.match(path):
                some.update(places)
        return tuple(sorted(some))


def _how_open(path: str) -> tuple[bool, ...]:
    """Sorts ``/v1/raw/{collection}`` before ``/{index}/_doc``: what is more exact from the left is asked first."""
    return tuple(part.startswith("{") for part in path.split("/"))
