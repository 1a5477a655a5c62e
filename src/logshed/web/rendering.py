"""Makes pages of templates; what is put into them is escaped, and files are named by what is in them."""

from __future__ import annotations

import gzip
import hashlib
import re
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from typing import TYPE_CHECKING, Any, NamedTuple

from jinja2 import ChoiceLoader, Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse

from logshed.pages import live as live_pages
from logshed.pages.render import asset

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from importlib.resources.abc import Traversable

    from starlette.requests import Request

    from logshed.web.who import Person

KINDS = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}
_IMPORT = re.compile(r"""^(?:import|export)\b[^"'\n]*["']\./([\w./-]+)["']""", re.MULTILINE)
"""How a script names another one."""
MAP = "map/"
"""Where the files of the live map's own page are, which it shares with the page here."""


class Page(NamedTuple):
    """A page as the navigation names it.

    Attributes:
        name: Its name; templates say which page they are by it.
        title: What it is called.
        href: Where it is.
        icon: A file of ``static/icons``.
        order: Its place.
        ability: Who is shown it.
    """

    name: str
    title: str
    href: str
    icon: str
    order: int
    ability: str = "read"


class File(NamedTuple):
    """A file as it is sent: its bytes, their type, and the bytes packed by gzip where that makes them fewer."""

    content: bytes
    kind: str
    packed: bytes | None = None


def page(
    request: Request, person: Person, template: str, here: str, title: str, *, status: int = 200, **context: Any
) -> HTMLResponse:
    """A page for somebody.

    Args:
        request: What was asked.
        person: Who asked.
        template: A file of ``templates``.
        here: Which page it is: a ``Page.name``; those of one area begin with the area's name and a dot.
        title: What the page is called.
        status: The HTTP status.
        context: What the template shows.
    """
    pages: Sequence[Page] = request.app.state.pages()
    shown = [one for one in pages if one.ability in person.abilities]
    area = here.split(".", maxsplit=1)[0]
    parts = [one for one in shown if one.name.startswith(f"{area}.")]
    made = _environment().get_template(template)
    told = {"pages": shown, "parts": parts, "person": person, "here": here, "title": title, "csrf": person.csrf}
    return HTMLResponse(made.render(told | context), status)


def bare(template: str, status: int = 200, headers: Mapping[str, str] | None = None, **context: Any) -> HTMLResponse:
    """A page that nobody in particular is shown: to sign in, or of an error."""
    told = {"pages": (), "parts": (), "person": None, "here": "", "csrf": ""}
    return HTMLResponse(_environment().get_template(template).render(told | context), status, dict(headers or {}))


def static(name: str) -> File | None:
    """A file of ``static`` by its path in it, or one of the live map as ``map/…``; None where there is none."""
    return _file(name) if name in _there() else None  # nothing is opened, or kept in mind, by a name of a stranger's


@cache
def _there() -> frozenset[str]:
    """The names of all of them."""
    own = _names(files("logshed") / "web" / "static")
    return frozenset([*(MAP + name for name in live_pages.FILES), *(one for one in own if one.endswith(tuple(KINDS)))])


@cache
def _file(name: str) -> File:
    if name.startswith(MAP):
        own = live_pages.static()[name.removeprefix(MAP)]
        return File(own.content, own.kind)
    kind = next(kind for ending, kind in KINDS.items() if name.endswith(ending))
    content = (files("logshed") / "web" / "static" / name).read_bytes()
    packed = gzip.compress(content, mtime=0)
    return File(content, kind, packed if len(packed) < len(content) else None)


@cache
def tag() -> str:
    """What changes when a file of ``static`` does: one for all, since scripts name each other by relative paths."""
    digest = hashlib.sha256()
    for name in sorted(_there()):
        digest.update(name.encode() + _file(name).content)
    return digest.hexdigest()[:16]


def href(name: str) -> str:
    """Where a file of ``static`` is; another address once one is changed, so that browsers may keep them."""
    if static(name) is None:
        raise FileNotFoundError(name)
    return f"/static/{tag()}/{name}"


def module(name: str) -> Markup:
    """A script with all that it imports, which a browser would else ask for only when it has read the script."""
    ahead = "".join(f'<link rel="modulepreload" href="{href(one)}">\n' for one in _imported(name))
    return Markup(f'{ahead}<script type="module" src="{href(name)}"></script>')  # noqa: S704 - our own names


@cache
def _imported(name: str) -> tuple[str, ...]:
    """The scripts that one imports, and those that they import."""
    found: dict[str, None] = {}
    waiting = [name]
    while waiting:
        own = static(waiting.pop())
        for one in _IMPORT.findall(own.content.decode() if own else ""):
            if one not in found and one != name:
                found[one] = None
                waiting.append(one)
    return tuple(found)


def _names(folder: Traversable, above: str = "") -> Iterator[str]:
    for one in folder.iterdir():
        if one.is_dir():
            yield from _names(one, f"{above}{one.name}/")
        else:
            yield above + one.name


def icon(name: str) -> Markup:
    """A small picture, drawn in the colour of the text beside it."""
    found = static(f"icons/{name}.svg")
    if found is None:
        raise FileNotFoundError(name)
    return Markup(found.content.decode())  # noqa: S704 - our own file


def _text(name: str) -> str | None:
    found = files("logshed") / "web" / "templates" / name
    return found.read_text("utf-8") if found.is_file() else None


@cache
def _environment() -> Environment:
    loader = ChoiceLoader([FunctionLoader(_text), FunctionLoader(asset)])  # the map is the live map's own
    made = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    made.globals |= {"href": href, "module": module, "icon": icon, "version": version("logshed")}
    return made
