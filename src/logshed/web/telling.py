"""How users, sessions and tokens are told by the API: all but what opens anything."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from logshed.access import Token
    from logshed.access.accounts import User
    from logshed.access.sessions import Session


def moment(seconds: float | None) -> str | None:
    """A moment as RFC 3339 in UTC."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def of_user(user: User) -> dict[str, Any]:
    """A user."""
    return {
        "name": user.name,
        "role": user.role,
        "collections": list(user.grant.scopes),
        "email": user.email,
        "state": user.state,
        "must_change": user.must_change,
        "issuer": user.issuer,
        "created": moment(user.created),
        "seen": moment(user.seen),
    }


def of_session(session: Session, *, own: str = "") -> dict[str, Any]:
    """A session.

    Args:
        session: What is known of it.
        own: Id of the one that asks.
    """
    return {
        "id": session.id,
        "own": session.id == own,
        "via": session.via,
        "address": session.address,
        "agent": session.agent,
        "created": moment(session.created),
        "seen": moment(session.seen),
        "expires": moment(session.expires),
    }


def of_token(token: Token, owner: str | None = None) -> dict[str, Any]:
    """A token, without what opens anything.

    Args:
        token: What is known of it.
        owner: Name of the user whose it is.
    """
    return {
        "id": token.id,
        "name": token.name,
        "owner": owner,
        "collections": list(token.scopes),
        "verbs": list(token.verbs),
        "rate": token.rate,
        "state": token.state(time.time()),
        "created": moment(token.created),
        "expires": moment(token.expires),
        "last_used": moment(token.used),
        "revoked": moment(token.revoked),
    }
