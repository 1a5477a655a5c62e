"""The named questions answered again in plain Python, slowly, from their descriptions."""

from __future__ import annotations

import hashlib
import math
import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from statistics import correlation
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from tests.queries.shopping import Step, order_key, shop_sessions, told, value_of, visitor

from logshed.queries.resource_fields import load as load_resources
from logshed.shops import load as load_shops
from logshed.sql.views import record_id

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from logshed.queries.resource_fields import ResourceField

Row = dict[str, Any]
Answer = list[tuple[Any, ...]]

FIRST = datetime(1, 1, 1, tzinfo=UTC)
STATIC = {"css", "js", "mjs", "map", "png", "jpg", "jpeg", "gif", "svg", "webp", "avif", "ico", "bmp"} | {
    *("woff", "woff2", "ttf", "otf", "eot", "mp3", "mp4", "webm", "ogg", "wasm")
}


@dataclass(frozen=True)
class Asked:
    """What a question sees: the records of its window, those before too, findings, incidents and its parameters."""

    logs: list[Row]
    earlier: list[Row]
    findings: list[Row]
    incidents: list[Row]
    params: dict[str, Any]

    @property
    def requests(self) -> list[Row]:
        """The requests of its window."""
        return [row for row in self.logs if self.wanted(row)]

    def wanted(self, row: Row) -> bool:
        """Whether it is a request, and of nobody who is left out."""
        if row.get("http_response_status_code") is None or (
            self.params.get("exclude_bots") and row.get("user_agent_is_bot")
        ):
            return False
        left_out = self.params.get("exclude_client")
        return left_out is None or re.search(left_out, row.get("client_address") or "") is None


ANSWERS: dict[str, Callable[[Asked], Answer]] = {}


def answer(find: Callable[[Asked], Answer]) -> Callable[[Asked], Answer]:
    ANSWERS[find.__name__] = find
    return find


def ordered(rows: Iterable[tuple[Any, ...]], *by: int, limit: int | None = None) -> Answer:
    """Rows sorted by columns, counted from 1, below 0 for the greatest first; what is missing comes last."""
    found = list(rows)
    for place in reversed(by):
        column = abs(place) - 1
        there = [row for row in found if row[column] is not None]
        there.sort(key=lambda row: row[column], reverse=place < 0)
        found = there + [row for row in found if row[column] is None]
    return found[:limit]


def groups(rows: Iterable[Row], key: Callable[[Row], Any]) -> dict[Any, list[Row]]:
    found = defaultdict(list)
    for row in rows:
        found[key(row)].append(row)
    return found


def rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else math.floor(value * 10**digits + 0.5) / 10**digits


def percent(part: float, whole: float) -> float:
    return math.floor(part * 10_000 / whole + 0.5) / 100 if whole else 0.0


def total(rows: Iterable[Row], column: str = "http_response_body_size") -> int:
    return sum(row.get(column) or 0 for row in rows)


def distinct(rows: Iterable[Row], column: str) -> int:
    return len({row.get(column) for row in rows} - {None})


def span(rows: Sequence[Row]) -> tuple[datetime, datetime]:
    moments = [row["timestamp"] for row in rows]
    return min(moments), max(moments)


def visitors(rows: Iterable[Row]) -> int:
    return len(
        {
            (row["timestamp"].date(), row["client_address"], row.get("user_agent_original"))
            for row in rows
            if row.get("client_address") is not None
        }
    )


def status(row: Row) -> int:
    return row.get("http_response_status_code") or 0


def bad(rows: Iterable[Row], least: int = 400) -> int:
    return sum(status(row) >= least for row in rows)


def failed(row: Row) -> bool:
    return (row.get("severity_number") or 0) >= 17 or status(row) >= 500


def quantile(values: Iterable[float | None], share: float, digits: int = 3) -> float | None:
    known = sorted(value for value in values if value is not None and not math.isnan(value))
    if not known:
        return None
    place = share * (len(known) - 1)
    low = math.floor(place)
    high = min(low + 1, len(known) - 1)
    return rounded(known[low] + (known[high] - known[low]) * (place - low), digits)


def midnight(row: Row) -> datetime:
    return datetime.combine(row["timestamp"].date(), datetime.min.time(), UTC)


def is_static(path: str | None) -> bool:
    return path is not None and "." in path and path.rsplit(".", 1)[1].lower() in STATIC


def endpoint(row: Row) -> str | None:
    template, path = row.get("url_template"), row.get("url_path")
    return path if template is None else template


def by_key(name: str, key: Callable[[Row], Any]) -> None:
    """A question that counts requests, visitors and bytes by one thing."""

    def find(asked: Asked) -> Answer:
        whole = len(asked.requests)
        rows = [
            (value, len(of), percent(len(of), whole), visitors(of), total(of))
            for value, of in groups(asked.requests, key).items()
        ]
        return ordered(rows, -2, 1, limit=asked.params["limit"])

    ANSWERS[name] = find


by_key("status_codes", lambda row: row["http_response_status_code"])
by_key("countries", lambda row: row.get("client_geo_country_iso_code"))
by_key("protocols", lambda row: row.get("network_protocol_version"))
by_key("methods", lambda row: row.get("http_request_method"))
by_key("virtual_hosts", lambda row: row.get("url_domain"))
by_key("top_templates", endpoint)


@answer
def traffic(asked: Asked) -> Answer:
    return ordered(
        (
            (day, len(of), visitors(of), sum(bool(row.get("user_agent_is_bot")) for row in of), bad(of), total(of))
            for day, of in groups(asked.requests, midnight).items()
        ),
        1,
    )


