"""Writes the list in ``docs/formats.md`` from the formats; ``--check`` says whether it is as they are."""
# ruff: noqa: T201, INP001 - a script that talks to people

from __future__ import annotations

import sys
from collections import defaultdict
from pathlib import Path

from logshed.formats import registry

PAGE = Path(__file__).parent.parent / "docs" / "formats.md"
BEGIN, END = "<!-- the list, written by `make docs` -->", "<!-- the end of the list -->"


def listed() -> str:
    """The formats as a table for each type of log."""
    by_type = defaultdict(list)
    for form in registry.load().values():
        by_type[form.log_type].append(form)
    total = sum(map(len, by_type.values()))
    lines = [f"{total} formats, each a file in `src/logshed/formats/`."]
    for log_type in sorted(by_type):
        lines += ["", f"### {log_type.title()}", "", "| name | what it is | kind |", "|---|---|---|"]
        for form in sorted(by_type[log_type], key=lambda form: form.name):
            marks = [form.kind, *(["envelope"] if form.envelope else []), *(["multi-line"] if form.multiline else [])]
            lines.append(f"| `{form.name}` | {form.title} | {', '.join(marks)} |")
    return "\n".join(lines)


def written(text: str) -> str:
    """The page with the list in its place."""
    before, _, rest = text.partition(BEGIN)
    after = rest.partition(END)[2]
    return f"{before}{BEGIN}\n\n{listed()}\n\n{END}{after}"


def main() -> int:
    """Write the page, or check it."""
    text = PAGE.read_text(encoding="utf-8")
    page = written(text)
    if "--check" not in sys.argv:
        PAGE.write_text(page, encoding="utf-8")
        return 0
    if page != text:
        print(f"{PAGE} is not as the formats are; run `make docs`")
    return int(page != text)


if __name__ == "__main__":
    sys.exit(main())
