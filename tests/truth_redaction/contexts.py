"""Where a value may stand in a log, and how it is spelled there."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

HERE = "QZHEREQZ"
"""Stands for the value while a line is built; no spelling changes it."""
_AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
_PROSE = (
    "could not handle {}, will retry",
    "got {} from upstream in 12 ms",
    "lookup of {} took 3 attempts",
    "rejected ({}) as a duplicate",
    "last seen: {}.",
    "{} is not known here",
)


@dataclass(frozen=True, slots=True)
class Context:
    """One place.

    Attributes:
        name: As in the tables.
        build: Makes a line around ``HERE`` from a source of chance, a key and a phrase that holds ``HERE``.
        spell: How a text is written there.
        keyed: Whether the key stands right before the value; else the phrase does.
        bare: Whether nothing but a blank ends the value.
        json: Whether the line is a JSON document.
        number: Whether only numbers fit.
    """

    name: str
    build: Callable[[Random, str, str], str]
    spell: Callable[[str], str]
    keyed: bool = True
    bare: bool = False
    json: bool = False
    number: bool = False


def phrase(draw: Random, key: str | None) -> str:
    """A few words around the value; with a key where the value needs its name."""
    if key is None:
        return draw.choice(_PROSE).format(HERE)
    return draw.choice((f"rejected {key}={HERE} of the caller", f"{key}: {HERE}", f"closing, {key}={HERE}"))


def _moment(draw: Random) -> str:
    return f"{draw.randrange(1, 29):02d}/Mar/2026:{draw.randrange(24):02d}:{draw.randrange(60):02d}:07 +0000"


def _access(draw: Random, *, query: str = "", referrer: str = "-", agent: str = _AGENT) -> str:
    client = f"dialin-{draw.randrange(999)}.example.net"
    path = f"/{draw.choice(('cart', 'api/v1/items', 'login', 'a'))}{query}"
    return f'{client} - - [{_moment(draw)}] "GET {path} HTTP/1.1" 200 {draw.randrange(90_000)} "{referrer}" "{agent}"'


def _query(draw: Random, key: str, _: str) -> str:
    pair = f"{quote(key)}={HERE}"
    return draw.choice((f"?{pair}", f"?page=3&{pair}&sort=asc", f"?page=3&{pair}"))


def _json(record: object, draw: Random) -> str:
    separators = draw.choice(((",", ":"), (", ", ": ")))
    return json.dumps(record, separators=separators, ensure_ascii=False)


def _flat(draw: Random, key: str) -> dict[str, object]:
    record: dict[str, object] = {"level": "INFO", key: HERE, "service": "checkout", "attempt": draw.randrange(9)}
    if draw.random() < 0.3:
        record.pop("service")
        record.pop("attempt")
    return record


def _nested(draw: Random, key: str) -> dict[str, object]:
    inner: dict[str, object] = {"state": "open", key: HERE}
    place = draw.choice(({"list": [inner, {"n": 1}]}, {"inner": {"deep": inner}}))
    return {"level": "WARN", "service": "catalog", "payload": place, "took_ms": 12.5}


def _in_text(draw: Random, key: str) -> str:
    record = {"level": "INFO", "msg": _json(_flat(draw, key), draw), "n": 2}
    return json.dumps(record, ensure_ascii=False)


def _logfmt(draw: Random, key: str, marks: str) -> str:
    head = "time=2026-03-05T06:25:01Z level=info"
    return f"{head} {key.replace(' ', '_')}={marks}{HERE}{marks}" + draw.choice(("", " attempt=2 took=12ms"))


def _syslog(draw: Random, words: str) -> str:
    return f"Mar {draw.randrange(10, 29)} 06:25:01 web-{draw.randrange(9)} shopd[{draw.randrange(90_000)}]: {words}"


def _inner_url(draw: Random, key: str, times: int) -> str:
    inner = f"/cb?{quote(key)}={HERE}" + draw.choice(("", "&state=open"))
    for _ in range(times):
        inner = quote(inner, safe="")
    return _access(draw, query=f"?next={inner}&page=2")


def _trace(words: str) -> str:
    return (
        f"java.lang.IllegalStateException: {words}\n"
        "\tat com.example.shop.Cart.load(Cart.java:88)\n\tat com.example.shop.Main.main(Main.java:12)"
    )


def _xml(draw: Random, key: str) -> str:
    name = key.replace(" ", "_")
    return draw.choice(
        (
            f"<event level='info'><{name}>{HERE}</{name}><n>1</n></event>",
            f"<request id='7'>\n  <{name}>{HERE}</{name}>\n</request>",
        )
    )


def _pairs(draw: Random, key: str) -> str:
    headers = [["Host", "example.net"], [key, HERE], ["Accept", "*/*"]]
    return _json({"level": "INFO", "headers": draw.choice((headers, headers[:2])), "status": 200}, draw)


def _environment(draw: Random, key: str) -> str:
    name = key.replace(" ", "_")
    return _json({"level": "INFO", "env": [{"name": "LANG", "value": "C"}, {"name": name, "value": HERE}]}, draw)


def _csv(draw: Random, words: str) -> str:
    return f'2026-03-05T06:25:01Z,{draw.choice(("INFO", "WARN"))},"{words}",checkout,200'


def _times(times: int) -> Callable[[str], str]:
    def spell(text: str) -> str:
        for _ in range(times + 1):
            text = quote(text, safe="")
        return text

    return spell


def _json_text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)[1:-1]


CONTEXTS = (
    Context("URL query", lambda draw, key, words: _access(draw, query=_query(draw, key, words)), _times(0)),
    Context(
        "referrer",
        lambda draw, key, words: _access(draw, referrer=f"https://www.example.org/a{_query(draw, key, words)}"),
        _times(0),
    ),
    Context(
        "user agent",
        lambda draw, key, _: _access(draw, agent=f"probe/1.0 ({key}={HERE})"),
        lambda text: text.replace("\\", "\\\\").replace('"', '\\"'),
        bare=True,
    ),
    Context("JSON flat", lambda draw, key, _: _json(_flat(draw, key), draw), _json_text, json=True),
    Context("JSON nested", lambda draw, key, _: _json(_nested(draw, key), draw), _json_text, json=True),
    Context(
        "JSON number",
        lambda draw, key, _: _json(_nested(draw, key), draw).replace(f'"{HERE}"', HERE),
        str,
        json=True,
        number=True,
    ),
    Context(
        "JSON message",
        lambda draw, _, words: _json(_flat(draw, "msg"), draw).replace(HERE, words),
        _json_text,
        keyed=False,
        bare=True,
        json=True,
    ),
    Context(
        "JSON in JSON", lambda draw, key, _: _in_text(draw, key), lambda text: _json_text(_json_text(text)), json=True
    ),
    Context("logfmt bare", lambda draw, key, _: _logfmt(draw, key, ""), str, bare=True),
    Context("logfmt quoted", lambda draw, key, _: _logfmt(draw, key, '"'), _json_text),
    Context("syslog prose", lambda draw, _, words: _syslog(draw, words), str, keyed=False, bare=True),
    Context("URL-encoded once", lambda draw, key, _: _inner_url(draw, key, 1), _times(1)),
    Context("URL-encoded twice", lambda draw, key, _: _inner_url(draw, key, 2), _times(2)),
    Context(
        "form body",
        lambda draw, key, _: f"POST /login body: {draw.choice(('', 'page=3&'))}{quote_plus(key)}={HERE}&submit=ok",
        quote_plus,
    ),
    Context("stack trace", lambda _, __, words: _trace(words), str, keyed=False, bare=True),
    Context("XML", lambda draw, key, _: _xml(draw, key), escape),
    Context("list of pairs", lambda draw, key, _: _pairs(draw, key), _json_text, json=True),
    Context("name and value", lambda draw, key, _: _environment(draw, key), _json_text, json=True),
    Context(
        "CSV", lambda draw, _, words: _csv(draw, words), lambda text: text.replace('"', '""'), keyed=False, bare=True
    ),
)
