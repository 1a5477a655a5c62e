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
    from typing import Any

    from logshed.api import Lake
    from logshed.settings import Settings

__version__ = "0.1.0"
__all__ = ["__version__", "open", "sanitize"]


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


def sanitize(record: dict[str, Any], *, policy: str | None = None, settings: Settings | None = None) -> dict[str, Any]:
    """A record without what a policy forbids, as its JSON text would be redacted; the record itself stays as it is.

    Args:
        record: Values of any JSON type, nested as they like; their keys decide as they do in JSON, and are columns.
        policy: A policy's name or a policy file; None takes the setting.
        settings: Settings; None reads logshed.toml, ``.env`` and the environment, once in a process.

    Raises:
        logshed.errors.LogshedError: The record holds what JSON has no form for, or the policy is wrong.
    """
    from logshed.sanitizing import sanitize as clean  # noqa: PLC0415 - keeps `import logshed` light

    return clean(record, policy=policy, settings=settings)
