"""``logshed user``: adds, lists and disables those who may sign in, makes links for them, ends their sessions."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from logshed.cli import output, tables, terminal
from logshed.cli.commands import JsonOption, LakeOption, add
from logshed.errors import AccessError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from logshed.access import People, Tokens
    from logshed.settings import Settings

COLUMNS = ("name", "role", "collections", "state", "made", "last signed in")
SESSIONS = ("id", "from", "by", "signed in", "last here", "ends", "program")
MOST_PROGRAM = 40
NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="The user's name.")]
CollectionOption = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME", help="A collection that they see, or a glob; repeat it.", show_default=False),
]


def register(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(
        help="Users: who may sign in to the web application, as what, and to which collections.",
        no_args_is_help=True,
        rich_markup_mode=None,
    )
    examples = ("logshed user add anna --role analyst --collection 'shop-*'", "logshed user add root --role admin")
    add(group, "add", add_user, examples=examples)
    add(group, "list", list_users, examples=("logshed user list", "logshed user list --json"))
    add(group, "change", change, examples=("logshed user change anna --role viewer --collection shop",))
    add(group, "disable", disable, examples=("logshed user disable anna",))
    add(group, "enable", enable, examples=("logshed user enable anna",))
    add(group, "link", link, examples=("logshed user link anna", "logshed user link --first"))
    add(group, "sessions", sessions, examples=("logshed user sessions anna", "logshed user sessions anna --end"))
    app.add_typer(group, name="user")


def add_user(
    name: NameArgument,
    *,
    role: Annotated[str, typer.Option(metavar="ROLE", help="viewer, owner, analyst or admin.")] = "viewer",
    collection: CollectionOption = None,
    email: Annotated[str | None, typer.Option(metavar="ADDRESS", help="Where to write to.", show_default=False)] = None,
    lake: LakeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Add a user, and print the link by which they take a password, this once."""
    settings, people, _ = _opened(lake)
    from logshed.pipeline import people as verbs  # noqa: PLC0415 - heavy

    made, secret = verbs.invite(people, name, role, collection or (), email=email)
    _note(settings, "user add", made.name, {"role": made.role, "collections": made.scopes})
    _print_link(settings, secret, as_json=as_json)


def list_users(*, as_json: JsonOption = False) -> None:
    """List the users and what they may do."""
    _, people, _ = _opened(None)
    found = people.accounts.list()
    if as_json:
        output.document(
            [
                {
                    "name": one.name,
                    "role": one.role,
                    "collections": one.scopes,
                    "email": one.email,
                    "state": one.state,
                    "issuer": one.issuer,
                    "created": _moment(one.created),
                    "seen": _moment(one.seen),
                }
                for one in found
            ]
        )
        return
    rows: list[list[Any]] = [
        [one.name, one.role, " ".join(one.scopes), one.state, _minute(one.created), _minute(one.seen)] for one in found
    ]
    terminal.page(tables.table(COLUMNS, rows, terminal.width()))


def change(
    name: NameArgument,
    *,
    role: Annotated[
        str | None, typer.Option(metavar="ROLE", help="viewer, owner, analyst or admin.", show_default=False)
    ] = None,
    collection: CollectionOption = None,
    lake: LakeOption = None,
) -> None:
    """Give a user another role or other collections.

    It holds at once, also where they have signed in; tokens of theirs that would allow more are revoked.
    """
    _change(lake, name, {"given": role, "scopes": collection or None})


def disable(name: NameArgument, *, lake: LakeOption = None) -> None:
    """Let a user sign in no more: their sessions end, their tokens open nothing."""
    _change(lake, name, {"disabled": True})


def enable(name: NameArgument, *, lake: LakeOption = None) -> None:
    """Let a user sign in again."""
    _change(lake, name, {"disabled": False})


def link(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="The user's name.", show_default=False)] = None,
    *,
    first: Annotated[bool, typer.Option("--first", help="For the first administrator, where there is none.")] = False,
    lake: LakeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print a link by which a user takes a new password; it opens once, older ones open nothing."""
    settings, people, _ = _opened(lake)
    from logshed.pipeline import people as verbs  # noqa: PLC0415 - heavy

    if first or name is None:
        secret, who = verbs.first_link(people), "the first administrator"
    else:
        user, secret = verbs.link(people, name)
        who = user.name
    _note(settings, "user link", who, {})
    _print_link(settings, secret, as_json=as_json)


def sessions(
    name: NameArgument,
    *,
    end: Annotated[bool, typer.Option("--end", help="End all of them.")] = False,
    lake: LakeOption = None,
    as_json: JsonOption = False,
) -> None:
    """List where a user has signed in, or end all of it."""
    settings, people, _ = _opened(lake)
    user = people.accounts.get(name)
    if end:
        _note(settings, "session end", user.name, {"which": "all"})
        print(f"{people.sessions.end_all(user.id)} sessions of {user.name} have ended.")
        return
    found = people.sessions.of(user.id)
    if as_json:
        hidden = {"user", "hint"}
        output.document([{key: value for key, value in one._asdict().items() if key not in hidden} for one in found])
        return
    rows: list[list[Any]] = [
        [
            one.id,
            one.address,
            one.via,
            *(_minute(at) for at in (one.created, one.seen, one.expires)),
            one.agent[:MOST_PROGRAM],
        ]
        for one in found
    ]
    terminal.page(tables.table(SESSIONS, rows, terminal.width()))


def _change(lake: Path | None, name: str, given: Mapping[str, Any]) -> None:
    settings, people, tokens = _opened(lake)
    from logshed.pipeline import people as verbs  # noqa: PLC0415 - heavy

    done = verbs.change(people, tokens, name, **given)
    told = {"role": done.user.role, "collections": done.user.scopes, "state": done.user.state}
    _note(settings, "user change", done.user.name, told)
    ended = f"; {done.sessions} sessions and {len(done.tokens)} tokens of theirs ended"
    print(f"{done.user.name} is {done.user.state}, {done.user.role} of {' '.join(done.user.grant.scopes)}{ended}.")


def _opened(lake: Path | None) -> tuple[Settings, People, Tokens]:
    try:
        import argon2  # noqa: F401, PLC0415 - an extra
    except ImportError:
        raise AccessError("cannot use accounts: argon2-cffi is not installed; pip install 'logshed[web]'") from None
    from logshed.access import People, Tokens  # noqa: PLC0415 - not for `--help`
    from logshed.settings import Settings  # noqa: PLC0415 - heavy

    settings = Settings.load()
    if lake is not None:
        settings = settings.model_copy(update={"lake": lake})
    people = People(settings.accounts, idle=settings.web.idle, longest=settings.web.session)
    return settings, people, Tokens(settings.tokens)


def _note(settings: Settings, verb: str, target: str, details: Mapping[str, Any]) -> None:
    from logshed.pipeline.token_trail import note  # noqa: PLC0415 - heavy

    note(settings, verb, target, details)


def _print_link(settings: Settings, secret: str, *, as_json: bool) -> None:
    address = settings.web.address_of_people
    if as_json:
        output.document({"link": f"{address}/link/{secret}"})
        return
    print(f"{address}/link/{secret}")


def _moment(seconds: float | None) -> str | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def _minute(seconds: float | None) -> str:
    return "never" if seconds is None else f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M}"
