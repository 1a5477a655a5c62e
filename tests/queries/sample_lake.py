"""Lakes to ask questions of: one with everything that questions count, and three that have next to nothing."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import polars as pl
from pyiceberg.io.pyarrow import parquet_file_to_data_file

from logshed import schema
from logshed.lake import storage
from logshed.lake.names import CASES, FOUND, LOGS
from logshed.lake.store import Store
from logshed.lake.writing import FileWriter

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from logshed.lake.names import TableDef

Row = dict[str, Any]

START = datetime(2024, 4, 1, tzinfo=UTC)
DROP = "'; DROP TABLE logs; --"
CLIENTS = [f"198.51.100.{number}" for number in range(9)] + ["203.0.113.7", "2001:db8::1", None]
AGENTS: list[tuple[str | None, str | None, str | None, bool | None]] = [
    ("Mozilla/5.0 (X11; Linux) Firefox/125.0", "Firefox", "Linux", False),
    ("Mozilla/5.0 (Windows) Chrome/124.0", "Chrome", "Windows", False),
    ("Googlebot/2.1", "Googlebot", None, True),
    ("odd agent", None, None, None),
    (None, None, None, None),
]
PATHS = ["/", "/a", "/b", "/shop/cart", "/style.CSS", "/img/x.png", "/robots.txt", "/it's", "/ümlaut", "", None]
PROBES = ["/.env", "/v1/api/x", "/wp-login.php", "/admin/users", "/x/actuator/env", "/HNAP1", "/console"]
QUERIES = [
    "q=Red+Shoes",
    "page=2&search=r%C3%A9d",
    "s=%FFbroken",
    "keyword=%2",
    "q=",
    "xq=no",
    "a=1&q=it%27s",
    None,
    None,
]
REFERRERS = ["https://www.Example.org/a?b", "http://example.org:8080/", "https://u@other.example/x", "-", None, None]
CACHES = [("nginx.upstream.cache_status", "HIT"), ("cloudflare.cache_status", "miss"), ("gcp.cache_hit", "true"), None]
SHOP = [  # path, query, status
    ("/products/mug", None, 200),
    ("/product/chair/", "utm_source=news", 200),
    ("/product/chair/", "add-to-cart=7&value=12%2C50", 302),
    ("/cart/add.js", None, 422),
    ("/cart", "total=EUR+1.250,75", 200),
    ("/checkout", None, 200),
    ("/checkout/payment", "value=1,250.75", 200),
    ("/checkout/success", "order_id=A1&total=59.90", 200),
    ("/checkout/success", "order_id=A2&total=free", 200),
    ("/checkout/success", "order_id=A2&total=70", 200),
    ("/checkout/success", "order_id=[ORDER]&total=1.5", 200),
    ("/checkout/order-received/55/", "key=k", 200),
    ("/search", "q=mug&hits=0", 200),
    ("/search", "q=mug&hits=3", 200),
    ("/search", "q=mug&hits=many", 200),
    ("/wishlist", None, 200),
    ("/coupons/apply", None, 200),
]
SHOP_EVENTS = ["view_item", "Add_To_Cart", "begin_checkout", "purchase", "page_view", None]
STATUSES = [200, 200, 200, 200, 206, 301, 304, 401, 403, 404, 404, 500, 503]
MESSAGES = [
    'cannot charge card "4711" of order 17 in 0x1f',
    'cannot charge card "12" of order 9 in 0xAB\nCaused by: nothing',
    "lost 5b2f0c1e-8f2a-4a8e-9d59-0123456789ab after 3.5 s",
    "permission denied for bob",
    "Failed password for invalid user bob from 192.0.2.9 port 22 ssh2",
    "Accepted publickey for ann from 192.0.2.10 port 22 ssh2",
    DROP,
    None,
]


def record(number: int, when: datetime, **fields: Any) -> Row:
    """A record with what every record has."""
    return {
        "timestamp": when,
        "observed_timestamp": when + timedelta(minutes=1),
        "timestamp_source": "event",
        "collection": "web",
        "source": "file:/var/log/a.log",
        "generation": "g1",
        "offset": number * 100,
        "item": 0,
        "batch": "b1",
        "redaction_count": 0,
        **fields,
    }


def records() -> list[Row]:
    """Visits, messages and events of five weeks; gaps of exactly half an hour and records at one moment are there."""
    dice = random.Random(11)  # noqa: S311 - a test's dice
    found: list[Row] = []
    for _ in range(420):
        when = START + timedelta(minutes=dice.randrange(36 * 24 * 60), microseconds=dice.choice([0, 1, 500_000]))
        client, agent = dice.choice(CLIENTS), dice.choice(AGENTS)
        for _ in range(dice.randrange(1, 9)):
            found.append(record(len(found), when, **_request(dice, client, agent)))
            when += timedelta(seconds=dice.choice([0, 1, 20, 20.25, 300, 1_799, 1_800, 1_801, 4_000]))
    for _ in range(120):
        when = START + timedelta(minutes=dice.randrange(36 * 24 * 60))
        who = _shopper(dice)
        for _ in range(dice.randrange(1, 12)):
            found.append(record(len(found), when, **who, **_shop_step(dice)))
            when += timedelta(seconds=dice.choice([0, 20, 300, 1_800, 1_801]))
    for make in (_message, _event):
        for _ in range(300):
            when = START + timedelta(seconds=dice.randrange(36 * 24 * 3_600))
            found.append(record(len(found), when, **make(dice)))
    found.append(record(len(found), START + timedelta(days=3), timestamp_source="observed"))
    dice = random.Random(12)  # noqa: S311 - dice of its own, so that those above fall as before
    for _ in range(150):
        when = START + timedelta(seconds=dice.randrange(36 * 24) * 3_600)
        found.append(record(len(found), when, **_measured(dice)))
    return sorted(found, key=lambda row: (row["timestamp"], row["offset"]))


def findings() -> list[Row]:
    """Findings, two of them in two versions."""
    dice = random.Random(5)  # noqa: S311 - a test's dice
    found = []
    for number in range(40):
        when = START + timedelta(hours=number * 20)
        rule, level = dice.choice([("ssh_bruteforce", "high"), ("rare", "low"), (DROP, "critical"), ("rare", "medium")])
        found.append(
            {
                "finding_id": f"f{number}",
                "timestamp": when,
                "end_timestamp": when + timedelta(minutes=dice.randrange(90)),
                "observed_timestamp": when + timedelta(hours=2),
                "collection": dice.choice(["web", "app"]),
                "rule_id": "r",
                "rule_name": rule,
                "rule_title": f"Title of {rule}",
                "rule_version": "v",
                "rule_kind": "event",
                "level": level,
                "confidence": "high",
                "technique": dice.choice(["T1110", None]),
                "actor": dice.choice(["198.51.100.1", "bob", None]),
                "client_address": dice.choice(["198.51.100.1", "192.0.2.200", None]),
                "event_count": dice.randrange(1, 50),
                "score": float(dice.randrange(100)),
                "explanation": "seen",
                "batch": "b1",
            }
        )
    later = {"observed_timestamp": START + timedelta(days=90), "event_count": 1_000}
    return [*found, found[0] | later, found[3] | later]


def incidents() -> list[Row]:
    """Incidents of every status; one was open and is closed now."""
    dice = random.Random(6)  # noqa: S311 - a test's dice
    found = []
    for number in range(20):
        when = START + timedelta(hours=number * 31)
        found.append(
            {
                "incident_id": f"i{number}",
                "timestamp": when,
                "end_timestamp": when + timedelta(hours=1),
                "updated_timestamp": when + timedelta(hours=2),
                "collection": dice.choice(["web", "app"]),
                "actor_type": "client_address",
                "actor": dice.choice(["198.51.100.1", DROP]),
                "status": "open" if number == 0 else dice.choice(["open", "open", "muted", "closed"]),
                "threat_score": float(dice.choice([10, 50, 90])),
                "threat_score_max": 50.0,
                "threat_level": "high",
                "severity_level": "high",
                "event_count": number,
                "finding_count": 2,
                "rules": "a b",
                "batch": "b1",
            }
        )
    return [*found, found[0] | {"status": "closed", "updated_timestamp": START + timedelta(days=90)}]


def write(root: Path, logs: Sequence[Row], found: Sequence[Row] = (), cases: Sequence[Row] = ()) -> None:
    """A lake with these rows, the logs in three files."""
    fill(Store.open(root, create=True), logs, found, cases)


def fill(store: Store, logs: Sequence[Row], found: Sequence[Row] = (), cases: Sequence[Row] = ()) -> None:
    """Put rows into a lake, the logs in three files."""
    size = max(1, -(-len(logs) // 3))
    parts = [(LOGS, schema.SILVER, logs[start : start + size]) for start in range(0, len(logs), size)]
    for number, (table, columns, rows) in enumerate(
        [*parts, (FOUND, schema.FINDINGS, found), (CASES, schema.INCIDENTS, cases)]
    ):
        if rows:
            _append(store, table, frame(rows, columns), f"f{number}")


def frame(rows: Sequence[Row], columns: tuple[schema.Column, ...]) -> pl.DataFrame:
    """Rows as a frame of a table's columns."""
    types = schema.polars_schema(columns)
    return pl.DataFrame(
        {name: pl.Series(name, [row.get(name) for row in rows], dtype=dtype) for name, dtype in types.items()}
    )


