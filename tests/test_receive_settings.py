"""The settings of doors: what is unsafe is refused before a door is opened."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from logshed.errors import SettingsError
from logshed.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path


def load(folder: Path, text: str) -> Settings:
    (folder / "logshed.toml").write_text(text)
    return Settings.load(folder, environ={})


def test_without_settings_the_doors_are_those_that_exporters_look_for(tmp_path: Path) -> None:
    doors = load(tmp_path, "").receive.doors
    assert {name: door.listen for name, door in doors.items()} == {
        "http": ("127.0.0.1:4318",),
        "grpc": ("127.0.0.1:4317",),
    }
    assert not any(door.knows_clients for door in doors.values())


def test_a_door_that_is_named_is_the_only_one(tmp_path: Path) -> None:
    settings = load(tmp_path, '[receive.syslog_udp]\nlisten = ["127.0.0.1:5514", "[::1]:5514"]\ncollection = "net"\n')
    (name,) = settings.receive.doors
    assert (name, [str(one) for one in settings.receive.doors[name].addresses]) == (
        "syslog_udp",
        ["127.0.0.1:5514", "[::1]:5514"],
    )


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('[receive.http]\nlisten = "0.0.0.0:4318"\n', "can be read on its way"),
        ('[receive.http]\nlisten = "logs.example.com:4318"\n', "can be read on its way"),
        ('[receive.http]\nlisten = "0.0.0.0:1"\ncertificate = "a"\nkey = "b"\ntokens = false\n', "who they are"),
        ('[receive.syslog_tcp]\nlisten = "0.0.0.0:1"\ncertificate = "a"\nkey = "b"\n', "who they are"),
        ('[receive.syslog_udp]\nlisten = "0.0.0.0:514"\n', "insecure"),
        ('[receive.http]\nlisten = "127.0.0.1:1"\nkey = "b"\n', "needs its key"),
        ('[receive.http]\nlisten = "127.0.0.1"\n', "is no address"),
        ("[receive.http]\nlisten = []\n", "receive.http.listen"),
        ('[receive.http]\nlisten = "127.0.0.1:70000"\n', "is no address"),
        ('[receive.ftp]\nlisten = "127.0.0.1:21"\n', "receive.ftp"),
        ('[receive.forward]\nlisten = "127.0.0.1:1"\nshared_key = "hunter2"\n', "env:NAME or file:/path"),
        ('[receive.forward]\nlisten = "127.0.0.1:1"\nusers = { ann = "env:A" }\n', "shared_key"),
        ('[receive]\nevery = "soon"\n', "receive.every"),
        ('[receive]\nmetrics = "9464"\n', "receive.metrics"),
    ],
)
def test_what_is_unsafe_or_off_is_refused_with_its_name(tmp_path: Path, text: str, named: str) -> None:
    with pytest.raises(SettingsError, match="receive") as raised:
        load(tmp_path, text)
    assert named in str(raised.value)
    assert "hunter2" not in str(raised.value)


def test_what_is_insecure_may_be_said(tmp_path: Path) -> None:
    door = load(tmp_path, '[receive.syslog_udp]\nlisten = "0.0.0.0:514"\ninsecure = true\n').receive.doors["syslog_udp"]
    assert not door.is_local


def test_a_door_that_others_reach_asks_for_tokens_unless_told_otherwise(tmp_path: Path) -> None:
    text = '[receive.http]\nlisten = "0.0.0.0:4318"\ncertificate = "door.pem"\nkey = "~/door.key"\n'
    door = load(tmp_path, text).receive.doors["http"]
    assert door.knows_clients
    assert door.certificate == tmp_path / "door.pem"
    assert str(door.key).endswith("/door.key")
    assert "~" not in str(door.key)


def test_another_file_than_the_folders_own_may_hold_the_settings(tmp_path: Path) -> None:
    (tmp_path / "logshed.toml").write_text('collection = "own"\n')
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "receiver.toml").write_text('spool = "waits"\n[receive.http]\nlisten = "127.0.0.1:1"\n')
    settings = Settings.load(tmp_path, environ={}, file=tmp_path / "etc" / "receiver.toml")
    assert (settings.collection, settings.spool) == ("default", tmp_path / "etc" / "waits")
    assert list(settings.receive.doors) == ["http"]
    with pytest.raises(SettingsError, match="no such file"):
        Settings.load(tmp_path, environ={}, file=tmp_path / "missing.toml")
