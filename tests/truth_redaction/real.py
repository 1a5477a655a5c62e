"""What a policy replaces in real logs: every distinct value, to be looked at by a person."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from logshed.redaction import Redactor

if TYPE_CHECKING:
    from collections.abc import Iterator

    from logshed.redaction import Policy

FOLDER = Path(__file__).resolve().parents[2].parent / "shared" / "truth"
FILES = ("apache_logs/apache_logs", "nginx_json/nginxplus_json_logs", "cloudtrail/attack_run.jsonl")
CASES = ("crowdsec", "datadog", "beats")


@dataclass(frozen=True, slots=True)
class Hits:
    """What was replaced in one file.

    Attributes:
        name: The file.
        lines: How many lines it has.
        changed: How many of them changed.
        values: Tag and replaced text, with how often.
    """

    name: str
    lines: int
    changed: int
    values: Counter[tuple[str, str]]


def hits(policy: Policy) -> list[Hits]:
    """One entry a file; none where the shared files are absent."""
    redactor = Redactor(policy)
    tags = sorted({one.tag for one in policy.treatments.values()})
    return [_hits(name, lines, redactor, tags) for name, lines in _files()]


def _files() -> Iterator[tuple[str, list[str]]]:
    if not FOLDER.is_dir():
        return  # the page says so
    for name in FILES:
        text = (FOLDER / "files" / name).read_text(encoding="utf-8", errors="replace")
        yield name, text.splitlines()
    for name in CASES:
        rows = map(json.loads, (FOLDER / f"{name}.jsonl").read_text(encoding="utf-8").splitlines())
        texts = {text for row in rows for text in _inputs(row)}
        yield f"{name}.jsonl", sorted(texts)


def _inputs(row: dict[str, object]) -> list[str]:
    lines = row.get("lines") or row.get("input") or []
    return [lines] if isinstance(lines, str) else [str(line) for line in lines] if isinstance(lines, list) else []


def _hits(name: str, lines: list[str], redactor: Redactor, tags: list[str]) -> Hits:
    clean = redactor.redact(pl.Series(lines, dtype=pl.String)).text.to_list()
    values: Counter[tuple[str, str]] = Counter()
    changed = 0
    for line, redacted in zip(lines, clean, strict=True):
        if line != redacted:
            changed += 1
            values.update(replaced(line, redacted, tags))
    return Hits(name, len(lines), changed, values)


def replaced(line: str, clean: str, tags: list[str]) -> list[tuple[str, str]]:
    """Each tag with what it stands for; the whole part that differs where that cannot be told."""
    pieces = re.split(rf'("?)({"|".join(map(re.escape, tags))})("?)', clean)
    marks = pieces[2::4]
    between = [re.escape(text) for text in pieces[::4]]
    around = [(pieces[place], pieces[place + 2]) for place in range(1, len(pieces), 4)]
    expression = between[0]
    for (left, right), text in zip(around, between[1:], strict=True):
        expression += ('"?' if left else "") + "(.*?)" + ('"?' if right else "") + text
    found = re.fullmatch(expression, line, re.DOTALL)
    if found is not None:
        return list(zip(marks, found.groups(), strict=True))
    return [("/".join(sorted(set(marks))) or "?", _difference(line, clean))]


def _difference(line: str, clean: str) -> str:
    start = next((place for place, (a, b) in enumerate(zip(line, clean, strict=False)) if a != b), 0)
    end = next((place for place, (a, b) in enumerate(zip(line[::-1], clean[::-1], strict=False)) if a != b), 0)
    return line[start : max(len(line) - end, start)]


def masked(text: str) -> str:
    """As it may be written into a page: how it begins and how long it is."""
    return text if len(text) <= 4 else f"{text[:4]}… ({len(text)})"


def by_tag(found: Hits) -> dict[str, list[tuple[str, int]]]:
    """The distinct values and how often each was replaced, by tag."""
    table: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for (tag, value), count in found.values.most_common():
        table[tag].append((value, count))
    return dict(sorted(table.items()))
