"""Rules that people switch, whatever the settings say."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from tests.pipeline import security_lake
from tests.pipeline.security_lake import line, write

from logshed.detection_settings import DetectSettings
from logshed.errors import DetectionError, LakeError
from logshed.pipeline import rule_book, switches
from logshed.pipeline.switches import Switches

if TYPE_CHECKING:
    from pathlib import Path

    from logshed.api import Lake


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    return security_lake.opened(tmp_path_factory.mktemp("switches"))


def test_a_rule_that_is_switched_off_finds_nothing_and_on_again_it_does(lake: Lake, tmp_path: Path) -> None:
    lake.security.switch("t_scanner", on=False, by="ann", reason="noise")
    write(lake, tmp_path / "a.log", "shop", line(agent="Scanner", status=404))
    assert set(lake.security.detect().findings["rule_name"]) == {"t_missing"}
    lake.security.switch("t_scanner", on=None, by="ann")
    write(lake, tmp_path / "a.log", "shop", line(agent="Scanner", minute=1))
    rules = switches.chosen(lake.security.rules().rules, (), lake.security.switches())
    assert lake.security.detect([name for name in rules if name.startswith("t_")]).findings.height == 1


def test_a_switch_goes_before_the_settings(tmp_path: Path) -> None:
    settings = DetectSettings(disabled=("web_*",))
    assert not Switches(settings.disabled, tmp_path).on("web_xss")
    switches.switch(tmp_path, "web_xss", on=True, by="ann")
    found = Switches(settings.disabled, tmp_path)
    assert found.on("web_xss")
    assert not found.by_settings("web_xss")
    said = found.said("web_xss")
    assert said is not None
    assert said.by == "ann"
    assert switches.leave(tmp_path, "web_xss")
    assert not switches.leave(tmp_path, "web_xss")
    assert not Switches(settings.disabled, tmp_path).on("web_xss")


def test_switches_of_several_at_once_are_all_kept(tmp_path: Path) -> None:
    names = [f"r{number}" for number in range(12)]
    work = [
        threading.Thread(target=switches.switch, args=(tmp_path, name), kwargs={"on": False, "by": "x"})
        for name in names
    ]
    for one in work:
        one.start()
    for one in work:
        one.join()
    assert sorted(one.rule for one in switches.read(tmp_path)) == sorted(names)


def test_what_is_no_rule_cannot_be_switched(lake: Lake) -> None:
    with pytest.raises(DetectionError, match="did you mean t_scanner"):
        lake.security.switch("t_scaner", on=False, by="ann")


def test_detectors_and_checks_are_switched_as_rules_are(lake: Lake) -> None:
    kinds = {one.name: one.kind for one in rule_book.entries(lake.settings)}
    assert kinds["error_rate_jump"] == "anomaly"
    assert kinds["new_template"] == "template"
    assert kinds["slo_burns"] == "objective"
    for name in ("error_rate_jump", "new_template", "slo_burns"):
        lake.security.switch(name, on=False, by="ann")
        assert not lake.security.switches().on(name)


def test_a_damaged_file_is_told_and_switches_nothing_by_guess(tmp_path: Path) -> None:
    (tmp_path / "security").mkdir()
    (tmp_path / "security" / "switches.json").write_text("[{]")
    with pytest.raises(LakeError, match="correct the file or remove it"):
        Switches((), tmp_path)
