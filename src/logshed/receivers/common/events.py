"""An event of the forward protocol as the line of a structured record.

What says where an event came from (the container, its pod, its stream) goes to OpenTelemetry's names. Where one text
is all that is left, as of a container's line, it is the body, and formats look into it; else the rest is the body as
JSON, and is read as a line of JSON in a file is.
"""

from __future__ import annotations

import struct
from math import isfinite
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import msgpack
import orjson

from logshed.receivers.model import DEEPEST

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_TEXTS = frozenset({"log", "message", "MESSAGE"})
_STREAMS = ("stdout", "stderr")
_CONTAINER = {"container_id": "container.id", "container_name": "container.name"}
_KUBERNETES = {
    "container_image": "container.image.name", "container_name": "container.name", "docker_id": "container.id",
    "host": "k8s.node.name", "namespace_name": "k8s.namespace.name", "pod_id": "k8s.pod.uid",
    "pod_ip": "k8s.pod.ip", "pod_name": "k8s.pod.name",
}  # fmt: skip
_KUBERNETES_MAPS = {"labels": "k8s.pod.label.", "annotations": "k8s.pod.annotation."}
_BESIDE = frozenset({"logtag", "partial_id", "partial_last", "partial_message", "partial_ordinal"})
"""Keys that container runtimes put beside their text."""
_PLACES = frozenset({*_CONTAINER, *_BESIDE, "stream", "source", "kubernetes", "docker"})
_EVENT_TIME = struct.Struct(">II")
_LONGEST_KEY = 4096
_SECOND, _LARGEST_INT = 10**9, 2**63
_GROUP_MARKS = (2**32 - 1, 2**32 - 2)
"""Seconds, -1 and -2, by which Fluent Bit marks where a group of events begins and ends."""


class Ext(NamedTuple):
    """A value of a kind of its own."""

    code: int
    data: bytes


class EventTime(NamedTuple):
    """A moment as the protocol writes it, in nanoseconds since 1970."""

    nanoseconds: int


def ext(code: int, data: bytes) -> EventTime | Ext:
    """A value of a kind of its own, of which the protocol knows one."""
    if code == 0 and len(data) == _EVENT_TIME.size:
        seconds, rest = _EVENT_TIME.unpack(data)
        if rest < _SECOND:
            return EventTime(seconds * _SECOND + rest)
    return Ext(code, data)


def pairs(found: list[tuple[Any, Any]]) -> dict[Any, Any]:
    """A map in which nothing is lost: of a key that comes again the last is kept, those before are numbered."""
    try:
        made = dict(found)
    except TypeError:  # keys that are lists or maps
        return pairs([(_key(key), value) for key, value in found])
    if len(made) == len(found):
        return made
    numbers: dict[Any, int] = {}
    made = {}
    for key, value in found:
        if key in made:
            number = numbers.get(key, 0) + 1
            while (again := f"{_key(key)}.{number}") in made:
                number += 1
            numbers[key] = number
            made[again] = made[key]
        made[key] = value
    return made


def octets(value: Any) -> bytes:
    """The bytes of a text that came as one or as bytes; others have none."""
    if isinstance(value, str):
        return value.encode("utf-8", "surrogateescape")
    return value if isinstance(value, bytes) else b""


def text(value: Any) -> str:
    """The text of such a value, where bytes that are none are spelt."""
    return octets(value).decode("utf-8", "backslashreplace")


def packed(value: Any) -> bytes:
    """A value as it came."""
    return bytes(msgpack.packb(value, default=_repacked, strict_types=True, unicode_errors="surrogateescape"))


class Beside(NamedTuple):
    """What the line of an event tells beside it.

    Attributes:
        tag: Of its message.
        observed: When it came, in nanoseconds.
        group: What Fluent Bit says of all events of its group.
    """

    tag: str
    observed: int
    group: Mapping[str, Any] = MappingProxyType({})


def group(time: Any, record: Any, metadata: Any) -> Mapping[str, Any] | None:
    """What holds for the events that follow, where this one is Fluent Bit's mark of a group; else None."""
    if type(time) is not EventTime or time.nanoseconds // _SECOND not in _GROUP_MARKS:
        return None
    if time.nanoseconds // _SECOND == _GROUP_MARKS[1]:
        return {}
    return {name: value for name, value in (("record", record), ("metadata", metadata)) if value}


def line(time: Any, record: Any, metadata: Any, beside: Beside) -> bytes:
    """An event's line.

    Args:
        time: Seconds or EventTime.
        record: The event.
        metadata: What Fluent Bit knows of it.
        beside: What else the line tells.

    Raises:
        ValueError: It is no map, or too deep.
    """
    if not isinstance(record, dict):
        raise ValueError("a record that is no map")  # noqa: TRY004 - of what came, not of a call
    _measure([record, metadata, beside.group], DEEPEST + 1)
    try:
        return _line(time, record, metadata, beside)
    except TypeError:  # a text that is no UTF-8, or a key that is no text
        return _line(_plain(time), _plain(record), _plain(metadata), beside._replace(group=_plain(beside.group)))


