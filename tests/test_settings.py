from __future__ import annotations

import pickle
from datetime import datetime
from pathlib import Path

import pytest

from logshed.errors import SettingsError
from logshed.settings import Settings, unknown_variables

AUDIT = '[[schedule]]\nname = "a"\nrun = "audit"\n'


def written(folder: Path, text: str) -> Path:
    (folder / "logshed.toml").write_text(text)
    return folder


def test_an_empty_folder_has_the_defaults(tmp_path: Path) -> None:
    settings = Settings.load(tmp_path, environ={})
    assert settings.lake == tmp_path / "logshed-lake"
    assert (settings.collection, settings.policy, settings.workers) == ("default", "default", None)
    assert settings.max_line_bytes == 1024 * 1024


def test_the_environment_wins_over_dotenv_and_dotenv_over_the_file(tmp_path: Path) -> None:
    written(tmp_path, 'collection = "file"\npolicy = "none"\nworkers = 3\n')
    (tmp_path / ".env").write_text("LOGSHED_COLLECTION=dotenv\nLOGSHED_WORKERS=4\n")
    settings = Settings.load(tmp_path, environ={"LOGSHED_COLLECTION": "environment"})
    assert (settings.collection, settings.workers, settings.policy) == ("environment", 4, "none")


def test_paths_of_the_file_are_relative_to_its_folder_and_those_of_the_environment_to_the_working_directory(
    tmp_path: Path,
) -> None:
    written(tmp_path, 'lake = "here"\nplugins = ["mine"]\n')
    assert Settings.load(tmp_path, environ={}).lake == tmp_path / "here"
    assert Settings.load(tmp_path, environ={}).plugins == (tmp_path / "mine",)
    assert Settings.load(tmp_path, environ={"LOGSHED_LAKE": "there"}).lake == Path("there")
    assert Settings.load(tmp_path, environ={"LOGSHED_PLUGINS": "a:b"}).plugins == (Path("a"), Path("b"))


def test_sizes_may_have_units(tmp_path: Path) -> None:
    assert Settings.load(written(tmp_path, 'split_bytes = "16 MiB"'), environ={}).split_bytes == 16 * 1024 * 1024


def test_rules_and_networks_come_from_the_file(tmp_path: Path) -> None:
    text = '[internal_networks]\noffice = ["10.1.0.0/16"]\n[[drop]]\nname = "health"\nmatch = "GET /health"\n'
    settings = Settings.load(written(tmp_path, text), environ={})
    assert settings.internal_networks == {"office": ("10.1.0.0/16",)}
    assert [(rule.name, rule.match) for rule in settings.drop] == [("health", "GET /health")]


