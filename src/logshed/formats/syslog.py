"""The two parts of syslog lines that hold several fields: the priority number and RFC 5424's structured data."""

from __future__ import annotations

import polars as pl

from logshed.formats.columns import nothing
from logshed.formats.regex import OK

_SEVERITIES = ("EMERG", "ALERT", "CRIT", "ERR", "WARNING", "NOTICE", "INFO", "DEBUG")
_FACILITIES = (
    "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp", "ntp",
    "security", "console", "clock", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
)  # fmt: skip
_ELEMENT = r'\[[^\] ]+(?: [^=\] ]+="(?:[^"\\]|\\.)*")*\]'
_PARAMETER = r'[^=\]\[ ]+="(?:[^"\\]|\\.)*"'


def split_priority(frame: pl.DataFrame) -> pl.DataFrame:
    """Replace ``syslog_priority`` by the severity and the attribute ``syslog.facility``; above 191 is no syslog.

    Where a line has no number, both stay what the line says in words.
    """
    if "syslog_priority" not in frame.columns:
        return frame
    priority = frame["syslog_priority"]
    known = {str(number): number for number in range(len(_FACILITIES) * len(_SEVERITIES))}
    severities = {text: _SEVERITIES[number % 8] for text, number in known.items()}
    facilities = {text: _FACILITIES[number // 8] for text, number in known.items()}
    severity = priority.replace_strict(severities, default=None, return_dtype=pl.String).alias("severity_text")
    facility = priority.replace_strict(facilities, default=None, return_dtype=pl.String).alias("@syslog.facility")
    wrong = priority.is_not_null() & severity.is_null()
    severity, facility = (
        column.fill_null(frame[column.name]) if column.name in frame.columns else column
        for column in (severity, facility)
    )
    return frame.drop("syslog_priority").with_columns(severity, facility, (frame[OK] & ~wrong).alias(OK))


def split_structured_data(frame: pl.DataFrame) -> pl.DataFrame:
    """Replace ``structured_data`` by attributes named ``<id>.<parameter>``."""
    if "structured_data" not in frame.columns:
        return frame
    data = frame["structured_data"]
    rest = frame.drop("structured_data")
    if data.null_count() == frame.height:
        return rest
    rows = data.is_not_null().arg_true()
    elements = pl.DataFrame({"row": rows, "element": data.gather(rows).str.extract_all(_ELEMENT)}).explode("element")
    named = elements.select(
        "row",
        pl.col("element").str.extract(r"^\[([^\] ]+)").alias("id"),
        pl.col("element").str.extract_all(_PARAMETER).alias("parameter"),
    ).explode("parameter", empty_as_null=True)
    again = elements.select("row", pl.col("element").str.extract(r"^\[([^\] ]+)").alias("id")).drop_nulls()
    twice = again.filter(again.is_duplicated())["row"].unique()
    if not twice.is_empty():  # RFC 5424, section 6.3.2: an id comes once
        rest = rest.with_columns(rest[OK].clone().scatter(twice, values=False).alias(OK))
    entries = named.select(
        "row",
        key=pl.concat_str(
            "id", pl.col("parameter").str.extract("^([^=]+)=").fill_null(""), separator="."
        ).str.strip_suffix("."),
        value=pl.col("parameter")
        .str.extract(r'(?s)^[^=]+="(.*)"$')
        .str.replace_all(r'\\(["\\\]])', "$1")
        .fill_null(""),
    )
    columns = []
    for (key,), group in entries.partition_by("key", as_dict=True, include_key=False, maintain_order=True).items():
        first = group.unique("row", keep="first", maintain_order=True)
        column = nothing(frame.height, f"@{key}")
        columns.append(column.scatter(first["row"], first["value"]))
    return rest.with_columns(columns)
