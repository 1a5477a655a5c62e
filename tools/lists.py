"""Writes the lists in the documentation from the data files that they list; ``--check`` says whether they are so."""
# ruff: noqa: T201, INP001 - a script that talks to people

from __future__ import annotations

import re
import sys
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

from logshed import dashboards, queries, shops
from logshed.detections import registry as rules
from logshed.detections.anomalies import registry as anomalies
from logshed.detections.anomalies.reading import method_name
from logshed.formats import registry as formats
from logshed.queries import gold
from logshed.redaction import load_rules

if TYPE_CHECKING:
    from collections.abc import Callable

DOCS = Path(__file__).parent.parent / "docs"
BEGIN, END = "<!-- the list, written by `make docs` -->", "<!-- the end of the list -->"
ABOUT = {
    "secret": "Secrets: what opens a door",
    "personal": "Personal data: what names a person",
    "identifier": "Identifiers: of users, orders, payments, accounts",
    "address": "Addresses of machines",
    "trace": "Stack traces",
}
QUESTIONS = {
    "Traffic": "bandwidth bandwidth_by_hour bots busy_paths countries heatmap http_traffic methods new_vs_returning "
    "not_cached not_found protocols referrers remote_users static_files status_by_service status_codes "
    "status_over_time top_agents top_clients "
    "top_paths top_queries top_referrers top_templates traffic traffic_by_hour user_agents virtual_hosts",
    "Sessions and visitors": "entry_pages exit_pages journey_steps journeys retention sessions",
    "Commerce": "average_order_value cart_abandonment feature_usage funnel revenue_correlation revenue_impact "
    "search_terms segments",
    "Reliability": "deploy_impact error_groups errors_by_hour exceptions latency_percentiles levels log_gaps "
    "resource_usage root_causes service_health severity_over_time slo slow_endpoints slowest_requests "
    "top_error_sources top_services trace",
    "Audit": "access_trail admin_actions data_access_by_country failed_access",
    "Security": "events_by_region failed_logins findings_by_rule incident_totals incidents_open login_by_ip "
    "suspicious_clients",
    "Reports": "event_types hourly_activity hourly_activity_by_day latency_by_hour latency_totals overview "
    "overview_by_day records_behind records_by_day requests_behind requests_by_day security_by_region security_summary "
    "security_summary_by_day traffic_totals",
    "The lake": "arrivals freshness ingest_summary ingest_totals rejects_by_reason",
}
"""The groups of the page of questions; a question that is in none stands under Other."""


def format_list() -> str:
    """The formats as a table for each type of log."""
    by_type = defaultdict(list)
    for form in formats.load().values():
        by_type[form.log_type].append(form)
    total = sum(map(len, by_type.values()))
    lines = [f"{total} formats, each a file in `src/logshed/formats/`."]
    for log_type in sorted(by_type):
        lines += ["", f"### {log_type.title()}", "", "| name | what it is | kind |", "|---|---|---|"]
        for form in sorted(by_type[log_type], key=lambda form: form.name):
            marks = [form.kind, *(["envelope"] if form.envelope else []), *(["multi-line"] if form.multiline else [])]
            lines.append(f"| `{form.name}` | {form.title} | {', '.join(marks)} |")
    return "\n".join(lines)


def rule_list() -> str:
    """The redaction rules as a table for each class."""
    rules = load_rules()
    lines = [f"{len(rules)} rules, each a file in `src/logshed/redaction/`."]
    for kind, title in ABOUT.items():
        lines += ["", f"### {title} (`{kind}`)", "", "| rule | what it finds | tag | after |", "|---|---|---|---|"]
        for rule in sorted(rules.values(), key=lambda rule: rule.name):
            if rule.kind == kind:
                source = rule.source.replace("|", "\\|")
                lines.append(f"| `{rule.name}` | {rule.title} | `[{rule.tag}]` | {source} |")
    return "\n".join(lines)


