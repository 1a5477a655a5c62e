"""What a lake has of the records that clients were promised."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.receive.promises import Client


@dataclass
class Found:
    """What a lake has of the records that were sent.

    Attributes:
        records: In the order of their streams.
    """

    records: list[str]
    numbers: dict[str, list[int]] = field(init=False)

    def __post_init__(self) -> None:
        self.numbers = {}
        for one in self.records:
            name, number = re.match(r"id=([a-z]+)-([0-9]+)", one).groups()  # type: ignore[union-attr] # the query's
            self.numbers.setdefault(name, []).append(int(number))

    def check(self, clients: Sequence[Client]) -> None:
        """See that every promise was kept.

        Raises:
            AssertionError: One was not.
        """
        once = set(self.records)
        sent = {one for client in clients for one in client.sent}
        assert not once - sent, f"never sent, or not as it was: {sorted(once - sent)[:5]}"
        twice = sorted(one for one in once if self.records.count(one) > 1) if len(once) < len(self.records) else []
        assert not twice, f"stored twice: {len(twice)}, such as {twice[:5]}"
        for client in clients:
            lost = [one for one in client.acknowledged if one not in once]
            assert not lost, f"{client.name}: acknowledged and lost: {len(lost)}, such as {lost[:5]}"
            numbers = self.numbers.get(client.name, [])
            assert numbers == sorted(numbers), f"{client.name}: out of order"
