"""Dashboards as pages take them: what narrows a question, and what a window of another time is."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from tests.queries import sample_lake

from logshed import dashboards, queries
from logshed.api import Lake
from logshed.dashboards import fields
from logshed.errors import QueryError, UsageError
from logshed.pipeline.boards import Ask, as_text, asked, layout, understood
from logshed.pipeline.narrowing import narrowed, reaches
from logshed.queries import gold

NOW = datetime(2024, 5, 10, tzinfo=UTC)
QUESTIONS = queries.load()
BOARDS = dashboards.load()
GOLD = tuple(gold.load())
NOT_THERE = {"rejects_by_reason"}
"""Questions that the sample has no rows for."""
NOT_REACHED = {"findings_by_rule", "incident_totals", "incidents_open", "suspicious_clients"}


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    root = tmp_path_factory.mktemp("boards") / "lake"
    sample_lake.write(root, sample_lake.records(), sample_lake.findings(), sample_lake.incidents())
    return Lake.open(root)


def column(told: dict[str, Any], name: str) -> list[Any]:
    values: list[Any] = told["data"][[one["name"] for one in told["columns"]].index(name)]
    return values


def test_a_search_reaches_the_questions_that_read_logs_alone() -> None:
    assert {name for name, one in QUESTIONS.items() if not reaches(one.sql, GOLD)} == NOT_REACHED


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM logs, findings",
        "SELECT * FROM iceberg.analytics.logs",
        "WITH logs AS (SELECT 1) SELECT * FROM logs",
        "SELECT 1",
        "SELECT * FROM logs JOIN lines USING (source)",
        "SELECT * FROM logs JOIN traffic_hourly USING (collection)",
    ],
)
def test_a_statement_that_reads_something_else_is_not_reached(sql: str) -> None:
    assert not reaches(sql, GOLD)


@pytest.mark.parametrize("name", ["overview", "top_paths", "severity_over_time", "slo", "resource_usage", "funnel"])
def test_a_search_in_front_of_a_question_counts_the_records_that_it_finds(lake: Lake, name: str) -> None:
    question, text = QUESTIONS[name], "service=shop -status:404"
    whole = lake.query(narrowed(question.sql, text, now=NOW), params=question.bind(since="all", now=NOW)).rows()
    inside = question.sql.replace("FROM logs", "FROM (SELECT * FROM iceberg.main.logs WHERE $keep) AS logs")
    keep = "service_name = 'shop' AND http_response_status_code IS DISTINCT FROM 404"
    by_hand = lake.query(inside.replace("$keep", keep), params=question.bind(since="all", now=NOW)).rows()
    assert whole == by_hand
    assert whole != lake.query(question.sql, params=question.bind(since="all", now=NOW)).rows()


def test_a_search_cannot_leave_its_place_in_the_statement(lake: Lake) -> None:
    hostile = 'service="x\' OR 1=1) OR (1=1 --"'
    told = lake.answer(Ask("overview", since="all", matching=hostile), now=NOW)
    assert told["rows"] == 0


def test_a_wrong_search_says_where(lake: Lake) -> None:
    with pytest.raises(QueryError, match="sevrice"):
        lake.answer(Ask("overview", since="all", matching="sevrice=shop"), now=NOW)


def test_an_earlier_window_is_of_the_same_length_right_before(lake: Lake) -> None:
    now = lake.answer(Ask("overview", since="2024-04-10", until="2024-04-12"), now=NOW)
    before = lake.answer(Ask("overview", since="2024-04-10", until="2024-04-12", back="previous"), now=NOW)
    same = lake.answer(Ask("overview", since="2024-04-08", until="2024-04-10"), now=NOW)
    assert (before["since"], before["until"]) == ("2024-04-08T00:00:00Z", "2024-04-10T00:00:00Z")
    assert before == same
    assert before["data"] != now["data"]
    with pytest.raises(UsageError, match="nothing lies before it"):
        lake.answer(Ask("overview", since="all", back="previous"), now=NOW)


@pytest.mark.parametrize("name", ["overview", "top_paths", "suspicious_clients", "top_clients", "slo"])
def test_a_statement_with_its_values_in_it_answers_the_same(lake: Lake, name: str) -> None:
    ask = Ask(name, since="2024-04-02", until="2024-05-01", matching="service=shop")
    statement = understood(ask, QUESTIONS[name], GOLD, NOW)
    assert lake.query(as_text(statement)).rows() == lake.query(statement.sql, params=statement.values).rows()


def test_a_window_moves_unless_it_is_given_by_dates() -> None:
    assert Ask("overview", since="24h").moves
    assert Ask("overview").moves
    assert Ask("overview", since="2024-04-01", until="1h").moves
    assert not Ask("overview", since="all").moves
    assert not Ask("overview", since="2024-04-01", until="2024-04-02T10:00:00Z").moves


@pytest.mark.parametrize("name", [name for name, board in BOARDS.items() if board.shown != "report"])
def test_a_layout_names_an_answer_for_each_tile_and_panel(name: str) -> None:
    board = BOARDS[name]
    made = layout(board, QUESTIONS, GOLD)
    assert set(made["answers"]) == set(asked(board)) == {one["answer"] for one in (*made["tiles"], *made["panels"])}
    for place, panel in enumerate(board.panels):
        assert made["answers"][made["panels"][place]["answer"]]["question"] == panel.asked.question
        assert set(made["panels"][place]["columns"]) <= set(QUESTIONS[panel.asked.question].columns)


def fielded() -> list[tuple[str, str, str, str]]:
    """Each question of a dashboard that counts records by a field alone: question, column, field, figure."""
    found = {}
    for board in BOARDS.values():
        for panel in board.panels:
            chart, question = panel.chart, panel.asked.question
            known = fields() if panel.fields is None else panel.fields
            if chart is not None and chart.x in known and question not in NOT_REACHED | NOT_THERE:
                found[question, chart.x] = (question, chart.x, known[chart.x], chart.y)
    return list(found.values())


@pytest.mark.parametrize(("question", "label", "field", "figure"), fielded())
def test_what_a_bar_is_clicked_for_finds_the_records_that_it_counts(
    lake: Lake, question: str, label: str, field: str, figure: str
) -> None:
    all_of = (("limit", 100_000),) if "limit" in QUESTIONS[question].parameters else ()
    told = lake.answer(Ask(question, all_of, since="all"), now=NOW)
    wanted = next(value for value in column(told, label) if value not in {None, "", "unset"})
    quoted = str(wanted).replace("\\", "\\\\").replace('"', '\\"')
    text = f"{field}:{wanted}" if field == "level" or str(wanted).endswith("xx") else f'{field}="{quoted}"'
    one = lake.answer(Ask(question, all_of, since="all", matching=text), now=NOW)
    assert set(column(one, label)) == {wanted}
    rows = zip(column(told, label), column(told, figure), strict=True)
    assert sum(column(one, figure)) == pytest.approx(sum(size for value, size in rows if value == wanted))
