"""Tokens and credentials: what they decode to, and the check sums inside them."""

from __future__ import annotations

import polars as pl

_TELLING = (
    r'^\s*\{[\s\S]*(?:"[A-Za-z0-9_.\-]*(?i:password|passwd|passphrase|secret|api_?key|'
    r'private_?key|access_?token|refresh_?token|ssn|cvv)"'
    r'\s*:\s*(?:"[^"]|[0-9\[{])|[A-Za-z0-9._+\-]+@[A-Za-z0-9\-]+(?:\.[A-Za-z0-9\-]+)*\.[A-Za-z]{2})'
)


def jwt_header(candidates: pl.Series) -> pl.Series:
    """The first part decodes to a JSON object that has ``alg`` (RFC 7519, section 5)."""
    return (
        _decoded(candidates.str.extract(r"^([^.]*)", 1)).str.contains(r'^\s*\{[\s\S]*"alg"\s*:').fill_null(value=False)
    )


def basic_credentials(candidates: pl.Series) -> pl.Series:
    """It decodes to ``user:password`` (RFC 7617, section 2)."""
    return _decoded(candidates).str.contains(r"^[^\x00-\x1f]*:[^\x00-\x1f]*$").fill_null(value=False)


def encoded_json(candidates: pl.Series) -> pl.Series:
    """It decodes to JSON in which a sensitive name has a value, or to one that holds an e-mail address."""
    decoded = _decoded(candidates.str.replace_all("%3[Dd]", "="))
    return decoded.str.contains(_TELLING).fill_null(value=False)


def _decoded(encoded: pl.Series) -> pl.Series:
    """Base64 in either alphabet, with or without padding, as text; null where it is none."""
    plain = encoded.str.replace_all(r"\\+/", "/").str.replace_many(["-", "_", "="], ["+", "/", ""])
    frame = pl.DataFrame({"plain": plain})
    padded = pl.col("plain") + pl.lit("===").str.head((4 - pl.col("plain").str.len_bytes() % 4) % 4)
    binary = frame.select(padded.str.decode("base64", strict=False)).to_series()
    return _as_text(binary)


def _as_text(binary: pl.Series) -> pl.Series:
    try:
        return binary.cast(pl.String)
    except pl.exceptions.ComputeError:  # one value that is not UTF-8 fails them all
        return pl.Series([_text_or_none(value) for value in binary], dtype=pl.String)


def _text_or_none(value: bytes | None) -> str | None:
    try:
        return None if value is None else value.decode()
    except UnicodeDecodeError:
        return None
