"""Ends connections that leave a request half said: whoever sends nothing more takes a place that others need."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import asyncio

    import uvicorn

SECONDS = 30.0
"""That a request, its body too, may take to arrive; between two of them uvicorn waits less by itself."""


def hold_to_time(config: uvicorn.Config) -> None:
    """Let connections have so long for each request.

    Args:
        config: How an application is served; it is loaded already.
    """
    spoken: Any = config.http_protocol_class

    class Timely(spoken):  # type: ignore[misc] # one of uvicorn's two ways to speak HTTP
        _late: asyncio.TimerHandle | None = None

        def connection_made(self, transport: asyncio.Transport) -> None:
            super().connection_made(transport)
            self._look()

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            self._look()

        def connection_lost(self, exc: Exception | None) -> None:
            self._rest()
            super().connection_lost(exc)

        def _look(self) -> None:
            """Begin to wait, or leave it once all is there, or another protocol has taken over."""
            cycle = self.cycle
            left = self.transport.is_closing() or self.transport.get_protocol() is not self
            whole = cycle is not None and not cycle.response_complete and not cycle.more_body
            if left or whole:
                self._rest()
            elif self._late is None:
                self._late = self.loop.call_later(SECONDS, self.transport.abort)

        def _rest(self) -> None:
            if self._late is not None:
                self._late.cancel()
                self._late = None

    config.http_protocol_class = Timely
