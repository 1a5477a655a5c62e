"""Our own log: one line a message, whatever is in it."""

from __future__ import annotations

import logging
import sys

import pytest

from logshed.cli.commands import LogLevel, _configure_logging

EVIL = "a\nERROR: forged \x1b[31mred\u202etxt\r\u2028\x9b0m"


@pytest.mark.parametrize("structured", [False, True])
def test_a_message_is_one_line_and_steers_no_terminal(capsys: pytest.CaptureFixture[str], structured: bool) -> None:
    logger = logging.getLogger("logshed")
    kept = logger.handlers, logger.propagate, logger.level
    try:
        _configure_logging(LogLevel.WARNING, structured=structured)
        logging.getLogger("logshed.web").warning("cannot answer %s", EVIL)
    finally:
        logger.handlers, logger.propagate = kept[:2]
        logger.setLevel(kept[2])
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "\\nERROR: forged \\x1b[31mred\\u202etxt\\r\\u2028\\x9b0m" in said
    assert not set(said) & set("\x1b\u202e\r\u2028\x9b") or sys.stderr.isatty()
