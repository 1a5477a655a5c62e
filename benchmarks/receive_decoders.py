"""How many records a second the decoders of pushed logs take, on one processor and without a network.

    python benchmarks/receive_decoders.py [--seconds 2]

Bodies hold 1,000 records as the clients write them: OpenTelemetry's SDK, Filebeat's documents, Promtail's pushes,
Splunk's events. The figure is of CPU time, so that it holds on a machine that does other things too.
"""

from __future__ import annotations

import argparse
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import receive_bodies as bodies
from logshed.receivers import elastic, lines, loki, otlp, splunk
from logshed.receivers.model import Decoded, Request

if TYPE_CHECKING:
    from collections.abc import Callable

NOW = datetime(2026, 11, 26, tzinfo=UTC)


def main() -> None:
    """Measure each decoder and print a line of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=2.0, help="how long each decoder is measured")
    seconds = parser.parse_args().seconds
    bulk = bodies.bulk()
    cases: dict[str, tuple[Callable[[Request], Decoded], bytes, str]] = {
        "OTLP, protobuf": (otlp.decode, bodies.otlp().SerializeToString(), otlp.PROTOBUF),
        "OTLP, JSON": (otlp.decode, bodies.otlp_json(), otlp.JSON),
        "elastic, _bulk of Filebeat": (elastic.decode_bulk, bulk, ""),
        "loki, protobuf and snappy": (loki.decode, bodies.loki(), ""),
        "loki, with structured metadata": (loki.decode, bodies.loki(metadata=True), ""),
        "loki, JSON": (loki.decode, bodies.loki_json(), "application/json"),
        "splunk, events": (splunk.decode_events, b"".join(bodies.events()), ""),
        "lines, NDJSON": (lines.decode_ndjson, b"\n".join(bodies.events()), ""),
        "lines, raw": (lines.decode_raw, bodies.raw(), ""),
    }
    for name, (decode, body, kind) in cases.items():
        asked = Request("/v1/raw", {}, {"content-type": kind}, body, "192.0.2.1", NOW)
        rate = _rate(lambda decode=decode, asked=asked: sum(part.records for part in decode(asked).parts), seconds)
        print(f"{name:32}{rate:>12,.0f} records/s   {len(body) / bodies.RECORDS:6.0f} bytes each")
    asked = Request("/_bulk", {}, {}, bulk, "192.0.2.1", NOW)
    decoded, route = elastic.decode_bulk(asked), elastic.ROUTES[0]
    rate = _rate(lambda: bodies.RECORDS if route.answer(asked, decoded).body else 0, seconds)
    print(f"{'elastic, reply':32}{rate:>12,.0f} items/s")


def _rate(work: Callable[[], int], seconds: float) -> float:
    done, start = 0, time.process_time()
    while (spent := time.process_time() - start) < seconds:
        done += work()
    return done / spent


if __name__ == "__main__":
    main()
