"""Clients that send numbered records and send again, under the same id, what was not acknowledged."""

from __future__ import annotations

import random
import threading
import time
from http.client import HTTPException
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

WORDS = ("amber", "birch", "cedar", "delta", "ember", "fjord", "grove", "haven", "inlet", "jetty", "knoll", "lagoon")
NUMBERED = r"id=[a-z]+-[0-9]+ [a-z ]+\."
"""A record, in whatever a protocol makes of it."""
MOST, LONGEST = 12, 24
"""Records of a request, and words of a record."""
PAUSE_S, AGAIN_S = 0.2, 0.1


class RefusedError(Exception):
    """The door had no room."""


class Client:
    """A client of one protocol and one stream, in a thread of its own.

    Args:
        ports: Of the doors, by name.
        seed: Of what it sends.

    Attributes:
        sent: Every record that was ever sent.
        acknowledged: Those whose answer came, in the order in which they did.
        full: How often there was no room.
        again: How often a request was sent again.
    """

    name = ""
    longest, pause = LONGEST, PAUSE_S

    def __init__(self, ports: Mapping[str, int], seed: int) -> None:
        self.ports = ports
        self.sent: list[str] = []
        self.acknowledged: list[str] = []
        self.full = self.again = 0
        self.chance = random.Random(f"{self.name}{seed}")  # noqa: S311 - records, no secrets
        self._number = 0
        self._ending, self._given_up = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._wrong: AssertionError | None = None

    def deliver(self, request: str, records: Sequence[str]) -> None:
        """Send records and return once they are acknowledged.

        Raises:
            RefusedError: There was no room.
            OSError: They were not acknowledged.
        """
        raise NotImplementedError

    def forget(self) -> None:
        """Let go of what a process was talked to by that is gone."""

    def batch(self, most: int = MOST) -> list[str]:
        """The next records."""
        found = []
        for _ in range(self.chance.randint(1, most)):
            self._number += 1
            words = " ".join(self.chance.choices(WORDS, k=self.chance.randint(1, self.longest)))
            found.append(f"id={self.name}-{self._number:06d} {words}.")
        return found

    def insist(self, records: Sequence[str]) -> bool:
        """Send records until they are acknowledged; False where nobody waits for that any more."""
        self.sent += records
        request = f"{self.name}-{self._number}"
        while not self._given_up.is_set():
            try:
                self.deliver(request, records)
            except RefusedError:
                self.full += 1
            except (OSError, HTTPException, EOFError):
                self.forget()
            else:
                self.acknowledged += records
                return True
            self.again += 1
            time.sleep(AGAIN_S)
        return False

    def start(self) -> Self:
        """Begin."""
        self._thread.start()
        return self

    def end(self, seconds: float = 120) -> None:
        """End once what was sent is acknowledged.

        Raises:
            AssertionError: It is not in time, or an answer was not as it should be.
        """
        self._ending.set()
        self._thread.join(seconds)
        stuck = self._thread.is_alive()
        self._given_up.set()
        self._thread.join()
        if self._wrong is not None:
            raise self._wrong
        assert not stuck, f"{self.name} waits for an answer"

    def afresh(self) -> None:
        """Send some more, which no crash disturbs."""
        self._given_up.clear()
        self.insist(self.batch())
        self.forget()

    def _run(self) -> None:
        try:
            while not self._ending.is_set() and self.insist(self.batch()):
                time.sleep(self.chance.uniform(0, self.pause))
        except AssertionError as error:
            self._wrong = error
        self.forget()
