"""``logshed upload``: sanitised files to an object store or to DBFS."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - typer reads the annotations
from typing import TYPE_CHECKING, Annotated

import typer

from logshed.cli import output, progress
from logshed.cli.cells import shown
from logshed.cli.commands import FAILED, JsonOption, add, let_interrupts_through
from logshed.cli.reading import PolicyOption  # noqa: TC001 - typer reads the annotations
from logshed.errors import UsageError

if TYPE_CHECKING:
    from logshed.pipeline.uploading import Upload, Uploads

EXAMPLES = (
    "logshed upload app.clean.log s3://bucket",
    "logshed upload ./clean s3://bucket/logs/shop/ --report clean.json",
    "logshed upload app.clean.log.gz abfss://logs@account.dfs.core.windows.net/shop/app.log.gz",
    "logshed upload ./clean dbfs:/raw-logs/shop/",
)


def register(app: typer.Typer) -> None:
    """Add the command."""
    add(app, "upload", upload, examples=EXAMPLES)


def upload(
    local: Annotated[Path, typer.Argument(metavar="LOCAL", help="A file, or a folder with all below it.")],
    remote: Annotated[
        str,
        typer.Argument(
            metavar="REMOTE",
            help="s3://, gs://, az://, abfss:// or dbfs:/ and a name or a folder/; a bucket alone takes "
            "raw-logs/YYYY-MM-DD/.",
        ),
    ],
    *,
    report: Annotated[
        Path | None,
        typer.Option(
            metavar="R.json",
            help="Report of the sanitize that made the files; else they are searched.",
            show_default=False,
        ),
    ] = None,
    policy: PolicyOption = None,
    raw: Annotated[bool, typer.Option("--raw", help="Upload what is not sanitised, too.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace what is there under the same name.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check everything, but upload nothing.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Upload sanitised files, and check that they arrived.

    Each file is looked through for what the policy would replace, or found by its checksum in the report of the
    sanitize that made it; what is not sanitised is refused. An upload that was interrupted goes on where it stopped;
    a file that is there already is not sent again.
    """
    from logshed.buckets import Address  # noqa: PLC0415 - not for `--help`
    from logshed.pipeline.uploading import Uploader, destination  # noqa: PLC0415 - heavy
    from logshed.settings import Settings  # noqa: PLC0415 - not for `--help`

    if raw and report is not None:
        raise UsageError("cannot use --report with --raw: raw files need no proof; leave one of them out")
    let_interrupts_through()
    to = destination(Address.parse(remote), local)
    settings = Settings.load()
    if policy is not None:
        settings = settings.model_copy(update={"policy": policy})
    with progress.shown() as tell:
        done = Uploader(settings, report=report, raw=raw, force=force, dry=dry_run, progress=tell).run(local, to)
    _tell(done, as_json=as_json)
    if done.problems:
        raise typer.Exit(FAILED)


def _tell(done: Uploads, *, as_json: bool) -> None:
    if as_json:
        output.document(done.as_dict())
        return
    for one in done.files:
        print(f"{shown(one.path)}: {_outcome(one)}")
        if one.problem:
            print(f"  {shown(one.problem)}")
    sent = [one for one in done.files if one.status == "uploaded"]
    amount = progress.size(sum(one.bytes for one in sent))
    print(f"Uploaded {len(sent):,} of {len(done.files):,} files, {amount} in {done.seconds:.1f} s.")


def _outcome(one: Upload) -> str:
    parts = [f"{one.status}, {shown(one.to)}"]
    if one.resumed:
        parts.append(f"{progress.size(one.resumed)} of it were there from an interrupted upload")
    return "; ".join([*parts, *([one.verified] if one.verified else [])])
