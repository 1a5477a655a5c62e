"""``logshed serve``: the web application, for a team."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from logshed.cli.commands import CertificateOption, KeyOption, LakeOption, add
from logshed.errors import DoorError, UsageError

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
    listen: Annotated[str, typer.Option(metavar="HOST:PORT", help="Where it is served.")] = "127.0.0.1:8600",
    tokens: Annotated[
        bool, typer.Option(help="Let in by accounts and tokens; without them whoever is on this machine.")
    ] = True,
    certificate: CertificateOption = None,
    key: KeyOption = None,
    lake: LakeOption = None,
) -> None:
    """Serve the web application: explore, watch, defend, administer, and an API for all of it."""
    try:
        from logshed.doors.serving import Certificate  # noqa: PLC0415 - an extra
        from logshed.web.serving import WebServer  # noqa: PLC0415 - an extra
        from logshed.web.site import Site  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise DoorError(f"cannot serve: {error.name} is not installed; pip install 'logshed[web]'") from None
    from logshed.access import Tokens  # noqa: PLC0415 - not for `--help`
    from logshed.api import Lake  # noqa: PLC0415 - heavy

    if (certificate is None) != (key is None):
        raise UsageError("cannot serve HTTPS: a certificate needs its key; give both --certificate and --key")
    opened = Lake.open(lake, create=True)
    known = Tokens(opened.settings.tokens) if tokens else None
    files = Certificate(certificate, key) if certificate and key else None
    server = WebServer(Site(opened, known), listen=listen, anyone=known is None, certificate=files)
    print(f"Logshed is at {server.url} (Ctrl-C ends it)", file=sys.stderr, flush=True)
    server.run()
