"""The tools: what each is for, what it takes, what it answers. All of them read; each answer is bounded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from logshed.assistants import asking
from logshed.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from logshed.api import Lake

ROWS, MOST_ROWS = 50, 500
_SINCE = Field(None, description="From then on: 2h, 7d, today, 2026-11-01, all. Default 7d.")
_UNTIL = Field(None, description="Up to then.")
_COLLECTION = Field(None, description="Only this collection.")
_LIMIT = Field(ROWS, ge=1, le=MOST_ROWS, description="At most so many rows.")
_SEARCH = Field(
    "",
    max_length=10_000,
    description=(
        'Words and fields: level:error service:pay* "connection timeout" -path:/health status>=500 client:10.0.0.0/8. '
        "A blank is AND; OR and NOT are written large."
    ),
)


class _Asked(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Nothing(_Asked):
    """No parameters."""


class Window(_Asked):
    """A time, and how many rows."""

    since: str | None = _SINCE
    until: str | None = _UNTIL
    collection: str | None = _COLLECTION
    limit: int = _LIMIT


class Search(Window):
    """A search."""

    text: str = _SEARCH
    fields: list[str] = Field([], max_length=50, description="Fields to show; none show those that have a value.")
    oldest_first: bool = False


class Count(Window):
    """Counts of a search."""

    text: str = _SEARCH
    by: list[str] = Field(
        min_length=1, max_length=5, description="Fields whose values are counted: service, level, path."
    )


class OverTime(Window):
    """A search over time."""

    text: str = _SEARCH
    every: str | None = Field(None, description="A step that divides a day: 5m, 1h, 1d.")


class Statement(_Asked):
    """A statement in SQL."""

    sql: str = Field(max_length=20_000, description="One SELECT in DuckDB's dialect.")
    limit: int = _LIMIT


class Named(Window):
    """A named question."""

    name: str = Field(description="Its name, as `questions` lists it.")
    parameters: dict[str, str | int | float | bool] = Field({}, description="Its own parameters.")


class Templates(Window):
    """Templates of messages."""

    change: Literal["new", "vanished"] | None = Field(None, description="Only those that came up, or vanished, lately.")


class Incidents(Window):
    """Incidents."""

    every: bool = Field(False, description="Closed and muted ones too.")


class Incident(_Asked):
    """One incident."""

    id: str = Field(pattern="^[0-9a-f]{4,64}$", description="Its id, or how it begins.")


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool.

    Attributes:
        name: Its name.
        told: What it is for, to an assistant.
        takes: Its parameters.
        answer: Answers.
        ability: What whoever asks must be able to do.
    """

    name: str
    told: str
    takes: type[BaseModel]
    answer: Callable[[Lake, Any], dict[str, Any]]
    ability: str = "read"

    @property
    def schema(self) -> dict[str, Any]:
        """The parameters as JSON Schema."""
        return self.takes.model_json_schema()

    def call(self, lake: Lake, given: dict[str, Any]) -> dict[str, Any]:
        """Answer.

        Args:
            lake: The lake as it is seen by whoever asks.
            given: The parameters.

        Raises:
            UsageError: A parameter is wrong.
            logshed.errors.LogshedError: The question cannot be answered.
        """
        try:
            asked = self.takes.model_validate(given)
        except ValidationError as error:
            wrong = error.errors()[0]
            place = ".".join(map(str, wrong["loc"])) or "the parameters"
            raise UsageError(f"cannot use {place}: {wrong['msg']}; look at what {self.name} takes") from None
        return self.answer(lake, asked)


TOOLS: tuple[Tool, ...] = (
    Tool(
        "collections",
        "Which collections of logs there are, how many records each has, and of what time.",
        Nothing,
        asking.collections,
    ),
    Tool("tables", "Tables and their columns for SQL, with what each column means.", Nothing, asking.tables, "sql"),
    Tool("search", "Find log records by words and fields, newest first.", Search, asking.search),
    Tool("count", "Count log records by the values of fields, most first.", Count, asking.count),
    Tool("over_time", "Count log records by steps of time, with errors and warnings.", OverTime, asking.over_time),
    Tool(
        "query",
        "Ask in SQL (DuckDB's dialect; reads only). `tables` tells the columns.",
        Statement,
        asking.query,
        "sql",
    ),
    Tool(
        "questions",
        "Named questions that are answered at once: traffic, errors, latency, security, shops.",
        Nothing,
        asking.questions,
    ),
    Tool("ask", "Answer a named question.", Named, asking.ask),
    Tool(
        "patterns",
        "Templates of messages with how often each occurs; with `change`, those that are new or vanished.",
        Templates,
        asking.patterns,
    ),
    Tool("incidents", "Security incidents, the worst first.", Incidents, asking.incidents),
    Tool("incident", "One incident: its timeline and its notes.", Incident, asking.incident),
)
BY_NAME = {tool.name: tool for tool in TOOLS}
