"""``--proof`` and ``--sign`` of what writes answers to files, and ``logshed verify-export``, which checks them."""

from __future__ import annotations

import sys
from pathlib import Path  # noqa: TC003 - typer reads the annotations
from typing import TYPE_CHECKING, Annotated, Any

import typer

from logshed.cli import output
from logshed.cli.commands import FAILED, JsonOption, add
from logshed.errors import LogshedError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from logshed.api import Lake

    Write = Callable[[Mapping[str, Any], int], None]

EXAMPLES = (
    "logshed run access_trail -p user=anna --since 30d -o trail.csv --sign",
    "logshed verify-export trail.csv",
)

ProofOption = Annotated[
    bool,
    typer.Option(
        "--proof", help="Write FILE.proof.json beside the output: its SHA-256, what was asked, of which snapshots."
    ),
]
SignOption = Annotated[
    bool, typer.Option("--sign", help="Write the proof, and sign it with the current key of pseudonyms.")
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    add(app, "verify-export", verify_export, examples=EXAMPLES)


def beside(lake: Lake, to: Path | None, *, proof: bool, sign: bool) -> Write:
    """What writes the proof of an answer once it is in its file; nothing where none is wanted.

    Raises:
        UsageError: The answer goes to no file, or there is no key to sign with.
    """
    if not (proof or sign):
        return lambda _asked, _rows: None
    if to is None:
        raise UsageError("cannot prove what goes to standard output: name its file with --output FILE")
    prove = lake.prover(sign=sign)

    def write(asked: Mapping[str, Any], rows: int) -> None:
        print(f"proof written to {prove(to, asked, rows)}", file=sys.stderr)

    return write


def verify_export(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="An output of --proof or --sign, or its proof.")],
    *,
    as_json: JsonOption = False,
) -> None:
    """Check that an exported answer is as it was when its proof was made; exits with 1 if it is not."""
    from logshed.pipeline import proof  # noqa: PLC0415 - heavy
    from logshed.redaction.keyring import load_keys  # noqa: PLC0415 - heavy
    from logshed.settings import Settings  # noqa: PLC0415 - not for `--help`

    try:
        found = proof.check(file, lambda: load_keys(Settings.load().keys))
    except LogshedError as error:
        output.document({"verified": False, "problem": str(error)}) if as_json else print(f"no: {error}")
        raise typer.Exit(FAILED) from None
    if as_json:
        output.document(
            {"verified": True, "file": str(found.file), "rows": found.rows, "made": found.made, "key": found.key}
        )
    else:
        signer = f"key {found.key} signed it" if found.key else "its proof was made, which nobody signed"
        print(f"yes: {found.file} ({found.rows:,} rows) is as it was when {signer}, {found.made}")
