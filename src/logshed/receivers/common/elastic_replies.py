"""What clients of Elasticsearch are told: of their bulks, and of what they ask before they send any.

Before the first bulk Beats ask for the version, the license, the policy, the template and the data stream; Logstash for
the version and the license; Vector for the version and the cluster's health. None of these exists here: each is told
that what it looks for is there, so that it goes on to send. What they put is acknowledged and not kept.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import unquote

import orjson

from logshed.receivers.model import Decoded, Reply, Request, Route

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_HEADERS = {"Content-Type": "application/json", "X-Elastic-Product": "Elasticsearch"}
"""The official clients talk to nothing that does not say this of itself."""
_CLIENT = re.compile(r"(?:elastic|logstash|\w*beat)[\w-]*/(\d{1,2})\.", re.IGNORECASE)
_MAJOR = 8
_OLDEST = 7
_MINOR = 99
_CREATED, _BAD, _FOUND = 201, 400, 200
_KINDS = {
    401: "security_exception",
    403: "security_exception",
    429: "es_rejected_execution_exception",
    503: "es_rejected_execution_exception",
}
_KEPT_BY_NAME = ("GET", "HEAD", "PUT", "POST")


class _Item(Protocol):
    @property
    def action(self) -> str: ...
    @property
    def place(self) -> str: ...
    @property
    def id(self) -> str: ...
    @property
    def failure(self) -> str: ...


def bulk_reply(items: Iterable[_Item], made: str, *, slim: bool) -> Reply:
    """The reply to a bulk: an item for each document, in the request's order.

    Without a space between its parts, since Fluent Bit and Vector look for text in it.

    Args:
        items: What became of each.
        made: The beginning of ids of documents that came without.
        slim: Only whether each was taken, as clients that send ``filter_path`` want it.
    """
    found, errors = [], False
    for at, item in enumerate(items):
        errors = errors or bool(item.failure)
        found.append({item.action: _slim(item) if slim else _full(item, made, at)})
    return Reply(_FOUND, orjson.dumps({"took": 0, "errors": errors, "items": found}), _HEADERS)


def doc_reply(item: _Item, made: str) -> Reply:
    """The reply to one document; one without an index is not routed here, so it was taken."""
    return _said(_full(item, made, 0), _CREATED)


def refusal(request: Request, status: int, text: str) -> Reply:
    """An error as Elasticsearch words it."""
    del request
    cause = {"type": _KINDS.get(status, "illegal_argument_exception"), "reason": text}
    return _said({"error": {"root_cause": [cause], **cause}, "status": status}, status)


def version_for(agent: str) -> str:
    """The version that we pass for: of the client's own major version, and newer than the client.

    Beats refuse a server that is older than they are, and Logstash has templates for the major versions that it knows.

    Args:
        agent: The client's User-Agent.
    """
    found = _CLIENT.match(agent)
    major = int(found[1]) if found else _MAJOR
    return f"{max(major, _OLDEST)}.{_MINOR}.0"


def probes() -> tuple[Route, ...]:
    """The addresses that clients ask before they send."""
    named = ("_ilm/policy", "_index_template", "_component_template", "_template", "_ingest/pipeline", "_data_stream")
    return (
        _probe(("GET", "HEAD"), "/", _root),
        _probe(("GET",), "/_license", _license),
        _probe(("GET",), "/_xpack", _features),
        _probe(("GET",), "/_xpack/license", _license),
        _probe(("GET",), "/_cluster/health", _health),
        _probe(("GET",), "/_cluster/health/{index}", _health),
        _probe(("GET",), "/_nodes", _nodes),
        _probe(("GET",), "/_nodes/{what:path}", _nodes),
        *(_probe(_KEPT_BY_NAME, f"/{one}/{{name}}", _by_name) for one in named),
        _probe(("GET", "HEAD", "PUT"), "/_alias/{name}", _by_name),
        _probe(("HEAD", "PUT"), "/{index}", _index),
    )


def _probe(methods: tuple[str, ...], path: str, say: Callable[[Request], dict[str, Any]]) -> Route:
    def answer(request: Request, decoded: Decoded) -> Reply:
        del decoded
        return _said(say(request), _FOUND)

    return Route(methods, path, None, answer, refusal)


def _said(what: dict[str, Any], status: int) -> Reply:
    return Reply(status, orjson.dumps(what), _HEADERS)


def _root(request: Request) -> dict[str, Any]:
    return {
        "name": "logshed",
        "cluster_name": "logshed",
        "cluster_uuid": "logshed",
        "version": {
            "number": version_for(request.headers.get("user-agent", "")),
            "build_flavor": "default",
            "minimum_wire_compatibility_version": f"{_OLDEST}.0.0",
            "minimum_index_compatibility_version": f"{_OLDEST}.0.0",
        },
        "tagline": "Logshed, which takes _bulk",
    }


def _license(request: Request) -> dict[str, Any]:
    del request
    return {"license": {"uid": "logshed", "type": "basic", "mode": "basic", "status": "active"}}


def _features(request: Request) -> dict[str, Any]:
    """Beats of version 7 write to names that change each day where there is no lifecycle management."""
    return {**_license(request), "features": {"ilm": {"available": True, "enabled": True}}}


def _health(request: Request) -> dict[str, Any]:
    del request
    return {"cluster_name": "logshed", "status": "green", "timed_out": False, "number_of_nodes": 1}


def _nodes(request: Request) -> dict[str, Any]:
    """The one node, at the address by which the client came here, for clients that look for more of them."""
    address = request.headers.get("host", "")
    node = {
        "name": "logshed",
        "version": version_for(request.headers.get("user-agent", "")),
        "roles": ["data", "ingest"],
        "http": {"publish_address": address, "bound_address": [address]},
    }
    return {
        "_nodes": {"total": 1, "successful": 1, "failed": 0},
        "cluster_name": "logshed",
        "nodes": {"logshed": node},
    }


def _by_name(request: Request) -> dict[str, Any]:
    return {"acknowledged": True, unquote(request.path.rpartition("/")[2]): {}}


def _index(request: Request) -> dict[str, Any]:
    return {"acknowledged": True, "shards_acknowledged": True, "index": unquote(request.path.rpartition("/")[2])}


def _slim(item: _Item) -> dict[str, Any]:
    return {"status": _BAD, "error": _error(item)} if item.failure else {"status": _CREATED}


def _full(item: _Item, made: str, at: int) -> dict[str, Any]:
    said: dict[str, Any] = {"_index": item.place, "_id": item.id or f"{made}{at}"}
    if not item.failure:
        said |= {"_version": 1, "result": "created"}
    return said | _slim(item)


def _error(item: _Item) -> dict[str, str]:
    return {"type": "illegal_argument_exception", "reason": item.failure}
