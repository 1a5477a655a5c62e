"""Addresses of pages of this site, as a request may name one to go on to."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

HOME = "/"
LONGEST = 2_000
_PLAIN = re.compile(r"/(?![/\\])[!-\[\]-~]*")
"""A path of printable ASCII letters without a backslash, which browsers would take for a slash."""


def local(address: str | None) -> str:
    """An address if it is one of this site, else the first page.

    Args:
        address: What a request named, by whomever.
    """
    if not address or len(address) > LONGEST or _PLAIN.fullmatch(address) is None:
        return HOME
    try:
        parts = urlsplit(address)
    except ValueError:
        return HOME
    return HOME if parts.scheme or parts.netloc or parts.path.startswith("/sign-") else address
