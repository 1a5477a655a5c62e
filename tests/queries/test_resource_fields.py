from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from logshed.api import Lake
from logshed.errors import QueryError
from logshed.queries.resource_fields import load, parse
from logshed.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

FIELD = "[[field]]\nname = 'a.b'\nresource = 'cpu'\nunit = 'percent'\n"


@pytest.mark.parametrize("name", load())
def test_the_fields_of_a_files_samples_are_found_with_their_values(name: str, tmp_path: Path) -> None:
    file = load()[name]
    assert file.samples
    for number, (line, expected) in enumerate(file.samples):
        log = tmp_path / f"{number}.log"
        log.write_text(line + "\n")
        lake = Lake.open(tmp_path / f"lake{number}", create=True, settings=Settings.load(tmp_path, environ={}))
        lake.ingest([log])
        found = lake.run("resource_usage", since="all").pl()
        values = dict(zip(found["field"], found["latest"], strict=True))
        assert values == pytest.approx(expected, abs=0.0005)


def test_no_field_is_named_twice() -> None:
    names = [field.name for file in load().values() for field in file.fields]
    assert sorted(names) == sorted(set(names))


def test_a_users_field_is_found(tmp_path: Path) -> None:
    (tmp_path / "mine" / "queries" / "resources").mkdir(parents=True)
    (tmp_path / "mine" / "queries" / "resources" / "own.toml").write_text(
        'title = "Bob\'s"\n' + FIELD.replace("a.b", "bob_owns")
    )
    (tmp_path / "logshed.toml").write_text('plugins = ["mine"]\n')
    (tmp_path / "a.log").write_text('{"time":"2026-11-20T10:00:00Z","msg":"m","bob_owns":7}\n')
    lake = Lake.open(tmp_path / "lake", create=True, settings=Settings.load(tmp_path, environ={}))
    lake.ingest([tmp_path / "a.log"])
    assert lake.run("resource_usage", since="all").pl()["field"].to_list() == ["bob_owns"]


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("title = ", "no TOML"),
        ("title = 'a'\n", "names no fields"),
        (f"title = 'a'\nfields = 3\n{FIELD}", "unknown key 'fields'"),
        (FIELD, "title is missing"),
        (f"title = 'a'\n{FIELD}colour = 'red'\n", "colour"),
        (f"title = 'a'\n{FIELD}factor = 'much'\n", "field.factor is 'much'"),
        (f"title = 'a'\n{FIELD.replace('unit', 'unlit')}", "give it name, resource, unit"),
    ],
)
def test_a_wrong_file_is_named_with_its_key(text: str, cause: str) -> None:
    with pytest.raises(QueryError, match=f"cannot load the resources r: .*{cause}"):
        parse("r", text)
