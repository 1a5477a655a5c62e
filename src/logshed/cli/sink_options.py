"""Options that commands share which send to a door or a sink."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

TokenFileOption = Annotated[
    Path | None,
    typer.Option(
        "--token-file", metavar="FILE", help="File with the token; else LOGSHED_SINK_TOKEN.", show_default=False
    ),
]
CaFileOption = Annotated[
    Path | None, typer.Option("--ca-file", metavar="FILE", help="Certificates to trust, PEM.", show_default=False)
]
