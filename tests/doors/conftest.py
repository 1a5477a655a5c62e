"""A source of events of the tests' own, the door served by HTTP in a thread, and a browser that looks through it."""

from __future__ import annotations

import asyncio
import random
import re
import ssl
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPSConnection
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from tests.browser import WAIT_MS, launched

from logshed.access import Tokens
from logshed.doors.serving import Door
from logshed.live.events import Event

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence
    from pathlib import Path

    import trustme
    from playwright.sync_api import Browser, Page

    from logshed.doors.readable import Readable
    from logshed.doors.serving import Certificate

CITIES = """
US NY New York|40.71|-74.01|9 US CA Los Angeles|34.05|-118.24|8 US TX Dallas|32.78|-96.8|5 US VA Ashburn|39.04|-77.49|9
US IL Chicago|41.88|-87.63|5 US WA Seattle|47.61|-122.33|4 CA ON Toronto|43.65|-79.38|4 CA BC Vancouver|49.28|-123.12|2
MX CMX Mexico City|19.43|-99.13|4 BR SP São Paulo|-23.55|-46.63|6 BR RJ Rio de Janeiro|-22.91|-43.17|3
AR B Buenos Aires|-34.6|-58.38|3 CL RM Santiago|-33.45|-70.67|2 CO DC Bogotá|4.71|-74.07|2 PE LMA Lima|-12.05|-77.04|2
GB ENG London|51.51|-0.13|8 IE L Dublin|53.35|-6.26|3 FR IDF Paris|48.86|2.35|7 FR ARA Lyon|45.76|4.84|2
DE BE Berlin|52.52|13.4|5 DE HE Frankfurt am Main|50.11|8.68|7 NL NH Amsterdam|52.37|4.9|5 ES MD Madrid|40.42|-3.7|4
IT 25 Milan|45.46|9.19|4 PT 11 Lisbon|38.72|-9.14|2 SE AB Stockholm|59.33|18.07|3 NO 03 Oslo|59.91|10.75|2
FI 18 Helsinki|60.17|24.94|2 PL MZ Warsaw|52.23|21.01|3 CZ 10 Prague|50.08|14.44|2 AT 9 Vienna|48.21|16.37|2
UA 30 Kyiv|50.45|30.52|2 RO B Bucharest|44.43|26.1|2 GR I Athens|37.98|23.73|1 TR 34 Istanbul|41.01|28.98|4
EG C Cairo|30.04|31.24|3 NG LA Lagos|6.52|3.38|4 KE 30 Nairobi|-1.29|36.82|2 ZA GP Johannesburg|-26.2|28.05|3
MA 06 Casablanca|33.57|-7.59|1 IL TA Tel Aviv|32.09|34.78|2 AE DU Dubai|25.2|55.27|3 IN MH Mumbai|19.08|72.88|7
IN KA Bengaluru|12.97|77.59|5 IN DL Delhi|28.61|77.21|5 PK SD Karachi|24.86|67.01|2 BD C Dhaka|23.81|90.41|2
SG 01 Singapore|1.35|103.82|6 ID JK Jakarta|-6.21|106.85|5 TH 10 Bangkok|13.76|100.5|3
VN SG Ho Chi Minh City|10.82|106.63|3
PH 00 Manila|14.6|120.98|3 HK 00 Hong Kong|22.32|114.17|4 TW TPE Taipei|25.03|121.57|3 KR 11 Seoul|37.57|126.98|5
JP 13 Tokyo|35.68|139.69|8 JP 27 Osaka|34.69|135.5|4 CN BJ Beijing|39.9|116.41|4 CN SH Shanghai|31.23|121.47|5
AU NSW Sydney|-33.87|151.21|4 AU VIC Melbourne|-37.81|144.96|3 NZ AUK Auckland|-36.85|174.76|2
IS 1 Reykjavik|64.15|-21.94|1
"""
"""Country, region, city|latitude|longitude|weight."""
CITY = re.compile(r"([A-Z]{2}) (\S+) ([^|]+)\|([-0-9.]+)\|([-0-9.]+)\|([0-9])")
PATHS = ("/", "/cart", "/products/17", "/products/40", "/search?q=lamp", "/checkout", "/static/app.css", "/api/items")
AGENT = "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"


def spots(spread: int) -> tuple[list[tuple[str, str, str, float, float]], list[float]]:
    """Places and their weights: each city as it is, and some around it."""
    chance = random.Random(7)  # noqa: S311 - a test's
    found, weights = [], []
    for country, region, city, latitude, longitude, weight in CITY.findall(CITIES):
        for number in range(spread):
            far = 4 if number else 0
            name = f"{city} {number}" if number else city
            at = (float(latitude) + chance.gauss(0, far), float(longitude) + chance.gauss(0, far))
            found.append((country, region, name, *at))
            weights.append(int(weight) / (number + 1))
    return found, weights


