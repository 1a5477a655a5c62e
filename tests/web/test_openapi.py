"""The description of the API is whole, and the server does as it says, whatever it is sent (schemathesis)."""

from __future__ import annotations

import os
from collections import Counter
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from tests.redis_server import RedisServer
from tests.web.conftest import EXAMPLES
from tests.web_people import team
from tests.web_server import web_server

from logshed.api import Lake

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schemathesis.schemas import APIOperation

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
FEW, MANY = 2, int(os.environ.get("LOGSHED_EXAMPLES", "100"))
SLOW = {"/api/v1/admin/compliance", "/api/v1/admin/redaction", "/api/v1/formats/explain"}
"""What takes long for one answer."""
SECONDS = 60


class Api:
    """A server of its own with all that it needs, called by who may do everything.

    Args:
        url: Where.
        token: What is shown.
    """

    def __init__(self, url: str, token: str) -> None:
        self.headers = {"Authorization": f"Bearer {token}"}
        self.told: dict[str, Any] = httpx.get(
            f"{url}/api/v1/openapi.json", headers=self.headers, timeout=SECONDS
        ).json()
        self._url = url
        self._schema = schemathesis.openapi.from_dict(self.told)
        self._schema.config.update(base_url=url)

    def calls(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Each call, with what the description says."""
        for path, methods in self.told["paths"].items():
            for method, call in methods.items():
                yield f"{method.upper()} {path}", call

    def post(self, path: str, body: dict[str, Any]) -> httpx.Response:
        """What one call answers."""
        return httpx.post(self._url + path, json=body, headers=self.headers, timeout=SECONDS)

    def ended(self) -> Iterator[APIOperation[Any, Any, Any, Any]]:
        """Each call whose answer has an end."""
        for found in self._schema.get_all_operations():
            operation: Any = found.ok()  # type: ignore[union-attr] # one that cannot be read fails the test
            answer = self.told["paths"][operation.path][operation.method]["responses"].get("200", {})
            if "text/event-stream" not in answer.get("content", {}):
                yield operation


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    folder = tmp_path_factory.mktemp("openapi")
    made = Lake.open(folder / "lake", create=True)
    made.ingest([EXAMPLES / "access.log"], collection="web")
    made.ingest([EXAMPLES / "auth.log"], collection="app")
    people, tokens, _ = team(folder)
    token, _ = tokens.create(["*"], ["read", "write", "admin"])
    with RedisServer(folder / "redis") as redis:
        lake = Lake(made.root, made.settings.model_copy(update={"live": redis.live()}))
        with web_server(lake, tokens, people) as url:
            yield Api(url, token)


def asked(api: Api, operation: APIOperation[Any, Any, Any, Any], examples: int, statuses: Counter[int]) -> None:
    """Send one call many things of the kinds that it takes, and look at each answer."""

    @settings(
        max_examples=examples,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )
    @given(case=operation.as_strategy())
    def sent(case: Any) -> None:
        answer = case.call(headers=api.headers, timeout=SECONDS)
        statuses[answer.status_code] += 1
        case.validate_response(answer, checks=CHECKS)
        if answer.status_code >= 400:
            assert answer.headers["content-type"] == ["application/problem+json"], answer.status_code
            assert answer.json()["detail"], answer.status_code

    sent()


def run(api: Api, examples: int) -> Counter[int]:
    """All calls; gives how often each status was answered."""
    statuses: Counter[int] = Counter()
    wrong = {}
    for operation in api.ended():
        try:
            asked(api, operation, min(examples, 3) if operation.path in SLOW else examples, statuses)
        except (Exception, BaseExceptionGroup) as error:  # noqa: BLE001 - each call is told of, not the first alone
            wrong[operation.label] = str(error)[:2_000]
    assert not wrong, "\n".join(f"{name}: {told}" for name, told in wrong.items())
    return statuses


def test_every_call_says_in_a_sentence_what_it_does_where_it_belongs_and_what_it_answers(api: Api) -> None:
    wrong = {}
    for name, call in api.calls():
        answers = {status: set(one.get("content", {})) for status, one in call["responses"].items()}
        good = {status: kinds for status, kinds in answers.items() if status < "400"}
        told = {
            "no sentence": " " not in call["summary"] or not call.get("description"),
            "no area": len(call.get("tags", ())) != 1,
            "no kind of answer": not good or any(status != "204" and not kinds for status, kinds in good.items()),
            "other errors than problems": any(
                kinds != {"application/problem+json"} for status, kinds in answers.items() if status >= "400"
            ),
            "no error": not {"401", "403", "4XX"} <= set(answers),
        }
        if found := [what for what, is_so in told.items() if is_so]:
            wrong[name] = found
    assert not wrong


def test_every_call_has_a_name_of_its_own_that_a_function_could_have(api: Api) -> None:
    names = [call["operationId"] for _, call in api.calls()]
    assert len(set(names)) == len(names) > 100
    assert [name for name in names if not name.isidentifier()] == []


def test_every_body_that_is_taken_has_an_example(api: Api) -> None:
    schemas, wrong = api.told["components"]["schemas"], []
    for name, call in api.calls():
        schema = call.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
        if schema is not None:
            followed = schemas[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
            fields = followed.get("properties", {}).values()
            if not ({"example", "examples"} & set(followed) or any("examples" in one for one in fields)):
                wrong.append(name)
    assert wrong == []


def test_a_call_may_be_sent_anything_of_its_kind_and_answers_as_it_says(api: Api) -> None:
    statuses = run(api, FEW)
    assert statuses[200] > 50
    assert statuses[422] > 20


@pytest.mark.soak
def test_a_call_may_be_sent_very_much_of_its_kind_and_answers_as_it_says(api: Api) -> None:
    statuses = run(api, MANY)
    assert statuses[200] > 20 * MANY


@pytest.mark.parametrize("nothing", ["", "/", ",", " / "])
def test_lines_explained_by_a_format_that_names_none_are_refused_at_once(api: Api, nothing: str) -> None:
    """An iterator that had no more let who asked wait for good."""
    answer = api.post("/api/v1/formats/explain", {"text": "0", "format": nothing})
    assert answer.status_code == 422
    assert "it names none" in answer.json()["detail"]


def test_a_replay_of_a_window_without_records_is_refused_as_such(api: Api) -> None:
    answer = api.post("/api/v1/live/replays", {"since": "1999-01-01", "until": "1999-01-02", "speed": 60})
    assert answer.status_code == 422
    assert "no record is in the window" in answer.json()["detail"]