@answer
def top_agents(asked: Asked) -> Answer:
    def key(row: Row) -> tuple[Any, ...]:
        name = row.get("user_agent_name") or row.get("user_agent_original")
        return name, row.get("user_agent_os"), row.get("user_agent_is_bot")

    named = [row for row in asked.requests if key(row)[0] is not None]
    rows = (
        (*of_key, len(of), percent(len(of), len(named)), visitors(of), total(of))
        for of_key, of in groups(named, key).items()
    )
    return ordered(rows, -4, 1, 2, 3, limit=asked.params["limit"])


@answer
def bots(asked: Asked) -> Answer:
    robots = [row for row in asked.requests if row.get("user_agent_is_bot")]
    rows = (
        (
            name,
            len(of),
            percent(len(of), len(asked.requests)),
            distinct(of, "client_address"),
            sum(row.get("url_path") == "/robots.txt" for row in of),
            bad(of),
            total(of),
            span(of)[1],
        )
        for name, of in groups(
            robots, lambda row: row.get("user_agent_name") or row.get("user_agent_original") or "bot"
        ).items()
    )
    return ordered(rows, -2, 1, limit=asked.params["limit"])


@answer
def top_referrers(asked: Asked) -> Answer:
    def site(row: Row) -> str:
        scheme, slashes, rest = (row.get("http_referrer") or "").partition("://")
        host = re.split("[/?#]", rest)[0].rpartition("@")[2].partition(":")[0]
        return host.lower() if slashes and scheme.isalpha() else ""

    found = {host: of for host, of in groups(asked.requests, site).items() if host}
    rows = (
        (host, len(of), visitors(of), distinct(of, "http_referrer"), min(row["http_referrer"] for row in of))
        for host, of in found.items()
        if host != asked.params["exclude_site"]
    )
    return ordered(rows, -2, 1, limit=asked.params["limit"])


@answer
def top_queries(asked: Asked) -> Answer:
    sent = [row for row in asked.requests if row.get("url_query")]
    rows = (
        (*key, len(of), visitors(of), bad(of))
        for key, of in groups(sent, lambda row: (row.get("url_path"), row["url_query"])).items()
    )
    return ordered(rows, -3, 1, 2, limit=asked.params["limit"])


@answer
def heatmap(asked: Asked) -> Answer:
    found = groups(asked.requests, lambda row: (row["timestamp"].isoweekday(), row["timestamp"].hour))
    return ordered(((*key, len(of), visitors(of)) for key, of in found.items()), 1, 2)


@answer
def new_vs_returning(asked: Asked) -> Answer:
    seen: set[tuple[Any, ...]] = set()
    found = []
    known = [row for row in asked.earlier if asked.wanted(row) and row.get("client_address") is not None]
    for day, of in sorted(groups(known, midnight).items()):
        here = {(row["client_address"], row.get("user_agent_original")) for row in of}
        now = {
            (row["client_address"], row.get("user_agent_original"))
            for row in of
            if row["timestamp"] >= asked.params["since"]
        }
        if now:
            back = len(now & seen)
            found.append((day, len(now), len(now) - back, back, percent(back, len(now))))
        seen |= here
    return found


@answer
def static_files(asked: Asked) -> Answer:
    rows = (
        (path, len(of), distinct(of, "client_address"), sum(status(row) == 304 for row in of), bad(of), total(of))
        for path, of in groups(asked.requests, lambda row: row.get("url_path")).items()
        if is_static(path)
    )
    return ordered(rows, -2, 1, limit=asked.params["limit"])


@answer
def not_cached(asked: Asked) -> Answer:
    def missed(row: Row) -> bool:
        said = next(iter(row["attributes"].values())).lower()
        return "hit" not in said and said != "true"

    rows = []
    for path, of in groups(
        (row for row in asked.requests if row.get("attributes")), lambda row: row["url_path"]
    ).items():
        away = [row for row in of if missed(row)]
        rows.append((path, len(of), len(away), percent(len(away), len(of)), total(away)))
    return ordered(rows, -5, -3, 1, limit=asked.params["limit"])


@answer
def remote_users(asked: Asked) -> Answer:
    rows = (
        (user, len(of), distinct(of, "client_address"), bad(of), total(of), *span(of))
        for user, of in groups(asked.requests, lambda row: row.get("user_id")).items()
        if user is not None
    )
    return ordered(rows, -2, 1, limit=asked.params["limit"])


@answer
def bandwidth(asked: Asked) -> Answer:
    keys: dict[str, Callable[[Row], Any]] = {
        "path": lambda row: row.get("url_path"),
        "client": lambda row: row.get("client_address"),
        "day": lambda row: row["timestamp"].date().isoformat(),
    }
    whole = total(asked.requests)
    rows = (
        (what, len(of), total(of), percent(total(of), whole), max(row["http_response_body_size"] or 0 for row in of))
        for what, of in groups(asked.requests, keys[asked.params["by"]]).items()
    )
    return ordered(rows, -3, -2, 1, limit=asked.params["limit"])


@answer
def service_health(asked: Asked) -> Answer:
    rows = []
    for service, of in groups(asked.logs, lambda row: row.get("service_name")).items():
        first, last = span(of)
        minutes = max(1.0, (last.replace(microsecond=0) - first.replace(microsecond=0)).total_seconds() / 60)
        answered = [row for row in of if status(row)]
        fine = len(answered) - bad(answered, 500)
        errors = sum(map(failed, of))
        times = [row.get("duration_ms") for row in of]
        rows.append(
            (
                service,
                len(of),
                len(answered),
                rounded(len(of) / minutes, 2),
                errors,
                percent(errors, len(of)),
                math.floor(fine * 100_000 / len(answered) + 0.5) / 1_000 if answered else None,
                *(quantile(times, share) for share in (0.5, 0.9, 0.95, 0.99)),
            )
        )
    return ordered(rows, -5, -2, 1)


