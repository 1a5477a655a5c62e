from __future__ import annotations

import gzip
import time
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logshed.receivers.common.inflate import KINDS, MOST_PACKS, TooMuchError, inflated, zstd

PACKERS = {"gzip": gzip.compress, "deflate": zlib.compress, "zstd": zstd.compress}


@given(st.sampled_from(sorted(KINDS)), st.lists(st.binary(max_size=300_000), max_size=4))
def test_what_was_packed_comes_out_and_not_a_byte_more_than_is_allowed(kind: str, some: list[bytes]) -> None:
    whole, packed = b"".join(some), b"".join(map(PACKERS[kind], some))
    assert inflated(packed, kind, len(whole)) == whole
    if whole:
        with pytest.raises(TooMuchError):
            inflated(packed, kind, len(whole) - 1)


@given(st.sampled_from(sorted(KINDS)), st.binary(max_size=200), st.integers(0, 60))
def test_any_bytes_give_bytes_or_a_refusal(kind: str, data: bytes, cut: int) -> None:
    for one in (data, PACKERS[kind](data)[:cut], PACKERS[kind](data)[:cut] + data):
        refused = None
        try:
            assert len(inflated(one, kind, 10_000)) <= 10_000
        except ValueError as error:
            refused = str(error)
        assert refused is None or refused


def test_bytes_behind_a_pack_are_copied_no_more_than_a_step_at_a_time() -> None:
    begun = time.process_time()
    packed = gzip.compress(b"") * MOST_PACKS + gzip.compress(bytes(8_000_000), 0)
    with pytest.raises(TooMuchError, match="more than 10,000 packs are in it"):
        inflated(packed, "gzip", 10_000_000)
    assert inflated(packed[20:], "gzip", 10_000_000) == bytes(8_000_000)
    assert time.process_time() - begun < 3


def test_a_pack_of_zstd_that_wants_much_memory_is_refused() -> None:
    wide = zstd.compress(b"x" * 100, options={zstd.CompressionParameter.window_log: 27})
    assert inflated(wide, "zstd", 100) == b"x" * 100  # its size is told, so it needs no window
    packer = zstd.ZstdCompressor(options={zstd.CompressionParameter.window_log: 27})
    with pytest.raises(ValueError, match="damaged"):
        inflated(packer.compress(b"x" * 100) + packer.flush(), "zstd", 100)
