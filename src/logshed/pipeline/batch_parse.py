"""Parsing over batches of Arrow: a column of redacted records to the columns of ``silver.logs``."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import polars as pl
import pyarrow as pa

from logshed.enrichment import sources
from logshed.errors import FormatError
from logshed.formats import registry
from logshed.formats.choice import Choice
from logshed.formats.detect import detect
from logshed.pipeline.arrow_types import assert_column, column_of, plain, put
from logshed.pipeline.batch_stages import BATCHES, COUNT, Stage, with_policy
from logshed.pipeline.planning import Options, job_of
from logshed.pipeline.stages import Stages
from logshed.redaction.policy_files import load_policy
from logshed.schema import SILVER, polars_schema
from logshed.settings import Settings
from logshed.work import UNTIL_EOF, Split

if TYPE_CHECKING:
    from collections.abc import Iterable

FORMAT = "format"
_ROW = "row"
_SCHEMA = polars_schema(SILVER)
_OWN = ("observed_timestamp", "collection", "source", "generation", "offset", "batch")
"""Columns of ``logs`` that a batch knows better than its text."""


class Parse(Stage):
    """Parses a column of redacted records into the columns of ``silver.logs``; those of the batch stay behind them.

    A column of the batch that ``silver.logs`` has too holds where the text says nothing (``service_name``), or in any
    case (``source``, ``generation``, ``offset``, ``collection``, ``batch``, ``observed_timestamp``). Fields that show
    what the policy hides have their records rewritten, as an ingest does.

    Args:
        format: A format choice, such as ``nginx`` or ``docker_json/java,json``; None takes each row's column
            ``format``, which ``bronze.lines`` has. ``format_of`` finds one for a sample.
        column: The column with the records.
        policy: By which the parsed columns are looked through; None takes the setting.
        collection: Collection of records whose batch says none; None takes the setting.
        observed: When records were read whose batch does not say; None takes the present.
        timezone: Zone of times that name none; None takes the setting.
        settings: Settings; ``policy``, ``keys``, ``plugins``, ``collection`` and ``timezone`` count.
    """

    def __init__(
        self,
        format: str | None = None,  # noqa: A002 - the option's name
        column: str = "text",
        *,
        policy: str | None = None,
        collection: str | None = None,
        observed: datetime | None = None,
        timezone: str | None = None,
        settings: Settings | None = None,
    ) -> None:
        """Check the format and read the policy.

        Raises:
            logshed.errors.FormatError: There is no such format, or it needs a header that stands in the file.
            logshed.errors.RedactionError: There is no such policy, or it is wrong.
        """
        super().__init__(settings)
        self._settings = with_policy(self._settings, policy)
        self._format = format
        self._column = column
        self._options = Options(collection=collection or self._settings.collection, timezone=timezone)
        self._observed = observed or datetime.now(UTC)
        self._opened = self._open()
        if format is not None:
            self._opened.of(format)

    @property
    def takes(self) -> pa.Schema:
        """The column with the records."""
        formats = [] if self._format is not None else [(FORMAT, pa.string())]
        return pa.schema([(self._column, pa.string()), *formats])

    def _open(self) -> _Parsers:
        return _Parsers(self._settings, self._options, self._observed)

    def _turned(self, table: pa.Table) -> pa.Table:
        assert_column(table.schema, self._column)
        records = pl.DataFrame(
            {
                "text": column_of(table, self._column, pl.String()).fill_null(""),
                "offset": column_of(table, "offset", pl.Int64()),
                COUNT: column_of(table, COUNT, pl.Int32()).fill_null(0),
                "escaped": column_of(table, "escaped", pl.Boolean()),
            }
        )
        text, logs, rows = self._parsed(records, table)
        logs = self._with_own(logs, rows, table, text)
        kept = [name for name in table.schema.names if name not in _SCHEMA]
        rest = put(table, self._column, text, plain(table.schema.field(self._column).type)).select(kept)
        rest = rest.take(rows.to_arrow())
        made = logs.to_arrow()
        for name in kept:
            made = made.append_column(rest.schema.field(name), rest[name])
        return made

    def _parsed(self, records: pl.DataFrame, table: pa.Table) -> tuple[pl.Series, pl.DataFrame, pl.Series]:
        """The texts, rows of ``silver.logs``, and the record's row of each."""
        if self._format is not None:
            done, logs, rows = self._tools.of(self._format).silver(records)
            return done["text"], logs, rows
        assert_column(table.schema, FORMAT, " (or name the format: Parse(format=...))")
        forms = column_of(table, FORMAT, pl.String()).fill_null("")
        text, parts = records["text"], []
        for form in forms.unique(maintain_order=True):
            places = (forms == form).arg_true()
            done, logs, rows = self._tools.of(form).silver(records[places])
            text = text.scatter(places, done["text"])
            parts.append(logs.with_columns(places.gather(rows).alias(_ROW)))
        if not parts:
            return text, pl.DataFrame(schema=_SCHEMA), pl.Series(_ROW, [], dtype=pl.UInt32)
        logs = pl.concat(parts).sort(_ROW, "item", maintain_order=True)
        return text, logs.drop(_ROW), logs[_ROW]

    def _with_own(self, logs: pl.DataFrame, rows: pl.Series, table: pa.Table, text: pl.Series) -> pl.DataFrame:
        """The rows with what the batch itself says of its records."""
        own = [name for name in table.schema.names if name in _SCHEMA and name not in (COUNT, "item")]
        given = {name: column_of(table, name, _SCHEMA[name]).gather(rows) for name in own if name != self._column}
        if self._column in _SCHEMA:
            given[self._column] = text.gather(rows)  # as it was rewritten
        return logs.with_columns(
            (told.fill_null(logs[name]) if name in _OWN else logs[name].fill_null(told)).alias(name)
            for name, told in given.items()
        )


