"""What the directives of an Apache ``LogFormat`` and the variables of an nginx ``log_format`` stand for."""

from __future__ import annotations

DIRECTIVES: dict[str, str] = {
    "a": "client_address", "h": "client_address", "{c}a": "client_address",
    "A": "server_address", "B": "http_response_body_size", "b": "http_response_body_size", "O": "@http.response.size",
    "I": "@http.request.size", "S": "@http.size", "D": "duration_us", "T": "duration_s", "{ms}T": "duration_ms",
    "{us}T": "duration_us", "{s}T": "duration_s", "f": "@file.path", "H": "network_protocol_version",
    "k": "@http.keepalive", "l": "@client.identity", "L": "@log.id", "m": "http_request_method",
    "p": "@server.port", "{canonical}p": "@server.port", "{local}p": "@server.port", "{remote}p": "client_port",
    "P": "process_pid", "{pid}P": "process_pid", "{tid}P": "thread_name", "{hextid}P": "thread_name",
    "q": "url_query", "r": "request_line", "R": "@http.handler", "s": "http_response_status_code",
    "t": "timestamp", "u": "user_id", "U": "url_path", "v": "url_domain", "V": "url_domain",
    "X": "@http.connection_status", "{Referer}i": "http_referrer", "{Referrer}i": "http_referrer",
    "{User-Agent}i": "user_agent_original", "{User-agent}i": "user_agent_original", "{Host}i": "url_domain",
    "{X-Forwarded-For}i": "@http.request.header.x-forwarded-for",
}  # fmt: skip
VARIABLES: dict[str, str] = {
    "remote_addr": "client_address", "remote_port": "client_port", "remote_user": "user_id", "time_local": "timestamp",
    "time_iso8601": "timestamp", "msec": "timestamp", "request": "request_line", "status": "http_response_status_code",
    "body_bytes_sent": "http_response_body_size", "bytes_sent": "@http.response.size", "http_referer": "http_referrer",
    "http_user_agent": "user_agent_original", "request_time": "duration_s", "request_length": "@http.request.size",
    "request_method": "http_request_method", "request_uri": "url_original", "uri": "url_path", "args": "url_query",
    "query_string": "url_query", "host": "url_domain", "http_host": "url_domain", "server_name": "url_domain",
    "server_addr": "server_address", "server_port": "@server.port", "server_protocol": "network_protocol_version",
    "request_id": "trace_id", "upstream_addr": "@upstream.address", "upstream_status": "@upstream.status",
    "upstream_response_time": "@upstream.response_time", "upstream_cache_status": "@upstream.cache_status",
    "ssl_protocol": "@tls.protocol", "ssl_cipher": "@tls.cipher",
    "connection": "@nginx.connection", "realip_remote_addr": "client_address",
    "http_x_forwarded_for": "@http.request.header.x-forwarded-for", "pid": "process_pid", "scheme": "@url.scheme",
}  # fmt: skip

_NAMED = {
    "i": "http.request.header", "o": "http.response.header", "C": "http.cookie", "e": "env", "n": "note",
    "^ti": "http.request.trailer", "^to": "http.response.trailer", "x": "tls",
}  # fmt: skip
_VARIABLE_FAMILIES = {
    "http_": "http.request.header.", "sent_http_": "http.response.header.", "upstream_http_": "upstream.header.",
    "cookie_": "http.cookie.", "arg_": "url.query.",
}  # fmt: skip


def of_directive(argument: str | None, letter: str) -> str:
    """The target of ``%{argument}letter``."""
    if letter in "TpP" and argument is not None:
        argument = argument.lower()
    name = letter if argument is None else f"{{{argument}}}{letter}"
    if name in DIRECTIVES:
        return DIRECTIVES[name]
    lowered = {key.lower(): target for key, target in DIRECTIVES.items() if key.endswith("}i")}
    if name.lower() in lowered and letter == "i":
        return lowered[name.lower()]
    if argument is not None and letter in _NAMED:
        return f"@{_NAMED[letter]}.{argument.lower()}"
    return f"@apache.{name}"


def of_variable(name: str) -> str:
    """The target of ``$name``."""
    if name in VARIABLES:
        return VARIABLES[name]
    for prefix, family in _VARIABLE_FAMILIES.items():
        if name.startswith(prefix):
            return f"@{family}{name.removeprefix(prefix).replace('_', '-')}"
    return f"@{name}"
