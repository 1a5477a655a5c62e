"""Writes the lists in the documentation from the data files that they list; ``--check`` says whether they are so."""
# ruff: noqa: T201, INP001 - a script that talks to people

from __future__ import annotations

import sys
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

from logshed.detections.anomalies import registry as anomalies
from logshed.detections.anomalies.reading import method_name
from logshed.formats import registry as formats
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


PAGES: dict[str, Callable[[], str]] = {
    "formats.md": format_list,
    "redaction.md": rule_list,
    "anomalies.md": detector_list,
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