class Generated:
    """Makes events at a rate, as a busy site has them.

    Args:
        rate: Events a second.
        spread: Places around each city.
        collections: Names of collections.
    """

    def __init__(self, rate: int, spread: int = 16, collections: Sequence[str] = ("shop", "blog", "api")) -> None:
        self.rate, self.collections = rate, collections
        self.spots, self.weights = spots(spread)
        self.sent = 0

    async def batches(self, collections: Sequence[str] | None) -> AsyncIterator[Sequence[Event]]:
        """Events for ever, fifty times a second."""
        chance = random.Random(11)  # noqa: S311 - a test's
        began, made = time.monotonic(), 0
        while True:
            await asyncio.sleep(0.02)
            wanted = int((time.monotonic() - began) * self.rate) - made
            made += wanted
            batch = [self._event(chance, spot) for spot in chance.choices(self.spots, self.weights, k=wanted)]
            chosen = [one for one in batch if collections is None or one.collection in collections]
            self.sent += len(chosen)
            yield chosen

    def _event(self, chance: random.Random, spot: tuple[str, str, str, float, float]) -> Event:
        country, region, city, latitude, longitude = spot
        name = chance.choices(self.collections, range(len(self.collections), 0, -1))[0]
        path, status, size = chance.choice(PATHS), chance.choice((200, 200, 200, 304, 404)), chance.randrange(90_000)
        line = f'[ADDRESS] - - "GET {path} HTTP/1.1" {status} {size} "-" "{AGENT}"'
        if chance.random() < 0.02:
            return Event(time.time(), name, "", "", "", None, None, line)
        return Event(time.time(), name, country, region, city, latitude, longitude, line)


@dataclass
class Told:
    """Events that a test hands out one by one."""

    loop: asyncio.AbstractEventLoop | None = None
    queue: asyncio.Queue[Sequence[Event] | Exception | None] = field(default_factory=asyncio.Queue)

    async def batches(self, collections: Sequence[str] | None) -> AsyncIterator[Sequence[Event]]:
        """What was handed out; None ends it, an error is raised."""
        assert collections is None
        self.loop = asyncio.get_running_loop()
        while (batch := await self.queue.get()) is not None:
            if isinstance(batch, Exception):
                raise batch
            yield batch

    def tell(self, batch: Sequence[Event] | Exception | None) -> None:
        """Hand some out."""
        while self.loop is None:
            time.sleep(0.01)
        self.loop.call_soon_threadsafe(self.queue.put_nowait, batch)


@dataclass
class Opened:
    """A door that is open, and one who knocks by plain HTTP."""

    url: str
    door: Any
    trusted: trustme.CA | None = None

    def ask(
        self, path: str, token: str = "", method: str = "GET", body: str = "", **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        """Ask for something: status, headers in small letters, body."""
        connection = self.connect()
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if token:
            sent["Authorization"] = f"Bearer {token}"
        if body:
            sent["Content-Type"] = "application/x-www-form-urlencoded"
        connection.request(method, path, body=body or None, headers=sent)
        answer = connection.getresponse()
        found = answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
        connection.close()
        return found

    def json(self, path: str, token: str = "") -> Any:
        """Ask for JSON that is there."""
        status, _, body = self.ask(path, token)
        assert status == 200, (path, status, body)
        return orjson.loads(body)

    def connect(self) -> HTTPConnection:
        """A connection of its own."""
        host, port = self.door.address
        if self.trusted is None:
            return HTTPConnection(host, port, timeout=20)
        context = ssl.create_default_context()
        self.trusted.configure_trust(context)
        return HTTPSConnection(host, port, timeout=20, context=context)

    @contextmanager
    def stream(self, path: str = "/events", token: str = "", last: str = "") -> Iterator[Iterator[dict[str, Any]]]:
        """The stream of events, as dictionaries with event, id and data."""
        connection = self.connect()
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        connection.request("GET", path, headers=headers | ({"Last-Event-ID": last} if last else {}))
        answer = connection.getresponse()
        assert answer.status == 200, answer.read()
        assert answer.getheader("content-type") == "text/event-stream; charset=utf-8"
        try:
            yield _messages(answer)
        finally:
            answer.close()
            connection.close()


def _messages(answer: Any) -> Iterator[dict[str, Any]]:
    fields: dict[str, Any] = {}
    for line in answer:
        name, colon, value = line.decode().rstrip("\n").partition(": ")
        if colon:
            fields[name] = orjson.loads(value) if name == "data" else value
        elif fields:
            yield fields
            fields = {}


@contextmanager
def opened(
    events: Any,
    store: Readable | None = None,
    tokens: Tokens | None = None,
    certificate: Certificate | None = None,
    listen: str = "127.0.0.1:0",
) -> Iterator[Opened]:
    """A door on a free port, in a thread of its own."""
    door = Door(events, store, tokens, listen=listen, certificate=certificate)
    thread = threading.Thread(target=door.run)
    thread.start()
    try:
        yield Opened(door.url, door)
    finally:
        door.close()
        thread.join(15)
        assert not thread.is_alive()


@pytest.fixture
def tokens(tmp_path: Path) -> Tokens:
    """An empty store of tokens."""
    return Tokens(tmp_path / "tokens.db")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A headless Chromium."""
    with launched() as opened:
        yield opened


@dataclass
class Seen:
    """A page in the browser, and what it said and asked for."""

    page: Page
    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)


@contextmanager
def seen(browser: Browser, width: int = 1440, scheme: Any = "light", **options: Any) -> Iterator[Seen]:
    """A window of the browser."""
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, **options)
    context.set_default_timeout(WAIT_MS)
    window = Seen(context.new_page())
    window.page.on("console", lambda message: window.said.append(message.text))
    window.page.on("pageerror", lambda error: window.said.append(str(error)))
    window.page.on("dialog", lambda dialog: window.said.append(dialog.message))
    window.page.on("request", lambda request: window.asked.append(request.url))
    yield window
    context.close()
