"""Checks manifests against the schemas of Kubernetes and of operators, strictly: a key that none knows is a fault."""

from __future__ import annotations

import json
import re
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.resources.abc import Traversable

OPERATORS = Path(__file__).parent / "operators.yaml"
DEFINITIONS = "https://kubernetes.io/api/_definitions.json"
FREE = frozenset({"annotations", "data", "labels", "limits", "matchLabels", "nodeSelector", "rayStartParams"})
FREE |= {"requests", "sparkConf", "stringData"}
"""Keys whose values are maps with keys of one's own."""


class _Loader(yaml.SafeLoader):
    """Refuses a key that comes twice, of which YAML's own loader would take the last."""


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[Any, Any]:
    keys = [loader.construct_object(key) for key, _ in node.value]  # type: ignore[no-untyped-call]
    for key in keys:
        if keys.count(key) > 1:
            raise ValueError(f"{key} comes twice{node.start_mark}")
    return loader.construct_mapping(node, deep=True)


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def documents(text: str) -> list[dict[str, Any]]:
    """The documents of a YAML text, without empty ones."""
    return [one for one in yaml.load_all(text, _Loader) if one]


def faults(document: dict[str, Any], version: str) -> list[str]:
    """What is wrong with a manifest, as ``path: what``; nothing where a cluster of that version takes it."""
    checker = validator(document["apiVersion"], document["kind"], version)
    return [f"{error.json_path}: {error.message}" for error in checker.iter_errors(document)]


@cache
def validator(api: str, kind: str, version: str) -> Draft202012Validator:
    """What checks a kind of manifest.

    Raises:
        LookupError: Neither Kubernetes nor operators.yaml knows the kind.
    """
    folder = schemas(version)
    operators = yaml.safe_load(OPERATORS.read_text(encoding="utf-8"))
    schema = operators["kinds"].get(f"{api} {kind}")
    if schema is None:
        group = re.sub(r"^([^./]*)(?:\.[^/]*)?/", r"\1-", api)
        path = folder / f"{kind.lower()}-{group}.json"
        if not path.is_file():
            raise LookupError(f"nothing is known of {api} {kind} in Kubernetes {version}")
        schema = json.loads(path.read_text(encoding="utf-8"))
    else:
        schema = envelope(schema, operators["definitions"])
    return Draft202012Validator(schema, registry=definitions(version))


def schemas(version: str) -> Traversable:
    """The folder with the strict schemas of a version of Kubernetes, in which every object is closed."""
    return files("kubernetes_validate") / "kubernetes-json-schema" / f"v{version}.0-local-strict"


@cache
def definitions(version: str) -> Registry[Any]:
    """What the schemas of a version refer to: 5 MB, read once."""
    text = (schemas(version) / "_definitions.json").read_text(encoding="utf-8")
    return Registry().with_resource(DEFINITIONS, Resource.from_contents(json.loads(text)))


def envelope(spec: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    """The schema of an operator's manifest: Kubernetes' own head, and a spec."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$defs": definitions,
        "type": "object",
        "additionalProperties": False,
        "required": ["apiVersion", "kind", "metadata", "spec"],
        "properties": {
            "apiVersion": {"type": "string"},
            "kind": {"type": "string"},
            "metadata": {"$ref": f"{DEFINITIONS}#/$defs/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"},
            "spec": spec,
        },
    }


def maps(value: Any, path: str = "$", free: bool = False) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every mapping whose keys are not of one's own, and its path as faults tell it."""
    if isinstance(value, dict):
        if not free:
            yield path, value
        for key, inner in value.items():
            step = f".{key}" if re.fullmatch(r"[a-zA-Z_$][\w$]*", str(key)) else f"[{key!r}]"
            own = key in FREE or (key == "selector" and not {"matchLabels", "matchExpressions"} & set(inner))
            yield from maps(inner, path + step, free=own)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from maps(inner, f"{path}[{index}]")