@answer
def slow_endpoints(asked: Asked) -> Answer:
    timed = [
        row
        for row in asked.logs
        if row.get("duration_ms") is not None and not math.isnan(row["duration_ms"]) and endpoint(row) is not None
    ]
    whole = sum(row["duration_ms"] for row in timed)
    rows = []
    for key, of in groups(timed, lambda row: (row["service_name"], row["http_request_method"], endpoint(row))).items():
        times = [row["duration_ms"] for row in of]
        if len(of) >= asked.params["min_requests"]:
            rows.append(
                (
                    *key,
                    len(of),
                    rounded(sum(times), 0),
                    percent(sum(times), whole),
                    rounded(sum(times) / len(of), 3),
                    quantile(times, 0.95),
                    rounded(max(times), 3),
                )
            )
    return ordered(rows, -5, -4, 1, 2, 3, limit=asked.params["limit"])


@answer
def error_groups(asked: Asked) -> Answer:
    def text(row: Row) -> str:
        found = row.get("exception_message")
        found = row.get("body") if found is None else found
        return re.split("[\r\n]", found or "")[0]

    def alike(row: Row) -> tuple[Any, ...]:
        message = text(row)
        for pattern, stand_in in (
            ("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "<uuid>"),
            ("0x[0-9a-f]+", "<hex>"),
            ('"[^"]*"', "<text>"),
            ("[0-9]+", "<n>"),
        ):
            message = re.sub(pattern, stand_in, message, flags=re.IGNORECASE)
        return row.get("service_name"), row.get("exception_type"), message

    errors = [row for row in asked.earlier if (row.get("severity_number") or 0) >= 17 or row.get("exception_type")]
    rows = []
    for (service, exception, message), of in groups(errors, alike).items():
        now = [row for row in of if row["timestamp"] >= asked.params["since"]]
        if not now:
            continue
        before = len(of) - len(now)
        became = "more" if len(now) > before else "fewer" if len(now) < before else "steady"
        name = hashlib.md5(f"{service or ''}|{exception or ''}|{message}".encode(), usedforsecurity=False).hexdigest()
        rows.append(
            (
                name[:12],
                service,
                exception,
                message,
                len(now),
                before,
                len(now) - before,
                became if before else "new",
                *span(now),
                min(map(text, now)),
            )
        )
    return ordered(rows, -5, 2, 3, 4, limit=asked.params["limit"])


@answer
def trace(asked: Asked) -> Answer:
    traced = [row for row in asked.logs if row.get("trace_id")]
    newest = max((row["timestamp"] for row in traced), default=None)
    wanted = asked.params["trace_id"] or min(
        (row["trace_id"] for row in traced if row["timestamp"] == newest), default=""
    )
    of = [row for row in traced if row["trace_id"] == wanted]
    of.sort(key=lambda row: (row["timestamp"], row["source"], row["offset"]))
    rows = []
    for row in of:
        request = f"{row.get('http_request_method') or ''} {row.get('url_path') or ''}"
        rows.append(
            (
                (row["timestamp"] - of[0]["timestamp"]) / timedelta(milliseconds=1),
                row["timestamp"],
                row.get("service_name"),
                row.get("host_name"),
                row.get("span_id"),
                row.get("severity_text"),
                request if row.get("body") is None else row["body"],
                row.get("http_response_status_code"),
                row.get("duration_ms"),
                record_id(row["source"], row["generation"], row["offset"], row["item"]),
            )
        )
    return rows[: asked.params["limit"]]


@answer
def deploy_impact(asked: Asked) -> Answer:
    if not asked.logs:
        return []
    first, last = span(asked.logs)
    at = datetime.fromisoformat(asked.params["at"]) if asked.params["at"] else first + (last - first) // 2
    reach = timedelta(minutes=asked.params["minutes"])
    near = [row for row in asked.logs if at - reach <= row["timestamp"] < at + reach]
    rows = []
    for service, of in groups(near, lambda row: row.get("service_name")).items():
        sides = [[row for row in of if row["timestamp"] < at], [row for row in of if row["timestamp"] >= at]]
        counts, errors = [len(side) for side in sides], [sum(map(failed, side)) for side in sides]
        shares = [percent(part, whole) if whole else None for part, whole in zip(errors, counts, strict=True)]
        times = [[row.get("duration_ms") for row in side] for side in sides]
        quantiles = [quantile(side, share) for share in (0.5, 0.95) for side in times]
        rows.append((service, *counts, *errors, *shares, *quantiles))
    return ordered(rows, -5, -3, 1)


@answer
def log_gaps(asked: Asked) -> Answer:
    timed = [row for row in asked.logs if row["timestamp_source"] != "observed"]
    newest = max((row["timestamp"] for row in timed), default=FIRST)
    rows = []
    for key, of in groups(timed, lambda row: (row["collection"], row["source"])).items():
        moments = sorted(row["timestamp"] for row in of)
        gaps = [
            (later - sooner, sooner, later)
            for sooner, later in pairwise(moments)
            if later.replace(microsecond=0) != sooner.replace(microsecond=0)
        ]
        longest, start, end = max(gaps, key=lambda gap: gap[0], default=(None, None, None))
        seconds = None if longest is None else longest.total_seconds()
        rows.append((*key, len(of), seconds, start, end, moments[-1], (newest - moments[-1]).total_seconds()))
    return ordered(rows, -4, 1, 2, limit=asked.params["limit"])


@answer
def root_causes(asked: Asked) -> Answer:
    def network(row: Row) -> str | None:
        parts = (row.get("client_address") or "").split(".")
        return (
            row.get("client_network") or row.get("client_as_name") or (".".join(parts[:3]) if len(parts) == 4 else None)
        )

    columns: dict[str, Callable[[Row], Any]] = {
        "service": lambda row: row.get("service_name"),
        "host": lambda row: row.get("host_name"),
        "endpoint": endpoint,
        "network": network,
        "user agent": lambda row: row.get("user_agent_name"),
        "logger": lambda row: row.get("scope_name"),
        "exception": lambda row: row.get("exception_type"),
    }
    records, errors = len(asked.logs), sum(map(failed, asked.logs))
    rows = []
    for what, column in columns.items():
        for value, of in groups(asked.logs, column).items():
            with_it = sum(map(failed, of))
            if value is None or with_it < asked.params["min_errors"] or with_it * records <= errors * len(of):
                continue
            lift, excess = with_it * records / (errors * len(of)), with_it - errors * len(of) / records
            shares = (percent(with_it, len(of)), percent(with_it, errors), percent(len(of), records))
            chance = len(of) * errors * (records - errors) * (records - len(of)) / records**2 / (records - 1)
            far = rounded(excess / math.sqrt(chance), 1)
            rows.append((what, value, with_it, len(of), *shares, rounded(lift, 2), rounded(excess, 1), far))
    return ordered(rows, -9, -8, 1, 2, limit=asked.params["limit"])


def is_page(row: Row) -> bool:
    return row.get("url_path") is not None and status(row) < 400 and not is_static(row["url_path"])


def visits(asked: Asked) -> list[list[Row]]:
    """The requests of each session, in order."""
    found: list[list[Row]] = []
    known = (row for row in asked.requests if row.get("client_address") is not None)
    for of in groups(known, lambda row: (row["client_address"], row["user_agent_original"])).values():
        of.sort(key=lambda row: (row["timestamp"], row["source"], row["offset"]))
        found.append([of[0]])
        for sooner, later in pairwise(of):
            if later["timestamp"] - sooner["timestamp"] > timedelta(minutes=asked.params["gap"]):
                found.append([])
            found[-1].append(later)
    return found


def viewed(asked: Asked) -> list[list[str]]:
    """The paths of each session that has pages."""
    return [paths for of in visits(asked) if (paths := [row["url_path"] for row in of if is_page(row)])]


@answer
def sessions(asked: Asked) -> Answer:
    rows = []
    for of in visits(asked):
        pages = [row["url_path"] for row in of if is_page(row)]
        ends = (pages[0], pages[-1]) if pages else (None, None)
        length = (of[-1]["timestamp"] - of[0]["timestamp"]).total_seconds()
        who = of[0]["client_address"], of[0]["user_agent_original"]
        rows.append(
            (*who, of[0]["timestamp"], length, len(of), len(pages), *ends, total(of), of[0]["user_agent_is_bot"])
        )
    return ordered(rows, -3, 1, 2, limit=asked.params["limit"])


@answer
def entry_pages(asked: Asked) -> Answer:
    seen = viewed(asked)
    entries, bounced = Counter(paths[0] for paths in seen), Counter(paths[0] for paths in seen if len(paths) == 1)
    rows = (
        (path, count, percent(count, len(seen)), bounced[path], percent(bounced[path], count))
        for path, count in entries.items()
    )
    return ordered(rows, -2, 1, limit=asked.params["limit"])


@answer
def exit_pages(asked: Asked) -> Answer:
    seen = viewed(asked)
    exits, views = Counter(paths[-1] for paths in seen), Counter(path for paths in seen for path in paths)
    rows = (
        (path, count, percent(count, len(seen)), views[path], percent(count, views[path]))
        for path, count in exits.items()
    )
    return ordered(rows, -2, 1, limit=asked.params["limit"])


def looked_at(of: list[Row]) -> list[str]:
    """The pages of a session; one that is loaded again counts once."""
    pages: list[str] = []
    for row in of:
        if is_page(row) and row["url_path"] not in pages[-1:]:
            pages.append(row["url_path"])
    return pages


@answer
def journey_steps(asked: Asked) -> Answer:
    times: Counter[tuple[str, str]] = Counter()
    whom = defaultdict(set)
    for of in visits(asked):
        numbered = [f"{number} {path}" for number, path in enumerate(looked_at(of), 1)]
        for step in pairwise(numbered[: asked.params["pages"]]):
            times[step] += 1
            whom[step].add((of[0]["client_address"], of[0]["user_agent_original"]))
    rows = ((*step, count, len(whom[step])) for step, count in times.items())
    return ordered(rows, -3, 1, 2, limit=asked.params["limit"])


@answer
def journeys(asked: Asked) -> Answer:
    times: Counter[str] = Counter()
    whom = defaultdict(set)
    for of in visits(asked):
        pages = looked_at(of)
        for three in zip(pages, pages[1:], pages[2:], strict=False):
            times[" → ".join(three)] += 1
            whom[" → ".join(three)].add((of[0]["client_address"], of[0]["user_agent_original"]))
    rows = ((journey, count, len(whom[journey])) for journey, count in times.items())
    return ordered(rows, -2, 1, limit=asked.params["limit"])


@answer
def search_terms(asked: Asked) -> Answer:
    def term(row: Row) -> str:
        pairs = (pair.partition("=") for pair in (row.get("url_query") or "").split("&"))
        names = {"q", "query", "s", "search", "keyword"}
        raw = next((value for name, _, value in pairs if name in names and value), "").replace("+", " ")
        try:
            found = unquote(raw, errors="strict")
        except UnicodeDecodeError:
            found = raw
        return found.strip().lower()

    def zeros(rows: list[Row]) -> tuple[int, float | None]:
        counts = [float(said) for row in rows if (said := hits(row)) is not None and said.isdigit()]
        return len(counts), percent(counts.count(0.0), len(counts)) if counts else None

    def hits(row: Row) -> str | None:
        pairs = dict(pair.split("=", 1) for pair in row["url_query"].split("&") if "=" in pair)
        return pairs.get("hits")

    rows = (
        (
            what,
            len(of),
            len(
                {(row["client_address"], row["user_agent_original"]) for row in of if row["client_address"] is not None}
            ),
            *zeros(of),
            min((row["url_path"] for row in of if row["url_path"] is not None), default=None),
        )
        for what, of in groups(asked.requests, term).items()
        if what
    )
    return ordered(rows, -2, 1, limit=asked.params["limit"])


@answer
def retention(asked: Asked) -> Answer:
    weeks = defaultdict(set)
    for row in asked.requests:
        if row.get("client_address") is not None:
            day = row["timestamp"].date()
            monday = day - timedelta(days=day.weekday())
            weeks[(row["client_address"], row["user_agent_original"])].add(monday)
    counts = Counter((min(of), (monday - min(of)).days // 7) for of in weeks.values() for monday in of)
    return ordered(((*key, count, percent(count, counts[key[0], 0])) for key, count in counts.items()), 1, 2)


@answer
def access_trail(asked: Asked) -> Answer:
    user, resource = asked.params["user"], asked.params["resource"]
    rows = []
    for row in sorted(asked.logs, key=lambda row: (row["source"], row["offset"])):
        event, said, path = row.get("event_name"), row.get("body"), row.get("url_path")
        if not status(row) and (row.get("user_id") is None or (event is None and said is None)):
            continue
        places = (path or "", row.get("url_template") or "", event or "")
        if (user and row.get("user_id") != user) or (resource and not any(resource in place for place in places)):
            continue
        outcome = row.get("event_outcome") or (("success", "failure")[status(row) >= 400] if status(row) else None)
        rows.append(
            (
                row["timestamp"],
                row.get("user_id"),
                row.get("client_address"),
                row.get("client_geo_country_iso_code"),
                event or row.get("http_request_method"),
                said if path is None else path,
                outcome,
                row.get("http_response_status_code"),
                row.get("service_name"),
                record_id(row["source"], row["generation"], row["offset"], row["item"]),
            )
        )
    return ordered(rows, -1, limit=asked.params["limit"])


@answer
def admin_actions(asked: Asked) -> Answer:
    """Which of the sample's paths, commands and events are acts of administration was decided by hand."""
    paths = {"/wp-login.php": False, "/admin/users": True, "/x/actuator/env": True, "/console": True}
    commands = {"/usr/bin/sudo id": True, "systemctl stop x": True, "ls -l": False, "pseudo x": False}
    events = {"create_user", "policy.update"}

    def act(row: Row) -> tuple[Any, ...] | None:
        command, path = (row.get("attributes") or {}).get("process.command_line"), row.get("url_path")
        who = row.get("user_id"), row.get("client_address")
        if commands.get(command):
            return "command", command, *who
        if paths.get(path or ""):
            return "request", f"{row.get('http_request_method') or ''} {path}", *who
        return ("event", row["event_name"], *who) if row.get("event_name") in events else None

    rows = (
        (*key, len(of), sum(row.get("event_outcome") == "failure" or status(row) >= 400 for row in of), *span(of))
        for key, of in groups(asked.logs, act).items()
        if key
    )
    return ordered(rows, -5, 1, 2, 3, 4, limit=asked.params["limit"])


@answer
def failed_access(asked: Asked) -> Answer:
    says = ("access denied", "permission denied", "not authorized", "unauthorized", "forbidden")

    def refused(row: Row) -> bool:
        event = row.get("event_name") is not None and row.get("event_outcome") == "failure"
        return status(row) in {401, 403, 407} or event or any(word in (row.get("body") or "").lower() for word in says)

    def key(row: Row) -> tuple[Any, ...]:
        resource = row.get("event_name") if row.get("url_path") is None else row["url_path"]
        return row.get("client_address"), row.get("user_id"), resource, row.get("service_name")

    found = groups(filter(refused, asked.logs), key)
    return ordered(
        ((*of_key, len(of), *span(of)) for of_key, of in found.items()), -5, 1, 2, 3, 4, limit=asked.params["limit"]
    )


@answer
def data_access_by_country(asked: Asked) -> Answer:
    service, path = asked.params["service"], asked.params["path"]
    given = [
        row
        for row in asked.logs
        if 0 < status(row) < 400
        and (not service or row["service_name"] == service)
        and (not path or (row["url_path"] or "").startswith(path))
    ]
    rows = (
        (
            country,
            len(of),
            distinct(of, "user_id"),
            distinct(of, "client_address"),
            distinct(of, "url_path"),
            total(of),
            percent(total(of), total(given)),
            *span(of),
        )
        for country, of in groups(given, lambda row: row.get("client_geo_country_iso_code")).items()
    )
    return ordered(rows, -6, -2, 1, limit=asked.params["limit"])


@answer
def findings_by_rule(asked: Asked) -> Answer:
    levels = ["informational", "low", "medium", "high", "critical"]
    rows = []
    for rule, of in groups(asked.findings, lambda row: row["rule_name"]).items():
        rank = max(levels.index(row["level"]) for row in of)
        rows.append(
            (
                rule,
                of[0]["rule_title"],
                levels[rank],
                max((row["technique"] for row in of if row["technique"]), default=None),
                len(of),
                distinct(of, "actor"),
                total(of, "event_count"),
                max(row["score"] for row in of),
                span(of)[0],
                max(row["end_timestamp"] for row in of),
                rank,
            )
        )
    return [row[:-1] for row in ordered(rows, -11, -5, 1, limit=asked.params["limit"])]


@answer
def incidents_open(asked: Asked) -> Answer:
    names = ("incident_id", "actor_type", "actor", "threat_level", "threat_score", "finding_count", "event_count")
    names += ("rules", "timestamp", "end_timestamp")
    rows = (tuple(row[name] for name in names) for row in asked.incidents if row["status"] == "open")
    return ordered(rows, -5, -9, 1, limit=asked.params["limit"])


@answer
def suspicious_clients(asked: Asked) -> Answer:
    """Which of the sample's paths scanners look for was decided by hand."""
    sought = {"/.env", "/wp-login.php", "/x/actuator/env", "/HNAP1"}
    about = Counter(row["client_address"] for row in asked.findings)
    seen = groups(
        (row for row in asked.logs if status(row) or row.get("client_threat_list")), lambda row: row["client_address"]
    )
    rows = []
    for client in (set(about) | set(seen)) - {None}:
        of = seen.get(client, [])
        probes = sum(row["url_path"] in sought for row in of)
        refused = sum(status(row) in {401, 403} for row in of)
        missing = distinct((row for row in of if status(row) == 404), "url_path")
        listed = max((row["client_threat_list"] for row in of if row["client_threat_list"]), default=None)
        country = max(
            (row["client_geo_country_iso_code"] for row in of if row["client_geo_country_iso_code"]), default=None
        )
        points = min(about[client] * 10, 50) + min(probes * 5, 50) + min(refused * 2, 40) + min(missing, 30)
        points += 30 if listed else 0
        when = span(of) if of else (None, None)
        if points:
            rows.append((client, points, about[client], probes, refused, missing, listed, country, len(of), *when))
    return ordered(rows, -2, -9, 1, limit=asked.params["limit"])


@answer
def login_by_ip(asked: Asked) -> Answer:
    tries = []
    for row in asked.logs:
        said, event = row.get("body") or "", row.get("event_name")
        outcome = row.get("event_outcome") if event in {"login", "USER_LOGIN", "ConsoleLogin"} else None
        if outcome is None and (status(row) == 401 or said.startswith("Failed password")):
            outcome = "failure"
        if outcome is None and said.startswith("Accepted publickey"):
            outcome = "success"
        if outcome is not None:
            told = re.search("for (?:invalid user )?(.*) from (.*) port", said)
            client = row.get("client_address") or (told[2] if told else None)
            user = row.get("user_id") or (told[1] if told else None)
            tries.append({**row, "client": client, "user": user, "outcome": outcome})
    rows = []
    for client, of in groups(tries, lambda row: row["client"]).items():
        wrong = sum(row["outcome"] == "failure" for row in of)
        country = next(
            (row["client_geo_country_iso_code"] for row in of if row.get("client_geo_country_iso_code")), None
        )
        counts = len(of), len(of) - wrong, wrong, percent(wrong, len(of)), distinct(of, "user")
        rows.append((client, country, *counts, *span(of)))
    return ordered(rows, -5, -3, 1, limit=asked.params["limit"])


@answer
def events_by_region(asked: Asked) -> Answer:
    def key(row: Row) -> tuple[Any, ...]:
        return row.get("client_geo_country_iso_code"), row.get("client_geo_region")

    rows = (
        (
            *of_key,
            len(of),
            distinct(of, "client_address"),
            distinct(of, "user_id"),
            sum(status(row) in {401, 403} or row.get("event_outcome") == "failure" for row in of),
            sum(map(failed, of)),
            sum(row.get("client_threat_list") is not None for row in of),
            span(of)[1],
        )
        for of_key, of in groups(asked.logs, key).items()
        if of_key[0] is not None
    )
    return ordered(rows, -3, 1, 2, limit=asked.params["limit"])


@answer
def slo(asked: Asked) -> Answer:
    target, threshold = asked.params["target"], asked.params["threshold_ms"]
    requests = [
        row
        for row in asked.logs
        if any(row.get(name) is not None for name in ("http_request_method", "url_path", "http_response_status_code"))
        and (
            threshold is None
            or not math.isnan(row.get("duration_ms") or (0 if row.get("duration_ms") == 0 else math.nan))
        )
    ]
    newest = max((row["timestamp"] for row in requests), default=FIRST).replace(second=59, microsecond=999_999)

    def bad(row: Row) -> bool:
        if threshold is not None:
            return bool(row["duration_ms"] > threshold)
        return (
            row["http_response_status_code"] >= 500
            if row.get("http_response_status_code") is not None
            else ((row.get("severity_number") or 0) >= 17)
        )

    def burn(rows: list[Row], hours: int) -> float | None:
        late = [row for row in rows if newest - row["timestamp"] < timedelta(hours=hours)]
        return rounded(sum(map(bad, late)) * 100.0 / (len(late) * (100 - target)), 2) if late else None

    found = []
    for (collection, service), rows in groups(
        requests, lambda row: (row["collection"], row.get("service_name"))
    ).items():
        wrong = sum(map(bad, rows))
        good, left = len(rows) - wrong, 1 - wrong * 100.0 / (len(rows) * (100 - target))
        share = math.floor(good * 100_000 / len(rows) + 0.5) / 1000
        figures = [math.floor(left * 10_000 + 0.5) / 100, *(burn(rows, hours) for hours in (1, 6, 72))]
        found.append((collection, service, len(rows), good, share, *figures))
    return ordered(found, 6, 1, 2)


SCALES = {
    **{("bytes", f"{letter}b"): 1000.0**power for power, letter in enumerate("kmgt", 1)},
    **{("bytes", letter): 1000.0**power for power, letter in enumerate("kmg", 1)},
    **{("bytes", f"{letter}i{end}"): 1024.0**power for power, letter in enumerate("kmgt", 1) for end in ("", "b")},
    **{("cores", letter): scale for letter, scale in (("m", 0.001), ("u", 0.000001), ("n", 0.000000001))},
}


def amount(text: str, field: ResourceField) -> float | None:
    """The number at the beginning of a text, in the field's unit."""
    found = re.match(r" *(-?[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?)", text)
    behind = re.match(r" *-?[0-9.]+ *([A-Za-z]*)", text)
    if found is None or behind is None:
        return None
    return field.factor * float(found[1]) * SCALES.get((field.unit, behind[1].lower()), 1.0)


@answer
def resource_usage(asked: Asked) -> Answer:
    fields = {field.name: field for file in load_resources().values() for field in file.fields}
    wanted, service = asked.params["resource"], asked.params["service"]
    values = [
        (fields[name], row.get("host_name"), row.get("service_name"), row["timestamp"], value)
        for row in asked.logs
        if service in {None, row.get("service_name")}
        for name, text in (row.get("attributes") or {}).items()
        if name in fields
        and wanted in {None, fields[name].resource}
        and text is not None
        and (value := amount(text, fields[name])) is not None
    ]
    found = []
    for (field, host, owner), own in groups(values, lambda one: one[:3]).items():
        figures = sorted(one[4] for one in own)
        newest = max(one[3] for one in own)
        latest = max(one[4] for one in own if one[3] == newest)
        told = [figures[0], sum(figures) / len(figures), quantile(figures, 0.95), figures[-1], latest]
        head = (field.resource, field.name, host, owner, field.unit, len(own))
        found.append((*head, *(rounded(figure, 3) for figure in told), newest))
    return ordered(found, 1, 2, 3, 4, limit=asked.params["limit"])


def first_last(step: str, of: list[Step]) -> tuple[int | None, int | None]:
    places = [place for place, (_, name) in enumerate(of) if name == step]
    return (places[0], places[-1]) if places else (None, None)


def steps_of() -> dict[str, tuple[int, bool]]:
    """Places of the steps, and whether they are optional; all of our shops have the same."""
    return load_shops()["generic"].places


@answer
def funnel(asked: Asked) -> Answer:
    places, within = steps_of(), asked.params["within"]
    attempts: dict[Any, list[Step]] = defaultdict(list)
    for who, number, of in shop_sessions(asked.logs, asked.params):
        attempts[who, number if within is None else 0] += of
    reached: dict[str, list[float | None]] = defaultdict(list)
    for of in attempts.values():
        for step, minutes in taken(of, places, within).items():
            reached[step].append(minutes)
    rows: Answer = []
    before: dict[str | None, str | None] = {}
    required = None
    for step, (_, optional) in places.items():
        before[step] = required
        required = required if optional else step
    for step, (place, _) in places.items():
        count, sooner = len(reached[step]), before[step]
        left = None if sooner is None else len(reached[sooner])
        lost = (None, None) if left is None else (left - count, percent(count, left) if left else None)
        first = len(reached[next(iter(places))])
        rows.append((place, step, count, percent(count, first), *lost, median(reached[step], 2)))
    return rows if any(reached.values()) else []


def median(values: Iterable[float | None], digits: int) -> float | None:
    known = sorted(value for value in values if value is not None)
    middle = len(known) // 2
    return rounded((known[middle] + known[~middle]) / 2, digits) if known else None


def taken(of: list[Step], places: dict[str, tuple[int, bool]], within: int | None) -> dict[str, float | None]:
    """The steps that were taken in order, each with the minutes since the one before."""
    newest: dict[str, tuple[datetime, datetime]] = {}
    found: dict[str, float | None] = {}
    for row, step in of:
        if step is None:
            continue
        sooner = [name for name, (place, optional) in places.items() if place < places[step][0] and not optional]
        if not sooner:
            newest[step] = (row["timestamp"], row["timestamp"])
            found.setdefault(step, None)
        elif sooner[-1] in newest:
            start, last = newest[sooner[-1]]
            if within is None or row["timestamp"] - start <= timedelta(minutes=within):
                newest[step] = (start, row["timestamp"])
                found.setdefault(step, (row["timestamp"] - last).total_seconds() / 60)
    return found


@answer
def cart_abandonment(asked: Asked) -> Answer:
    carts = []
    for _, _, of in shop_sessions(asked.logs, asked.params):
        cart, (_, purchase) = first_last("cart", of)[0], first_last("purchase", of)
        if cart is not None:
            values = [
                value
                for row, step in of
                if step not in {None, "purchase"} and (value := value_of(row, asked.params)) is not None
            ]
            carts.append((midnight(of[cart][0]), purchase is None or purchase < cart, values[-1] if values else None))
    rows = []
    for day in {day for day, _, _ in carts}:
        here = [cart for cart in carts if cart[0] == day]
        lost = [value for _, abandoned, value in here if abandoned]
        known = [value for value in lost if value is not None]
        rows.append((day, len(here), len(lost), percent(len(lost), len(here)), rounded(sum(known, 0.0), 2), len(known)))
    return ordered(rows, 1)


def orders_of(asked: Asked) -> list[tuple[datetime, float | None]]:
    sold = [row for row in told(asked.logs, asked.params) if row[1] == "purchase"]
    found = []
    for of in groups((row for row, _ in sold), lambda row: (row["collection"], order_key(row))).values():
        values = [value for row in of if (value := value_of(row, asked.params)) is not None]
        found.append((span(of)[0], max(values, default=None)))
    return found


@answer
def average_order_value(asked: Asked) -> Answer:
    days = defaultdict(list)
    for when, value in orders_of(asked):
        days[datetime.combine(when.date(), datetime.min.time(), UTC)].append(value)
    rows = []
    for day, values in days.items():
        known = [value for value in values if value is not None]
        mean = sum(known) / len(known) if known else None
        rows.append((day, len(values), len(known), rounded(sum(known, 0.0), 2), rounded(mean, 2), median(known, 2)))
    return ordered(rows, 1)


DEVICES = {"bot": "bot", "iPad": "tablet", "Mobi": "mobile", "Windows": "desktop", "X11": "desktop"}


@answer
def segments(asked: Asked) -> Answer:
    found: dict[tuple[str, str], list[list[float | None]]] = defaultdict(list)
    for _, number, of in shop_sessions(asked.logs, asked.params):
        if not any(step for _, step in of):
            continue
        first, countries = (
            of[0][0],
            [country for row, _ in of if (country := row.get("client_geo_country_iso_code"))],
        )
        sold = groups((row for row, step in of if step == "purchase"), order_key)
        orders = [
            max((value for row in each if (value := value_of(row, asked.params)) is not None), default=None)
            for each in sold.values()
        ]
        agent = "bot" if first.get("user_agent_is_bot") else first.get("user_agent_original") or ""
        device = next((kind for word, kind in DEVICES.items() if word in agent), "unknown")
        host = re.fullmatch(r"[A-Za-z]+://(?:[^/?#@]*@)?([^/?#:]+).*", first.get("http_referrer") or "")
        site = host[1].lower() if host else ""
        campaign = re.search("utm_source=([a-z]+)", first.get("url_query") or "")
        source = campaign[1] if campaign else "direct" if site in {"", asked.params["site"]} else site
        for key in (
            ("visitor", "returning" if number else "new"),
            ("country", min(countries, default="unknown")),
            ("device", device),
            ("source", source),
        ):
            found[key].append(orders)
    rows = []
    for key, of in found.items():
        bought = sum(bool(orders) for orders in of)
        revenue = sum((value for orders in of for value in orders if value is not None), 0.0)
        rows.append((*key, len(of), bought, percent(bought, len(of)), sum(map(len, of)), rounded(revenue, 2)))
    return ordered(rows, 1, -3, 2, limit=asked.params["limit"])


@answer
def feature_usage(asked: Asked) -> Answer:
    all_of = told(asked.logs, asked.params, "feature")
    everybody = len({visitor(row) for row, _ in all_of} - {None})
    rows = []
    for feature, of in groups(
        ({"feature": feature, **row} for row, feature in all_of), lambda row: row["feature"]
    ).items():
        users = len({visitor(row) for row in of} - {None})
        if feature is not None:
            rows.append((feature, len(of), users, percent(users, everybody)))
    return ordered(rows, -2, 1, limit=asked.params["limit"])


def hours_of(asked: Asked) -> list[tuple[Any, ...]]:
    """Hours with requests, errors in percent, p95, orders and revenue."""

    def hour(row: Row) -> datetime:
        found: datetime = row["timestamp"].replace(minute=0, second=0, microsecond=0)
        return found

    sold = groups(({"timestamp": when, "value": value} for when, value in orders_of(asked)), hour)
    rows = []
    for when, of in groups((row for row in asked.logs if status(row)), hour).items():
        known = sorted(
            row["duration_ms"]
            for row in of
            if row.get("duration_ms") is not None and not math.isnan(row["duration_ms"])
        )
        place = 0.95 * (len(known) - 1)
        p95 = (
            known[int(place)] + (known[min(int(place) + 1, len(known) - 1)] - known[int(place)]) * (place % 1)
            if known
            else None
        )
        values = [row["value"] or 0.0 for row in sold.get(when, [])]
        rows.append((when, len(of), bad(of, 500) * 100 / len(of), p95, len(values), sum(values, 0.0)))
    return rows


@answer
def revenue_impact(asked: Asked) -> Answer:
    rows = (
        (hour, requests, rounded(errors, 2), rounded(p95, 6), orders, rounded(revenue, 2))
        for hour, requests, errors, p95, orders, revenue in hours_of(asked)
    )
    return ordered(rows, 1)


@answer
def revenue_correlation(asked: Asked) -> Answer:
    hours = hours_of(asked)
    rows = []
    for figure, column in (("error percent", 2), ("p95 ms", 3), ("requests", 1)):
        for name, sold in (("orders", 4), ("revenue", 5)):
            pairs = [(hour[column], hour[sold]) for hour in hours if hour[column] is not None]
            if pairs:
                xs, ys = zip(*pairs, strict=True)
                rows.append(
                    (
                        figure,
                        name,
                        len(pairs),
                        rounded(correlation(xs, ys), 3) if len(set(xs)) > 1 and len(set(ys)) > 1 else None,
                    )
                )
    return ordered(rows, 1, 2)
