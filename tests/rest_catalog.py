"""A REST catalog for tests: the routes of the Iceberg REST specification that a client needs, over PyIceberg's SQLite.

No ready server is on PyPI. Requests and answers are PyIceberg's own models, so a client meets the specification's JSON.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import uvicorn
from pyiceberg.catalog.rest import CreateTableRequest
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.exceptions import (
    CommitFailedException,
    NamespaceAlreadyExistsError,
    NoSuchNamespaceError,
    NoSuchTableError,
    TableAlreadyExistsError,
)
from pyiceberg.table import CommitTableRequest
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from pyiceberg.table import Table
    from starlette.requests import Request

TOKEN = "pw-of-tests"  # noqa: S105 - of a server that lives for a test
CODES: dict[type[Exception], tuple[int, str]] = {
    NoSuchTableError: (404, "NoSuchTableException"),
    NoSuchNamespaceError: (404, "NoSuchNamespaceException"),
    NamespaceAlreadyExistsError: (409, "AlreadyExistsException"),
    TableAlreadyExistsError: (409, "AlreadyExistsException"),
    CommitFailedException: (409, "CommitFailedException"),
}


class Server:
    """The routes.

    Args:
        catalog: What they are asked of.
        faults: A folder in which tests ask for faults.
    """

    def __init__(self, catalog: SqlCatalog, faults: Path) -> None:
        self._catalog = catalog
        self._faults = faults

    def _asked(self, fault: str) -> bool:
        """Whether the next commit shall meet a fault; each is asked for by a file of that name."""
        try:
            (self._faults / fault).unlink()
        except FileNotFoundError:
            return False
        return True

    def config(self, _request: Request, _body: bytes) -> Any:
        """What a client asks first."""
        return {"defaults": {}, "overrides": {}}

    def namespaces(self, request: Request, body: bytes) -> Any:
        """All, or a new one."""
        if request.method == "GET":
            return {"namespaces": [list(name) for name in self._catalog.list_namespaces()]}
        import orjson  # noqa: PLC0415 - a small module beside

        asked = orjson.loads(body)
        self._catalog.create_namespace(tuple(asked["namespace"]))
        return {"namespace": asked["namespace"], "properties": {}}

    def namespace(self, request: Request, _body: bytes) -> Any:
        """One."""
        name = request.path_params["space"]
        return {"namespace": [name], "properties": self._catalog.load_namespace_properties(name)}

    def tables(self, request: Request, body: bytes) -> Any:
        """Those of a namespace, or a new one."""
        space = request.path_params["space"]
        if request.method == "GET":
            found = self._catalog.list_tables(space)
            return {"identifiers": [{"namespace": [space], "name": name[-1]} for name in found]}
        asked = CreateTableRequest.model_validate_json(body)
        table = self._catalog.create_table(
            (space, asked.name), asked.table_schema, asked.location, asked.partition_spec, properties=asked.properties
        )
        return _told(table)

    def table(self, request: Request, body: bytes) -> Any:
        """One, or a commit to it."""
        name = (request.path_params["space"], request.path_params["table"])
        if request.method == "POST":
            asked = CommitTableRequest.model_validate_json(body)
            if self._asked("refuse"):
                raise BrokenPipeError  # before anything is done
            self._catalog.commit_table(self._catalog.load_table(name), asked.requirements, asked.updates)
            if self._asked("lose"):
                raise BrokenPipeError  # it is done, and nobody is told
        return _told(self._catalog.load_table(name))


def _told(table: Table) -> dict[str, Any]:
    metadata = table.metadata.model_dump(mode="json", by_alias=True, exclude_none=True)
    return {"metadata-location": table.metadata_location, "metadata": metadata, "config": {}}


def answering(call: Callable[[Request, bytes], Any]) -> Callable[[Request], Awaitable[Response]]:
    """A route that asks for the token and tells errors as the specification says."""

    async def answer(request: Request) -> Response:
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            told = {"message": "Not authorized", "type": "NotAuthorizedException", "code": 401}
            return JSONResponse({"error": told}, 401)
        try:
            found = await run_in_threadpool(call, request, await request.body())
        except tuple(CODES) as error:
            code, kind = CODES[type(error)]
            return JSONResponse({"error": {"message": str(error), "type": kind, "code": code}}, code)
        except BrokenPipeError:
            told = {"message": "the server is going down", "type": "InternalServerError", "code": 503}
            return JSONResponse({"error": told}, 503)
        return Response(status_code=204) if request.method == "HEAD" else JSONResponse(found)

    return answer


def main(port: str, database: str, s3: str, key: str, secret: str) -> None:
    """Serve until the end of the process."""
    catalog = SqlCatalog(
        "rest", uri=f"sqlite:///{database}",
        **{"s3.endpoint": s3, "s3.access-key-id": key, "s3.secret-access-key": secret, "s3.region": "us-east-1"},
    )  # fmt: skip
    server = Server(catalog, Path(database).parent)
    one = "/v1/namespaces/{space}"
    routes = [
        Route("/v1/config", answering(server.config)),
        Route("/v1/namespaces", answering(server.namespaces), methods=["GET", "POST"]),
        Route(one, answering(server.namespace), methods=["GET", "HEAD"]),
        Route(f"{one}/tables", answering(server.tables), methods=["GET", "POST"]),
        Route(one + "/tables/{table}", answering(server.table), methods=["GET", "HEAD", "POST"]),
    ]
    uvicorn.run(Starlette(routes=routes), host="127.0.0.1", port=int(port), log_level="warning")


if __name__ == "__main__":
    main(*sys.argv[1:])
