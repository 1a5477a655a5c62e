"""Makes an attribute a column of ``silver.logs``."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from pyiceberg.types import BooleanType, DoubleType, IcebergType, LongType, StringType, TimestamptzType

from logshed.errors import CommitConflictError
from logshed.lake.commit import ATTEMPTS, LOST, back_off
from logshed.lake.names import LOGS, PROMOTED_PROPERTY
from logshed.lake.promoted import promoted

if TYPE_CHECKING:
    from logshed.lake.promoted import Promoted
    from logshed.lake.store import Store
    from logshed.schema import Kind

_TYPES: dict[Kind, IcebergType] = {
    "string": StringType(),
    "long": LongType(),
    "double": DoubleType(),
    "boolean": BooleanType(),
    "timestamptz": TimestamptzType(),
}


def promote(store: Store, one: Promoted) -> None:
    """Add the column, and say what fills it, in one commit.

    Raises:
        CommitConflictError: Others changed the table each time, or took the attribute or the column meanwhile.
    """
    for attempt in range(ATTEMPTS):
        table = store.table(LOGS)
        known = promoted(table)
        if one in known:
            return
        if any(each.key == one.key or each.column == one.column for each in known):  # since the caller looked
            raise CommitConflictError(
                f"cannot promote {one.key}: another has just made it a column, or taken the name {one.column}; "
                "run the same command again"
            )
        told = json.dumps([asdict(each) for each in (*known, one)], sort_keys=True)
        try:
            with table.transaction() as transaction:
                with transaction.update_schema() as update:
                    update.add_column(one.column, _TYPES[one.kind], doc=f"the attribute {one.key}")
                transaction.set_properties({PROMOTED_PROPERTY: told})
        except LOST as error:
            back_off(attempt, error)
            continue
        return
    raise CommitConflictError(
        f"cannot promote {one.key}: {ATTEMPTS} attempts met other writers; run the same command again"
    )
