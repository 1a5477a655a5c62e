"""The validators, against numbers that their standards or issuers publish for tests."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logshed.redaction.checks.cards import payment_card
from logshed.redaction.checks.tokens import basic_credentials, jwt_header


@pytest.mark.parametrize(
    "number",
    [
        "4111111111111111", "4222222222222", "5555555555554444", "2223003122003222", "378282246310005",
        "30569309025904", "6011111111111117", "3530111333300000", "6200000000000005", "6759649826438453",
        "5500 0000 0000 0004",
    ],
)  # fmt: skip
def test_a_published_test_card_is_valid_and_a_changed_digit_makes_it_none(number: str) -> None:
    changed = number[:-1] + str((int(number[-1]) + 1) % 10)
    assert payment_card(pl.Series([number, changed])).to_list() == [True, False]


@pytest.mark.parametrize("number", ["0000000000000000", "1734272625123", "9111111111111111", "41111111111111", ""])
def test_a_number_that_no_issuer_gives_is_no_card(number: str) -> None:
    assert payment_card(pl.Series([number])).to_list() == [False]


@given(st.integers(400_000_000_000_000, 499_999_999_999_999))
def test_exactly_one_check_digit_makes_a_number_valid(head: int) -> None:
    assert payment_card(pl.Series([f"{head}{digit}" for digit in range(10)])).sum() == 1


def test_a_token_header_must_decode_to_an_object_with_an_algorithm() -> None:
    tokens = ["eyJhbGciOiJIUzI1NiJ9.e30.c2ln", "eyJmb28iOiJiYXIifQ.e30.c2ln", "!!!.e30.c2ln", "_w.e30.x"]
    assert jwt_header(pl.Series(tokens)).to_list() == [True, False, False, False]


def test_basic_credentials_must_decode_to_a_pair() -> None:
    assert basic_credentials(pl.Series(["dXNlcjpwYXNz", "YXV0aA==", "auth", "w6k6w6k"])).to_list() == [
        True,
        False,
        False,
        True,
    ]
