"""Names of files are redacted so that they stay distinct and stable; those with nothing forbidden stay as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logshed.redaction import load_policy
from logshed.redaction.keyring import add_key
from logshed.redaction.naming import MARK_LETTERS, Names

if TYPE_CHECKING:
    from pathlib import Path

SECRET = b"a lake's own secret of 32 bytes."
CONTAINER = "4f8c" * 16
POD = "0a1b2c3d-1111-4222-8333-944455556666"
ACCOUNT = "123456789012"
ORDINARY = [
    "/var/log/nginx/access.log.2.gz",
    "/var/log/syslog",
    "/var/log/messages-20260101",
    "/var/log/user.log",
    "/var/log/hosts/10.1.2.3/syslog.log",
    "/var/log/getty@tty1.service.log",
    "/var/log/postgresql/postgresql-16-main.log",
    "/opt/tomcat/logs/catalina.2026-11-26.log",
    "/srv/password-reset/session/tokens/app-2026-11-26T00:00:00.123456.log",
    "/data/1732579200000/part-00000.log",
    f"/var/lib/docker/containers/{CONTAINER}/{CONTAINER}-json.log",
    f"/var/log/containers/web-7d9c5b6f8-abcde_default_web-{CONTAINER}.log",
    f"/var/log/pods/default_web-7d9c5b6f8-abcde_{POD}/web/0.log",
    f"s3://b/AWSLogs/{ACCOUNT}/CloudTrail/us-east-1/2026/11/26/{ACCOUNT}_CloudTrail_us-east-1_20261126T0010Z_AbCd.json.gz",
    f"s3://b/{ACCOUNT}_elasticloadbalancing_eu-1_app.lb.50dc6c495c0c9188_20261126T0000Z_172.160.1.10_2soosksi.log.gz",
    f"s3://b/AWSLogs/{ACCOUNT}/vpcflowlogs/us-east-1/2026/11/26/{ACCOUNT}_vpcflowlogs_us-east-1_fl-1234abcd_fe1234.log.gz",
]
NAMES = Names(load_policy("default"), lambda: SECRET)


def _of(name: str) -> str:
    return NAMES.recorded([name])[name]


@pytest.mark.parametrize("path", ORDINARY)
def test_ordinary_names_stay_under_the_default_policy(path: str) -> None:
    assert _of(f"file:{path}") == f"file:{path}"
    assert _of(path) == path


def test_the_names_of_all_truth_files_stay(shared: Path) -> None:
    paths = [str(path) for path in (shared / "truth" / "files").rglob("*")]
    assert len(paths) > 50
    assert NAMES.recorded(paths) == {path: path for path in paths}


@pytest.mark.parametrize(
    ("path", "clean"),
    [
        ("/home/ada@example.com/app.log", "/home/{}~[EMAIL]/app.log"),
        ("/srv/ada@example.com.log.1.gz", "/srv/{}~[EMAIL].log.1.gz"),
        ("/srv/ada%40example.com/x.log", "/srv/{}~[EMAIL]/x.log"),
        ("/bucket/user/4111111111111111/x.log", "/bucket/user/{}~[CARD]/x.log"),
        ("/a/ada@example.com/bob@example.org/x.log", "/a/{}~[EMAIL]/[EMAIL]/x.log"),
    ],
)
def test_what_a_policy_forbids_is_replaced_with_a_mark_of_letters_before_that_part(path: str, clean: str) -> None:
    before, _, after = clean.partition("{}")
    found = _of(f"file:{path}").removeprefix("file:")
    assert found.startswith(before)
    assert found.endswith(after)
    mark = found[len(before) : len(found) - len(after)]
    assert len(mark) == MARK_LETTERS
    assert mark.isalpha()


def test_names_that_differ_only_in_what_is_replaced_stay_distinct_and_a_rotated_file_beside_its_log() -> None:
    ada, rotated, bob = (
        _of(f"/home/{who}/app.log{end}")
        for who, end in (("ada@example.com", ""), ("ada@example.com", ".1.gz"), ("bob@example.com", ""))
    )
    assert ada != bob
    assert rotated == f"{ada}.1.gz"


def test_a_mark_is_another_under_another_secret_so_that_guesses_cannot_be_tried_without_it() -> None:
    other = Names(load_policy("default"), lambda: b"another")
    name = "file:/home/ada@example.com/app.log"
    assert other.recorded([name])[name] != _of(name)


def test_a_name_with_bytes_that_are_no_utf_8_gets_one_that_a_table_can_hold() -> None:
    left, right = _of("/srv/a\udcff.log"), _of("/srv/a\\udcff.log")
    assert left.encode()
    assert left != right == "/srv/a\\udcff.log"


def test_the_policy_none_changes_no_name() -> None:
    name = "file:/home/ada@example.com/4111111111111111.log"
    assert Names(load_policy("none"), lambda: SECRET).recorded([name]) == {name: name}


def test_a_strict_policy_masks_addresses_and_makes_pseudonyms_of_users_in_names(tmp_path: Path) -> None:
    add_key(tmp_path / "keys")
    names = Names(load_policy("strict", keys=str(tmp_path / "keys")), lambda: SECRET)
    hosts = [f"/srv/10.1.2.{number}/x.log" for number in (3, 4)]
    found = names.recorded([*hosts, "/srv/user_id=42/x.log"])
    assert all(found[host].endswith("~10.1.2.0/x.log") for host in hosts)
    assert len({found[host] for host in hosts}) == 2
    assert "42/" not in found["/srv/user_id=42/x.log"]


def test_what_an_override_forbids_is_forbidden_in_names_too(tmp_path: Path) -> None:
    (tmp_path / "ours.toml").write_text(
        'title="t"\nextends="default"\n[[override]]\ncollection="c"\n[override.classes]\naddress="tag"\n'
    )
    names = Names(load_policy(str(tmp_path / "ours.toml")), lambda: SECRET)
    assert names.recorded(["/srv/10.1.2.3/x.log"])["/srv/10.1.2.3/x.log"].endswith("~[IPV4]/x.log")


_PARTS = st.sampled_from(
    [
        "ada@example.com",
        "bob@example.org",
        "4111111111111111",
        "password=hunter2",
        "app.log",
        "é",
        'a"b',
        "\udcff",
        "token=abcd%40efgh",
        "x{",
        "[EMAIL]",
        "-----BEGIN RSA PRIVATE KEY-----",
        "10.1.2.3",
        " ",
        "user: ada",
    ]
)


_PATHS = st.lists(st.lists(_PARTS, min_size=1, max_size=3).map("".join), min_size=1, max_size=4).map("/".join)


@settings(deadline=None, max_examples=6)
@given(st.lists(_PATHS, min_size=16, max_size=16))
def test_a_recorded_name_is_clean_stays_as_it_is_and_is_no_other_names(paths: list[str]) -> None:
    names = [f"file:/{path}" for path in paths]
    found = NAMES.recorded(names)
    clean = [found[name] for name in names]
    assert NAMES.texts(clean) == clean
    assert NAMES.recorded(clean) == {name: name for name in clean}
    assert len(set(clean)) == len(set(names))
