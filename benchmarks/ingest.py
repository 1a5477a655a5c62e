"""Measures ingest as whole processes beside what one would use instead: CPU seconds, wall time, peak memory.

``python benchmarks/ingest.py`` makes its logs in ``benchmarks/data`` once, then runs every case ``--repeat`` times in
turn, so that a slow minute of the machine meets all of them, and tells the median.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import data

HERE = Path(__file__).parent
LOGSHED = [os.environ.get("LOGSHED_PYTHON", sys.executable), "-m", "logshed"]
"""The program as it is installed for development; LOGSHED_PYTHON names the Python of another installation."""
PATTERN = (
    r'^([^ ]+) ([^ ]+) ([^ ]+) \[([^\]]+)\] "([A-Z]+) ([^ "]+) HTTP/([0-9.]+)" ([0-9]{3}) ([0-9]+|-)'
    r' "([^"]*)" "([^"]*)"'
)
NAMES = ("client", "ident", "user", "time", "method", "url", "protocol", "status", "size", "referrer", "agent")
TEXTS = (
    *("timestamp", "level", "service", "message", "region", "http.method", "http.path", "trace.trace_id"),
    *("trace.span_id", "error.type", "error.stack_trace"),
)
NUMBERS = ("http.status_code", "http.latency_ms")


@dataclass(frozen=True, slots=True)
class Measured:
    """One run of one process.

    Attributes:
        cpu_s: User and system seconds.
        wall_s: Seconds on the clock.
        peak_mib: Most memory that it held.
    """

    cpu_s: float
    wall_s: float
    peak_mib: float


Case = Callable[[Path, Path], list[str]]
"""Makes a command from a log and a folder for what comes out."""


def measured(words: list[str]) -> Measured:
    """Run a command to its end; it must succeed."""
    begun = time.perf_counter()
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        error = process.stderr.read() if process.stderr else b""
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.perf_counter() - begun
    if process.returncode:
        sys.exit(f"cannot measure {words[:4]}: it ended with {process.returncode}\n{error.decode()[-2000:]}")
    return Measured(usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss / 1024)


def logshed(log: Path, folder: Path) -> list[str]:
    """Everything on: detect, redact, parse, two tables, ledger, commit."""
    return [*LOGSHED, "ingest", str(log), "--lake", str(folder / "lake")]


def chdb_access(log: Path, folder: Path) -> list[str]:
    """ClickHouse's engine: one pattern, typed columns, one Parquet file."""
    columns = ", ".join(
        {
            "time": f"parseDateTimeOrNull(g[{number}], '%d/%b/%Y:%H:%i:%s %z') AS time",
            "status": f"toInt32OrNull(g[{number}]) AS status",
            "size": f"toInt64OrNull(g[{number}]) AS size",
        }.get(name, f"g[{number}] AS {name}")
        for number, name in enumerate(NAMES, start=1)
    )
    pattern = PATTERN.replace("\\", "\\\\")
    return _chdb(
        f"INSERT INTO FUNCTION file('{folder}/out.parquet', Parquet) SELECT {columns} FROM "
        f"(SELECT extractGroups(line, '{pattern}') AS g FROM file('{log}', LineAsString))"
    )


def chdb_json(log: Path, folder: Path) -> list[str]:
    """ClickHouse's engine: the known fields of each line."""
    texts = [f"JSONExtractString(line, {_keys(path)}) AS `{path}`" for path in TEXTS]
    numbers = [f"JSONExtractFloat(line, {_keys(path)}) AS `{path}`" for path in NUMBERS]
    return _chdb(
        f"INSERT INTO FUNCTION file('{folder}/out.parquet', Parquet) SELECT {', '.join(texts + numbers)} "
        f"FROM file('{log}', LineAsString)"
    )


def _keys(path: str) -> str:
    return ", ".join(f"'{key}'" for key in path.split("."))


def _chdb(sql: str) -> list[str]:
    return [sys.executable, "-c", "import sys, chdb; chdb.query(sys.argv[1])", sql]


def duckdb_access(log: Path, folder: Path) -> list[str]:
    """DuckDB: one pattern, typed columns, one Parquet file."""
    names = ", ".join(f"'{name}'" for name in NAMES)
    return _duckdb(
        f"COPY (SELECT g.* REPLACE (try_strptime(g.time, '%d/%b/%Y:%H:%M:%S %z') AS time, "
        "TRY_CAST(g.status AS INT) AS status, TRY_CAST(g.size AS BIGINT) AS size) FROM "
        f"(SELECT regexp_extract(line, '{PATTERN}', [{names}]) AS g FROM {_lines(log)})) "
        f"TO '{folder}/out.parquet' (FORMAT parquet, COMPRESSION zstd)"
    )


