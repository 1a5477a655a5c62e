"""The cookie of a session: for this host alone, unseen by scripts, not sent along by other sites' forms."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.responses import Response

PLAIN, SEALED = "logshed_session", "__Host-logshed_session"
FLOW, SEALED_FLOW = "logshed_flow", "__Host-logshed_flow"
"""Of a sign-in elsewhere that is under way."""


def name(*, secure: bool) -> str:
    """What it is called; browsers let nobody but this host set the one of TLS."""
    return SEALED if secure else PLAIN


def flow_name(*, secure: bool) -> str:
    """What the cookie of a sign-in elsewhere is called."""
    return SEALED_FLOW if secure else FLOW


def give(response: Response, key: str, secret: str, *, secure: bool, seconds: int | None = None) -> None:
    """Let a browser keep a secret.

    Args:
        response: The answer.
        key: The cookie's name.
        secret: What it holds.
        secure: Whether it goes by TLS alone.
        seconds: How long; None until the browser is closed.
    """
    response.set_cookie(key, secret, max_age=seconds, path="/", secure=secure, httponly=True, samesite="lax")


def take(response: Response, key: str, *, secure: bool) -> None:
    """Let a browser forget a secret."""
    response.delete_cookie(key, path="/", secure=secure, httponly=True, samesite="lax")
