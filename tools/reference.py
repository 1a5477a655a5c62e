"""Writes the reference pages in ``docs/reference`` from the code; ``--check`` says whether they are as the code is."""
# ruff: noqa: T201, INP001 - a script that talks to people

from __future__ import annotations

import contextlib
import io
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import chart
from pydantic import BaseModel
from typer.main import get_command

from logshed import errors, schema
from logshed.alert_settings import Alert
from logshed.cli.app import app
from logshed.schedule_settings import Schedule
from logshed.settings import NESTED, TABLES, Drop, Settings, ThreatListFile, Transform, TransformTest
from logshed.ssh_settings import Place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic.fields import FieldInfo

FOLDER = Path(__file__).parent.parent / "docs" / "reference"
NOTE = "<!-- Written by `make docs` from the code; change it there. -->\n"


def command_line() -> str:
    """Every command's help."""
    sections = [
        f"## logshed {' '.join(words)}".rstrip() + f"\n\n```text\n{help_of(words)}```\n"
        for words in commands(get_command(app))
    ]
    return "\n".join([NOTE, "# Command line\n", *sections])


def commands(group: object, before: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The words of every command and group, groups first."""
    yield before
    for name, command in sorted(getattr(group, "commands", {}).items()):
        yield from commands(command, (*before, name))


def help_of(words: tuple[str, ...]) -> str:
    """What ``--help`` prints."""
    shown = io.StringIO()
    with contextlib.redirect_stdout(shown):
        app([*words, "--help"], prog_name="logshed", standalone_mode=False)
    return "\n".join(line.rstrip() for line in shown.getvalue().splitlines()) + "\n"


MODELS = (
    ("drop", Drop),
    ("transform", Transform),
    ("transform.test", TransformTest),
    ("alert", Alert),
    ("collect", Place),
    ("schedule", Schedule),
)
"""Tables of which there may be several."""


def settings() -> str:
    """Every key of logshed.toml with its variable and default."""
    lines = [NOTE, "# Settings\n", "| key of `logshed.toml` | variable | default | meaning |", "|---|---|---|---|"]
    for name, field in Settings.model_fields.items():
        if name in NESTED:
            continue
        variable = "" if name in TABLES else f"`LOGSHED_{name.upper()}`"
        lines.append(f"| `{name}` | {variable} | {default(name, field)} | {field.description} |")
    for table, nested in NESTED.items():
        lines += ["", f"## `[{table}]`\n", "| key | variable | default | meaning |", "|---|---|---|---|"]
        inner = {name: model for name, field in nested.model_fields.items() if (model := _inner(field))}
        for name, field in nested.model_fields.items():
            if name not in inner:
                variable = f"`LOGSHED_{table.upper()}_{name.upper()}`"
                lines.append(f"| `{name}` | {variable} | {default(name, field)} | {field.description} |")
        for name, model in inner.items():
            lines += ["", f"### `[{table}.{name}]`\n", f"{nested.model_fields[name].description}\n"]
            lines += ["| key | default | meaning |", "|---|---|---|"]
            lines += [
                f"| `{key}` | {default(key, one)} | {one.description} |" for key, one in model.model_fields.items()
            ]
    lines += ["", "## A table in `threat_lists`\n", "| key | meaning |", "|---|---|"]
    lines += [f"| `{name}` | {field.description} |" for name, field in ThreatListFile.model_fields.items()]
    for title, model in MODELS:
        lines += ["", f"## `[[{title}]]`\n", "| key | meaning |", "|---|---|"]
        lines += [f"| `{name}` | {field.description} |" for name, field in model.model_fields.items()]
    return "\n".join(lines) + "\n"


def _inner(field: FieldInfo) -> type[BaseModel] | None:
    """The table that a key holds, where it holds one or none."""
    kinds = [one for one in get_args(field.annotation) if isinstance(one, type) and issubclass(one, BaseModel)]
    return kinds[0] if kinds else None


def default(name: str, field: FieldInfo) -> str:
    """A setting's default as it would be written."""
    if name == "internal_networks":
        return "<br>".join(f"{network}: {', '.join(ranges)}" for network, ranges in field.default.items())
    if field.is_required() or field.default_factory is not None or field.default in (None, (), "", {}):
        return ""
    return f"`{field.default}`"


def columns() -> str:
    """The columns of both tables."""
    parts = [NOTE, "# Columns\n"]
    for title, table in (
        ("`logs` (silver.logs)", schema.SILVER),
        ("`lines` (bronze.lines)", schema.BRONZE),
        ("`findings` (security.findings)", schema.FINDINGS),
        ("`incidents` (security.incidents)", schema.INCIDENTS),
    ):
        parts += [f"## {title}\n", "| column | type | meaning |", "|---|---|---|"]
        parts += [
            f"| `{one.name}` | {one.kind}{'' if one.required else ', optional'} | {one.meaning} |" for one in table
        ]
        parts.append("")
    return "\n".join(parts)


def exceptions() -> str:
    """The tree of exceptions and the exit codes."""
    tree = (errors.__doc__ or "").partition("::\n\n")[2].partition("\n\nEvery")[0]
    drawn = "\n".join(line.removeprefix("    ") for line in tree.splitlines())
    codes = (
        "| exit code | meaning |\n|---|---|\n| 0 | done |\n"
        "| 1 | failed, or a file could not be read |\n| 2 | bad usage |\n"
        "| 3 | done, with more rejects than `--max-rejects` allows |\n| 130 | stopped by Ctrl-C |\n"
        "| 141 | the reader of the output has gone |\n"
    )
    return f"{NOTE}\n# Errors and exit codes\n\n```text\n{drawn}\n```\n\n{codes}"


PAGES = {
    "cli.md": command_line,
    "settings.md": settings,
    "columns.md": columns,
    "errors.md": exceptions,
    "helm.md": chart.table,
}


def main() -> int:
    """Write the pages, or compare them; returns how many differ."""
    os.environ["COLUMNS"] = "80"
    differ = 0
    for name, write in PAGES.items():
        path, text = FOLDER / name, write()
        if "--check" in sys.argv:
            if not path.exists() or path.read_text("utf-8") != text:
                print(f"{path.name} is not as the code is; run `make docs`")
                differ += 1
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
    return differ


if __name__ == "__main__":
    sys.exit(main())
