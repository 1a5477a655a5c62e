"""The options by which every command that reads files is told what they are."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any

import typer

from logshed.errors import FormatError, UsageError

PathsArgument = Annotated[
    list[str], typer.Argument(metavar="FILE", help="Files, folders, globs, or - for standard input.")
]
FormatNameOption = Annotated[
    str,
    typer.Option(
        "--format",
        metavar="auto|NAME|FILE.toml",
        help="A format, as `logshed formats list` shows them, or a format file of your own.",
    ),
]
LogFormatOption = Annotated[
    str | None,
    typer.Option(
        "--log-format",
        metavar="STRING|FILE",
        help="An Apache LogFormat or nginx log_format, or the server's configuration file that holds it.",
        show_default=False,
    ),
]
RegexOption = Annotated[
    str | None,
    typer.Option(
        "--regex",
        metavar="REGEX",
        help="A pattern for each line; its named groups are columns or attributes.",
        show_default=False,
    ),
]
GrokOption = Annotated[
    str | None,
    typer.Option("--grok", metavar="PATTERN", help="A pattern of Logstash's names, %{IP:client} …", show_default=False),
]
PolicyOption = Annotated[
    str | None,
    typer.Option(
        "--policy", metavar="NAME|FILE", help="What to redact; `logshed policy list` names them.", show_default=False
    ),
]
EncodingOption = Annotated[str, typer.Option("--encoding", metavar="auto|NAME", help="Text encoding, such as cp1252.")]
TimezoneOption = Annotated[
    str | None,
    typer.Option("--timezone", metavar="ZONE", help="Zone of timestamps that name none.", show_default=False),
]


def chosen(format_name: str, log_format: str | None, regex: str | None, grok: str | None) -> str:
    """The format choice that the options come to; a format of the user's own is spelled out in it.

    Raises:
        UsageError: Two of them were given.
        FormatError: What was given is no such format.
    """
    own = {"log_format": log_format, "regex": regex, "grok": grok}
    used = [kind for kind, text in own.items() if text is not None]
    is_file = format_name.endswith(".toml")
    if len(used) + (format_name != "auto") > 1:
        raise UsageError("cannot use two formats: give one of --format, --log-format, --regex and --grok")
    if not used and not is_file:
        return format_name
    from logshed.formats.adhoc import adhoc  # noqa: PLC0415 - heavy

    kind = used[0] if used else "toml"
    text = own[kind] if used else format_name
    path = Path(text or "")
    if is_file or (kind == "log_format" and not set(text or "") & set("%$") and path.is_file()):
        return adhoc(kind, _text(path), path.stem).spelling
    return adhoc(kind, text or "").spelling


def named(choice: str) -> str:
    """A format choice for people: of a format that is spelled out in it, only the name."""
    return re.sub(r"\w+:([^:,/]+):[^,/]+", r"\1", choice)


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        cause = error.strerror if isinstance(error, OSError) else error
        raise FormatError(f"cannot read format {path}: {cause}; check the path") from None


def given(**options: Any) -> dict[str, Any]:
    """The options that were given."""
    return {name: value for name, value in options.items() if value is not None}
