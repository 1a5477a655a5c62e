"""Keys are random, private, and said to be wrong where they are."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TYPE_CHECKING

import pytest

from logshed.errors import RedactionError
from logshed.redaction.keyring import add_key, load_keys

if TYPE_CHECKING:
    from pathlib import Path

HEX = "0f" * 32


def test_a_new_key_lies_in_a_file_that_only_its_owner_reads(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "keys"
    made = add_key(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load_keys(str(path)).current == made
    assert made.secret.hex() not in repr(made)


def test_a_rotation_keeps_the_old_keys(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    first, second = add_key(path), add_key(path)
    ring = load_keys(str(path))
    assert [key.name for key in ring.keys] == ["k1", "k2"]
    assert ring.current.secret == second.secret != first.secret


def test_several_who_add_a_key_at_once_lose_none(tmp_path: Path) -> None:
    for number in range(20):  # before it was mended, each time some of them failed, or one was written over
        path, start = tmp_path / str(number) / "keys", Barrier(4)

        def made(_: int, path: Path = path, start: Barrier = start) -> bytes:
            start.wait(30)
            return add_key(path).secret

        with ThreadPoolExecutor(4) as pool:
            found = set(pool.map(made, range(4)))
        assert {key.secret for key in load_keys(str(path)).keys} == found


def test_of_several_who_make_the_first_key_at_once_one_does(tmp_path: Path) -> None:
    path, start = tmp_path / "keys", Barrier(4)

    def made(_: int) -> str:
        start.wait(30)
        try:
            return add_key(path, first=True).secret.hex()
        except RedactionError as error:
            assert "has a key; `logshed key rotate` adds one" in str(error)  # noqa: PT017 - one of them raises none
            return ""

    with ThreadPoolExecutor(4) as pool:
        found = sorted(pool.map(made, range(4)))
    assert found == ["", "", "", load_keys(str(path)).current.secret.hex()]


def test_keys_may_be_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_KEYS", f"k1:{HEX},k2:{HEX[2:]}0e")
    assert [key.name for key in load_keys("env:SHOP_KEYS").keys] == ["k1", "k2"]
    monkeypatch.setenv("SHOP_KEYS", HEX)
    assert load_keys("env:SHOP_KEYS").current.name == "k1"


def test_keys_may_be_behind_a_url() -> None:
    import fsspec  # noqa: PLC0415 - the memory file system is its own

    with fsspec.open("memory://vault/keys", "w") as file:
        file.write(f"k7 {HEX} 2026-01-01T00:00:00Z\n")
    assert load_keys("memory://vault/keys").current.name == "k7"


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604])
def test_a_file_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "keys"
    add_key(path)
    path.chmod(mode)
    with pytest.raises(RedactionError, match=rf"its mode is {mode:o}.*chmod 600"):
        load_keys(str(path))


@pytest.mark.parametrize(
    ("text", "cause"),
    [("", "it holds none"), ("k1 abc\n", "line 1"), (f"k1 {HEX}\nk1 {HEX}\n", "line 2"), (f"K! {HEX}", "line 1")],
)
def test_a_malformed_file_is_refused_with_its_line_and_never_its_content(tmp_path: Path, text: str, cause: str) -> None:
    path = tmp_path / "keys"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(RedactionError, match=cause) as caught:
        load_keys(str(path))
    assert HEX not in str(caught.value)


def test_missing_keys_are_told_with_what_makes_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_KEYS", raising=False)
    for where in (str(tmp_path / "none"), "env:NO_KEYS"):
        with pytest.raises(RedactionError, match="logshed key new"):
            load_keys(where)
