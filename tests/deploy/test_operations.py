"""What docs/operations.md quotes is what the program says, and what it names is there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
PAGE = (ROOT / "docs" / "operations.md").read_text()
SETTINGS = (ROOT / "docs" / "reference" / "settings.md").read_text()
COMMANDS = (ROOT / "docs" / "reference" / "cli.md").read_text()


def rows(heading: str) -> list[list[str]]:
    """The cells of the table below a heading."""
    part = PAGE.split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    lines = [line for line in part.splitlines() if line.startswith("| ")]
    return [re.split(r"\s*\|\s*", line)[1:-1] for line in lines[1:]]


def texts() -> str:
    """The program, texts that go over several lines put together."""
    sources = (path.read_text() for path in (ROOT / "src" / "logshed").rglob("*.py"))
    return re.sub(r'"\s*\n\s*f?"', "", "\n".join(sources))


def test_every_sentence_that_is_quoted_is_one_of_the_program() -> None:
    said = texts()
    quoted = [one for row in rows("When something is wrong") for one in re.findall(r"`([^`]+)`", row[1])]
    assert len(quoted) > 25
    assert [one for one in quoted if one not in said and not one.startswith("logshed ")] == []


def test_every_setting_and_every_command_is_there() -> None:
    names = [one for row in rows("Tuning") for one in re.findall(r"`([^`]+)`", row[0])]
    assert len(names) > 15
    for name in names:
        if name.startswith(("ingest ", "maintain ")):
            assert name.rpartition(" ")[2] in COMMANDS
        elif name.startswith("["):
            table, _, key = name.partition(" ")
            assert f"## `{table}`" in SETTINGS
            assert f"| `{key}` |" in SETTINGS if key else True
        else:
            assert f"`{name}`" in SETTINGS, name
    commands = {" ".join(words.split()[:1]) for words in re.findall(r"`logshed ([a-z][^`]*)`", PAGE)}
    assert [one for one in commands if f"## logshed {one}\n" not in COMMANDS] == []
