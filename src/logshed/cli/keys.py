"""``logshed key``: the keys of pseudonyms, and the pseudonyms that a value has under them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from logshed.cli import tables, terminal
from logshed.cli.cells import shown
from logshed.cli.commands import JsonOption, add
from logshed.errors import RedactionError, UsageError

if TYPE_CHECKING:
    from logshed.settings import Settings

FileOption = Annotated[
    Path | None,
    typer.Option(
        "--file",
        metavar="FILE",
        help="The file of keys; else the setting keys, else ~/.config/logshed/keys.",
        show_default=False,
    ),
]
IdOption = Annotated[
    str, typer.Option("--id", metavar="ID", help="The key's id; k1, k2, … unless given.", show_default=False)
]
COLUMNS = ("key", "made", "current")
NEW_EXAMPLES = ("logshed key new", "logshed key new --file /etc/logshed/keys --id 2026-a")
ROTATE_EXAMPLES = ("logshed key rotate",)
LIST_EXAMPLES = ("logshed key list", "logshed key list --json")
FIND_EXAMPLES = (
    "logshed key find user alice",
    "logshed key find order - < order-ids.txt        # one value a line",
    'read -rs WHO && printf %s "$WHO" | logshed key find user -',
)


def register(app: typer.Typer) -> None:
    """Add the group of commands."""
    group = typer.Typer(help="Make and list the keys of pseudonyms.", no_args_is_help=True, rich_markup_mode=None)
    add(group, "new", new, examples=NEW_EXAMPLES)
    add(group, "rotate", rotate, examples=ROTATE_EXAMPLES)
    add(group, "list", list_keys, examples=LIST_EXAMPLES)
    add(group, "find", find, examples=FIND_EXAMPLES)
    app.add_typer(group, name="key")


def new(*, file: FileOption = None, key_id: IdOption = "") -> None:
    """Make the first key of pseudonyms: 32 random bytes in a file that only you may read (mode 600).

    Keep a copy apart from the lake: without the key no pseudonym can be found from a value again. Where there is a key
    already, `logshed key rotate` makes the next.
    """
    from logshed.redaction.keyring import add_key  # noqa: PLC0415 - only here

    path = _path(file)
    print(f"Made key {add_key(path, key_id, first=True).name} in {path}. Keep a copy apart from the lake.")


def rotate(*, file: FileOption = None, key_id: IdOption = "") -> None:
    """Add a new key, which makes all pseudonyms from now on.

    The old keys stay, so that what was stored before can still be found: `logshed key find` tells a value's pseudonym
    under every key. The same value has another pseudonym from now on.
    """
    from logshed.redaction.keyring import NEW_KEY, add_key, load_keys  # noqa: PLC0415 - only here

    path = _path(file)
    if not path.exists():
        raise RedactionError(f"cannot add a key: there is no file {path}; {NEW_KEY}")
    before = load_keys(str(path)).current.name
    print(f"Made key {add_key(path, key_id).name} in {path}; {before} made the pseudonyms until now.")


def list_keys(*, file: FileOption = None, as_json: JsonOption = False) -> None:
    """List the keys: id, when it was made, and which one makes pseudonyms now. Their bytes are never shown."""
    from logshed.redaction.keyring import load_keys  # noqa: PLC0415 - only here

    ring = load_keys(_where(file))
    if as_json:
        _print_json([{"key": key.name, "made": key.made or None, "current": key is ring.current} for key in ring.keys])
        return
    rows = [[key.name, key.made or "not known", "yes" if key is ring.current else ""] for key in ring.keys]
    terminal.page(tables.table(COLUMNS, rows, terminal.width()))


def find(
    kind: Annotated[str, typer.Argument(metavar="KIND", help="What it is the id of: user, order, payment …")],
    value: Annotated[str, typer.Argument(metavar="VALUE", help="The value as the logs had it, or - for stdin.")],
    *,
    policy: Annotated[
        str | None,
        typer.Option(
            "--policy", metavar="NAME|FILE", help="Whose form of pseudonyms; else the setting.", show_default=False
        ),
    ] = None,
    file: FileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print the pseudonym of a value under every key, to search or erase by.

    A value on the command line is in the list of processes and in the shell's history: with - it is read from standard
    input, one value a line, and in neither.
    """
    from logshed.redaction.keyring import load_keys  # noqa: PLC0415 - only here
    from logshed.redaction.policy_files import forms  # noqa: PLC0415 - heavy

    settings = _settings()
    made = forms(policy or settings.policy, settings.plugins)
    if kind not in made.kinds:
        print(f"No rule makes pseudonyms of {shown(kind)}: rules do of {', '.join(made.kinds)}.", file=sys.stderr)
    values = [line.rstrip("\r\n") for line in sys.stdin] if value == "-" else [value]
    values = [one for one in values if one.strip()]
    if not values:
        raise UsageError("cannot find a pseudonym: there is no value; give one, or one a line on standard input")
    ring = load_keys(_where(file))
    found = [(key.name, made.of(kind, key).of(one)) for one in values for key in ring.keys]
    if as_json:
        _print_json([{"key": key, "pseudonym": pseudonym} for key, pseudonym in found])
    else:
        print("\n".join(pseudonym for _, pseudonym in found))


def _where(file: Path | None) -> str:
    """Where keys are read."""
    return str(file.expanduser()) if file else _settings().keys


def _path(file: Path | None) -> Path:
    """The file in which keys are made."""
    from logshed.redaction.keyring import DEFAULT  # noqa: PLC0415 - only here

    where = _where(file)
    if where.startswith("env:") or "://" in where:
        raise UsageError(f"cannot make a key in {where}: the setting keys names no file; make it with --file FILE")
    return Path(where) if where else DEFAULT.expanduser()


def _settings() -> Settings:
    from logshed.settings import Settings  # noqa: PLC0415 - heavy

    return Settings.load()


def _print_json(value: object) -> None:
    import orjson  # noqa: PLC0415 - only for --json

    print(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode())
