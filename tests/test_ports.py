from __future__ import annotations

import socket

import pytest
from tests.ports import GIVEN, RANGE, free_port


@pytest.mark.skipif(
    not GIVEN.is_file() or int(GIVEN.read_text().split()[0]) < RANGE.stop, reason="the system gives away all ports"
)
def test_a_port_is_given_once_and_is_none_that_the_system_gives() -> None:
    found = [free_port() for _ in range(50)]
    assert len(set(found)) == 50
    assert set(found) <= set(RANGE)


def test_a_port_that_somebody_has_is_not_given(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as one:
        taken, free = one.getsockname()[1], free_port()
        monkeypatch.setattr("tests.ports._NEXT", iter([taken, free]))
        monkeypatch.setattr("tests.ports.GIVEN", GIVEN.with_name("none"))
        assert free_port() == free
