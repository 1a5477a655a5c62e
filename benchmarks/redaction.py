"""Measures redaction: MB/s per CPU second of one core of the whole policy `default`, beside what one would use instead.

``python benchmarks/redaction.py``. The lines are those of ``data.py``; one in a thousand or one in ten of them holds an
e-mail address, a token, a password or a card number. The others are measured on fewer lines, as they are slow, and
only where they are installed: ``make bench-redaction RIVALS=1`` does so in an environment of their own. They find fewer
kinds of data than the policy does, or other ones; *touched* says in how many of the lines that hold something they
found something, and in how many of those that hold nothing.
"""
# ruff: noqa: S311 - the same lines every time

from __future__ import annotations

import os

os.environ.setdefault("POLARS_MAX_THREADS", "1")

import argparse
import importlib
import logging
import random
import re
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

import polars as pl

import data
from logshed.redaction import Redactor, keyed, load_policy

if TYPE_CHECKING:
    from collections.abc import Iterator

MEGABYTE = 1_000_000
CHUNK = 50_000
"""Texts that are redacted at once, as an ingest does."""
SHARES = (0.001, 0.1)
FLOORS = {"access log": 100.0, "nested JSON": 60.0}
"""Megabytes per CPU second that the policy may not fall below, however many lines hold something."""
_HALVES = {r"(?-u:\b{start-half})": r"(?<!\w)", r"(?-u:\b{end-half})": r"(?!\w)"}
_NO_SUCH_DATA = {"URL", "IP_ADDRESS", "DATE_TIME", "MAC_ADDRESS"}
_SURE = 0.35
"""Presidio gives numbers of no form at all a score below this."""
_CARD = "4111111111111111"


@dataclass(frozen=True, slots=True)
class Corpus:
    """Lines, and which of them hold something."""

    name: str
    share: float
    lines: list[str]
    holds: list[bool]

    def head(self, count: int) -> Corpus:
        """The first lines."""
        return Corpus(self.name, self.share, self.lines[:count], self.holds[:count])


Tool = Callable[[list[str]], list[bool]]
"""Says which lines it would change, or does change."""


def corpus(name: str, share: float, count: int) -> Corpus:
    """Lines of one kind, so many of them with something inside; where these are is drawn."""
    draw = random.Random(data.SEED)
    make, plant = (data.access_lines, _in_query) if name == "access log" else (data.json_lines, _in_object)
    lines, holds = [], []
    for line in islice(_clean(make()), count):
        holding = draw.random() < share
        lines.append(plant(line, draw) if holding else line)
        holds.append(holding)
    return Corpus(name, share, lines, holds)


def _clean(lines: Iterator[str]) -> Iterator[str]:
    return (line.rstrip("\n") for line in lines if "&token=" not in line)


def _in_query(line: str, draw: random.Random) -> str:
    planted = draw.choice(
        (f"mail=user{draw.randrange(999)}%40example.com", f"token={draw.getrandbits(64):016x}", f"pan={_CARD}")
    )
    head, rest = line.split(" HTTP/1.1", 1)
    return f"{head}{'&' if '?' in head else '?'}{planted} HTTP/1.1{rest}"


def _in_object(line: str, draw: random.Random) -> str:
    planted = draw.choice(
        (
            f'"email":"user{draw.randrange(999)}@example.com"',
            f'"password":"{draw.getrandbits(48):012x}"',
            f'"card":{{"pan":{_CARD}}}',
        )
    )
    return line.replace('"http":{', f'"user":{{{planted}}},"http":{{', 1)


def logshed() -> tuple[Tool, str]:
    """The policy `default`."""
    redactor = Redactor(load_policy("default"))

    def run(lines: list[str]) -> list[bool]:
        touched: list[bool] = []
        for start in range(0, len(lines), CHUNK):
            text = pl.Series(lines[start : start + CHUNK], dtype=pl.String)
            touched += (redactor.redact(text).counts > 0).to_list()
        return touched

    return run, f"{len(redactor.policy.rules)} rules"


def plain_re() -> tuple[Tool, str]:
    """The patterns of the same rules in a loop of Python's ``re``; their checks and the passes after are left out."""
    expressions, patterns = [], 0
    for rule in load_policy("default").rules:
        for pattern in rule.patterns:
            patterns += 1
            template = re.sub(r"\$\{(\w+)\}", r"\\g<\1>", pattern.template("[X]"))
            try:
                expressions.append((re.compile(_for_python(pattern.regex), re.ASCII), _replacing(template)))
            except re.error:
                continue

    def run(lines: list[str]) -> list[bool]:
        touched = []
        for line in lines:
            text = line
            for expression, template in expressions:
                text = expression.sub(template, text)
            touched.append(text != line)
        return touched

    return run, f"{len(expressions)} of the {patterns} patterns, no checks"


