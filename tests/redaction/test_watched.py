"""Which fields a rule watches over is remembered, and stays what its expressions say."""

from __future__ import annotations

import polars as pl
import pytest

from logshed.redaction.registry import load_rules
from logshed.redaction.treatments import Treatment
from logshed.redaction.verify import Watched


@pytest.mark.parametrize("more", [0, 1000], ids=["few names", "many names"])
def test_which_names_a_rule_watches_over_does_not_depend_on_how_many_there_are(more: int) -> None:
    rule = load_rules()["password"]
    watched = Watched.of(rule, Treatment(f"[{rule.tag}]"))
    names = pl.Series(["url_path", "db.password", "passwd", *(f"n{number}" for number in range(more))])
    for _ in range(2):
        assert watched.among(names).to_list() == ["db.password", "passwd"]
        assert watched.among(names.reverse()).to_list() == ["passwd", "db.password"]
    assert watched.among(names.head(0)).to_list() == []
