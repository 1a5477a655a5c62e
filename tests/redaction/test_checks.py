"""The validators, against numbers that their standards or issuers publish for tests."""

from __future__ import annotations

import base64
import json

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logshed.redaction.checks.cards import payment_card, track_data
from logshed.redaction.checks.secrets import (
    crc32_token,
    discord_token,
    high_entropy,
    mixed_token,
    spoken_password,
)
from logshed.redaction.checks.tokens import basic_credentials, encoded_json, jwt_header
from logshed.redaction.checks.vehicles import vin


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


# Bodies and check sums as published with the formats (therootcompany/base62-token); the prefix is put on here
# so that no whole token stands in this file.
@pytest.mark.parametrize("prefix", ["ghp", "gho", "ghu", "ghs", "ghr", "npm"])
@pytest.mark.parametrize("body", ["zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ" + "0mLq17", "A" * 30 + "0uCPlr"])
def test_the_last_six_characters_of_a_token_are_its_check_sum(prefix: str, body: str) -> None:
    token = f"{prefix}_{body}"
    assert crc32_token(pl.Series([token, f"{token[:-1]}0", f"{prefix}_B{body[1:]}"])).to_list() == [True, False, False]


def test_a_token_of_another_length_has_no_check_sum_that_could_fail() -> None:
    assert crc32_token(pl.Series([f"ghr_{'A' * 76}", "ghs_1_eyJ.e30.x", f"github_pat_{'A' * 82}"])).all()


def test_a_bot_token_must_begin_with_a_number() -> None:
    heads = [
        base64.b64encode(head).decode().rstrip("=") for head in (b"123456789012345678", b"12345678901234567x", b"1")
    ]
    assert discord_token(pl.Series([f"{head}.a.b" for head in heads] + ["M.a.b"])).to_list() == [True, *[False] * 3]


def test_random_text_is_told_from_words_identifiers_and_short_texts() -> None:
    random = ["wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "0a1b2c3d4e5f60718293a4b5c6d7e8f9", "k3V9zQ1pX7mB2cT8wL5d"]
    words = ["550e8400-e29b-41d4-a716-446655440000", "user-profile-cache-eu-west-1", "AuthKeyProviderImplementation2"]
    assert high_entropy(pl.Series(random)).all()
    assert not high_entropy(pl.Series([*words, "1111111111111111111111", "k3V9zQ1pX7", ""])).any()


def test_what_follows_in_prose_is_a_password_only_if_it_is_no_word() -> None:
    assert spoken_password(pl.Series(["Tr0ub4dor&3", "hunter2!", "incorrect", "Required"])).to_list() == [
        True,
        True,
        False,
        False,
    ]


def test_a_token_without_prefix_mixes_letters_and_digits() -> None:
    assert mixed_token(pl.Series(["s.aB3dE5gH", "s.onClickHandler", "s.abc123"])).to_list() == [True, False, False]


@pytest.mark.parametrize("number", ["1M8GDM9AXKP042788", "1HGCM82633A004352", "JH4KA7561PC008269"])
def test_a_vehicle_number_is_valid_and_another_check_digit_makes_it_none(number: str) -> None:
    changed = number[:8] + ("1" if number[8] != "1" else "2") + number[9:]
    assert vin(pl.Series([number, changed])).to_list() == [True, False]


def test_seventeen_ones_are_no_vehicle_though_their_check_digit_is_right() -> None:
    assert vin(pl.Series(["11111111111111111", "", "1M8GDM9AXKP04278"])).to_list() == [False, False, False]


def test_a_track_is_one_only_with_the_number_of_a_card_at_its_head() -> None:
    tracks = [
        "%B4111111111111111^DOE/J^2612101?",
        ";4111111111111111=26121011?",
        "%3B4111111111111112%3D26121011%3F",
        "x",
    ]
    assert track_data(pl.Series(tracks)).to_list() == [True, True, False, False]


@pytest.mark.parametrize(
    ("document", "tells"),
    [
        ({"user": "bob", "password": "x"}, True),
        ({"db_secret": 7}, True),
        ({"to": "bob@example.com"}, True),
        ({"password": None}, False),
        ({"offset": 100, "sort": "id"}, False),
    ],
)
def test_encoded_json_tells_something_only_where_a_sensitive_name_has_a_value_or_an_address_stands(
    document: dict[str, object], *, tells: bool
) -> None:
    plain = json.dumps(document).encode()
    forms = [base64.b64encode(plain).decode(), base64.urlsafe_b64encode(plain).decode().rstrip("=")]
    assert encoded_json(pl.Series(forms)).to_list() == [tells, tells]
