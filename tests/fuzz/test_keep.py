"""The corpus stays small: what adds nothing does not stay."""

from __future__ import annotations

from tests.fuzz.keep import MOST, choose, ways
from tests.fuzz.targets import BY_NAME

RUN = BY_NAME["lines"].run
RAW, OTHER = b"POST /v1/raw\n\na", b"POST /v1/raw\n\nb"
OBJECT, LONGER = b'POST /v1/ndjson\n\n{"a":1}', b'POST /v1/ndjson\n\n{"abc":123}'


def test_of_inputs_that_run_the_same_ways_the_shortest_stays_and_none_where_all_were_run() -> None:
    assert choose(RUN, [RAW], {OTHER, OBJECT, LONGER}) == [OBJECT]


def test_no_more_stay_than_a_corpus_may_have() -> None:
    assert choose(RUN, [RAW] * MOST, {OBJECT}) == []


def test_ways_are_of_the_decoder_alone() -> None:
    found = ways(RUN, OBJECT)
    assert found
    assert {code.co_filename.rpartition("/logshed/")[1] for code, _, _ in found} == {"/logshed/"}
