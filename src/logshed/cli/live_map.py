"""``logshed live map``: a page with a map of the world on which requests appear as they happen."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from logshed.cli import hot
from logshed.cli.commands import add
from logshed.errors import DoorError, UsageError

EXAMPLES = (
    "logshed live map --no-tokens                     # for who is on this machine",
    "logshed token create --collection '*' && logshed live map",
    "logshed live map --listen 0.0.0.0:8610 --certificate door.pem --key door.key",
)

CertificateOption = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Certificate (PEM), to serve HTTPS.", show_default=False)
]
KeyOption = Annotated[Path | None, typer.Option(metavar="FILE", help="Its key (PEM).", show_default=False)]


def register(group: typer.Typer) -> None:
    """Add the command."""
    add(group, "map", live_map, examples=EXAMPLES)


def live_map(
    *,
    redis: hot.RedisOption = None,
    listen: Annotated[str, typer.Option(metavar="HOST:PORT", help="Where it is served.")] = "127.0.0.1:8610",
    tokens: Annotated[
        bool, typer.Option(help="Let in by tokens alone; without them whoever is on this machine, and nobody else.")
    ] = True,
    certificate: CertificateOption = None,
    key: KeyOption = None,
) -> None:
    """Serve a map of the world with requests as they happen.

    It shows what comes into the hot store: by `logshed live import`, or by any ingest or collector where `[live]
    enabled` is set. A token (`logshed token create`) shows its collections and nothing of others.
    """
    try:
        from logshed.doors.serving import Certificate, Door  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise DoorError(f"cannot serve a map: {error.name} is not installed; pip install 'logshed[web]'") from None
    from logshed.access import Tokens  # noqa: PLC0415 - not for `--help`

    if (certificate is None) != (key is None):
        raise UsageError("cannot serve HTTPS: a certificate needs its key; give both --certificate and --key")
    settings = hot.settings_for(redis)
    known = Tokens(settings.tokens) if tokens else None
    with hot.opened(settings) as store:
        files = Certificate(certificate, key) if certificate and key else None
        door = Door(store.subscriber(), store, known, listen=listen, certificate=files)
        print(f"The map is at {door.url} (Ctrl-C ends it)", flush=True)
        if known is not None and not known.list():
            print("No token opens it yet: logshed token create --collection '*'", file=sys.stderr)
        if files is None and not door.local:
            print("It is served without HTTPS, so tokens can be read on the way: see --certificate", file=sys.stderr)
        door.run()
