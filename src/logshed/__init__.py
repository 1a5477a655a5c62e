"""Logshed takes log lines from anywhere into one open lake that their owner can query, watch and defend.

import logshed
lake = logshed.open("./logshed-lake", create=True)
lake.ingest(["/var/log/nginx/access.log"])
lake.query("SELECT url_path, count(*) AS n FROM logs GROUP BY 1 ORDER BY n DESC").pl()
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from logshed.api import Lake

__version__ = "0.1.0"
__all__ = ["__version__", "open"]


def open(path: str | Path | None = None, *, create: bool = False) -> Lake:  # noqa: A001 - reads logshed.open(...)
    """Open a lake.

    Args:
        path: The lake's folder; None takes ``LOGSHED_LAKE``, logshed.toml's ``lake``, else ``./logshed-lake``.
        create: Make an empty lake where there is none.

    Raises:
        logshed.errors.LakeError: There is no lake, it is something else, or a newer version wrote it.
    """
    from logshed.api import Lake  # noqa: PLC0415 - keeps `import logshed` light

    return Lake.open(path, create=create)
