"""What the commands around the hot store share: which one, and how it is opened."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from logshed.live.hot import HotStore
    from logshed.settings import Settings

RedisOption = Annotated[
    str | None,
    typer.Option(
        "--redis",
        metavar="URL",
        help="Redis or Valkey; [live] redis and LOGSHED_LIVE_REDIS say it too, and do not show a password to `ps`.",
        show_default=False,
    ),
]


def settings_for(redis: str | None) -> Settings:
    """The settings, with another hot store where one is given.

    Raises:
        SettingsError: A setting is wrong.
    """
    import os  # noqa: PLC0415 - not for `--help`

    from logshed.settings import Settings  # noqa: PLC0415 - as above

    own = {} if redis is None else {"LOGSHED_LIVE_REDIS": redis}
    return Settings.load(environ={**os.environ, **own})


@contextmanager
def opened(settings: Settings) -> Iterator[HotStore]:
    """The hot store, closed at the end.

    Raises:
        LiveError: It cannot be reached or is not fit.
    """
    from logshed.live.hot import HotStore  # noqa: PLC0415 - not for `--help`

    hot = HotStore.open(settings.live)
    try:
        yield hot
    finally:
        hot.close()
