"""The visible truth cases stay as right as they are; the board itself says what is wrong where it should."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path  # noqa: TC003 - fixtures name it
from typing import TYPE_CHECKING

import pytest
from tests.truth.board import everything, record_share, share, tally
from tests.truth.compare import instant, verdict

if TYPE_CHECKING:
    from tests.truth.scoring import Score

FLOORS = {
    "beats": (99.0, 0.2),
    "logstash": (98.0, 0.2),
    "datadog": (99.0, 0.2),
    "ops_agent": (99.0, 0.2),
    "crowdsec": (99.0, 0.2),
    "apachelogs": (99.0, 0.5),
    "go_syslog": (100.0, 0.0),
    "dateparse": (97.5, 1.5),
    "stacktraces": (100.0, 0.0),
    "bots": (99.0, 1.0),
}
"""Per cent of leaves right at least, and wrong at most; raise the one and lower the other as formats are added."""


@pytest.fixture(scope="module")
def board(shared: Path) -> dict[str, Score]:
    """Every source, scored once."""
    assert shared.is_dir()
    return {found.source: found for found in everything()}


@pytest.mark.slow
@pytest.mark.truth
@pytest.mark.parametrize("source", FLOORS)
def test_no_source_is_less_right_than_it_was(board: dict[str, Score], source: str) -> None:
    counter = tally(board[source])
    right, wrong = FLOORS[source]
    assert share(counter, "right") >= right
    assert share(counter, "wrong") <= wrong


@pytest.mark.slow
@pytest.mark.truth
def test_every_stack_trace_is_one_record(board: dict[str, Score]) -> None:
    assert record_share(board["stacktraces"]) == 100


@pytest.mark.slow
@pytest.mark.truth
def test_files_have_as_many_records_as_they_should(board: dict[str, Score]) -> None:
    assert record_share(board["ops_agent"]) >= 97


@pytest.mark.parametrize(
    ("expected", "values", "came"),
    [
        ("10.0.0.1", {"client_address": "10.0.0.1"}, "right"),
        ("10.0.0.1", {"client_address": "10.0.0.2"}, "wrong"),
        ("10.0.0.1", {}, "unparsed"),
        ("-", {"client_address": "10.0.0.2"}, "nothing"),
    ],
)
def test_a_leaf_with_a_place_is_right_only_there(expected: str, values: dict[str, str], came: str) -> None:
    assert verdict("source.ip", expected, ("client_address",), values) == came


@pytest.mark.parametrize(
    ("name", "expected", "values", "came"),
    [
        ("haproxy.srv_queue", "0", {"@haproxy.server.queue": "0"}, "right"),
        ("haproxy.srv_queue", "0", {"@haproxy.retries": "0"}, "unparsed"),
        ("squid.code", "TCP_MISS", {"@squid.result": "TCP_MISS"}, "right"),
        ("squid.code", "TCP_MISS", {"@squid.code": "TCP_HIT"}, "wrong"),
        ("rule.tag0", "attack-sqli", {"@rule.tags": "attack-sqli,PCI/6.5.2"}, "right"),
        ("rule.tag1", "PCI/6.5.2", {"@rule.tags": '["attack-sqli", "PCI/6.5.2"]'}, "right"),
        ("rule.tag0", "attack-xss", {"@rule.tags": "attack-sqli,PCI/6.5.2"}, "unparsed"),
    ],
)
def test_an_own_field_needs_its_value_and_a_name_that_fits(
    name: str, expected: str, values: dict[str, str], came: str
) -> None:
    assert verdict(name, expected, None, values) == came


@pytest.mark.parametrize(
    ("ours", "came"),
    [
        ("disk full", "right"),
        ("E42: disk full", "unparsed"),
        ("E42: disk full, node 7", "unparsed"),
        ("disk", "wrong"),
        ("something else", "wrong"),
    ],
)
def test_a_message_may_be_taken_more_apart_but_not_differ(ours: str, came: str) -> None:
    assert verdict("message", "disk full", ("body",), {"body": ours}) == came


def test_words_that_are_in_other_fields_may_be_missing_from_a_message() -> None:
    values = {"body": "disk full", "code_file_path": "Disk.java", "code_line_number": 42}
    assert verdict("message", "Disk.java:42 - disk full", ("body",), values) == "right"


@pytest.mark.parametrize(
    "text",
    ["2024-03-05T06:25:01Z", "05/Mar/2024:06:25:01 +0000", "Tue Mar 05 06:25:01 2024", "1709619901000", 1709619901],
)
def test_expected_times_are_read_however_a_source_writes_them(text: str | int) -> None:
    assert instant(text) == datetime(2024, 3, 5, 6, 25, 1, tzinfo=UTC)
