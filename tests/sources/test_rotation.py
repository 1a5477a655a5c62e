from __future__ import annotations

import pytest

from logshed.sources.machines import Entry
from logshed.sources.rotation import family, oldest_first

FAMILIES = {
    "access.log": (
        "access.log access.log.1 access.log.12 access.log.2.gz access.log-20261101 access.log-20261101.gz "
        "access.log.20261101 access.log-2026-11-01 access.log.2026-11-01-13 access.log-20261101-1793491200.zst "
        "access.log.2026-11-01T13:00 access.log.1793491200 access.log-202611.xz access.log.old access.log.1.bz2 "
        "access-2026-11-01.log access.2026-11-01.log access.1.log access-20261101T1305.log.gz"
    ),
    "syslog": "syslog syslog.1 syslog.2.gz syslog-20261101",
    "web01.example.log": "web01.example.log web01.example.log.1 web01.example.log.3.xz",
    "ssl_access.log": "ssl_access.log ssl_access.log.1",
    "error.log": "error.log error.log.10",
}
PAIRS = [(name, kin) for name, names in FAMILIES.items() for kin in names.split()]


@pytest.mark.parametrize(("name", "rotated"), PAIRS)
def test_a_rotated_name_belongs_to_the_log_it_was(name: str, rotated: str) -> None:
    assert family(rotated) == name


@pytest.mark.parametrize(
    "names",
    [
        "app.log.10.gz app.log.9.gz app.log.2 app.log.1 app.log",
        "app.log-20261101.gz app.log-20261102 app.log-20261110",
        "app-2026-11-01.log app-2026-11-02.2.log app-2026-11-02.1.log",
        "app.log-20261101-1793491200 app.log-20261101-1793491300",
    ],
)
def test_of_files_of_one_second_the_name_tells_which_is_older(names: str) -> None:
    entries = [Entry(f"/var/log/{name}", str(number), 1, 7) for number, name in enumerate(names.split())]
    assert oldest_first(reversed(entries)) == entries