def test_settings_travel_to_workers(tmp_path: Path) -> None:
    settings = Settings.load(tmp_path, environ={})
    assert pickle.loads(pickle.dumps(settings)) == settings  # noqa: S301 - our own bytes


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('colection = "a"', "cannot use logshed.toml: unknown key colection; did you mean collection?"),
        ('[[drop]]\nname = "a"\nmach = "b"', "cannot use logshed.toml: unknown key drop.0.mach; did you mean match?"),
        ('[[drop]]\nname = "a"', "give at least one of match, source, where"),
        ('[[drop]]\nname = "a"\nmatch = "b"\n[[drop]]\nname = "a"\nmatch = "c"', "two rules are named a"),
        ("workers = 0", "cannot use logshed.toml: workers: "),
        ('split_bytes = "many"', "split_bytes: 'many' is no size; write bytes as 65536"),
        ('timezone = "Mars/Olympus"', "timezone: 'Mars/Olympus' is no time zone; write one as Europe/Paris"),
        ('[internal_networks]\noffice = ["10.0.0.1/8"]', "internal_networks: 10.0.0.1/8 has host bits set"),
        ("workers = ", "logshed.toml: "),
        ('[[alert]]\nname = "a"\nto = "slack"\nlevl = "low"', "unknown key alert.0.levl; did you mean level?"),
        ('[[alert]]\nname = "a/b"\nto = "slack"', "alert.0.name: it may hold at most 64 letters"),
        ('[[alert]]\nname = "a"\nto = "slack"\nlevel = "bad"', "alert.0.level: Input should be 'informational', 'low'"),
        (
            '[[alert]]\nname = "a"\nto = "slack"\ngroup = "soon"',
            "alert.0.group: 'soon' is no span of time; write it as",
        ),
        ('[[alert]]\nname = "a"\nto = "slack"\nrate = "20"', "alert.0.rate: '20' is no rate; write it as 20/1h"),
        ('[[alert]]\nname = "a"\nto = "slack"\nquiet = "22-7"', "alert.0.quiet: '22-7' are no hours; write it as"),
        ('[[alert]]\nname = "a"\nto = "slack"\nquiet = "22:00-07:00 Mars"', "are no hours of a time zone; write it as"),
        (
            '[[alert]]\nname = "a"\nto = "slack"\ntemplate = "{nam}"',
            "alert.0.template: there is no {nam}; the names are",
        ),
        ('[[alert]]\nname = "a"\nto = "email"\nsender = "x"', "alert.0.sender: 'x' is no address; write one as"),
        ('[[objective]]\nname = "a"\ntarget = 100', "objective.0.target: Input should be less than 100"),
        ('[[objective]]\nname = "a"', "objective.0.target: Field required"),
        ('[[objective]]\nname = "a"\ntarget = 99\nkind = "speed"', "objective.0.kind: Input should be 'availability'"),
        ('[[objective]]\nname = "a"\ntarget = 99\nwindow = "soon"', "objective.0.window: 'soon' are no days; write 1d"),
        ('[[objective]]\nname = "a"\ntarget = 99\nwindow = "400d"', "objective.0.window: '400d' are no days"),
        ('[[objective]]\nname = "a"\ntarget = 99\nkind = "latency"', "objective.0: threshold_ms is missing; give the"),
        ('[[objective]]\nname = "a"\ntarget = 99\nthreshold_ms = 5', "objective.0: threshold_ms is of no use for"),
        ('[[objective]]\nname = "a"\ntarget = 99\ntarge = 5', "unknown key objective.0.targe; did you mean target?"),
        (
            '[[objective]]\nname = "a"\ntarget = 9\n[[objective]]\nname = "a"\ntarget = 9',
            "two objectives are named a; give each its own name",
        ),
        ('[[alert]]\nname = "a"\nto = "x"\n[[alert]]\nname = "A"\nto = "x"', "two destinations are named a"),
        ('[[schedule]]\nname = "a"\nrun = "audit"', "schedule.0.cron: Field required"),
        (f'{AUDIT}cron = "61 * * * *"', "schedule.0.cron: '61 * * * *' is no time: Bad minute; write it as"),
        (f'{AUDIT}cron = "0 0 30 2 *"', "schedule.0.cron: '0 0 30 2 *' is no time: "),
        (f'{AUDIT}cron = "* * * * * *"', "schedule.0.cron: '* * * * * *' has no five fields; write it as"),
        (f'{AUDIT}cron = "@reboot"', "schedule.0.cron: '@reboot' has no five fields; write it as"),
        (f'{AUDIT}cron = "@daily"\ntimezone = "Mars"', "schedule.0.timezone: 'Mars' is no time zone; write one as"),
        (f'{AUDIT}cron = "@daily"\ntimeout = "soon"', "schedule.0.timeout: 'soon' is no span of time; write it as"),
        (f'{AUDIT}cron = "@daily"\ntimout = "1h"', "unknown key schedule.0.timout; did you mean timeout?"),
        (f'{AUDIT}cron = "@daily"\n{AUDIT}cron = "@daily"', "two runs are named a; give each its own name"),
        ('[[schedule]]\nname = "../a"\nrun = "audit"\ncron = "@daily"', "schedule.0.name: it may hold at most 64"),
    ],
)
def test_a_wrong_key_is_named_with_its_place_and_what_to_do(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.load(written(tmp_path, text), environ={})
    assert told in str(caught.value)
    assert "; " in str(caught.value)


def test_a_wrong_variable_is_named_as_the_environment_spells_it(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot use the environment: LOGSHED_WORKERS: "):
        Settings.load(tmp_path, environ={"LOGSHED_WORKERS": "many"})


def test_variables_that_set_nothing_are_told_with_the_nearest_name(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("LOGSHED_POLCY=none\n")
    assert unknown_variables(tmp_path, {"LOGSHED_LAKE": "a", "HOME": "b"}) == ["LOGSHED_POLCY (did you mean policy?)"]


def test_databases_and_lists_come_from_the_file_and_a_variable_replaces_only_its_own(tmp_path: Path) -> None:
    text = (
        '[enrichment]\ngeoip = ["geo.mmdb"]\n'
        'threat_lists = ["bad.txt", { file = "c2.csv", name = "c2", column = "ip" }]\n'
    )
    folder = written(tmp_path, text)
    found = Settings.load(folder, environ={}).enrichment
    assert found.geoip == (tmp_path / "geo.mmdb",)
    assert [(one.file, one.name, one.column) for one in found.threat_lists] == [
        (tmp_path / "bad.txt", None, None),
        (tmp_path / "c2.csv", "c2", "ip"),
    ]
    changed = Settings.load(folder, environ={"LOGSHED_ENRICHMENT_GEOIP": "a.mmdb:b.mmdb"}).enrichment
    assert changed.geoip == (Path("a.mmdb"), Path("b.mmdb"))
    assert changed.threat_lists == found.threat_lists


def test_a_wrong_key_of_a_nested_table_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"unknown key enrichment\.geopi; did you mean geoip\?"):
        Settings.load(written(tmp_path, '[enrichment]\ngeopi = ["a"]'), environ={})


@pytest.mark.parametrize("key", ["url", "secret", "token", "routing_key", "password"])
def test_a_secret_that_stands_in_the_file_is_refused_and_not_shown(tmp_path: Path, key: str) -> None:
    text = f'[[alert]]\nname = "a"\nto = "email"\n{key} = "planted"'
    with pytest.raises(SettingsError, match=f"alert.0.{key}: a secret stands in the file itself") as caught:
        Settings.load(written(tmp_path, text), environ={})
    assert "planted" not in str(caught.value)


def test_an_alerts_settings_are_read_and_its_secrets_stay_hidden(tmp_path: Path) -> None:
    text = (
        '[[alert]]\nname = "ops"\nto = "webhook"\nurl = "https://example.org/planted"\nsecret = "file:key"\n'
        'ca_file = "ca.pem"\nrate = "20/1h"\ngroup = "10m"\nquiet = "22:00-07:00 Europe/Berlin"\n'
    )
    settings = Settings.load(written(tmp_path, text), environ={})
    (alert,) = pickle.loads(pickle.dumps(settings)).alert  # noqa: S301 - our own bytes
    assert (alert.level, alert.confidence, alert.group) == ("medium", "high", 600)
    assert (alert.rate.count, alert.rate.seconds) == (20, 3600)
    assert alert.ca_file == tmp_path / "ca.pem"
    assert "planted" not in repr(settings) + str(alert.model_dump()) + str(alert.url)
    assert alert.url.read() == "https://example.org/planted"
    (tmp_path / "key").write_text("signing\n")
    assert alert.secret.read() == "signing"


def test_quiet_hours_span_midnight_and_follow_the_clock_of_their_zone(tmp_path: Path) -> None:
    text = '[[alert]]\nname = "a"\nto = "x"\nquiet = "22:00-7:00 Europe/Berlin"\n'
    (alert,) = Settings.load(written(tmp_path, text), environ={}).alert
    moments = {"2026-01-05T21:30": True, "2026-01-05T20:30": False, "2026-07-05T20:30": True, "2026-07-06T05:00": False}
    for moment, quiet in moments.items():
        assert alert.quiet.holds(datetime.fromisoformat(f"{moment}:00+00:00")) is quiet
