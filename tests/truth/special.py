"""The sources that ask something else than fields: instants, accept or reject, numbers of records, bots."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
from tests.truth import log_formats
from tests.truth.cases import Entry, rows
from tests.truth.compare import instant
from tests.truth.running import OBSERVED, run
from tests.truth.scoring import Leaf, Score, load_map

from logshed.enrichment.user_agents import enrich
from logshed.formats.choice import Choice
from logshed.formats.timestamps import EARLIEST, parse_times

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path
    from typing import Any

    from tests.truth.compare import Verdict


def _leaf(source: str, row: dict[str, Any], expected: object, found: object, came: Verdict) -> Leaf:
    return Leaf(source, row["format"], row["id"], source, expected, found, came, str(row["input"]), "")


def go_syslog(folder: Path) -> Score:
    """RFC 5424, strictly: a line is taken or it is not. A line with line feeds is one frame."""
    found, table = Score("go_syslog"), load_map("go_syslog")
    choice = Choice((), ("syslog_rfc5424",))
    for row in rows(folder, "go_syslog"):
        text = _sent(row["input"])
        if table.leaves_out(Entry(row["id"], row["format"], 0, text, {}), "go_syslog", row["expect"]["valid"]):
            continue
        records = run([text], choice=choice)
        taken = len(records) == 1 and records[0].error is None
        wanted = bool(row["expect"]["valid"])
        came: Verdict = "right" if taken == wanted else "wrong" if taken else "unparsed"
        found.leaves.append(_leaf("go_syslog", row, wanted, taken, came))
    return found


def _sent(text: str) -> str:
    """What is sent; some inputs are still between the quotes of their source code."""
    quoted = len(text) > 1 and text[0] == text[-1] == '"'
    return text[1:-1].replace('\\"', '"').replace("\\\\", "\\").replace("\\t", "\t") if quoted else text


def stacktraces(folder: Path) -> Score:
    """Each is one record; the halves are a record together, and arbitrary text makes none of its lines one."""
    found = Score("stacktraces")
    for row in rows(folder, "stacktraces"):
        lines = row["input"].rstrip("\n").split("\n")
        arbitrary = row["id"].endswith("ARBITRARY_TEXT")
        wanted = sum(1 for line in lines if line.strip()) if arbitrary else 1
        records = [record for record in run(lines) if record.text.strip()]
        found.counts[row["id"]] = (wanted, len(records))
        came: Verdict = "right" if len(records) == wanted else "wrong"
        found.leaves.append(_leaf("stacktraces", row, wanted, len(records), came))
    return found


def dateparse(folder: Path) -> Score:
    """Text to an instant, or to an error; what can be read in two ways or names no instant is left out."""
    found, table = Score("dateparse"), load_map("dateparse")
    for row in rows(folder, "dateparse"):
        expected = row["expect"]["utc"]
        moment = instant(expected) if expected else None
        if expected and (moment is None or not expected.endswith("UTC")):
            continue  # a test of layouts, not of an instant
        if table.leaves_out(Entry(row["input"], "", 0, row["input"], {}), "dateparse", expected):
            continue
        shown = parse_times(pl.Series([row["input"]], dtype=pl.String), ("iso", "epoch", "any"), observed=OBSERVED)
        ours = shown[0].item()
        if moment is None:
            came: Verdict = "right" if ours is None else "wrong"
        elif ours is None:
            came = "right" if shown[1].item() == "observed" and _outside(moment) else "unparsed"
        else:
            came = "right" if abs((ours - moment).total_seconds()) < 0.0011 else "wrong"
        found.leaves.append(_leaf("dateparse", row, expected, ours, came))
    return found


def _outside(moment: datetime) -> bool:
    return moment < EARLIEST or moment > OBSERVED


def bots(folder: Path) -> Score:
    """Bot or human by the user agent."""
    found = Score("bots")
    cases = rows(folder, "bots")
    frame = enrich(pl.DataFrame({"user_agent_original": [row["input"] for row in cases]}))
    for row, ours in zip(cases, frame["user_agent_is_bot"], strict=True):
        wanted = bool(row["expect"]["bot"])
        came: Verdict = "right" if ours == wanted else "wrong" if ours else "unparsed"
        found.leaves.append(_leaf("bots", row, wanted, ours, came))
    return found


def apachelogs(folder: Path) -> Score:
    """Any Apache LogFormat string."""
    return log_formats.score(folder)
