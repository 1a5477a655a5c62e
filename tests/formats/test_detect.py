"""Detection explains itself and never guesses between equals."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl

from logshed.formats import registry
from logshed.formats.detect import detect

if TYPE_CHECKING:
    from pathlib import Path

ACCESS = '192.0.2.7 - - [17/May/2015:10:05:03 +0000] "GET /a?b=1 HTTP/1.1" 200 5 "-" "curl"'
JAVA = ["2024-05-01 10:00:00,123 [main] ERROR com.example.App - Boom", "java.lang.Error: x", "\tat a.b(C.java:1)"]


def test_a_real_access_log_is_combined(shared: Path) -> None:
    lines = (shared / "truth" / "files" / "apache_logs" / "apache_logs").read_text().split("\n")
    found = detect(pl.Series(lines[8_800:8_990]))
    assert (str(found.choice), found.winner, found.tie) == ("apache_combined", "apache_combined", ())
    assert found.share > 0.99
    assert len(found.unmatched) == 1
    assert found.why == (
        "apache_combined takes 99.5 % of the sampled lines; access_extended would take 99.5 % and is less specific"
    )


def test_lines_that_go_on_with_a_record_count_as_its_formats() -> None:
    found = detect(pl.Series(JAVA * 5))
    assert (str(found.choice), found.share, found.unmatched) == ("java", 1.0, ())


def test_a_more_specific_format_wins_and_the_runner_up_is_named() -> None:
    found = detect(pl.Series(['{"level":30,"time":1714557600123,"pid":1,"hostname":"h","msg":"x"}'] * 3))
    assert (str(found.choice), found.runner_up, found.runner_up_share) == ("pino", "json", 1.0)


def test_a_mixed_file_has_several_candidates() -> None:
    found = detect(pl.Series([ACCESS, '{"msg":"a"}', ACCESS]))
    assert str(found.choice) == "apache_combined,json"


def test_content_is_unwrapped_to_any_depth() -> None:
    syslog = "<13>Mar  5 06:25:01 web-1 nginx: " + ACCESS
    docker = [json.dumps({"log": syslog + "\n", "stream": "stdout", "time": "2024-05-01T10:00:00Z"})] * 3
    assert str(detect(pl.Series(docker)).choice) == "docker_json/syslog_rfc3164/apache_combined"


def test_an_envelope_around_free_text_is_a_whole_choice() -> None:
    found = detect(pl.Series(["2024-05-01T10:00:00Z stdout F hello"] * 3))
    assert (str(found.choice), found.winner) == ("cri/", "cri")


def test_syslog_without_a_format_inside_is_read_as_it_is() -> None:
    assert str(detect(pl.Series(["Mar  5 06:25:01 web-1 sshd[1]: hello"] * 3)).choice) == "syslog_rfc3164"


def test_lines_that_a_more_specific_format_takes_whole_are_no_envelope_of_free_text() -> None:
    lines = ["2024-05-01T10:00:00.250Z INFO Router: started"] * 3
    assert str(detect(pl.Series(lines)).choice) == "couchbase_goxcdr"


def test_a_tie_is_reported_and_the_choice_is_the_first_by_name() -> None:
    formats = dict(registry.load())
    formats["zzz"] = replace(formats["apache_combined"], name="zzz")
    found = detect(pl.Series([ACCESS] * 3), formats=formats)
    assert (found.winner, found.tie) == ("apache_combined", ("zzz",))
    assert "zzz would take the same lines" in found.why


def test_nothing_is_chosen_where_nothing_fits() -> None:
    found = detect(pl.Series(["hello", "world"]))
    assert (str(found.choice), found.winner, found.unmatched) == ("", None, ("hello", "world"))
    assert detect(pl.Series(["", " "], dtype=pl.String)).why == "no line to tell a format from"
    assert detect(pl.Series([], dtype=pl.String)).winner is None


def test_only_the_named_formats_are_tried() -> None:
    assert str(detect(pl.Series([ACCESS]), names=["json", "java"]).choice) == ""
