"""Puts the web application together: every file of ``routes/`` and ``views/``, errors, headers, static files."""

from __future__ import annotations

from contextlib import asynccontextmanager
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Route
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from logshed import __version__
from logshed.doors.headers import Headers
from logshed.web import problems, routes, specifying, views
from logshed.web.gate import Gate
from logshed.web.rendering import static, tag

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence
    from types import ModuleType

    from starlette.requests import Request
    from starlette.types import ASGIApp

    from logshed.web.rendering import Page
    from logshed.web.site import Site

ABOUT = """Everything that the pages do. A program shows a token (`logshed token create`) as `Authorization: Bearer …`;
it sees the token's collections and nothing of others. Errors are `application/problem+json`."""
YEAR_SECONDS = 31_536_000
MOST_BYTES = 4 << 20
"""Of a request; it is read before it is known who sends it."""


def application(site: Site) -> FastAPI:
    """The application, without the headers that each answer has.

    Args:
        site: What routes share.
    """

    @asynccontextmanager
    async def running(_: FastAPI) -> AsyncIterator[None]:
        await site.start()
        try:
            yield
        finally:
            await site.stop()

    app = FastAPI(
        title="Logshed",
        version=__version__,
        description=ABOUT,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        max_body_size=MOST_BYTES,
        generate_unique_id_function=specifying.name_of,
        lifespan=running,
    )
    app.state.site = site
    specifying.complete(app)
    for module in (*_walked(routes), *_walked(views)):
        app.include_router(module.router, responses=specifying.WRONG)
    modules = list(_walked(views))

    def pages() -> list[Page]:
        """All pages; some depend on files that change while this runs."""
        return sorted((page for one in modules for page in _pages(one, site)), key=lambda one: one.order)

    pages()  # what is wrong with them is told now
    app.state.pages = pages
    app.router.routes.append(Route("/static/{tag}/{name:path}", _static))
    problems.add(app)
    return app


def served(site: Site) -> ASGIApp:
    """The application as a server is given it."""
    gate: ASGIApp = Gate(application(site), site.web, everybody=site.who.open)
    if site.web.proxies:
        proxied: Any = ProxyHeadersMiddleware(gate, list(site.web.proxies))  # type: ignore[arg-type] # uvicorn's own names of ASGI
        gate = proxied
    return Headers(gate)


def _pages(module: ModuleType, site: Site) -> Sequence[Page]:
    """Those that a file names; some depend on what there is."""
    found: Sequence[Page] = module.pages(site) if hasattr(module, "pages") else getattr(module, "PAGES", ())
    return found


def _walked(package: ModuleType) -> Iterator[ModuleType]:
    for found in sorted(iter_modules(package.__path__), key=lambda one: one.name):
        yield import_module(f"{package.__name__}.{found.name}")


async def _static(request: Request) -> Response:
    """A file, kept by browsers for good: a changed one has another address."""
    found = static(request.path_params["name"])
    if found is None:
        raise HTTPException(404, "there is no such file")
    fresh = tag() == request.path_params["tag"]
    headers = {"Cache-Control": f"public, max-age={YEAR_SECONDS}, immutable" if fresh else "no-cache"}
    headers["Vary"] = "Accept-Encoding"
    if found.packed is not None and "gzip" in request.headers.get("accept-encoding", ""):
        return Response(found.packed, headers={**headers, "Content-Encoding": "gzip"}, media_type=found.kind)
    return Response(found.content, headers=headers, media_type=found.kind)
