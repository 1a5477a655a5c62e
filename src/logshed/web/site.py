"""What all routes and pages share: the lake as somebody sees it, who asks, threads, the audit trail."""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import polars as pl
from fastapi import Depends
from starlette.requests import HTTPConnection, Request  # noqa: TC002 - FastAPI reads it at run time

from logshed.access import People, Tokens
from logshed.errors import LogshedError
from logshed.pipeline.saved_searches import FILE as FILE_OF_SEARCHES
from logshed.pipeline.saved_searches import SavedSearches
from logshed.pipeline.trail import ANY, FILE, Trail
from logshed.redaction.engine import Redactor
from logshed.redaction.naming import of_everything
from logshed.redaction.policy_files import load_policy
from logshed.web.boards import known
from logshed.web.checking import Checks
from logshed.web.extents import Extents
from logshed.web.first import Firsts
from logshed.web.kept import Answers
from logshed.web.managing import Managing
from logshed.web.pool import Pool
from logshed.web.rendering import tag
from logshed.web.running import Running
from logshed.web.signing import Signing
from logshed.web.tailing import Tails
from logshed.web.telling import moment
from logshed.web.watching import Watching
from logshed.web.who import LOCAL, Who

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from logshed.access import Token
    from logshed.api import Lake
    from logshed.web.who import Person
    from logshed.web_settings import Web

T = TypeVar("T")
SHIP_SECONDS = 5.0
"""How often entries of the local trail go into the lake's."""
log = logging.getLogger(__name__)


class Site:
    """What routes are given.

    Args:
        lake: The lake, seen whole.
        tokens: The tokens that let in, or None: whoever is on this machine.
        people: Who may sign in; None takes the file of the settings.
        web: How it is reached; None takes what the settings say.

    Attributes:
        settings: The lake's settings.
        web: How it is reached, and how people sign in.
        tokens: The tokens that let in, or None.
        people: Who may sign in.
        signing: Lets people sign in.
        managing: Changes users.
        who: Tells who asks.
        pool: Where statements run.
        running: What runs for whom.
        extents: What there is for whom.
        firsts: First looks at searches, which pages begin.
        tails: Who watches what arrives.
        searches: What people have saved.
        checks: Long checks, with their results.
        answers: Answers to questions, kept for many who ask the same.
        watching: The live feeds.
        ending: Set when the server is to end; what streams has to look at it.
    """

    def __init__(
        self, lake: Lake, tokens: Tokens | None, *, people: People | None = None, web: Web | None = None
    ) -> None:
        self.whole = lake
        self.settings = lake.settings
        self.web = web or lake.settings.web
        self.tokens = tokens
        self.people = people or People(lake.settings.accounts, idle=self.web.idle, longest=self.web.session)
        self.signing = Signing(self.people, tokens, self.web, self.audit)
        self.managing = Managing(self.people, self.the_tokens(), self.audit)
        self.who = Who(tokens, self.people, secure=self.web.secure, first=self._first)
        self.ending = asyncio.Event()
        self.pool = Pool()
        self.running = Running()
        self.tails = Tails(lake)
        self.extents = Extents()
        self.firsts = Firsts(self)
        self.searches = SavedSearches(lake.root / FILE_OF_SEARCHES)
        self.checks = Checks(self.running, self.ending)
        self.answers = Answers(lake, self.pool, self.running)
        self.watching = Watching(lake.settings, self.ending)
        self._redactor: Redactor | None = None
        self._unshipped = asyncio.Event()
        self._shipping: asyncio.Task[None] | None = None
        self._warming: asyncio.Task[None] | None = None

    def lake(self, person: Person) -> Lake:
        """The lake as somebody sees it: their collections alone."""
        return self.whole.seen_by(person.grant.scopes)

    async def audit(
        self,
        person: Person,
        verb: str,
        target: str,
        outcome: str = "ok",
        details: Mapping[str, Any] | None = None,
        *,
        collection: str = ANY,
    ) -> None:
        """Write down what somebody did: on this machine at once, in the lake soon.

        Args:
            person: Who.
            verb: What they did.
            target: To what.
            outcome: ``ok``, ``refused`` or ``failed``.
            details: More of it; no secrets.
            collection: Of which collection.

        Raises:
            LogshedError: It cannot be written; what was to be done must not be.
        """

        def note() -> None:
            Trail(self.whole.root / FILE, self._safe, by=person.name).note(
                verb, target, outcome, details, collection=collection
            )

        await asyncio.to_thread(note)
        self._unshipped.set()

    async def changed(self, person: Person, work: Callable[[], T]) -> T:
        """What work comes to that writes down itself what it does, for this person; it goes into the lake soon.

        Raises:
            LogshedError: What the work raises.
        """
        try:
            return await self.pool.run(person, work)
        finally:
            self._unshipped.set()

    def the_tokens(self) -> Tokens:
        """The tokens, also where nobody is asked for one."""
        return self.tokens or Tokens(self.settings.tokens)

    def link(self, request: Request, secret: str) -> str:
        """The address of a link that opens once."""
        return f"{self.base(request)}/link/{secret}"

    def base(self, request: Request) -> str:
        """This site's own address, without a slash at its end."""
        return self.web.public_url or str(request.base_url).rstrip("/")

    async def note_token(self, person: Person, verb: str, token: Token) -> None:
        """Write down that a token was made or revoked."""
        told = {"name": token.name, "collections": token.scopes, "verbs": token.verbs, "expires": moment(token.expires)}
        await self.audit(person, verb, token.id, details=told)

    async def _first(self, person: Person) -> None:
        await self.audit(person, "token use", person.name)

    def _safe(self, text: str) -> str:
        if self._redactor is None:
            settings = self.settings
            self._redactor = Redactor(of_everything(load_policy(settings.policy, settings.plugins, keys=settings.keys)))
        return str(self._redactor.redact(pl.Series([text])).text[0])

    async def start(self) -> None:
        """Begin what runs beside the answers."""
        self._shipping = asyncio.create_task(self._ship())
        self.watching.start()
        self.answers.look()
        self._warming = asyncio.create_task(self._warm())

    async def stop(self) -> None:
        """End it, and bring what was written down into the lake."""
        await self.watching.stop()
        await self.checks.close()
        for task in (self._shipping, self._warming):
            if task is not None:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
        if self._unshipped.is_set():
            await self._shipped()
        await self.answers.close()
        self.pool.close()

    async def _warm(self) -> None:
        """Find out beforehand what the first pages need, so that nobody waits for it: files, dashboards, what there is.

        It opens every data file's footer too, which the first statement would do else.
        """
        query = self.whole.ask
        for work in (tag, partial(known, self), partial(self.extents.of, self.whole, LOCAL, query, None)):
            try:
                await asyncio.to_thread(work)
            except LogshedError as error:
                log.info("cannot look ahead: %s", error)  # who needs it is told

    async def _ship(self) -> None:
        while True:
            await self._unshipped.wait()
            await asyncio.sleep(SHIP_SECONDS)
            self._unshipped.clear()
            if not await self._shipped():
                self._unshipped.set()

    async def _shipped(self) -> bool:
        try:
            await asyncio.to_thread(self.whole.ship_trail)
        except LogshedError as error:
            log.warning("%s; the audit trail waits on this machine", error)
            return False
        return True


def _site(request: HTTPConnection) -> Site:
    site: Site = request.app.state.site
    return site


Shared = Annotated[Site, Depends(_site)]
"""A route's parameter: ``site: Shared``."""
