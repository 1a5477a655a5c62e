"""Those who may sign in, and all that goes with it, in one file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from logshed.access.account_file import account_file
from logshed.access.accounts import Accounts
from logshed.access.flows import Flows
from logshed.access.links import Links
from logshed.access.sessions import IDLE_SECONDS, LONGEST_SECONDS, Sessions

if TYPE_CHECKING:
    from pathlib import Path


class People:
    """Users, sessions, links, and sign-ins under way; may be used by several threads and processes at once.

    Args:
        path: The file, which is made (mode 600) when somebody is added.
        idle: Seconds without a request after which a session ends.
        longest: Seconds after which a session ends.
    """

    def __init__(self, path: Path, *, idle: float = IDLE_SECONDS, longest: float = LONGEST_SECONDS) -> None:
        file = account_file(path)
        self.path = path
        self.accounts = Accounts(file)
        self.sessions = Sessions(file, idle=idle, longest=longest)
        self.links = Links(file)
        self.flows = Flows(file)