def _append(store: Store, definition: TableDef, rows: pl.DataFrame, name: str) -> None:
    table = store.table(definition)
    written = FileWriter.of(definition, table).write(rows, name)
    with table.transaction() as transaction, transaction.update_snapshot().fast_append() as append:
        for file in written:
            path = file.path if storage.is_remote(file.path) else f"file://{file.path}"
            append.append_data_file(parquet_file_to_data_file(table.io, table.metadata, path))


def _request(
    dice: random.Random, client: str | None, agent: tuple[str | None, str | None, str | None, bool | None]
) -> Row:
    path = dice.choice(PROBES) if dice.random() < 0.1 else dice.choice(PATHS)
    cache = dice.choice(CACHES)
    name, agent_name, system, bot = agent
    return {
        "log_format": "nginx",
        "source": dice.choice(["file:/var/log/a.log", "file:/var/log/b.log"]),
        "http_request_method": dice.choice(["GET", "GET", "POST", None]),
        "url_path": path,
        "url_template": "/shop/{page}" if path == "/shop/cart" else None,
        "url_query": dice.choice(QUERIES),
        "url_domain": dice.choice(["example.org", "shop.example", None]),
        "network_protocol_version": dice.choice(["1.1", "2", None]),
        "http_response_status_code": dice.choice(STATUSES),
        "http_response_body_size": dice.choice([None, 0, 10, 1_234, 2_000_000_000]),
        "http_referrer": dice.choice(REFERRERS),
        "user_agent_original": name,
        "user_agent_name": agent_name,
        "user_agent_os": system,
        "user_agent_is_bot": bot,
        "client_address": client,
        "client_geo_country_iso_code": {"203.0.113.7": "NL", "198.51.100.1": "DE", "2001:db8::1": "DE"}.get(
            client or ""
        ),
        "client_geo_region": {"198.51.100.1": "Berlin"}.get(client or ""),
        "client_is_internal": None if client is None else client == "198.51.100.3",
        "client_threat_list": "bad" if client == "203.0.113.7" else None,
        "client_network": "office" if client == "198.51.100.3" else None,
        "user_id": dice.choice(["ann", "bob", None, None]),
        "duration_ms": dice.choice([None, 0.0005, 1.5, 20.25, 900.125, float("nan")]),
        "service_name": dice.choice(["shop", "shop", DROP, None]),
        "trace_id": dice.choice(["t1", "t2", "", None, None, None]),
        "attributes": dict([cache]) if cache else {},
    }


