"""``logshed token``: makes, lists and revokes the tokens that doors let in."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from logshed.cli import output, tables, terminal
from logshed.cli.commands import JsonOption, LakeOption, add
from logshed.cli.progress import size
from logshed.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from logshed.access import Token, Tokens
    from logshed.settings import Settings

COLUMNS = ("id", "name", "collections", "verbs", "rate", "state", "made", "expires", "last used")
UNITS = {"m": 60, "h": 3600, "d": 86_400, "w": 604_800, "y": 31_536_000}
NEVER = "never"
CREATE_EXAMPLES = (
    "logshed token create --name wall --collection shop",
    "logshed token create --collection 'shop-*' --collection blog --expires 1y",
    "logshed token create --collection '*' --verb read --verb write --expires never --json",
    "logshed token create --name shipper --collection shop --verb write --rate 5MB",
)
IdArgument = Annotated[str, typer.Argument(metavar="ID", help="The token's id: its part between the underscores.")]


def register(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(
        help="Tokens: who may read which collections through a door.", no_args_is_help=True, rich_markup_mode=None
    )
    add(group, "create", create, examples=CREATE_EXAMPLES)
    add(group, "list", list_tokens, examples=("logshed token list", "logshed token list --json"))
    add(group, "revoke", revoke, examples=("logshed token revoke 0123456789ab",))
    app.add_typer(group, name="token")


def create(
    *,
    collection: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="A collection that it is for, or a glob; repeat it.", show_default=False),
    ] = None,
    verb: Annotated[
        list[str] | None,
        typer.Option(metavar="VERB", help="What it allows: read, write or admin; repeat it.  [default: read]"),
    ] = None,
    name: Annotated[str, typer.Option(metavar="TEXT", help="What it is for.", show_default=False)] = "",
    expires: Annotated[str, typer.Option(metavar="TIME", help="How long it is good: 12h, 90d, 1y, or never.")] = "90d",
    rate: Annotated[
        str,
        typer.Option(metavar="SIZE", help="Bytes a second that it may bring in: 500kB, 5MB.", show_default=False),
    ] = "",
    lake: LakeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a token and print it, this once: nothing tells it again."""
    settings, tokens = _opened(lake)
    made, known = tokens.create(
        collection or (), verb or ("read",), name=name, seconds=_seconds(expires), rate=_rate(rate)
    )
    from logshed.pipeline.token_trail import note  # noqa: PLC0415 - heavy

    told: dict[str, Any] = {"collections": known.scopes, "verbs": known.verbs, "expires": _moment(known.expires)}
    told |= {"name": known.name} if known.rate is None else {"name": known.name, "rate": known.rate}
    note(settings, "token create", known.id, told)
    if as_json:
        output.document({"token": made, **_document(known)})
        return
    print(made)


def list_tokens(*, as_json: JsonOption = False) -> None:
    """List the tokens and what they allow, never their secrets."""
    _, tokens = _opened(None)
    found = tokens.list()
    if as_json:
        output.document([_document(one) for one in found])
        return
    now = time.time()
    rows: list[list[Any]] = [
        [
            one.id,
            one.name,
            " ".join(one.scopes),
            " ".join(one.verbs),
            "" if one.rate is None else f"{size(one.rate)}/s",
            one.state(now),
            *(_minute(moment) for moment in (one.created, one.expires, one.used)),
        ]
        for one in found
    ]
    terminal.page(tables.table(COLUMNS, rows, terminal.width()))


def revoke(token: IdArgument, *, lake: LakeOption = None, as_json: JsonOption = False) -> None:
    """Let a token open nothing from now on.

    What it holds open is closed within seconds.
    """
    settings, tokens = _opened(lake)
    known = tokens.revoke(_id(token))
    from logshed.pipeline.token_trail import note  # noqa: PLC0415 - heavy

    note(settings, "token revoke", known.id, {"name": known.name})
    if as_json:
        output.document(_document(known))
        return
    print(f"Token {known.id} opens nothing from now on.")


def _opened(lake: Path | None) -> tuple[Settings, Tokens]:
    from logshed.access import Tokens  # noqa: PLC0415 - not for `--help`
    from logshed.settings import Settings  # noqa: PLC0415 - heavy

    settings = Settings.load()
    if lake is not None:
        settings = settings.model_copy(update={"lake": lake})
    return settings, Tokens(settings.tokens)


def _id(text: str) -> str:
    """The id in a whole token too: who has one at hand may give it, and it is told to nobody further."""
    parts = text.split("_")
    return parts[1] if len(parts) == 3 and parts[0] == "logshed" else text  # noqa: PLR2004 - prefix, id, secret


def _seconds(text: str) -> float | None:
    if text == NEVER:
        return None
    found = re.fullmatch(r"([0-9]{1,6})([mhdwy])", text)
    if found is None or int(found[1]) == 0:
        raise UsageError(f"cannot make a token: {text!r} is no time; write --expires 12h, 90d, 1y or never")
    return float(int(found[1]) * UNITS[found[2]])


def _rate(text: str) -> int | None:
    from logshed.sizes import parsed  # noqa: PLC0415 - heavy

    try:
        return parsed(text.removesuffix("/s")) if text else None
    except ValueError as error:
        raise UsageError(f"cannot make a token: {error}") from None


def _document(one: Token) -> dict[str, Any]:
    return {
        "id": one.id,
        "name": one.name,
        "collections": one.scopes,
        "verbs": one.verbs,
        "rate": one.rate,
        "state": one.state(time.time()),
        "created": _moment(one.created),
        "expires": _moment(one.expires),
        "last_used": _moment(one.used),
        "revoked": _moment(one.revoked),
    }


def _moment(seconds: float | None) -> str | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def _minute(seconds: float | None) -> str:
    return "never" if seconds is None else f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M}"
