"""The named steps of a commit, at which the tests end the process: nothing may be lost and nothing come twice."""

from __future__ import annotations

STEPS = (
    "before bronze file",
    "after bronze file",
    "after silver file",
    "before ledger write",
    "before bronze commit",
    "after bronze commit",
    "before logs commit",
    "after logs commit",
)

UPKEEP_STEPS = (
    "after compact file",
    "before compact commit",
    "after compact commit",
    "before expire commit",
    "after expire commit",
    "after a file of expire is gone",
    "before orphans are removed",
    "after a file of orphans is gone",
    "before rewrite-manifests commit",
    "after rewrite-manifests commit",
)
"""Those of ``maintain``."""

REPARSE_STEPS = (
    "after reparse file",
    "before reparse commit",
    "after reparse commit",
    "after reparse of silver.logs",
    "after reparse of bronze.lines",
)
"""Those of ``reparse``."""


RETAIN_STEPS = ("after retain file", "before retain commit", "after retain commit")
"""Those of rows that were kept long enough."""


ERASE_STEPS = (
    "after erase journal",
    "after erase file",
    "before erase commit",
    "after erase commit",
    "after erase of bronze.lines",
    "after erase of silver.logs",
    "after erase of findings",
    "after erase of gold",
    "after expire commit",
    "after a file of expire is gone",
    "after erase of snapshots",
    "before erase receipt",
    "after erase receipt",
)
"""Those of ``erase``."""


def step(name: str) -> None:
    """Pass a named step; tests replace ``passed``."""
    passed(name)


def passed(name: str) -> None:
    """Do nothing."""