def _line(time: Any, record: Mapping[str, Any], metadata: Any, beside: Beside) -> bytes:
    resource: dict[str, Any] = {}
    attributes: dict[str, Any] = {"fluent.tag": beside.tag}
    rest = {
        key: value
        for key, value in record.items()
        if key not in _PLACES or not _placed(key, value, resource, attributes)
    }
    made: dict[str, Any] = {"observed_time_unix_nano": beside.observed}
    if moment := _nanoseconds(time):
        made["time_unix_nano"] = moment
    elif time:
        attributes["fluent.time"] = _dumped(time)
    made["body"] = _body(rest)
    if metadata:
        attributes["fluent.metadata"] = _dumped(metadata)
    if beside.group:
        attributes["fluent.group"] = _dumped(beside.group)
    if resource:
        made["resource"] = resource
    made["attributes"] = attributes
    return orjson.dumps(made, default=_shown, option=orjson.OPT_PASSTHROUGH_SUBCLASS)


def _body(rest: Mapping[str, Any]) -> str:
    if len(rest) == 1:
        [(key, value)] = rest.items()
        if key in _TEXTS and isinstance(value, str | bytes):
            said = value if isinstance(value, str) else text(value)
            return said.removesuffix("\n")
    return _dumped(rest)


def _placed(key: str, value: Any, resource: dict[str, Any], attributes: dict[str, Any]) -> bool:
    """Put a value that says where an event came from where it belongs; others stay."""
    if key in _CONTAINER and isinstance(value, str):
        _put(resource, _CONTAINER[key], value, key)
    elif key in ("stream", "source") and value in _STREAMS:
        attributes["log.iostream"] = value
    elif key in _BESIDE:
        attributes[key] = _flat(value)
    elif key == "kubernetes" and isinstance(value, dict):
        _of_kubernetes(value, resource)
    elif key == "docker" and isinstance(value, dict) and value.keys() == {"container_id"}:
        _put(resource, "container.id", _flat(value["container_id"]), "docker.container_id")
    else:
        return False
    return True


def _of_kubernetes(value: Mapping[str, Any], resource: dict[str, Any]) -> None:
    """Names are put together by +, which fails on what is no text as JSON does."""
    for name, one in value.items():
        if isinstance(one, dict) and name in _KUBERNETES_MAPS:
            prefix = _KUBERNETES_MAPS[name]
            for label, each in one.items():
                resource[prefix + label] = _flat(each)
        else:
            known = _KUBERNETES.get(name)
            flat = _dumped(one) if isinstance(one, dict | list) else one
            if known is None or resource.setdefault(known, flat) != flat:
                resource["kubernetes." + name] = flat


def _put(resource: dict[str, Any], name: str, value: Any, own: str) -> None:
    """Name a value by OpenTelemetry's name, or by its own where another has that."""
    if resource.setdefault(name, value) != value:
        resource[own] = value


def _nanoseconds(time: Any) -> int:
    """A time in nanoseconds since 1970; 0 where it is none."""
    found = 0
    if type(time) is EventTime:
        found = time.nanoseconds
    elif isinstance(time, msgpack.Timestamp):
        found = time.to_unix_nano()
    elif type(time) is int:
        found = time * _SECOND
    elif isinstance(time, float) and isfinite(time * _SECOND):
        found = round(time * _SECOND)
    return found if 0 < found < _LARGEST_INT else 0


def _flat(value: Any) -> Any:
    return _dumped(value) if isinstance(value, dict | list) else value


def _dumped(value: Any) -> str:
    return orjson.dumps(value, default=_shown, option=orjson.OPT_PASSTHROUGH_SUBCLASS).decode()


def _shown(value: Any) -> Any:
    """What JSON has no word for."""
    if isinstance(value, bytes):
        return text(value)
    if isinstance(value, EventTime):
        return value.nanoseconds
    if isinstance(value, msgpack.Timestamp):
        return value.to_unix_nano()
    if isinstance(value, Ext):
        return f"{value.code}:{value.data.hex()}"
    raise TypeError


def _repacked(value: Any) -> Any:
    if isinstance(value, EventTime):
        return msgpack.ExtType(0, _EVENT_TIME.pack(*divmod(value.nanoseconds, _SECOND)))
    if isinstance(value, Ext):
        return msgpack.ExtType(value.code, value.data)
    raise TypeError


def _measure(value: Any, room: int) -> None:
    if not room:
        raise ValueError(f"more than {DEEPEST} levels")
    inner: Iterable[Any] = value.values() if type(value) is dict else value
    for one in inner:
        if type(one) is dict or type(one) is list:
            _measure(one, room - 1)


def _plain(value: Any) -> Any:
    """The same with texts alone for keys, and with texts that are UTF-8."""
    if isinstance(value, str):
        return text(value)
    if isinstance(value, dict):
        return pairs([(_key(key), _plain(one)) for key, one in value.items()])
    return [_plain(one) for one in value] if type(value) is list else value


def _key(key: Any) -> str:
    if isinstance(key, str | bytes):
        return text(key)
    _measure([key], DEEPEST)
    written = _dumped(_plain(key))
    if len(written) > _LONGEST_KEY:  # one that is a map in a map in a map would double at each level
        raise ValueError(f"a key that is written in more than {_LONGEST_KEY} characters")
    return written