def _replacing(template: str) -> str | Callable[[re.Match[str]], str]:
    if "<skip>" not in template:
        return template
    return lambda found: found[0] if found["skip"] is not None else found.expand(template)


def _for_python(expression: str) -> str:
    for rust, python in _HALVES.items():
        expression = expression.replace(rust, python)
    return keyed.for_python(expression)


def presidio() -> tuple[Tool, str]:
    """Its recognisers by pattern, asked one by one: no language model, no context words, no addresses and times."""
    logging.getLogger("tldextract").setLevel(logging.CRITICAL)  # asks the network for a list that it has a copy of
    recognizers = importlib.import_module("presidio_analyzer").RecognizerRegistry()
    recognizers.load_predefined_recognizers(languages=["en"])
    pattern = importlib.import_module("presidio_analyzer").PatternRecognizer
    asked = [
        one
        for one in recognizers.recognizers
        if isinstance(one, pattern) and not _NO_SUCH_DATA.intersection(one.supported_entities)
    ]

    def run(lines: list[str]) -> list[bool]:
        touched = []
        for line in lines:
            found = [one.analyze(line, one.supported_entities, None) for one in asked]
            touched.append(any(one.score > _SURE for results in found for one in results))
        return touched

    return run, f"{len(asked)} recognisers, finds only"


def scrubadub() -> tuple[Tool, str]:
    """Its detectors by default."""
    scrubber: Any = importlib.import_module("scrubadub").Scrubber()
    return lambda lines: [scrubber.clean(line) != line for line in lines], "detectors by default"


def detect_secrets() -> tuple[Tool, str]:
    """Its plugins and filters by default, line by line."""
    scan_line = importlib.import_module("detect_secrets.core.scan").scan_line
    settings = importlib.import_module("detect_secrets.settings").default_settings

    def run(lines: list[str]) -> list[bool]:
        with settings():
            return [any(True for _ in scan_line(line)) for line in lines]

    return run, "plugins by default, finds only"


RIVALS: dict[str, Callable[[], tuple[Tool, str]]] = {
    "Python re, same patterns": plain_re,
    "Presidio": presidio,
    "scrubadub": scrubadub,
    "detect-secrets": detect_secrets,
}


def measured(tool: Tool, lines: Corpus) -> tuple[float, float, float]:
    """MB/s per CPU second, and the shares of lines touched of those that hold something and of the others."""
    tool(lines.lines[:50])  # what is compiled or loaded once
    size = sum(len(line.encode()) + 1 for line in lines.lines)
    begun = time.process_time()
    touched = tool(lines.lines)
    seconds = time.process_time() - begun
    holding = [found for found, holds in zip(touched, lines.holds, strict=True) if holds]
    others = [found for found, holds in zip(touched, lines.holds, strict=True) if not holds]
    return size / MEGABYTE / seconds, sum(holding) / max(len(holding), 1), sum(others) / max(len(others), 1)


def row(name: str, what: str, tool: Tool, lines: Corpus) -> float:
    """Print one line of the table; the speed."""
    speed, holding, others = measured(tool, lines)
    print(
        f"| {lines.name} | {lines.share:.1%} | {name} | {what} | {len(lines.lines):,} | {speed:,.2f} "
        f"| {holding:.0%} | {others:.1%} |",
        flush=True,
    )
    return speed


def main() -> int:
    """Measure, print, and say whether the policy is below a floor."""
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    words.add_argument("--lines", type=int, default=200_000, help="lines for the policy `default`")
    words.add_argument("--few", type=int, default=2_000, help="lines for the others")
    words.add_argument("--alone", action="store_true", help="only the policy `default`")
    asked = words.parse_args()
    corpora = [corpus(name, share, asked.lines) for name in FLOORS for share in SHARES]
    print("| lines | holding something | tool | what | lines | MB/s per CPU s | touched, holding | touched, not |")
    print("|---|--:|---|---|--:|--:|--:|--:|")
    tool, what = logshed()
    slow = []
    for lines in corpora:
        speed = row("logshed", what, tool, lines)
        if speed < FLOORS[lines.name]:
            slow.append(
                f"{lines.name} with {lines.share:.1%}: {speed:.0f} MB/s, at least {FLOORS[lines.name]:.0f} wanted"
            )
    for name, make in ({} if asked.alone else RIVALS).items():
        try:
            rival, what = make()
        except ImportError:
            print(f"| | | {name} | not installed | | | | |")
            continue
        for lines in corpora:
            row(name, what, rival, lines.head(asked.few))
    for sentence in slow:
        print(f"below the floor: {sentence}")
    return int(bool(slow))


if __name__ == "__main__":
    sys.exit(main())
