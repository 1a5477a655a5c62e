"""By what repeated records are known."""

from __future__ import annotations

import numpy as np

from logshed.pipeline.receive_ids import hashed, without
from logshed.receivers.model import Part


def test_an_id_is_its_senders_own_and_an_empty_one_is_none() -> None:
    ours, theirs = hashed("a", ["1", "", "2"]), hashed("b", ["1", "", "2"])
    assert ours[1] == theirs[1] == 0
    assert len({*ours.tolist(), *theirs.tolist()}) == 5
    assert hashed("a", ["1"])[0] == ours[0]


def test_known_records_are_left_out_and_the_others_keep_their_order() -> None:
    parts = [Part("x", b"1\n2\r\n3\n", 3), Part("y", b"4\n", 1), Part("z", b"5\n6\n", 2)]
    left = without(parts, np.array([False, True, False, True, False, False]))
    assert [(part.stream, part.lines, part.records) for part in left] == [("x", b"1\n3\n", 2), ("z", b"5\n6\n", 2)]
