"""What fuzzers and clients have left, and what grows out of proportion, without a fuzzer."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.fuzz import growing, keep
from tests.fuzz.targets import TARGETS, Target, bounded

CORPUS = Path(__file__).parent / "corpus"
BY_NAME = pytest.mark.parametrize("target", TARGETS, ids=[target.name for target in TARGETS])


@BY_NAME
def test_what_was_sent_and_found_is_decoded_or_refused(target: Target) -> None:
    inputs = sorted((CORPUS / target.name).iterdir())
    for one in inputs:
        bounded(target, one.read_bytes())
    assert 0 < len(inputs) <= keep.MOST
    assert max(one.stat().st_size for one in inputs) <= keep.LARGEST


@BY_NAME
def test_nothing_that_repeats_takes_time_or_memory_out_of_proportion(target: Target) -> None:
    tried = 0
    for tried, data in enumerate(growing.inputs(target.name), 1):  # noqa: B007 - counted below
        assert len(data) <= growing.SIZE
        bounded(target, data)
    assert tried


def test_every_folder_of_the_corpus_is_of_a_target() -> None:
    assert {one.name for one in CORPUS.iterdir()} == {target.name for target in TARGETS}
