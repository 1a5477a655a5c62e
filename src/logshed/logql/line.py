"""The line of a record, as SQL: its message with its stack trace, or what a request's columns say.

The lake keeps no second copy of a line whose columns hold all of it, so an access log's line is put together of them.
"""

from __future__ import annotations

_REQUEST = (
    "client_address",
    "user_id",
    "http_request_method",
    "url_path || coalesce('?' || url_query, '')",
    "CAST(http_response_status_code AS VARCHAR)",
    "http_response_body_size || 'B'",
    "duration_ms || 'ms'",
    "nullif('\"' || http_referrer || '\"', '\"\"')",
    "'\"' || user_agent_original || '\"'",
)
_ELSE = ("event_name", "event_outcome", "user_id", "client_address", "parse_error")
_ATTRIBUTES = "array_to_string(list_transform(map_entries(attributes), lambda e: e.key || '=' || e.value), ' ')"
_TRACE = "coalesce(exception_stacktrace, nullif(concat_ws(': ', exception_type, exception_message), ''))"


def line() -> str:
    """The line; it is never NULL."""
    request = f"concat_ws(' ', {', '.join(_REQUEST)}, body)"
    none = "http_request_method IS NULL AND url_path IS NULL AND http_response_status_code IS NULL"
    said = f"CASE WHEN {none} THEN body ELSE {request} END"
    told = f"concat_ws(chr(10), nullif({said}, ''), {_TRACE})"
    bare = f"concat_ws(' ', {', '.join(_ELSE)}, nullif({_ATTRIBUTES}, ''))"
    plain = f"body IS NOT NULL AND exception_type IS NULL AND {none}"
    return f"CASE WHEN {plain} THEN body ELSE coalesce(nullif({told}, ''), {bare}) END"
