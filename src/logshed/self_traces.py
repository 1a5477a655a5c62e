"""Traces of Logshed itself by OpenTelemetry: what a request goes through until it is in the lake.

Unless it is asked for it is off: nothing of OpenTelemetry is imported, and a span is one shared object that does
nothing. A span has only the attributes of ``Attributes``, which are names and figures: nothing of what is logged, no
token, no text of an error.
"""

from __future__ import annotations

import os
import threading
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, NewType, Self, TypedDict, Unpack

from logshed.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType

Place = NewType("Place", object)
"""A span that others may be linked to."""
ASKED_BY = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
"""Variables by which OpenTelemetry's own users ask for traces."""
PATH = "/v1/traces"
END_SECONDS = 5.0
"""That the last spans may take on their way out."""
MOST_LINKS = 128
"""Links of a span, which is OpenTelemetry's own bound."""
_PREFIX = "logshed."


class Attributes(TypedDict, total=False):
    """All that a span may say. Names are those of ours, such as a collection's; sizes are of what was decoded.

    Attributes:
        protocol: Of the receiver.
        collection: Where the records go.
        door: By which they came.
        status: That the client was answered.
        requests: Requests that are written at once.
        records: Records.
        bytes: Their bytes.
        duplicates: Records that had come before.
        rejected: Records that no format could read.
        batch: Id of the batch in the lake.
    """

    protocol: str
    collection: str
    door: str
    status: int
    requests: int
    records: int
    bytes: int
    duplicates: int
    rejected: int
    batch: str


class Span:
    """What is going on, as a context manager; this one tells nobody.

    It may be entered by coroutines and threads at once.
    """

    def note(self, **attributes: Unpack[Attributes]) -> None:
        """Say more of it."""

    @property
    def place(self) -> Place | None:
        """It itself, for others to be linked to."""
        return None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass


class _Told(Span):
    """A span that OpenTelemetry is told of."""

    def __init__(self, span: Any) -> None:
        self._span = span
        self._before: Any = None

    def note(self, **attributes: Unpack[Attributes]) -> None:
        self._span.set_attributes(_named(attributes))

    @property
    def place(self) -> Place | None:
        return Place(self._span.get_span_context())

    def __enter__(self) -> Self:
        from opentelemetry import context, trace  # noqa: PLC0415 - only where traces are asked for

        self._before = context.attach(trace.set_span_in_context(self._span))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        from opentelemetry import context  # noqa: PLC0415 - only where traces are asked for
        from opentelemetry.trace import StatusCode  # noqa: PLC0415 - as above

        if kind is not None:  # its text may hold what was logged
            self._span.set_status(StatusCode.ERROR, kind.__name__)
            self._span.set_attribute("error.type", kind.__name__)
        context.detach(self._before)
        self._span.end()


class _Tracing:
    """OpenTelemetry at work.

    Args:
        endpoint: Where spans go; empty takes what OpenTelemetry's variables say.
    """

    def __init__(self, endpoint: str) -> None:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415 - only where asked for
            OTLPSpanExporter,
        )
        from opentelemetry.sdk.resources import OTELResourceDetector, Resource  # noqa: PLC0415 - as above
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415 - as above
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415 - as above
        from opentelemetry.trace.propagation.tracecontext import (  # noqa: PLC0415 - as above
            TraceContextTextMapPropagator,
        )

        known = {"service.name": "logshed", "service.version": version("logshed")}
        resource = Resource.create({**known, **OTELResourceDetector().detect().attributes})
        # ended by `stop`, which has an end itself
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._exporter: Any = OTLPSpanExporter(endpoint=endpoint or None)
        self._provider.add_span_processor(BatchSpanProcessor(self._exporter))
        self._tracer = self._provider.get_tracer("logshed", known["service.version"])
        self._context = TraceContextTextMapPropagator()

    def begin(
        self, name: str, headers: Mapping[str, str] | None, links: Sequence[Place], attributes: Attributes
    ) -> Span:
        """Begin a span."""
        from opentelemetry.trace import Link, SpanKind  # noqa: PLC0415 - only where traces are asked for

        span = self._tracer.start_span(
            name,
            context=None if headers is None else self._context.extract(headers),
            kind=SpanKind.INTERNAL if headers is None else SpanKind.SERVER,
            links=[Link(place) for place in links[-MOST_LINKS:]],  # type: ignore[arg-type]
            attributes=_named(attributes),
        )
        return _Told(span)

    def end(self) -> None:
        """Send what has not been sent, for a while."""
        ending = threading.Thread(target=self._provider.shutdown, daemon=True)  # it waits for up to 30 seconds
        ending.start()
        ending.join(END_SECONDS)
        self._exporter.shutdown()  # tries no longer


_OFF = Span()
_tracing: _Tracing | None = None


def start(endpoint: str = "") -> bool:
    """Trace this process from now on, where it is asked for.

    Args:
        endpoint: A server that takes OTLP over HTTP, such as ``http://127.0.0.1:4318``; empty asks the environment.

    Returns:
        Whether there will be traces.

    Raises:
        SettingsError: OpenTelemetry is not installed, or the endpoint is none.
    """
    global _tracing  # noqa: PLW0603 - a process has one
    if _tracing is not None:
        return True
    off = os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true"
    if off or not (endpoint or any(os.environ.get(name) for name in ASKED_BY)):
        return False
    if endpoint and not endpoint.startswith(("http://", "https://")):
        raise SettingsError(f"cannot send traces to {endpoint!r}: that is no address; write http://HOST:4318")
    if endpoint and not endpoint.rstrip("/").endswith(PATH):
        endpoint = endpoint.rstrip("/") + PATH
    try:
        _tracing = _Tracing(endpoint)
    except ImportError as error:
        raise SettingsError(
            f"cannot send traces: {error.name} is not installed; pip install 'logshed[traces]', or leave out `traces`"
        ) from None
    return True


def stop() -> None:
    """Send what has not been sent, for a few seconds at most, and trace no more."""
    global _tracing
    if _tracing is not None:
        ending, _tracing = _tracing, None
        ending.end()


def span(
    name: str,
    *,
    headers: Mapping[str, str] | None = None,
    links: Sequence[Place] = (),
    **attributes: Unpack[Attributes],
) -> Span:
    """Something that goes on, inside what this coroutine or thread has going on already.

    Args:
        name: One of few: ``receive``, ``take``, ``write``, ``redact``, ``spool append``, ``drain``, ``commit``.
        headers: Of a client's request, names in small letters: its trace is gone on with, as ``traceparent`` has it.
        links: What it goes on with that has another beginning: the requests of a write, the writes of a drain.
        attributes: What there is to say of it now.
    """
    return _OFF if _tracing is None else _tracing.begin(name, headers, links, attributes)


def _named(attributes: Attributes) -> dict[str, Any]:
    return {f"{_PREFIX}{name}": value for name, value in attributes.items() if name in Attributes.__annotations__}
