"""What happens, as the hot store's writers publish it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from logshed.live import keys
from logshed.live.events import Event
from logshed.live.server import connected, told

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from logshed.live_settings import Live


class Subscriber:
    """Listens.

    Args:
        settings: Where the hot store is.
    """

    def __init__(self, settings: Live) -> None:
        self._settings = settings

    async def batches(self, collections: Sequence[str] | None) -> AsyncIterator[Sequence[Event]]:
        """Events as they happen, some at a time; a connection that was cut is made again, what came meanwhile is not.

        Args:
            collections: Only of these; None takes all.

        Raises:
            LiveError: The server does not answer or refuses.
        """
        channels = [keys.CHANNEL] if collections is None else [f"{keys.CHANNEL}:{one}" for one in collections]
        with told(self._settings, "listen to"):
            client = connected(self._settings, asynchronous=True)
            async with client, client.pubsub(ignore_subscribe_messages=True) as listening:
                await listening.subscribe(*channels)
                while True:
                    message = await listening.get_message(timeout=None)
                    if message is not None and message["type"] == "message":
                        yield [Event(*one) for one in orjson.loads(message["data"])]
