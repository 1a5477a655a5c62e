"""Detection over batches of Arrow: which rules each record meets by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl
import pyarrow as pa

from logshed.detections import registry
from logshed.errors import UsageError
from logshed.pipeline.arrow_types import column_of, put
from logshed.pipeline.batch_stages import Stage
from logshed.pipeline.fields import with_fields
from logshed.pipeline.findings import actor_of
from logshed.pipeline.rule_scan import META, Scan
from logshed.pipeline.switches import Switches, chosen
from logshed.schema import SILVER, polars_schema

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from logshed.detections.model import Rule
    from logshed.settings import Settings

FINDINGS = "findings"
_SCHEMA = polars_schema(SILVER)
_TOLD = dict.fromkeys(
    [
        *("rule_name", "rule_id", "rule_title", "rule_version", "rule_author", "level", "confidence", "technique"),
        *("actor_type", "actor", "matched"),
    ],
    pl.String(),
)
"""What is told of a rule that a record meets."""
_RECORD = tuple(name for name in META if name != "batch")


class Detect(Stage):
    """Tells of each record the rules that it meets by itself.

    Rules that count records or follow their order (correlations) need a lake: ``lake.security.detect``. Nothing is
    suppressed, grouped or scored.

    Args:
        rules: Globs on rules' names; None takes all that the settings do not disable.
        as_rows: Give a row for each record and rule that it meets, instead of a column ``findings`` with a list.
        settings: Settings; ``plugins`` and ``detect`` count.

    Attributes:
        left_out: Names of correlations among the rules, which are not looked for.
    """

    def __init__(
        self, rules: Sequence[str] | None = None, *, as_rows: bool = False, settings: Settings | None = None
    ) -> None:
        """Read the rules.

        Raises:
            logshed.errors.UsageError: None of the rules looks at single records.
        """
        super().__init__(settings)
        self._rules = tuple(rules or ())
        self._as_rows = as_rows
        self.left_out: tuple[str, ...] = ()
        self._opened = self._open()

    @property
    def takes(self) -> pa.Schema:
        """The columns of ``silver.logs``."""
        return pl.DataFrame(schema=_SCHEMA).to_arrow().schema

    def _open(self) -> tuple[Scan, Mapping[str, Rule]]:
        switches = Switches(self._settings.detect.disabled)
        loaded = chosen(registry.load(self._settings.plugins).rules, self._rules, switches)
        self.left_out = tuple(sorted(name for name, rule in loaded.items() if rule.correlation is not None))
        rules = {name: rule for name, rule in loaded.items() if rule.correlation is None}
        if not rules:
            cause = f"{', '.join(self.left_out)} count over many records" if self.left_out else "there is none"
            raise UsageError(
                f"cannot detect {', '.join(self._rules)} in batches: {cause}; "
                "take `logshed detect` on a lake, or name others (`logshed rules list`)"
            )
        return Scan(list(rules.values()), explained=rules), rules

    def _turned(self, table: pa.Table) -> pa.Table:
        scan, rules = self._tools
        wanted = dict.fromkeys((*scan.columns, *_RECORD, *(name for rule in rules.values() for name in rule.actors)))
        wanted |= {name.partition(".")[0]: None for name in wanted}  # an attribute is looked up in their column
        rows = pl.DataFrame([column_of(table, name, _SCHEMA[name]) for name in wanted if name in _SCHEMA])
        rows = with_fields(rows, wanted)
        hits = self._told(scan.places(rows), rows, rules)
        if self._as_rows:
            hits = hits.sort("row", maintain_order=True)
            return hits.drop("row").with_columns(rows.select(_RECORD)[hits["row"]]).select(*_RECORD, *_TOLD).to_arrow()
        lists = hits.group_by("row", maintain_order=True).agg(pl.struct(*_TOLD).alias(FINDINGS))
        every = pl.DataFrame({"row": pl.int_range(rows.height, dtype=pl.UInt32, eager=True)})
        column = every.join(lists, on="row", how="left", maintain_order="left")[FINDINGS]
        empty = pl.Series([[]], dtype=pl.List(pl.Struct(_TOLD)))
        column = column.cast(empty.dtype).fill_null(empty)
        entry = column.to_arrow().type.value_type
        return put(table, FINDINGS, column, pa.list_(entry))  # Spark has no large lists

    def _told(self, places: pl.DataFrame, rows: pl.DataFrame, rules: Mapping[str, Rule]) -> pl.DataFrame:
        """Each row that meets a rule with what is told of the rule, in the order of the rules."""
        parts = []
        for (name,), hit in places.group_by("rule", maintain_order=True):
            rule = rules[str(name)]
            named = [pl.when(pl.col(column).is_not_null()).then(pl.lit(column)) for column in rule.actors]
            who = rows[hit["row"]].select(
                actor=actor_of(rule), actor_type=pl.coalesce(named) if named else pl.lit(None, pl.String)
            )
            about = {key: pl.lit(value, pl.String) for key, value in _about(rule).items()}
            parts.append(hit.drop("rule").with_columns(who.get_columns()).with_columns(**about).select("row", *_TOLD))
        return pl.concat(parts) if parts else pl.DataFrame(schema={"row": pl.UInt32, **_TOLD})


def _about(rule: Rule) -> dict[str, Any]:
    return {
        "rule_name": rule.name,
        "rule_id": rule.id,
        "rule_title": rule.title,
        "rule_version": rule.version,
        "rule_author": rule.author or None,
        "level": rule.level,
        "confidence": rule.confidence,
        "technique": rule.techniques or None,
    }
