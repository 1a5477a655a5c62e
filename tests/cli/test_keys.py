from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

from logshed.redaction.keyring import load_keys
from logshed.redaction.treatments import Pseudonyms

if TYPE_CHECKING:
    from conftest import Run


def test_the_first_key_is_made_once_and_only_its_owner_may_read_it(logshed: Run, tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    made = logshed("key", "new", "--file", keys)
    assert made.returncode == 0
    assert made.stdout == f"Made key k1 in {keys}. Keep a copy apart from the lake.\n"
    assert keys.stat().st_mode & 0o777 == 0o600
    again = logshed("key", "new", "--file", keys)
    assert again.returncode == 1
    assert "`logshed key rotate` adds one" in again.stderr
    assert len(load_keys(str(keys)).keys) == 1


def test_a_new_key_needs_a_first_one_and_then_makes_the_pseudonyms(logshed: Run, tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    assert "`logshed key new` makes one" in logshed("key", "rotate", "--file", keys).stderr
    logshed("key", "new", "--file", keys, "--id", "a")
    assert "Made key b" in logshed("key", "rotate", "--file", keys, "--id", "b").stdout
    shown = json.loads(logshed("key", "list", "--file", keys, "--json").stdout)
    assert [(one["key"], one["current"]) for one in shown] == [("a", False), ("b", True)]


def test_listing_keys_shows_no_byte_of_them(logshed: Run, tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    logshed("key", "new", "--file", keys)
    secret = load_keys(str(keys)).current.secret.hex()
    for words in (("list",), ("list", "--json"), ("find", "user", "alice"), ("new",), ("list", "-v")):
        done = logshed("key", *words, "--file", keys)
        assert secret[:8] not in done.stdout + done.stderr


def test_a_value_is_found_under_every_key_and_may_come_from_standard_input(logshed: Run, tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    logshed("key", "new", "--file", keys)
    logshed("key", "rotate", "--file", keys)
    ring = load_keys(str(keys))
    wanted = [Pseudonyms("user", key).of("alice") for key in ring.keys]
    assert logshed("key", "find", "user", "alice", "--file", keys).stdout.splitlines() == wanted
    assert logshed("key", "find", "user", "-", "--file", keys, stdin="alice\n").stdout.splitlines() == wanted
    both = logshed("key", "find", "user", "-", "--file", keys, "--json", stdin="alice\nbob\n")
    assert [one["key"] for one in json.loads(both.stdout)] == ["k1", "k2", "k1", "k2"]
    assert "standard input" in re.sub(r"\s+", " ", logshed("key", "find", "--help").stdout)


def test_a_pseudonym_is_found_in_the_form_of_the_policy_that_is_set(logshed: Run, tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    logshed("key", "new", "--file", keys)
    (tmp_path / "ours.toml").write_text('title = "t"\n[pseudonyms]\nform = "u-{digest}"\ndigits = 20\n')
    env = {"LOGSHED_KEYS": str(keys), "LOGSHED_POLICY": "ours.toml"}
    assert re.fullmatch(r"u-[0-9a-f]{20}\n", logshed("key", "find", "user", "alice", env=env).stdout)


def test_no_key_is_made_where_the_setting_names_no_file_and_no_value_is_bad_usage(logshed: Run, tmp_path: Path) -> None:
    done = logshed("key", "new", env={"LOGSHED_KEYS": "env:OURS"})
    assert done.returncode == 2
    assert "--file" in done.stderr
    logshed("key", "new", "--file", tmp_path / "keys")
    assert logshed("key", "find", "user", "-", "--file", tmp_path / "keys").returncode == 2
    assert not Path(tmp_path / "env:OURS").exists()