def _shopper(dice: random.Random) -> Row:
    name, agent_name, system, bot = dice.choice(AGENTS)
    return {
        "client_address": dice.choice([*CLIENTS[:4], None]),
        "client_geo_country_iso_code": dice.choice(["DE", "NL", None]),
        "user_agent_original": name,
        "user_agent_name": agent_name,
        "user_agent_os": system,
        "user_agent_is_bot": bot,
        "session_id": dice.choice(["s1", "s2", "", None, None]),
        "http_referrer": dice.choice(REFERRERS),
        "client_threat_list": None,
        "service_name": None,
    }


def _shop_step(dice: random.Random) -> Row:
    if dice.random() < 0.3:
        more = {"event": dice.choice(SHOP_EVENTS), "value": dice.choice(["7", "x", None]), "transaction_id": "T1"}
        kept = {key: value for key, value in more.items() if value is not None}
        return {"attributes": kept} if dice.random() < 0.5 else {"event_name": more["event"], "attributes": {}}
    path, query, status = dice.choice(SHOP)
    return {
        "http_request_method": dice.choice(["GET", "POST"]),
        "url_path": path,
        "url_query": query,
        "http_response_status_code": status,
        "http_response_body_size": 10,
        "duration_ms": dice.choice([None, 5.0, 80.5]),
        "attributes": {},
    }