def detector_list() -> str:
    """The anomaly detectors as a table."""
    lines = ["| detector | what it finds | level | method | bucket | history |", "|---|---|---|---|---|---|"]
    for one in anomalies.load().values():
        history = f"{one.history // 86_400} d"
        cells = (f"`{one.name}`", one.title, one.level, f"`{method_name(one)}`", f"{one.bucket // 60} min", history)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def shop_list() -> str:
    """The kinds of shops with their steps and features."""
    lines = ["| shop | rank | what it is | steps | features |", "|---|---|---|---|---|"]
    for one in sorted(shops.load().values(), key=lambda shop: (shop.rank or 99, shop.name)):
        steps = ", ".join(f"{step} (optional)" if optional else step for step, (_, optional) in one.places.items())
        features = ", ".join(dict.fromkeys(feature.name for feature in one.feature))
        lines.append(f"| `{one.name}` | {one.rank or ''} | {one.title} | {steps} | {features} |")
    return "\n".join(lines)


def gold_list() -> str:
    """The gold tables with their columns."""
    lines = []
    for one in gold.load().values():
        lines += [f"### `{one.name}`", "", one.description, "", "| column | type | meaning |", "|---|---|---|"]
        lines += [f"| `{column.name}` | {column.kind} | {column.meaning} |" for column in one.columns] + [""]
    return "\n".join(lines).rstrip()


def detection_list() -> str:
    """The detection rules as a table."""
    known = rules.load().rules.values()
    lines = [f"{len(known)} rules, each in a file of `src/logshed/detections/`.", ""]
    lines += ["| rule | what it finds | level | confidence | log source | ATT&CK |", "|---|---|---|---|---|---|"]
    for one in known:
        cells = (f"`{one.name}`", one.title, one.level, one.confidence, one.logsource, one.techniques)
        lines.append(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |")
    return "\n".join(lines)


def page_list() -> str:
    """The pages of reports with their panels."""
    lines = ["| page | what it says | figures | panels |", "|---|---|---|---|"]
    for one in (one for one in dashboards.load().values() if one.shown != "web"):
        figures, panels = (", ".join(part.title for part in parts) for parts in (one.tiles, one.panels))
        lines.append(f"| `{one.name}` | {one.description} | {figures} | {panels} |")
    return "\n".join(lines)


def question_list() -> str:
    """The named questions as a table for each group."""
    questions = queries.load()
    rest = set(questions) - {name for names in QUESTIONS.values() for name in names.split()}
    lines = [f"{len(questions)} questions, each a file in `src/logshed/queries/`."]
    for title, names in (QUESTIONS | {"Other": " ".join(sorted(rest))}).items():
        if names:
            lines += [
                "",
                f"### {title}",
                "",
                "| name | window | what it answers | columns | parameters |",
                "|---|---|---|---|---|",
            ]
        for name in sorted(names.split()):
            one = questions[name]
            first = re.split(r"[.:] ", one.description)[0].rstrip(".")
            columns, parameters = (", ".join(f"`{key}`" for key in keys) for keys in (one.columns, one.parameters))
            lines.append(f"| `{name}` | {one.window} | {first} | {columns} | {parameters} |")
    return "\n".join(lines)


PAGES: dict[str, Callable[[], str]] = {
    "formats.md": format_list,
    "redaction.md": rule_list,
    "anomalies.md": detector_list,
    "detect.md": detection_list,
    "commerce.md": shop_list,
    "gold.md": gold_list,
    "queries.md": question_list,
    "reports.md": page_list,
}


def written(text: str, listed: str) -> str:
    """The page with the list in its place."""
    before, _, rest = text.partition(BEGIN)
    after = rest.partition(END)[2]
    return f"{before}{BEGIN}\n\n{listed}\n\n{END}{after}"


def main() -> int:
    """Write the pages, or check them."""
    wrong = 0
    for name, listed in PAGES.items():
        page = DOCS / name
        text = page.read_text(encoding="utf-8")
        wanted = written(text, listed())
        if "--check" not in sys.argv:
            page.write_text(wanted, encoding="utf-8")
        elif wanted != text:
            print(f"{page} is not as the files are; run `make docs`")
            wrong = 1
    return wrong


if __name__ == "__main__":
    sys.exit(main())
