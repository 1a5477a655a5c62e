"""What was found out about tables: kept while they stay as they are."""

from __future__ import annotations

from logshed.pipeline.tables import Kept


def test_what_a_table_was_is_let_go_of_once_it_is_something_else_and_other_tables_stay() -> None:
    kept, looked = Kept(), list[tuple[str, str | None, str]]()

    def ask(*asked: tuple[str, str | None, str]) -> None:
        for one in asked:

            def find(one: tuple[str, str | None, str] = one) -> list[str]:
                looked.append(one)
                return [one[2]]

            assert kept.files(one, find) == [one[2]]

    old, narrow, other, new = ("logs", None, "1"), ("logs", "a = 1", "1"), ("lines", None, "1"), ("logs", None, "2")
    ask(old, narrow, other, old, narrow, new, new, other)
    assert looked == [old, narrow, other, new]
    files, _ = kept.__getstate__()
    assert set(files) == {other, new}
