"""Counts of wrong passwords: bounded, and who is wrong most stays counted."""

from __future__ import annotations

import pytest

from logshed.errors import OverloadedError
from logshed.web import attempts
from logshed.web.attempts import Attempts


def test_names_that_are_made_up_neither_fill_the_memory_nor_hide_who_is_wrong_often(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(attempts, "MOST_COUNTED", 60)
    counts = Attempts()
    for _ in range(5):
        counts.wrong("ann", "192.0.2.1")
    for number in range(500):
        counts.wrong(f"ghost {number}", f"2001:db8:{number:x}::1")
        counts.away(f"2001:db8:1:{number:x}::1")
    assert counts.counted < 70
    with pytest.raises(OverloadedError, match="too many attempts"):
        counts.check("ann", "192.0.2.1")
    counts.check("bob", "192.0.2.1")
