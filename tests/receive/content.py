"""What each client sends: numbered lines, a line of an access log, and things that may rest nowhere."""

from __future__ import annotations

COUNT = 6
MOMENT = 1_714_557_600
"""2024-05-01T10:00:00Z: of the line with number n it is n seconds later, where its client may say so."""
NGINX = '203.0.113.9 - ann [01/May/2024:10:00:30 +0000] "GET /cart/17?step=2 HTTP/1.1" 404 153 "-" "curl/8.5.0"'
EMAIL, CARD, BEARER = "ada.lovelace@analytical.example", "4111111111111111", "dG9wLXNlY3JldC10b2tlbi0xMjM0NQ"
FORBIDDEN = (EMAIL, CARD, BEARER)
"""Planted by every client: what the default policy hides as personal datum, as payment card, as key."""
PLANTED = f"mail {EMAIL} paid by {CARD}, Authorization: Bearer {BEARER}"
HIDDEN = "mail [EMAIL] paid by [CARD], Authorization: [AUTHORIZATION]"


def numbered(name: str) -> list[str]:
    """The lines of a client that are its own."""
    return [f"{name} sold article {number}" for number in range(COUNT)]


def lines(name: str) -> list[str]:
    """All its lines but that of the access log."""
    return [*numbered(name), f"{name} {PLANTED}"]
