"""How many records a second the decoders of the HTTP protocols take, on one processor and without a network.

    python benchmarks/receive_http.py [--seconds 2]

Bodies hold 1,000 records as the clients write them: Filebeat's documents, Promtail's pushes, Fluent Bit's events.
"""

from __future__ import annotations

import argparse
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import cramjam
import orjson

from logshed.receivers import elastic, lines, loki, splunk
from logshed.receivers.common.loki_push import message as loki_message
from logshed.receivers.model import Decoded, Request

if TYPE_CHECKING:
    from collections.abc import Callable

RECORDS = 1_000
SECOND = 1_795_701_600
LINE = '192.0.2.{} - - [26/Nov/2026:14:00:00 +0000] "GET /shop/item/{} HTTP/1.1" 200 5120 "-" "curl/8.5.0"'


def main() -> None:
    """Measure each decoder and print a line of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=2.0, help="how long each decoder is measured")
    seconds = parser.parse_args().seconds
    texts = [LINE.format(number % 250, number) for number in range(RECORDS)]
    events = [
        orjson.dumps({"time": SECOND + 0.5, "host": "web-1", "source": "/var/log/a", "event": one}) for one in texts
    ]
    bodies: dict[str, tuple[Callable[[Request], Decoded], bytes, dict[str, str]]] = {
        "elastic, _bulk of Filebeat": (elastic.decode_bulk, _bulk(texts), {}),
        "loki, protobuf and snappy": (loki.decode, _push(texts, metadata=False), {}),
        "loki, with structured metadata": (loki.decode, _push(texts, metadata=True), {}),
        "loki, JSON": (loki.decode, _json(texts), {"content-type": "application/json"}),
        "splunk, events": (splunk.decode_events, b"".join(events), {}),
        "lines, NDJSON": (lines.decode_ndjson, b"\n".join(events), {}),
        "lines, raw": (lines.decode_raw, "\n".join(texts).encode(), {}),
    }
    for name, (decode, body, headers) in bodies.items():
        asked = Request("/v1/raw", {}, headers, body, "192.0.2.1", datetime.now(UTC))
        print(f"{name:32}{_rate(decode, asked, seconds):>12,.0f} records/s   {len(body) / RECORDS:6.0f} bytes each")
    print(f"{'elastic, reply':32}{_reply_rate(_bulk(texts), seconds):>12,.0f} items/s")


def _rate(decode: Callable[[Request], Decoded], asked: Request, seconds: float) -> float:
    done, start = 0, time.process_time()
    while (spent := time.process_time() - start) < seconds:
        done += sum(part.records for part in decode(asked).parts)
    return done / spent


def _reply_rate(body: bytes, seconds: float) -> float:
    asked = Request("/_bulk", {}, {}, body, "192.0.2.1", datetime.now(UTC))
    decoded, route = elastic.decode_bulk(asked), elastic.ROUTES[0]
    done, start = 0, time.process_time()
    while (spent := time.process_time() - start) < seconds:
        route.answer(asked, decoded)
        done += RECORDS
    return done / spent


def _bulk(texts: list[str]) -> bytes:
    action = b'{"create":{"_index":"filebeat-8.17.0"}}\n'
    return b"".join(
        action
        + orjson.dumps(
            {
                "@timestamp": "2026-11-26T14:00:00.000Z",
                "message": text,
                "input": {"type": "filestream"},
                "log": {
                    "offset": at * 100,
                    "file": {"path": "/var/log/nginx/access.log", "inode": "1", "device_id": "2"},
                },
                "host": {"name": "web-1"},
                "agent": {"type": "filebeat", "version": "8.17.0", "name": "web-1", "id": "a", "ephemeral_id": "b"},
                "ecs": {"version": "8.0.0"},
            },
            option=orjson.OPT_APPEND_NEWLINE,
        )
        for at, text in enumerate(texts)
    )


def _push(texts: list[str], *, metadata: bool) -> bytes:
    message = loki_message("Push")()
    for service in ("web", "shop"):
        stream = message.streams.add(labels=f'{{job="{service}", host="web-1", filename="/var/log/a"}}'.encode())
        for text in texts[: RECORDS // 2]:
            entry = stream.entries.add(line=text.encode())
            entry.timestamp.seconds = SECOND
            if metadata:
                entry.metadata.add(name=b"trace_id", value=b"4bf92f3577b34da6a3ce929d0e0e4736")
                entry.metadata.add(name=b"pod", value=b"web-1")
    return bytes(cramjam.snappy.compress_raw(message.SerializeToString()))


def _json(texts: list[str]) -> bytes:
    return orjson.dumps(
        {"streams": [{"stream": {"job": "web"}, "values": [[f"{SECOND}000000000", one] for one in texts]}]}
    )


if __name__ == "__main__":
    main()
