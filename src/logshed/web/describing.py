"""Tells people of the API, from its own description: by area, with parameters, bodies and commands."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

METHODS = ("get", "post", "put", "patch", "delete")
OTHER = "others"
TOKEN = "$LOGSHED_TOKEN"  # noqa: S105 - the name of a variable
Described = dict[str, Any]


class Parameter(NamedTuple):
    """What a call is told.

    Attributes:
        name: Its name.
        where: ``path`` or ``query``.
        kind: Its type in words.
        usual: What holds unless it is given.
        text: What it means.
        needed: Whether it has to be given.
    """

    name: str
    where: str
    kind: str
    usual: str
    text: str
    needed: bool


class Operation(NamedTuple):
    """A call.

    Attributes:
        name: A word for it that no other has.
        method: ``GET`` and so on.
        path: Where.
        title: What it does, in a sentence.
        text: More of it.
        parameters: What it is told.
        body: An example of what is sent, as JSON; empty where nothing is.
        command: It as a command of curl.
    """

    name: str
    method: str
    path: str
    title: str
    text: str
    parameters: list[Parameter]
    body: str
    command: str


def areas(described: Described, base: str) -> dict[str, list[Operation]]:
    """The calls by area, in the order of their paths.

    Args:
        described: The API as OpenAPI.
        base: Address of the site, without a slash at its end.
    """
    found: dict[str, list[Operation]] = {}
    for path, calls in sorted(described["paths"].items()):
        for method in METHODS:
            if method in calls:
                area = next(iter(calls[method].get("tags", ())), OTHER)
                found.setdefault(area, []).append(_operation(described, base, path, method, calls[method]))
    return dict(sorted(found.items()))


def _operation(described: Described, base: str, path: str, method: str, call: Described) -> Operation:
    title, _, text = str(call.get("description", call.get("summary", ""))).partition("\n\n")
    body = _body(described, call)
    words = ["curl", "-H", f"Authorization: Bearer {TOKEN}"]
    if method != "get":
        words += ["-X", method.upper()]
    if body:
        words += ["-H", "Content-Type: application/json", "-d", json.dumps(json.loads(body))]
    asked = "&".join(f"{one['name']}={_example(one)}" for one in _needed(call))
    words.append(f"{base}{path}" + (f"?{asked}" if asked else ""))
    shown = " ".join(_quoted(word) for word in words)
    return Operation(
        f"{method} {path}".replace("/", "-").replace(" ", "").replace("{", "").replace("}", ""),
        method.upper(),
        path,
        " ".join(title.split()),
        " ".join(text.split()),
        [_parameter(described, one) for one in call.get("parameters", ()) if one["in"] != "header"],
        body,
        shown,
    )


def _quoted(word: str) -> str:
    """A word as a shell takes it, the token's variable read."""
    return f'"{word}"' if TOKEN in word else shlex.quote(word)


def _needed(call: Described) -> Iterator[Described]:
    return (one for one in call.get("parameters", ()) if one["in"] == "query" and one.get("required"))


def _example(parameter: Described) -> str:
    given = parameter.get("schema", {}).get("examples") or [parameter["name"].upper()]
    return str(given[0])


def _parameter(described: Described, one: Described) -> Parameter:
    schema = one.get("schema", {})
    usual = schema.get("default")
    return Parameter(
        one["name"],
        one["in"],
        _kind(described, schema),
        "" if usual is None else str(usual),
        one.get("description") or schema.get("description", ""),
        bool(one.get("required")),
    )


def _kind(described: Described, schema: Mapping[str, Any]) -> str:
    """The type of a value in words."""
    schema = _followed(described, schema)
    if options := [one for one in schema.get("anyOf", ()) if one.get("type") != "null"]:
        return " or ".join(_kind(described, one) for one in options)
    if values := schema.get("enum"):
        return " | ".join(map(str, values))
    if schema.get("type") == "array":
        return f"{_kind(described, schema.get('items', {}))}, several"
    return str(schema.get("type", "any"))


def _body(described: Described, call: Described) -> str:
    kinds = call.get("requestBody", {}).get("content", {})
    schema = _followed(described, kinds.get("application/json", {}).get("schema", {}))
    if not schema:
        return ""
    return json.dumps(_sample(described, schema), indent=2, ensure_ascii=False)


def _sample(described: Described, schema: Mapping[str, Any]) -> Any:
    """An example of a value: the one that is given, else what holds unless another is, else of its type."""
    schema = _followed(described, schema)
    for name in ("example", "default", "const"):
        if name in schema:
            return schema[name]
    if given := schema.get("examples") or schema.get("enum"):
        return given[0]
    if options := schema.get("anyOf"):
        return _sample(described, options[0])
    if schema.get("type") == "object":
        return {name: _sample(described, one) for name, one in schema.get("properties", {}).items()}
    return {"array": [], "integer": 1, "number": 1.0, "boolean": False, "string": ""}.get(str(schema.get("type")))


def _followed(described: Described, schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """A schema, or the one that it names."""
    found: Mapping[str, Any] = schema
    if name := str(schema.get("$ref", "")).rpartition("/")[2]:
        found = described["components"]["schemas"][name]
    return found
