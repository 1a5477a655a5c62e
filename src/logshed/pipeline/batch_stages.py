"""Logshed's stages over batches of Arrow, for users' own pipelines on Ray, Spark or whatever hands out batches.

A stage looks at each row as if it were alone: how rows are cut into batches changes nothing.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

import polars as pl
import pyarrow as pa

from logshed.enrichment import sources
from logshed.errors import UsageError
from logshed.pipeline.arrow_types import assert_column, assert_plain, column_of, ddl, is_text, plain, put
from logshed.pipeline.enriching import FILLED, enriched
from logshed.redaction.engine import Redactor
from logshed.redaction.policy_files import load_policy
from logshed.schema import SILVER, polars_schema
from logshed.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

BATCHES = (pa.Table, pa.RecordBatch)
COUNT = "redaction_count"
OUT_ROWS = 10_000
"""Rows of a batch that ``arrow`` hands out, as Spark's own batches have at most."""

_SCHEMA = polars_schema(SILVER)


class Stage(ABC):
    """A step over batches; picklable: what it needs is opened in each process when the first batch comes.

    Args:
        settings: Settings; None reads logshed.toml, ``.env`` and the environment where the stage is made.
    """

    def __init__(self, settings: Settings | None) -> None:
        self._settings = settings or Settings.load()
        self._opened: Any = None

    def __call__(self, batch: pa.Table | pa.RecordBatch) -> pa.Table:
        """A batch after this step, its rows in their order.

        Raises:
            logshed.errors.UsageError: The batch is none of Arrow, or lacks a column.
        """
        if not isinstance(batch, BATCHES):
            raise UsageError(
                f"cannot use a batch of {type(batch).__name__}: stages take Arrow's; "
                'say batch_format="pyarrow", or call mapInArrow'
            )
        table = batch if isinstance(batch, pa.Table) else pa.Table.from_batches([batch])
        return self._turned(table)

    def arrow(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Batches after this step, for ``DataFrame.mapInArrow``."""
        for batch in batches:
            yield from self(batch).combine_chunks().to_batches(max_chunksize=OUT_ROWS)

    @property
    @abstractmethod
    def takes(self) -> pa.Schema:
        """The columns that it is made for."""

    @property
    def schema(self) -> str:
        """What it makes of the columns that it is made for, as Spark writes it."""
        return self.schema_of(self.takes)

    def schema_of(self, columns: pa.Schema) -> str:
        """What it makes of a frame with these columns, as Spark writes it."""
        return ddl(self(columns.empty_table()).schema)

    @abstractmethod
    def _turned(self, table: pa.Table) -> pa.Table:
        """The table after this step."""

    @abstractmethod
    def _open(self) -> Any:
        """What it needs."""

    @property
    def _tools(self) -> Any:
        if self._opened is None:
            self._opened = self._open()
        return self._opened

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_opened": None}


class Redact(Stage):
    """Replaces what a policy forbids in columns of text, by their names too, and counts it in ``redaction_count``.

    Args:
        policy: A policy's name or a policy file; None takes the setting.
        columns: The columns; None takes every column of text, and refuses columns that may hide some.
        settings: Settings; ``policy``, ``keys`` and ``plugins`` count.
    """

    def __init__(
        self, policy: str | None = None, columns: Sequence[str] | None = None, *, settings: Settings | None = None
    ) -> None:
        """Read the policy.

        Raises:
            logshed.errors.RedactionError: There is none of that name, or it is wrong.
        """
        super().__init__(settings)
        self._settings = with_policy(self._settings, policy)
        self._columns = None if columns is None else tuple(columns)
        self._opened = self._open()

    @property
    def takes(self) -> pa.Schema:
        """The columns that were named."""
        if self._columns is None:
            raise UsageError(
                "cannot tell what Redact makes of columns that it does not know: name them (columns=), "
                "or give it the frame (logshed.spark.apply)"
            )
        return pa.schema([(name, pa.string()) for name in self._columns])

    def _open(self) -> Redactor:
        return Redactor(load_policy(self._settings.policy, self._settings.plugins, keys=self._settings.keys))

    def _turned(self, table: pa.Table) -> pa.Table:
        redactor: Redactor = self._tools
        count = column_of(table, COUNT, pl.Int32()).fill_null(0)
        for name in self._named(table.schema):
            given = column_of(table, name, pl.String())
            redacted = redactor.redact(given)
            clean = redactor.by_name(redacted.text.alias(name))
            again = (clean != redacted.text).fill_null(value=False)
            count += redacted.counts + again.cast(pl.Int32)
            table = put(table, name, clean, plain(table.schema.field(name).type))
        return put(table, COUNT, count.cast(pl.Int32), pa.int32())

    def _named(self, schema: pa.Schema) -> list[str]:
        if self._columns is None:
            assert_plain(schema)
            return [field.name for field in schema if is_text(field.type)]
        for name in self._columns:
            assert_column(schema, name)
            if not is_text(schema.field(name).type):
                raise UsageError(
                    f"cannot redact column {name}: it is {schema.field(name).type} and no text; cast it before"
                )
        return list(self._columns)


class Enrich(Stage):
    """Fills what the fields of records imply: networks, places, threat lists, URL templates, user agents, risk.

    Args:
        geoip: Databases of places, ``.mmdb``; None takes the setting.
        threat_lists: Files of threat lists; None takes the setting.
        settings: Settings; ``enrichment`` and ``internal_networks`` count.
    """

    def __init__(
        self,
        *,
        geoip: Sequence[str] | None = None,
        threat_lists: Sequence[str] | None = None,
        settings: Settings | None = None,
    ) -> None:
        """Open the databases and lists.

        Raises:
            logshed.errors.EnrichmentError: One cannot be read.
        """
        super().__init__(settings)
        self._settings = self._settings.enriched(geoip=geoip, threat_lists=threat_lists)
        self._opened = self._open()

    @property
    def takes(self) -> pa.Schema:
        """The columns of ``silver.logs``."""
        return pl.DataFrame(schema=_SCHEMA).to_arrow().schema

    def _open(self) -> sources.Sources:
        return sources.opened(self._settings.enrichment)

    def _turned(self, table: pa.Table) -> pa.Table:
        known = {name: column_of(table, name, _SCHEMA[name]) for name in table.schema.names if name in _SCHEMA}
        frame = pl.DataFrame(known).with_columns(
            pl.lit(None, _SCHEMA[name]).alias(name) for name in (*FILLED, *_LOOKED_AT) if name not in known
        )
        filled = enriched(frame, self._settings.internal_networks, self._tools)
        for name in FILLED:
            table = put(table, name, filled[name].cast(_SCHEMA[name]))
        return table


_LOOKED_AT = ("client_address", "url_path", "url_domain", "user_agent_original", "attributes")


def with_policy(settings: Settings, policy: str | None) -> Settings:
    """The settings with another policy; None leaves theirs."""
    return settings if policy is None else settings.model_copy(update={"policy": policy})
