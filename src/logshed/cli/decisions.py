"""``logshed decisions``: whom to block, and files for those that can."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from logshed.cli import tables, terminal
from logshed.cli.commands import JsonOption, LakeOption, add

if TYPE_CHECKING:
    from logshed.api import Lake

COLUMNS = ("address", "until", "simulated", "origin", "reason")
AddressArgument = Annotated[str, typer.Argument(metavar="ADDRESS", help="An address, or a network as 192.0.2.0/24.")]


class Form(StrEnum):
    """Who is to block."""

    PLAIN = "plain"
    NGINX = "nginx"
    NFTABLES = "nftables"


def register(app: typer.Typer) -> None:
    """Add the group of commands."""
    group = typer.Typer(help="Whom to block: decide, list, export.", no_args_is_help=True, rich_markup_mode=None)
    add(group, "list", list_decisions, examples=("logshed decisions list",))
    add(group, "add", add_decision, examples=("logshed decisions add 192.0.2.7 --for 12h --reason 'scans us'",))
    add(group, "delete", delete, examples=("logshed decisions delete 192.0.2.7",))
    add(group, "export", export, examples=("logshed decisions export nginx > /etc/nginx/blocked.conf",))
    app.add_typer(group, name="decisions")


def list_decisions(*, lake: LakeOption = None, as_json: JsonOption = False) -> None:
    """List what was decided and holds. Logshed blocks nobody itself: `export` makes files for those that do."""
    from dataclasses import asdict  # noqa: PLC0415 - only here

    from logshed.pipeline import decisions  # noqa: PLC0415 - heavy

    known = decisions.read(_root(lake))
    if as_json:
        import orjson  # noqa: PLC0415 - only for --json

        print(orjson.dumps([asdict(one) for one in known], option=orjson.OPT_INDENT_2).decode())
        return
    rows = [[one.address, one.until, "yes" if one.simulated else "", one.origin[:12], one.reason] for one in known]
    if rows:
        terminal.page(tables.table(COLUMNS, rows, terminal.width()))
    else:
        print("Nobody is to be blocked.")


def add_decision(
    address: AddressArgument,
    *,
    span: Annotated[str, typer.Option("--for", metavar="SPAN|DATE", help="For how long: 4h, 7d, or a date.")] = "4h",
    reason: Annotated[str, typer.Option(help="Why.")] = "",
    simulate: Annotated[bool, typer.Option("--simulate", help="Report it only, never export it.")] = False,
    lake: LakeOption = None,
) -> None:
    """Decide that an address or a network is to be blocked for some time."""
    from logshed.pipeline.deciding import decide  # noqa: PLC0415 - heavy

    opened = _lake(lake)
    made = decide(opened.root, opened.settings, address, opened.later(span), reason, simulated=simulate)
    print(f"{made.address} is to be blocked until {made.until}" + (" (simulated)." if simulate else "."))


def delete(address: AddressArgument, *, lake: LakeOption = None) -> None:
    """Take a decision back."""
    from logshed.pipeline.deciding import take_back  # noqa: PLC0415 - heavy

    opened = _lake(lake)
    take_back(opened.root, opened.settings, address)
    print(f"{address} is not to be blocked any more.")


def export(
    form: Annotated[Form, typer.Argument(help="Who is to block.")] = Form.PLAIN, *, lake: LakeOption = None
) -> None:
    """Print a file that blocks what was decided: lines for nginx, a table for nft -f, or plain addresses."""
    from logshed.pipeline import decisions  # noqa: PLC0415 - heavy

    for line in decisions.export(decisions.read(_root(lake)), form.value):
        print(line)


def _lake(path: Any) -> Lake:
    from logshed.api import Lake  # noqa: PLC0415 - heavy

    return Lake.open(path)


def _root(path: Any) -> Any:
    return _lake(path).root
