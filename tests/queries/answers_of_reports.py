"""The questions of reports answered again in plain Python, slowly, from their descriptions; importing it adds them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from tests.queries.answers import (
    answer,
    bad,
    distinct,
    groups,
    midnight,
    ordered,
    quantile,
    rounded,
    span,
    status,
    total,
    visitors,
)

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from tests.queries.answers import Answer, Asked, Row

METRICS = (
    ("Suspicious Logins", "High"),
    ("Failed API Calls", "Medium"),
    ("Console Access", "Low"),
    ("External IPs", "High"),
)


def of_security(row: Row) -> bool:
    if row.get("log_type") in {"security", "audit"} or status(row) in {401, 403, 407}:
        return True
    refused = row.get("event_name") is not None and row.get("event_outcome") == "failure"
    return refused or row.get("client_threat_list") is not None


def kind(row: Row) -> str:
    return "security" if of_security(row) else "application"


def event(row: Row) -> str:
    if row.get("event_name") is not None:
        return str(row["event_name"])
    if row.get("http_response_status_code") is not None:
        return f"HTTP {status(row) // 100}xx"
    if row.get("exception_type") is not None:
        return str(row["exception_type"])
    return "other" if row.get("severity_text") is None else f"{row['severity_text'].upper()} message"


def region(row: Row) -> str:
    country, part = row.get("client_geo_country_iso_code"), row.get("client_geo_region")
    if row.get("cloud_region") is not None:
        return str(row["cloud_region"])
    if country is None:
        return "unknown"
    return str(country) if part is None else f"{country}, {part}"


def logger(row: Row) -> Any:
    return next((row[key] for key in ("scope_name", "service_name", "source") if row.get(key) is not None), None)


def told(row: Row, by: str) -> Any:
    plain = {"level": "severity_text", "exception": "exception_type", "service": "service_name"}
    if by in plain:
        return row.get(plain[by])
    return {"event": event, "region": region, "logger": logger}[by](row)


def asked_for(row: Row, by: str) -> Any:
    if by == "status":
        return str(status(row))
    if by == "template":
        return row.get("url_path") if row.get("url_template") is None else row["url_template"]
    if by == "site":
        scheme, slashes, rest = (row.get("http_referrer") or "").partition("://")
        host = re.split("[/?#]", rest)[0].rpartition("@")[2].partition(":")[0].lower()
        return host if slashes and scheme.isalpha() and host else None
    columns = {"method": "http_request_method", "country": "client_geo_country_iso_code"}
    return row.get((columns | {"path": "url_path", "client": "client_address"})[by])


def error_record(row: Row) -> bool:
    return (row.get("severity_number") or 0) >= 17


def errors(rows: Iterable[Row]) -> int:
    return sum(error_record(row) or status(row) >= 500 for row in rows)


def requests(rows: Iterable[Row]) -> list[Row]:
    return [row for row in rows if row.get("http_response_status_code") is not None]


def day(row: Row) -> date:
    return midnight(row).date()


def counted(rows: list[Row]) -> tuple[int, ...]:
    secure = sum(map(of_security, rows))
    return len(rows), len(rows) - secure, secure, len(requests(rows)), errors(rows)


@answer
def overview(asked: Asked) -> Answer:
    return [(*counted(asked.logs), distinct(asked.logs, "service_name"), *span(asked.logs))] if asked.logs else []


@answer
def overview_by_day(asked: Asked) -> Answer:
    return ordered(((of, *counted(rows)) for of, rows in groups(asked.logs, day).items()), 1)


@answer
def event_types(asked: Asked) -> Answer:
    wanted = [row for row in asked.logs if asked.params["kind"] in {"all", kind(row)}]
    found = ((of, len(rows), *span(rows)) for of, rows in groups(wanted, event).items())
    return ordered(found, -2, 1, limit=asked.params["limit"])


@answer
def security_by_region(asked: Asked) -> Answer:
    found = groups(filter(of_security, asked.logs), region).items()
    rows = ((of, len(rows), len(set(map(event, rows))), span(rows)[1]) for of, rows in found)
    return ordered(rows, -2, 1, limit=asked.params["limit"])


@answer
def hourly_activity(asked: Asked) -> Answer:
    found = groups(asked.logs, lambda row: (row["timestamp"].hour, kind(row)))
    return ordered(((*of, len(rows)) for of, rows in found.items()), 1, 2)


@answer
def hourly_activity_by_day(asked: Asked) -> Answer:
    found = groups(asked.logs, lambda row: (day(row), row["timestamp"].hour, kind(row)))
    return ordered(((*of, len(rows)) for of, rows in found.items()), 1, 2, 3)


@answer
def records_by_day(asked: Asked) -> Answer:
    found = groups(asked.logs, lambda row: (day(row), told(row, asked.params["by"])))
    rows = (
        (
            *of,
            len(rows),
            len(rows) - sum(map(of_security, rows)),
            sum(map(of_security, rows)),
            sum(map(error_record, rows)),
        )
        for of, rows in found.items()
        if of[1] is not None
    )
    return ordered(rows, 1, 2)


def message(row: Row) -> str | None:
    path = row.get("url_path")
    line = None if path is None or row.get("http_request_method") is None else f"{row['http_request_method']} {path}"
    found = (row.get("exception_message"), row.get("body"), line, path, row.get("event_name"))
    return next((str(one)[:200] for one in found if one is not None), None)


def most(rows: Iterable[Row], column: str, pick: Any) -> Any:
    values = [row[column] for row in rows if row.get(column) is not None]
    return pick(values) if values else None


@answer
def records_behind(asked: Asked) -> Answer:
    only = asked.params["only"]
    wanted = [row for row in asked.logs if only in {"all", kind(row)} or (only == "errors" and error_record(row))]
    found = groups(wanted, lambda row: told(row, asked.params["by"]))
    answers: Answer = []
    for of, rows in found.items():
        alike = (
            (of, text, most(same, "severity_text", max), most(same, "service_name", min), len(same), span(same)[1])
            for text, same in groups(rows, message).items()
            if of is not None
        )
        answers += ordered(alike, -5, 2, limit=asked.params["limit"])
    return ordered(answers, 1, -5, 2)


@answer
def requests_by_day(asked: Asked) -> Answer:
    by = asked.params["by"]
    found = groups(requests(asked.logs), lambda row: (day(row), asked_for(row, by)))
    rows = (
        (*of, len(rows), bad(rows), bad(rows, 500), sum(status(row) == 404 for row in rows), total(rows))
        for of, rows in found.items()
        if of[1] is not None or by not in {"client", "site"}
    )
    return ordered(rows, 1, 2)


@answer
def requests_behind(asked: Asked) -> Answer:
    wanted = [row for row in requests(asked.logs) if status(row) >= asked.params["status"]]
    found = groups(wanted, lambda row: asked_for(row, asked.params["by"]))
    answers: Answer = []
    for of, rows in found.items():
        same = groups(rows, lambda row: (row.get("http_request_method"), row.get("url_path"), status(row)))
        alike = (
            (of, *key, len(those), distinct(those, "client_address"), span(those)[1]) for key, those in same.items()
        )
        answers += ordered(alike, -5, 3, 2, 4, limit=asked.params["limit"])
    return ordered(answers, 1, -5, 3, 2, 4)


@answer
def traffic_totals(asked: Asked) -> Answer:
    found = asked.requests
    bots = sum(bool(row.get("user_agent_is_bot")) for row in found)
    return [(len(found), visitors(found), bots, bad(found), total(found))] if found else []


def timed(asked: Asked) -> list[Row]:
    return [
        row for row in asked.logs if row.get("duration_ms") is not None and row["duration_ms"] == row["duration_ms"]
    ]


def percentiles(rows: list[Row], *shares: float) -> tuple[float | None, ...]:
    return tuple(rounded(quantile([row["duration_ms"] for row in rows], share, 6), 3) for share in shares)


@answer
def latency_by_hour(asked: Asked) -> Answer:
    found = groups(timed(asked), lambda row: row["timestamp"].replace(minute=0, second=0, microsecond=0))
    return ordered(((of, len(rows), *percentiles(rows, 0.5, 0.95, 0.99)) for of, rows in found.items()), 1)


@answer
def latency_totals(asked: Asked) -> Answer:
    rows = timed(asked)
    slowest = max((row["duration_ms"] for row in rows), default=None)
    return [(len(rows), *percentiles(rows, 0.5, 0.9, 0.95, 0.99), slowest)] if rows else []


def suspicious(row: Row) -> bool:
    name, said = (row.get("event_name") or "").lower(), (row.get("body") or "").lower()
    listed = row.get("client_threat_list") is not None
    login = "login" in name and (row.get("event_outcome") == "failure" or listed)
    words = ("login failed", "failed login", "authentication failed")
    failed = said.startswith(("failed password", "failed publickey")) or any(one in said for one in words)
    return status(row) == 401 or login or failed


def failed_call(row: Row) -> bool:
    name = row.get("event_name")
    call = name is not None and row.get("event_outcome") == "failure" and "login" not in name.lower()
    return call or (status(row) >= 400 and status(row) != 401 and "/api/" in (row.get("url_path") or ""))


def console(row: Row) -> bool:
    return "console" in (row.get("event_name") or "").lower()


@answer
def security_summary(asked: Asked) -> Answer:
    if not asked.logs:
        return []
    outside = distinct((row for row in asked.logs if row.get("client_is_internal") is False), "client_address")
    counts = [*(sum(map(one, asked.logs)) for one in (suspicious, failed_call, console)), outside]
    return [(metric, count, risk) for (metric, risk), count in zip(METRICS, counts, strict=True)]


@answer
def security_summary_by_day(asked: Asked) -> Answer:
    answers: Answer = []
    for of, rows in sorted(groups(asked.logs, day).items()):
        counts = [*(sum(map(one, rows)) for one in (suspicious, failed_call, console)), None]
        answers += [(of, metric, count, risk) for (metric, risk), count in zip(METRICS, counts, strict=True)]
    return answers
