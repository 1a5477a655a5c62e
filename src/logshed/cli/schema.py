"""``logshed schema``: which fields the records of files have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from logshed.cli.cells import shown
from logshed.cli.commands import FAILED, JsonOption, add, let_interrupts_through
from logshed.cli.reading import (
    EncodingOption,
    FormatNameOption,
    GrokOption,
    LogFormatOption,
    PathsArgument,
    PolicyOption,
    RegexOption,
    TimezoneOption,
    chosen,
    given,
)
from logshed.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from logshed.pipeline.profile import Profile

EXAMPLES = (
    "logshed schema app.jsonl",
    "logshed schema app.jsonl --require timestamp,service,message",
    "logshed schema app.jsonl --json-schema > app.schema.json",
)


def register(app: typer.Typer) -> None:
    """Add the command."""
    add(app, "schema", schema, examples=EXAMPLES)


def schema(
    paths: PathsArgument,
    *,
    samples: Annotated[int, typer.Option(min=1, help="Records to look at, of all files together.")] = 1000,
    require: Annotated[
        str | None,
        typer.Option(metavar="A,B,…", help="Fields that 95 % of the records must have.", show_default=False),
    ] = None,
    format: FormatNameOption = "auto",  # noqa: A002 - the option's name
    log_format: LogFormatOption = None,
    regex: RegexOption = None,
    grok: GrokOption = None,
    policy: PolicyOption = None,
    encoding: EncodingOption = "auto",
    timezone: TimezoneOption = None,
    as_json: JsonOption = False,
    as_json_schema: Annotated[bool, typer.Option("--json-schema", help="Print a JSON Schema.")] = False,
) -> None:
    """Show which fields records have: how often, of which types, with how many and which values.

    Fields of JSON records have their own names, nested ones as http.status and items[].id; those of other records the
    names of our columns. Values are redacted. Exits with 1 where fewer than 95 % of the records have a required field.
    """
    from logshed import files  # noqa: PLC0415 - heavy

    let_interrupts_through()
    required = [name.strip() for name in (require or "").split(",") if name.strip()]
    if as_json and as_json_schema:
        raise UsageError("cannot print both: --json and --json-schema exclude each other; give one of them")
    options = given(format=chosen(format, log_format, regex, grok), policy=policy, encoding=encoding, timezone=timezone)
    found = files.profile(paths, samples=samples, **options)
    if as_json or as_json_schema:
        import orjson  # noqa: PLC0415 - only for JSON

        from logshed.pipeline.profile import json_schema  # noqa: PLC0415 - heavy

        told = json_schema(found) if as_json_schema else found.as_dict(required)
        print(orjson.dumps(told, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS, default=str).decode())
    else:
        print("\n".join(profile_lines(found, required)))
    if found.missing(required):
        raise typer.Exit(FAILED)


def profile_lines(found: Profile, required: Sequence[str]) -> list[str]:
    """What is told of the fields."""
    from logshed.pipeline.profile import examples  # noqa: PLC0415 - heavy

    rejected = f", {found.rejected:,} of them in no known format" if found.rejected else ""
    lines = [f"{found.records:,} records{rejected}", ""]
    size = max(map(len, found.fields), default=0)
    for name, one in found.fields.items():
        types = ", ".join(kind for kind, _ in one.types.most_common())
        values = f"  {len(one.values):,} distinct: {', '.join(map(shown, examples(one)))}" if one.values else ""
        lines.append(f"{shown(name):<{size}}  {found.share(name):6.1%} ({types}){values}")
    if required:
        lines.append("")
        missing = found.missing(required)
        lines += [f"Missing: {shown(name)} is in {found.share(name):.1%} of the records" for name in missing]
        if not missing:
            lines.append("All required fields present")
    return lines