class _Parsers:
    """The stages of each format choice, made when it first comes."""

    def __init__(self, settings: Settings, options: Options, observed: datetime) -> None:
        policy = load_policy(settings.policy, settings.plugins, keys=settings.keys)
        job = job_of(settings, options, policy, sources.Sources())
        self._job = replace(job, observed=observed, drops=(), transforms=())
        self._formats = registry.load(settings.plugins)
        self._made: dict[str, Stages] = {}

    def of(self, text: str) -> Stages:
        """The stages of a choice.

        Raises:
            FormatError: There is no such format, or it needs a header that stands in the file.
        """
        if text not in self._made:
            choice = registry.check(Choice.parse(text), self._formats)
            for form in (registry.find(name, self._formats) for name in choice.formats):
                if form.has_header and not form.header:
                    raise FormatError(
                        f"cannot parse {form.name} in batches: its header stands in the file, far from its records; "
                        f"take read_logs, or write the header behind the name: {form.name}:..."
                    )
            self._made[text] = Stages(self._job, Split("", "", "", 0, UNTIL_EOF, str(choice)))
        return self._made[text]


def format_of(
    lines: Iterable[str] | pa.Table | pa.RecordBatch, column: str = "text", *, settings: Settings | None = None
) -> str:
    """The format choice of a sample, as ``Parse`` takes it: a few hundred lines, asked once for all batches.

    Args:
        lines: Texts, or a batch with a column of them.
        column: That column.
        settings: Settings; ``plugins`` count.

    Raises:
        logshed.errors.FormatError: No format takes any of them.
    """
    if isinstance(lines, BATCHES):
        assert_column(lines.schema, column)
        table = lines if isinstance(lines, pa.Table) else pa.Table.from_batches([lines])
        text = column_of(table, column, pl.String())
    else:
        text = pl.Series(list(lines), dtype=pl.String)
    found = detect(text, formats=registry.load((settings or Settings.load()).plugins))
    if not found.choice.names:
        raise FormatError(f"cannot tell the format: {found.why}; name one, `logshed formats list` shows all")
    return str(found.choice)
