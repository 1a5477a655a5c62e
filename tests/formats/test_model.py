"""A format file's mistakes are named with file and key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from logshed.errors import FormatError
from logshed.formats import registry
from logshed.formats.apache import compile_format
from logshed.formats.choice import Choice
from logshed.formats.reader import format_from

if TYPE_CHECKING:
    from pathlib import Path

GOOD: dict[str, Any] = {
    "title": "t", "kind": "regex", "log_type": "application", "specificity": 5, "pattern": "^(?P<body>.*)$",
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"title": None}, "`title` is missing"),
        ({"kind": "grokk"}, "`kind` is 'grokk' but must be one of regex"),
        ({"log_type": "x"}, "`log_type` is 'x'"),
        ({"specificity": "high"}, "`specificity` must be int"),
        ({"pattern": "("}, "`pattern` is no regular expression"),
        ({"pattern": ""}, "`pattern` is missing"),
        ({"colums": {}}, "`colums` is unknown"),
        ({"multiline": {"begin": "x"}}, "multiline: key `begin` is unknown"),
        ({"envelope": {"stream": []}}, "`payload` is missing"),
        ({"nulls": [1]}, "`nulls` must be a list of strings"),
        ({"sample": [{"line": "x"}]}, "sample 1: key `expect` is missing"),
    ],
)
def test_a_wrong_key_is_named_with_its_file(change: dict[str, Any], told: str) -> None:
    data = {key: value for key, value in {**GOOD, **change}.items() if value is not None}
    with pytest.raises(FormatError) as caught:
        format_from("x", data, "formats/x.toml")
    assert told in str(caught.value)
    assert "formats/x.toml" in str(caught.value)


def test_a_users_file_is_found_and_wins(tmp_path: Path) -> None:
    folder = tmp_path / "formats"
    folder.mkdir()
    (folder / "java.toml").write_text(
        'title = "mine"\nkind = "regex"\nlog_type = "application"\nspecificity = 1\npattern = "^x(?P<body>.*)$"\n'
    )
    assert registry.load([tmp_path])["java"].title == "mine"
    (folder / "bad.toml").write_text("title = ")
    with pytest.raises(FormatError, match=r"bad\.toml"):
        registry.load([tmp_path, tmp_path])


@pytest.mark.parametrize("text", ["docker_json/java,json", "a/b/c,d", "docker_json/", "json", ""])
def test_a_choices_text_reads_back(text: str) -> None:
    assert str(Choice.parse(text)) == text


def test_a_format_string_without_fields_is_an_error() -> None:
    with pytest.raises(FormatError, match="holds no %directive"):
        compile_format("plain text")
