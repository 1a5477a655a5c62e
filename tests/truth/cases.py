"""The truth files as cases: the lines of a file, and for each record in it what must come out.

Every source says it in its own words. What differs from one to another is in ``maps/<source>.toml``; here is only how
each source lays out its cases.
"""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Entry:
    """One expected record.

    Attributes:
        case: The case's id.
        format: The source's name of the format.
        line: Index of the physical line at which the record begins; None where only the order of records is known.
        text: The record's text, for reports and to leave out a message that is the whole line.
        fields: Flat field names to values.
        rejected: Whether no format may take it.
    """

    case: str
    format: str
    line: int | None
    text: str
    fields: dict[str, Any]
    rejected: bool = False


@dataclass(frozen=True, slots=True)
class Case:
    """One file as a user would have it, and the records that are in it.

    Attributes:
        name: Where it is from.
        lines: Physical lines.
        entries: The records that are known.
        count: How many records there are; None where that is not known.
    """

    name: str
    lines: tuple[str, ...]
    entries: tuple[Entry, ...]
    count: int | None = None
    log_format: str | None = None
    formats: tuple[str, ...] = field(default=())


def rows(folder: Path, source: str) -> list[dict[str, Any]]:
    """The lines of a truth file."""
    with (folder / f"{source}.jsonl").open(encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def flat(value: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Leaves of a nested object with dotted names."""
    for key, inner in value.items():
        if isinstance(inner, dict):
            yield from flat(inner, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", inner


def beats(folder: Path) -> list[Case]:
    """Each test file of a module is one file."""
    return _files(rows(folder, "beats"), lambda row: row["id"].rsplit("#", 1)[0])


def datadog(folder: Path) -> list[Case]:
    """The tests of an integration are alone: they come from different programs and versions."""
    return _files(rows(folder, "datadog"), lambda row: row["id"])


def logstash(folder: Path) -> list[Case]:
    """Tests of the same line add up to one record."""
    by_line: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for row in rows(folder, "logstash_patterns"):
        by_line[str(row["format"] or row["id"].split("/")[1].removesuffix("_spec.rb")), row["input"]].append(row)
    cases = []
    for (name, text), found in by_line.items():
        fields: dict[str, Any] = {}
        for row in found:
            if not row["suspect"]:
                prefix = f"{row['flavour']}:" if row["flavour"] == "legacy" else ""
                fields.update({f"{prefix}{key}": value for key, value in flat(row["expect"])})
        entry = Entry(found[0]["id"], name, 0, text, fields)
        cases.append(Case(found[0]["id"], tuple(text.split("\n")), (entry,)))
    return cases


def ops_agent(folder: Path) -> list[Case]:
    """A file of lines and the entries that come of it, in order; both agents' answers to a file count."""
    cases = []
    found = rows(folder, "ops_agent")
    counts: dict[str, int] = defaultdict(int)
    for row in found:  # one agent keeps a file's last record of several lines back, waiting for more of it
        counts[row["file"]] = max(counts[row["file"]], len(row["expect_entries"]))
    for row in found:
        lines = list(row["lines"])
        while lines and not lines[-1].strip():
            lines.pop()
        name = re.sub(r"^(logging_processor|ops_agent_test)-", "", row["format"])
        entries = tuple(Entry(row["id"], name, None, "", dict(flat(entry))) for entry in row["expect_entries"])
        cases.append(Case(row["id"], tuple(lines), entries, count=_count(row, counts)))
    return cases


def _count(row: dict[str, Any], counts: dict[str, int]) -> int:
    own = len(row["expect_entries"])
    return counts[row["file"]] if counts[row["file"]] == own + 1 else own


def crowdsec(folder: Path) -> list[Case]:
    """What the parsers of a test made of each line, the last parser's word being the one that counts."""
    cases = []
    for row in rows(folder, "crowdsec"):
        lines = [line.rstrip("\r") for line in row["lines"] if line.strip()]
        fields: dict[int, dict[str, Any]] = defaultdict(dict)
        for index, step in _placed(row["expect_parse"], lines):
            fields[index].update(_step(step, lines[index]))
        entries = []
        for index, found in sorted(fields.items()):
            if "meta.timestamp" in found:  # the instant; the others are pieces of its text
                pieces = [key for key in found if "time" in key and key != "meta.timestamp"]
                for key in pieces:
                    del found[key]
            entries.append(Entry(row["id"], row["format"], index, lines[index], found))
        if entries:
            cases.append(Case(row["id"], tuple(lines), tuple(entries)))
    return cases


def _placed(steps: list[dict[str, Any]], lines: list[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Each successful step with its line: its number counts only what its parser was given, so its message decides."""
    taken: Counter[tuple[str, str]] = Counter()
    for step in sorted(steps, key=lambda step: (step["stage"], step["index"])):
        message = step["parsed"].get("message")
        if not step["success"] or not isinstance(message, str) or not message.strip():
            continue
        places = [index for index, line in enumerate(lines) if message.strip() in line]
        nth = taken[step["parser"], message]
        taken[step["parser"], message] += 1
        if nth < len(places):
            yield places[nth], step


def _step(step: dict[str, Any], line: str) -> dict[str, Any]:
    """What one parser said that stands in the line; times, which are written anew, in any case.

    The other values are names that the test gives to files and kinds of line, or looked up.
    """
    plain = line.replace('\\"', '"').replace("\\/", "/").lower()
    said = {f"{part}.{key}": value for part in ("parsed", "meta") for key, value in step[part].items()}
    return {
        key: value
        for key, value in said.items()
        if "time" in key or str(value).strip().lower() in plain or str(value).lower() in line.lower()
    }


def _files(found: list[dict[str, Any]], name_of: Any) -> list[Case]:
    by_file: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in found:
        by_file[name_of(row)].append(row)
    cases = []
    for name, members in by_file.items():
        lines: list[str] = []
        entries = []
        for row in members:
            entries.append(Entry(row["id"], row["format"], len(lines), row["input"], dict(flat(row["expect"]))))
            lines.extend(row["input"].split("\n"))
        cases.append(Case(name, tuple(lines), tuple(entries)))
    return cases
