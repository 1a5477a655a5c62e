"""Remembers what there is in all, which every page that explores asks first, for as long as nothing is written."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

from logshed.pipeline.explore import extent

if TYPE_CHECKING:
    from logshed.api import Lake
    from logshed.pipeline.explore import Extent
    from logshed.web.running import Query
    from logshed.web.who import Person

MOST = 256
Key = tuple[tuple[str, ...], str | None]


class Extents:
    """What there is for whom; may be asked by several threads."""

    def __init__(self) -> None:
        self._known: OrderedDict[Key, tuple[object, Extent]] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, lake: Lake, person: Person, query: Query, collection: str | None) -> Extent:
        """What there is for somebody, of all collections or of one.

        Args:
            lake: The lake as they see it.
            person: Who.
            query: Runs a statement over it.
            collection: The collection, or None.
        """
        key, state = (person.grant.scopes, collection), lake.snapshot()
        with self._lock:
            known = self._known.get(key)
        if known is not None and known[0] == state:
            return known[1]
        found = extent(query, collection)
        with self._lock:
            self._known[key] = (state, found)
            while len(self._known) > MOST:
                self._known.popitem(last=False)
        return found
