"""``logshed verify``: proves that what rests in the lake is what was committed."""

from __future__ import annotations

import sys

import typer

from logshed.cli import output, terminal
from logshed.cli.cells import shown
from logshed.cli.commands import FAILED, JsonOption, LakeOption, add
from logshed.cli.progress import size

EXAMPLES = ("logshed verify", "logshed verify --json")


def register(app: typer.Typer) -> None:
    """Add the command."""
    add(app, "verify", verify, examples=EXAMPLES, logs=True)


def verify(*, lake: LakeOption = None, as_json: JsonOption = False) -> None:
    """Prove that the lake's files are what was committed; exits with 1 if one was changed, is missing or was added.

    Every file of lines is read and compared with the checksum that its writer committed; files of other tables must be
    there and as large as they were; entries of the audit trail are chained by hashes. What is wrong is named.
    """
    from logshed.api import Lake  # noqa: PLC0415 - heavy

    found = Lake.open(lake).verify(_progress if sys.stderr.isatty() else None)
    if sys.stderr.isatty():
        sys.stderr.write("\r\x1b[K")
    if as_json:
        output.document(found.as_dict())
    else:
        for one in found.problems:
            print(f"{terminal.bold(one.kind)} {shown(one.what)}")
        print(
            f"{found.files:,} files of lines ({size(found.bytes)}) read, {found.others:,} of other tables there, "
            f"{found.entries:,} entries of the audit trail, {found.receipts:,} receipts of erasures."
        )
        if found.unknown:
            print(f"{found.unknown:,} files of lines are from before checksums were kept: nobody can tell of them.")
        print(f"state {found.state}")
        print("Everything is as it was committed." if found.ok else f"{len(found.problems):,} things are NOT.")
    if not found.ok:
        raise typer.Exit(FAILED)


def _progress(done: int, total: int) -> None:
    sys.stderr.write(f"\r\x1b[K{done:,} of {total:,} files …")
    sys.stderr.flush()