def duckdb_json(log: Path, folder: Path) -> list[str]:
    """DuckDB: the known fields of each line."""
    columns = ", ".join(f"json_extract_string(line, '$.{path}') AS \"{path}\"" for path in (*TEXTS, *NUMBERS))
    return _duckdb(
        f"COPY (SELECT {columns} FROM {_lines(log)}) TO '{folder}/out.parquet' (FORMAT parquet, COMPRESSION zstd)"
    )


def _lines(log: Path) -> str:
    return (
        f"read_csv('{log}', columns = {{'line': 'VARCHAR'}}, delim = chr(1), quote = '', escape = '', header = false)"
    )


def _duckdb(sql: str) -> list[str]:
    return [sys.executable, "-c", "import sys, duckdb; duckdb.execute(sys.argv[1])", sql]


def goaccess(log: Path, folder: Path) -> list[str]:
    """GoAccess: its report as JSON."""
    return ["goaccess", str(log), "--log-format=COMBINED", "--no-global-config", "-o", str(folder / "report.json")]


def lnav(log: Path, folder: Path) -> list[str]:  # noqa: ARG001 - all cases are called alike
    """lnav: one count over the log."""
    return ["lnav", "-n", "-c", ";SELECT sc_status, count(*) FROM access_log GROUP BY 1", str(log)]


def compare(log: Path, cases: Mapping[str, Case], repeat: int) -> dict[str, Measured]:
    """Run the cases in turn; the median of each."""
    runs: dict[str, list[Measured]] = {name: [] for name in cases}
    for _ in range(repeat):
        for name, case in cases.items():
            with tempfile.TemporaryDirectory(prefix="logshed-bench-") as folder:
                runs[name].append(measured(case(log, Path(folder))))
    return {name: _median(found) for name, found in runs.items()}


def _median(runs: list[Measured]) -> Measured:
    columns = zip(*[(run.cpu_s, run.wall_s, run.peak_mib) for run in runs], strict=True)
    return Measured(*[statistics.median(column) for column in columns])


def show(title: str, log: Path | None, found: dict[str, Measured]) -> None:
    """Print a table of results, each beside the first."""
    size = log.stat().st_size / 1e6 if log else 0
    print(f"\n{title}" + (f" ({size:,.0f} MB)" if log else ""))
    print("| | CPU s | wall s | peak MiB | CPU, of the first | wall, of the first |\n|---|---:|---:|---:|---:|---:|")
    first = next(iter(found.values()))
    for name, run in found.items():
        ratios = f"{run.cpu_s / first.cpu_s:.2f} | {run.wall_s / first.wall_s:.2f}"
        print(f"| {name} | {run.cpu_s:.2f} | {run.wall_s:.2f} | {run.peak_mib:,.0f} | {ratios} |", flush=True)


def main() -> None:
    """Make the logs, run the cases, print the tables."""
    options = _options()
    folder: Path = options.data
    access = data.made(folder / "access.log", data.access_lines)
    nested = data.made(folder / "app.jsonl", data.json_lines)
    rivals = {name: case for name, case in (("goaccess", goaccess), ("lnav", lnav)) if shutil.which(name)}
    results = {
        "access log, 1,000,000 lines": (
            access,
            {"logshed": logshed, "chdb": chdb_access, "duckdb": duckdb_access} | rivals,
        ),
        "nested JSON, 500,000 lines": (nested, {"logshed": logshed, "chdb": chdb_json, "duckdb": duckdb_json}),
    }
    told: dict[str, dict[str, Measured]] = {}
    for title, (log, cases) in results.items():
        told[title] = compare(log, cases, options.repeat)
        show(title, log, told[title])
    told["start-up"] = startup(options.repeat)
    show("start-up", None, told["start-up"])
    if not options.quick:
        large = data.repeated(access, 10)
        told["access log"] = compare(access, {"logshed": logshed}, 1)
        told["access log, ten times"] = compare(large, {"logshed": logshed}, 1)
        show(
            "access log, ten times as long",
            large,
            {"once": told["access log"]["logshed"], "ten times": told["access log, ten times"]["logshed"]},
        )
    if options.output:
        plain = {title: {name: asdict(run) for name, run in found.items()} for title, found in told.items()}
        options.output.write_text(json.dumps(plain, indent=2) + "\n")


def startup(repeat: int) -> dict[str, Measured]:
    """How soon the command answers."""
    cases = {"logshed --help": [*LOGSHED, "--help"], 'logshed query "select 1"': [*LOGSHED, "query", "select 1"]}
    return {name: _median([measured(words) for _ in range(max(3, repeat))]) for name, words in cases.items()}


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure ingest beside ClickHouse's engine and DuckDB.")
    parser.add_argument("--repeat", type=int, default=3, help="runs of each case")
    parser.add_argument("--quick", action="store_true", help="leave out the file that is ten times as long (2.5 GB)")
    parser.add_argument("--data", type=Path, default=HERE / "data", help="where the logs are made")
    parser.add_argument("--output", type=Path, help="write the figures as JSON, too")
    return parser.parse_args()


if __name__ == "__main__":
    main()
