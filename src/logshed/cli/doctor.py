"""``logshed doctor`` and ``logshed check``: what is missing or misset, and what to do about it."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from logshed.cli import terminal
from logshed.cli.commands import FAILED, JsonOption, LakeOption, add

if TYPE_CHECKING:
    from logshed.pipeline.doctoring import Finding


def register(app: typer.Typer) -> None:
    """Add the commands."""
    add(app, "doctor", doctor)
    add(app, "check", check)


def doctor(*, lake: LakeOption = None, as_json: JsonOption = False) -> None:
    """Name what is missing or misset.

    Looks at the installation, the settings, the data files and the lake. Exits with 1 if anything does not work.
    """
    from logshed.pipeline.doctoring import everything  # noqa: PLC0415 - not for `--help`

    _report(everything(lake), as_json=as_json)


def check(*, as_json: JsonOption = False) -> None:
    """Check logshed.toml and what it names.

    Checks .env and the environment too. Exits with 1 if anything is wrong.
    """
    from logshed.pipeline.doctoring import configured  # noqa: PLC0415 - not for `--help`

    _report(configured(), as_json=as_json)


def _report(findings: list[Finding], *, as_json: bool) -> None:
    if as_json:
        import orjson  # noqa: PLC0415 - only for --json

        print(orjson.dumps([asdict(one) for one in findings], option=orjson.OPT_INDENT_2).decode())
    else:
        for one in findings:
            print(f"{terminal.bold(f'{one.state:<4}')}  {one.text}")
    if any(one.state == "bad" for one in findings):
        raise typer.Exit(FAILED)
