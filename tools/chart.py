"""The values of the Helm chart as a table: keys and defaults of values.yaml, and what the comments above them say."""
# ruff: noqa: INP001 - read by tools/reference.py, which is a script

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

VALUES = Path(__file__).parent.parent / "deploy" / "helm" / "logshed" / "values.yaml"
NOTE = "<!-- Written by `make docs` from deploy/helm/logshed/values.yaml; change it there. -->\n"
LONG = 60
"""Characters of a default above which the file is pointed at."""


def table() -> str:
    """The page."""
    text = VALUES.read_text(encoding="utf-8")
    lines = text.splitlines()
    rows = [f"| `{path}` | {default(node)} | {comment} |" for path, node, comment in leaves(yaml.compose(text), lines)]
    head = [NOTE, "# Values of the Helm chart\n", "[Its page](../helm.md) tells how they are used.\n"]
    return "\n".join([*head, "| value | default | meaning |\n|---|---|---|", *rows, ""])


def leaves(node: yaml.Node, lines: list[str], before: str = "") -> Iterator[tuple[str, yaml.Node, str]]:
    """The path, value and comment of every key that has a comment, and of those within it that have one, too.

    Raises:
        LookupError: A key has none, and neither have the keys above or below it.
    """
    if not isinstance(node, yaml.MappingNode):
        return
    for key, value in node.value:
        path, comment = f"{before}.{key.value}".lstrip("."), above(lines, key)
        within = list(leaves(value, lines, path)) if not comment else []
        if not comment and not within:
            raise LookupError(f"no comment stands above {path} in values.yaml")
        yield from within or [(path, value, comment)]


def above(lines: list[str], key: yaml.Node) -> str:
    """The comment above a key."""
    found: list[str] = []
    at = key.start_mark.line - 1
    while at >= 0 and lines[at].lstrip().startswith("#"):
        found.insert(0, lines[at].lstrip("# ").rstrip())
        at -= 1
    return " ".join(found).replace("|", "\\|")


def default(node: yaml.Node) -> str:
    """The value as it may be written in a table."""
    value = yaml.safe_load(yaml.serialize(node))
    if value == "":
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return f"`{text}`" if len(text) <= LONG and "\n" not in text else "see the file"
