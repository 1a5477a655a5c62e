"""``logshed serve``: the web application, for a team."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from logshed.cli.commands import CertificateOption, KeyOption, LakeOption, add
from logshed.errors import DoorError

EXAMPLES = (
    "logshed serve                                   # http://127.0.0.1:8600/",
    "logshed serve --no-tokens                       # for who is on this machine, and nobody else",
    "logshed serve --listen 0.0.0.0:8600 --certificate site.pem --key site.key",
)


def register(app: typer.Typer) -> None:
    """Add the command."""
    add(app, "serve", serve, examples=EXAMPLES)


def serve(
    *,
    listen: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="Where it is served.  [default: 127.0.0.1:8600]")
    ] = None,
    tokens: Annotated[
        bool, typer.Option(help="Let in by accounts and tokens; without them whoever is on this machine.")
    ] = True,
    certificate: CertificateOption = None,
    key: KeyOption = None,
    lake: LakeOption = None,
) -> None:
    """Serve the web application: explore, watch, defend, administer, and an API for all of it.

    The first start prints a link that makes the first administrator.
    """
    from logshed.web.memory import few_arenas  # noqa: PLC0415 - not for `--help`

    few_arenas()  # before there are threads
    try:
        from logshed.web.serving import WebServer  # noqa: PLC0415 - an extra
        from logshed.web.site import Site  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise DoorError(f"cannot serve: {error.name} is not installed; pip install 'logshed[web]'") from None
    from logshed.access import Tokens  # noqa: PLC0415 - not for `--help`
    from logshed.api import Lake  # noqa: PLC0415 - heavy

    opened = Lake.open(lake, create=True)
    given = {"listen": listen, "certificate": certificate, "key": key}
    web = opened.settings.web.given(**given)
    known = Tokens(opened.settings.tokens) if tokens else None
    site = Site(opened, known, web=web)
    server = WebServer(site)
    print(f"Logshed is at {server.url} (Ctrl-C ends it)", file=sys.stderr, flush=True)
    if known is not None and not site.people.accounts.has_admin():
        link = f"{web.public_url or server.url.rstrip('/')}/link/{site.people.links.make('first')[0]}"
        print(f"Nobody administers it yet. Who opens this link within an hour does, and it opens once:\n{link}")
        sys.stdout.flush()
    server.run()
