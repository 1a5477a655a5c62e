"""What clients' names become: the collection that a record goes to, the source that its stream is."""

from __future__ import annotations

import re
from collections import OrderedDict
from dataclasses import replace
from typing import TYPE_CHECKING

from logshed.errors import FormatError
from logshed.pipeline.receive_safe import Arrived
from logshed.receivers.model import BadRequestError

if TYPE_CHECKING:
    from collections.abc import Callable

    from logshed.access import Grant
    from logshed.receivers.model import Came, Part
    from logshed.redaction.naming import Names

OTHERS = "others"
"""The stream of those that are more than may be."""
MOST_KEPT = 20_000
_COLLECTION = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:/@ -]{0,127}")
_GLOB = frozenset("*?[")


class ReceiveNames:
    """Names of collections and sources.

    Args:
        names: What of names may rest.
        checked: Gives a format choice as it is to be used, or raises a FormatError.
        collection: Of what names none.
        known: Says whether a source is in the spool already.
        streams: Sources that there may be.
    """

    def __init__(
        self,
        names: Names,
        checked: Callable[[str], str],
        *,
        collection: str,
        known: Callable[[str, str], bool],
        streams: int,
    ) -> None:
        self._names = names
        self._checked = checked
        self._collection = collection
        self._known = known
        self._streams = streams
        self._sound: OrderedDict[str, bool] = OrderedDict()
        self._sources: OrderedDict[tuple[str, str], str] = OrderedDict()
        self._seen: set[tuple[str, str]] = set()

    def placed(self, came: Came, part: Part) -> Part:
        """A part with the collection that it goes to, and the format choice that it is read by.

        Raises:
            BadRequestError: The sender may not bring it there, or names something that is off.
        """
        wanted = [part.collection] if part.collection else [came.collection, _only(came.grant), self._collection]
        allowed = next((name for name in wanted if name and came.grant.allows("write", name)), None)
        if allowed is None:
            raise BadRequestError(403, "the token does not allow to write to this collection")
        if part.collection and not self._is_sound(part.collection):
            raise BadRequestError(400, "the collection's name is off; use letters, digits, `.`, `_` and `-`")
        try:
            choice = self._checked(part.format) if part.format else ""
        except FormatError as error:
            raise BadRequestError(400, str(error)) from None
        return replace(part, collection=allowed, format=choice)

    def arrived(self, protocol: str, part: Part) -> Arrived:
        """The lines of a part with the source that they are of; called by one thread at a time."""
        source = self._source(protocol, part.stream)
        stream = (source, part.collection)
        if stream not in self._seen:
            if len(self._seen) >= self._streams and not self._known(*stream):
                return Arrived(f"{protocol}:{OTHERS}", part.collection, part.lines, part.format)
            self._seen.add(stream)
        return Arrived(source, part.collection, part.lines, part.format)

    def _source(self, protocol: str, stream: str) -> str:
        key = (protocol, stream)
        if key not in self._sources:
            name = f"{protocol}:{stream}"
            self._sources[key] = self._names.recorded([name])[name]
            if len(self._sources) > MOST_KEPT:
                self._sources.popitem(last=False)
        return self._sources[key]

    def _is_sound(self, name: str) -> bool:
        """Whether a name can be a collection's: one that the policy would hide could rest nowhere."""
        if name not in self._sound:
            self._sound[name] = _COLLECTION.fullmatch(name) is not None and self._names.texts([name]) == [name]
            if len(self._sound) > MOST_KEPT:
                self._sound.popitem(last=False)
        return self._sound[name]


def _only(grant: Grant) -> str:
    """The one collection that a token is for; empty where it is for several."""
    only = grant.scopes[0] if len(grant.scopes) == 1 else ""
    return "" if _GLOB & set(only) else only
