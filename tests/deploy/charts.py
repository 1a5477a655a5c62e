"""Renders the Helm chart by Helm's own library."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from tests.deploy.manifests import documents

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent.parent
CHART = ROOT / "deploy" / "helm" / "logshed"
SETS = {path.name.removesuffix("-values.yaml"): path for path in sorted((CHART / "ci").glob("*-values.yaml"))}

helm = pytest.importorskip("helm_python", reason="helm-python-sdk has no build for this machine")


def values(name: str) -> dict[str, Any]:
    """One of the chart's value sets."""
    found: dict[str, Any] = yaml.safe_load(SETS[name].read_text(encoding="utf-8"))
    return found


def render(given: dict[str, Any], chart: Path = CHART) -> list[dict[str, Any]]:
    """The manifests that Helm makes of the chart with these values, as the release ``shop`` in ``logs``."""
    with helm.Chart.load(chart) as loaded:
        texts = loaded.render(given, name="shop", namespace="logs")
    return [one for path, text in sorted(texts.items()) if path.endswith(".yaml") for one in documents(text)]


@cache
def rendered(name: str) -> tuple[dict[str, Any], ...]:
    """The manifests of a value set."""
    return tuple(render(values(name)))


def of_kind(made: tuple[dict[str, Any], ...] | list[dict[str, Any]], *kinds: str) -> list[dict[str, Any]]:
    """The manifests of some kinds."""
    return [one for one in made if one["kind"] in kinds]


def pods(value: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """The spec of every pod in a manifest, with its place."""
    if isinstance(value, dict):
        if "containers" in value:
            yield path, value
        for key, inner in value.items():
            yield from pods(inner, f"{path}.{key}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from pods(inner, f"{path}[{index}]")


def containers(spec: dict[str, Any]) -> list[dict[str, Any]]:
    """The containers of a pod, those that begin first among them."""
    return [*spec.get("initContainers", []), *spec["containers"]]
