"""Measures detection: many rules over many records in one scan, beside one statement a rule.

``python benchmarks/detect.py``. Half of the records are requests of an access log, half are of CloudTrail; rules are
made up like those of SigmaHQ: most look for several literal texts in one or two fields and leave something out. One
record in a thousand meets some of them.
"""
# ruff: noqa: S311 - the same rows and rules every time

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from itertools import islice
from typing import TYPE_CHECKING

import polars as pl

import data
from logshed.detections.loading import read_rules
from logshed.detections.model import Case
from logshed.pipeline.rule_cases import CaseReader
from logshed.pipeline.rule_scan import Scan, statement
from logshed.settings import Settings
from logshed.sql.frames import Frames
from logshed.sql.views import RECORD_ID

if TYPE_CHECKING:
    from logshed.detections.model import Rule

LIMIT_S = 10.0
"""Seconds that 300 rules may take over 1,000,000 records on two cores."""
PIECE = 50_000
LETTERS = "abcdefghijklmnopqrstuvwxyz"
EVENTS = ("GetObject", "ListBuckets", "DescribeInstances", "AssumeRole", "PutObject")
SERVICES = ("s3", "ec2", "sts", "iam")


def requests(count: int) -> list[str]:
    """Lines of an access log."""
    return [line.rstrip("\n") for line in islice(data.access_lines(), count)]


def calls(count: int, draw: random.Random) -> list[str]:
    """CloudTrail records, one in a thousand of which tampers with the trail."""
    found = []
    for number in range(count):
        name = "StopLogging" if draw.random() < 0.001 else draw.choice(EVENTS)
        user = f"user{number % 500}"
        found.append(
            json.dumps(
                {
                    "eventVersion": "1.08",
                    "userIdentity": {
                        "type": "IAMUser",
                        "arn": f"arn:aws:iam::123456789012:user/{user}",
                        "userName": user,
                    },
                    "eventTime": f"2026-01-05T11:{number % 60:02d}:36Z",
                    "eventSource": f"{draw.choice(SERVICES)}.amazonaws.com",
                    "eventName": name,
                    "awsRegion": "eu-west-1",
                    "sourceIPAddress": f"192.0.2.{number % 250}",
                    "userAgent": "aws-cli/2.1",
                    "requestParameters": {"bucketName": f"data{number % 1000}"},
                    "eventID": f"{number:08x}",
                }
            )
        )
    return found


def rows(count: int) -> pl.DataFrame:
    """Rows of ``silver.logs``, half of each kind."""
    reader = CaseReader(Settings.load())
    half = count // 2
    web, cloud = requests(half), calls(min(half, PIECE), random.Random(data.SEED))
    parts = [
        reader.rows(Case("", True, tuple(web[start : start + PIECE]), "apache_combined"))
        for start in range(0, half, PIECE)
    ]
    once = reader.rows(Case("", True, tuple(cloud), "aws_cloudtrail"))
    return pl.concat([*parts, *(once for _ in range(max(1, half // len(cloud))))])


def rules(count: int) -> list[Rule]:
    """Rules of both kinds, one that finds something among them."""
    draw = random.Random(data.SEED)
    made = [_rule("stop", "product: aws, service: cloudtrail", "s: {eventName: StopLogging}\n  condition: s")]
    for number in range(count - 1):
        if number % 2:
            paths = ", ".join(f"/{_word(draw)}/{_word(draw)}" for _ in range(draw.randrange(1, 12)))
            agents = ", ".join(_word(draw) for _ in range(3))
            text = f"a: {{cs-uri-stem|contains: [{paths}]}}\n  b: {{cs-user-agent|contains: [{agents}]}}\n"
            made.append(
                _rule(
                    f"w{number}", "category: webserver", f"{text}  c: {{sc-status: 200}}\n  condition: (a or b) and c"
                )
            )
        else:
            names = ", ".join(f"{draw.choice(('Put', 'Delete'))}{_word(draw)}" for _ in range(2))
            text = f"a: {{eventSource: {draw.choice(SERVICES)}.amazonaws.com, eventName: [{names}]}}\n"
            text += f"  f: {{userIdentity.arn|contains: {_word(draw)}}}\n  condition: a and not f"
            made.append(_rule(f"c{number}", "product: aws, service: cloudtrail", text))
    return made


def _word(draw: random.Random) -> str:
    return "".join(draw.choice(LETTERS) for _ in range(draw.randrange(5, 9)))


def _rule(name: str, source: str, detection: str) -> Rule:
    text = f"title: {name}\nlogsource: {{{source}}}\ndetection:\n  {detection}\n"
    return read_rules(name, text, name)[0]


def measured(name: str, begun: float, cpu: float, hits: int) -> float:
    """Print one line; the seconds."""
    seconds = time.perf_counter() - begun
    print(f"| {name} | {seconds:.2f} | {time.process_time() - cpu:.2f} | {hits:,} |", flush=True)
    return seconds


def main() -> int:
    """Measure, print, and say whether it takes too long."""
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    words.add_argument("--rows", type=int, default=1_000_000)
    words.add_argument("--rules", type=int, default=300)
    words.add_argument("--few", type=int, default=100_000, help="records for one statement a rule")
    asked = words.parse_args()
    records, wanted = rows(asked.rows), rules(asked.rules)
    scan = Scan(wanted)
    print(f"{len(wanted):,} rules over {records.height:,} records\n")
    print("| how | s | CPU s | hits |")
    print("|---|--:|--:|--:|")
    shown = records.select(scan.columns)
    begun, cpu = time.perf_counter(), time.process_time()
    seconds = measured("one scan", begun, cpu, scan.hits(shown).height)
    few = records.sample(asked.few, seed=data.SEED)
    with Frames() as frames:
        named = RECORD_ID.format(**{name: f'"{name}"' for name in ("source", "generation", "offset", "item")})
        frames.put("rows", few)
        begun, cpu = time.perf_counter(), time.process_time()
        hits = 0
        for rule in wanted:
            sql = statement(rule).replace("FROM logs", f"FROM (SELECT *, {named} AS record_id FROM rows)")
            hits += frames.ask(sql).height
        measured(f"one statement a rule, {asked.few:,} records", begun, cpu, hits)
    if seconds > LIMIT_S:
        print(f"too slow: {seconds:.1f} s, {LIMIT_S:.0f} s at most wanted")
    return int(seconds > LIMIT_S)


if __name__ == "__main__":
    sys.exit(main())