def _message(dice: random.Random) -> Row:
    text, number = dice.choice([("INFO", 9), ("WARN", 13), ("ERROR", 17), ("FATAL", 21), (None, None)])
    return {
        "collection": "app",
        "source": "file:/var/log/app.log",
        "severity_text": text,
        "severity_number": number,
        "scope_name": dice.choice(["shop.Cart", None]),
        "host_name": dice.choice(["h1", "h2"]),
        "exception_type": dice.choice([None, None, "Timeout"]),
        "exception_message": dice.choice([None, None, "after 30 s"]),
        "body": dice.choice(MESSAGES),
        "service_name": dice.choice(["pay", DROP, None]),
        "trace_id": dice.choice(["t1", "t2", None]),
        "span_id": dice.choice(["s1", None]),
    }


def _measured(dice: random.Random) -> Row:
    """A record that says how much of a resource is in use."""
    name, text = dice.choice(
        [
            ("system.cpu.total.norm.pct", f"{dice.random():.3f}"),
            ("cpu_percent", f"{dice.randrange(100)}"),
            ("cpu_percent", "no number"),
            ("CPUPerc", f"{dice.randrange(10_000) / 100}%"),
            ("MemUsage", f"{dice.randrange(1, 900)}MiB / 1GiB"),
            ("usage.cpu", f"{dice.randrange(1, 4_000)}m"),
            ("usage.memory", f"{dice.randrange(1, 4_000)}Ki"),
            ("jvm.memory.used", f"{dice.randrange(1, 4_000)}e3"),
            ("queue_depth", f"-{dice.randrange(9)}"),
            ("queue_depth", None),
            ("no.such.field", "7"),
        ]
    )
    return {
        "collection": "app",
        "source": "file:/var/log/metrics.log",
        "host_name": dice.choice(["h1", DROP, None]),
        "service_name": dice.choice(["pay", None]),
        "attributes": {name: text, "other": "1"},
    }


def _event(dice: random.Random) -> Row:
    command = dice.choice(["/usr/bin/sudo id", "ls -l", "systemctl stop x", "pseudo x", None])
    return {
        "collection": "app",
        "log_type": "audit" if command is None else None,
        "cloud_region": "eu-west-1" if command is None else None,
        "source": "file:/var/log/auth.log",
        "event_name": dice.choice(
            ["login", "USER_LOGIN", "create_user", "sudo", "policy.update", "ConsoleLogin", None]
        ),
        "event_outcome": dice.choice(["success", "failure", None]),
        "user_id": dice.choice(["ann", "bob", DROP, None]),
        "client_address": dice.choice(CLIENTS),
        "body": dice.choice([None, "something", "Access Denied"]),
        "attributes": {"process.command_line": command} if command else {},
    }
