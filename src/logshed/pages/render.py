"""Makes one self-contained HTML page of a page's data; whatever the data hold, nothing of them is run."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import orjson
from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_HIDDEN = {b"<": b"\\u003c", b">": b"\\u003e", b"&": b"\\u0026"}
"""What could end the element that holds JSON, or begin a comment in it; JSON may write them so."""


def page(data: Mapping[str, Any], links: Sequence[Mapping[str, str]]) -> str:
    """A page as HTML.

    Args:
        data: What the page shows: ``meta``, ``page``, ``tiles``, ``panels`` and ``answers``.
        links: All pages of the report: ``name``, ``title`` and ``file``.
    """
    library, script, style = asset("vendor/echarts.min.js"), asset("page.js"), asset("page.css")
    policy = "; ".join(
        (
            "default-src 'none'",
            f"script-src {_hash(library)} {_hash(script)}",
            f"style-src {_hash(style)}",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )
    made: str = template("page.html").render(
        data=Markup(embedded(data)),  # noqa: S704 - what could leave the element is hidden
        links=links,
        page=data["page"],
        meta=data["meta"],
        policy=policy,
        library=Markup(library),  # noqa: S704 - our own files
        script=Markup(script),  # noqa: S704 - as above
        style=Markup(style),  # noqa: S704 - as above
    )
    return made


def embedded(data: Mapping[str, Any]) -> str:
    """Data as JSON that can stand in an element of a page."""
    text = orjson.dumps(data)
    for character, hidden in _HIDDEN.items():
        text = text.replace(character, hidden)
    return text.decode()


@cache
def asset(name: str) -> str:
    """The text of a file that lies beside this one."""
    return (files("logshed") / "pages" / name).read_text("utf-8")


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


@cache
def template(name: str) -> Any:
    """A template that lies beside this file; what is put into it is escaped."""
    loader = FunctionLoader(asset)
    made = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return made.get_template(name)
