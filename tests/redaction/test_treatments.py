"""What stands in place of a value, in texts, in JSON and where only a format finds it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import polars as pl
import pytest

from logshed.formats.choice import Choice
from logshed.formats.parse import parse
from logshed.redaction import Redactor, load_policy
from logshed.redaction.keyring import add_key, load_keys
from logshed.redaction.masks import Mask, apply
from logshed.redaction.treatments import Pseudonyms

if TYPE_CHECKING:
    from pathlib import Path

RULES = """
[rules]
email = "{action}"
payment_card = "{action}"
password = "{action}"
"""


@pytest.fixture
def keys(tmp_path: Path) -> str:
    path = tmp_path / "keys"
    add_key(path)
    return str(path)


def redactor(folder: Path, text: str, keys: str = "") -> Redactor:
    path = folder / "own.toml"
    path.write_text(f"title = 't'\n{text}", encoding="utf-8")
    return Redactor(load_policy(str(path), keys=keys))


def test_a_mask_leaves_a_part(tmp_path: Path) -> None:
    found = redactor(tmp_path, RULES.format(action="mask")).redact(
        pl.Series(["ann@example.com paid 4111-1111-1111-1111", '{"pan":4111111111111111}', "password=hunter2hunter2"])
    )
    assert found.text.to_list() == [
        "***@example.com paid ****-****-****-1111",
        '{"pan":"************1111"}',
        "password=***********er2",
    ]
    assert found.by_rule == {"email": 1, "payment_card": 2, "password": 1}


def test_drop_leaves_nothing_and_json_stays_json(tmp_path: Path) -> None:
    found = redactor(tmp_path, RULES.format(action="drop")).redact(
        pl.Series(["to ann@example.com.", '{"pan":4111111111111111,"password":["a"],"n":1}'])
    )
    assert found.text[0] == "to ."
    assert json.loads(found.text[1]) == {"pan": "", "password": "", "n": 1}


def test_a_value_has_one_pseudonym_wherever_it_stands(tmp_path: Path, keys: str) -> None:
    ours = redactor(tmp_path, RULES.format(action="pseudonym"), keys)
    found = ours.redact(
        pl.Series(["ann@example.com", '{"a":"ann@example.com","b":"bob@example.com"}', '{"password":{"x":1}}'])
    )
    pseudonym = found.text[0]
    assert pseudonym.startswith("email:k1:")
    assert len(pseudonym) == len("email:k1:") + 32
    assert json.loads(found.text[1])["a"] == pseudonym
    assert json.loads(found.text[1])["b"] != pseudonym
    assert json.loads(found.text[2]) == {"password": "[PASSWORD]"}


@pytest.mark.parametrize("action", ["tag", "mask", "pseudonym", "drop"])
def test_redacting_twice_changes_nothing(tmp_path: Path, keys: str, action: str) -> None:
    ours = redactor(tmp_path, RULES.format(action=action), keys)
    texts = ["ann@example.com", '{"pan":4111111111111111,"password":"hunter2hunter2"}', "password=a b password='c d'"]
    once = ours.redact(pl.Series(texts)).text
    again = ours.redact(once)
    assert again.text.to_list() == once.to_list()
    assert again.by_rule == {}


def test_another_key_makes_other_pseudonyms_and_old_ones_are_still_done(tmp_path: Path, keys: str) -> None:
    ours = redactor(tmp_path, RULES.format(action="pseudonym"), keys)
    old = ours.redact(pl.Series(["ann@example.com"])).text
    add_key(tmp_path / "keys")
    newer = redactor(tmp_path, RULES.format(action="pseudonym"), keys)
    assert newer.redact(pl.Series(["ann@example.com"])).text[0].startswith("email:k2:")
    assert newer.redact(pl.Series([f"password={old[0]}"])).by_rule == {}
    by_every_key = [Pseudonyms("email", key).of("ann@example.com") for key in load_keys(keys).keys]
    assert old[0] in by_every_key


def test_a_value_that_only_a_format_finds_is_replaced_as_a_word(tmp_path: Path, keys: str) -> None:
    ours = redactor(tmp_path, "[columns]\nuser_id = 'pseudonym'\n", keys)
    text = pl.Series(['192.0.2.1 - a [24/Nov/2026:10:00:00 +0000] "GET /a HTTP/1.1" 200 12'])
    parsed = parse(text, Choice.parse("apache_common"), observed=datetime(2026, 11, 25, tzinfo=UTC))
    assert ours.leaks(text, parsed).to_list() == [True]
    clean = ours.rewrite(text, parsed).text
    pseudonym = Pseudonyms("user", load_keys(keys).current).of("a")
    assert clean[0] == f'192.0.2.1 - {pseudonym} [24/Nov/2026:10:00:00 +0000] "GET /a HTTP/1.1" 200 12'.replace(
        "GET /a ", f"GET /{pseudonym} "
    )
    again = parse(clean, Choice.parse("apache_common"), observed=datetime(2026, 11, 25, tzinfo=UTC))
    assert again["user_id"].to_list() == [pseudonym]
    assert ours.leaks(clean, again).to_list() == [False]


def test_allowed_values_stay(tmp_path: Path) -> None:
    ours = redactor(tmp_path, "allow = ['@example[.]org$']\n" + RULES.format(action="tag"))
    assert ours.redact(pl.Series(["a@example.org b@example.com"])).text.to_list() == ["a@example.org [EMAIL]"]


def test_an_override_holds_for_its_collection_and_source(tmp_path: Path) -> None:
    text = RULES.format(action="tag") + "[[override]]\ncollection = 'shop-*'\n[override.rules]\nemail = 'keep'\n"
    policy = redactor(tmp_path, text).policy
    kept = Redactor(policy.of("shop-eu", "file:/a")).redact(pl.Series(["ann@example.com 4111111111111111"]))
    assert kept.text.to_list() == ["ann@example.com [CARD]"]
    assert policy.of("other", "file:/a") is policy


@pytest.mark.parametrize(
    ("mask", "value", "left"),
    [
        (Mask("network"), "192.0.2.77", "192.0.2.0"),
        (Mask("network", ipv4=16, filler="xxx"), "192.168.1.7", "192.168.xxx.xxx"),
        (Mask("network"), "2001:db8:1:2:3::4", "2001:db8:1::"),
        (Mask("network", ipv6=64), "2001:db8:1:2:3::4", "2001:db8:1:2::"),
        (Mask("network"), "no address", "**********"),
        (Mask("last"), "DE02 1203 0000", "**** **** *000"),
        (Mask("last"), "abc", "***"),
        (Mask("domain"), "ann@example.com", "***@example.com"),
        (Mask("paths"), "at a.B.c(/srv/app/B.java:1)", "at a.B.c(B.java:1)"),
        (Mask("paths"), 'File "/home/ann/app/a.py", line 3', 'File "a.py", line 3'),
    ],
)
def test_what_a_mask_leaves(mask: Mask, value: str, left: str) -> None:
    assert apply(mask, pl.Series([value])).to_list() == [left]
    if mask.kind != "paths":
        assert apply(mask, apply(mask, pl.Series([value])))[0] in (left, "*" * len(left))


def test_a_bare_form_of_pseudonyms_hides_no_card_number(keys: str) -> None:
    ours = Redactor(load_policy("guide", keys=keys))
    text = pl.Series(
        ["192.168.1.7 ann@example.com 4111111111111111 password=x user_id=ann", "user_id=0123456789abcdef"]
    )
    once = ours.redact(text).text
    assert once[0].startswith("192.168.xxx.xxx [EMAIL_REDACTED] [CC_REDACTED] password=[REDACTED] user_id=")
    assert len(once[0].rpartition("=")[2]) == 16
    assert ours.redact(once).text.to_list() == once.to_list()


def test_a_card_is_no_pseudonym_that_is_16_hex_digits_and_every_such_pseudonym_has_a_letter(
    tmp_path: Path, keys: str
) -> None:
    text = 'extends = "strict"\n[pseudonyms]\nform = "{digest}"\ndigits = 16\n'
    own = redactor(tmp_path, text, keys)
    found = own.redact(pl.Series(["card 4111111111111111"])).text
    assert found.to_list() == ["card [CARD]"]
    made = Pseudonyms("user", load_keys(keys).current, "{digest}", 16)
    assert not [value for value in range(20_000) if made.of(str(value)).isdecimal()]


def test_pseudonyms_beside_each_other_are_done(tmp_path: Path, keys: str) -> None:
    ours = redactor(tmp_path, "[rules]\nuser_id = 'pseudonym'\n", keys)
    once = ours.redact(pl.Series(["user_id=ann[ann]", "user=bob@web, x"])).text
    assert ours.redact(once).text.to_list() == once.to_list()
