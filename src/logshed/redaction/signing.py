"""Signs documents with a key of pseudonyms, so that a change shows; checks them."""

from __future__ import annotations

import hmac
import json
from typing import TYPE_CHECKING, Any

from logshed.errors import RedactionError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from logshed.redaction.keyring import Key, KeyRing

ALGORITHM = "HMAC-SHA-256"


def signed(document: Mapping[str, Any], key: Key) -> dict[str, Any]:
    """The document with an HMAC-SHA-256 (RFC 2104) of its canonical JSON, the key's id included."""
    body = {**document, "signature": {"algorithm": ALGORITHM, "key": key.name}}
    return {**body, "signature": {**body["signature"], "value": _mac(body, key)}}


def verified(document: Mapping[str, Any], keys: KeyRing, *, what: str, advice: str) -> str:
    """Check a document's signature.

    Args:
        document: The document.
        keys: Where the key that signed it is looked for.
        what: What it is, for errors: ``the report``.
        advice: What to do where it is not signed.

    Returns:
        The id of the key that signed it.

    Raises:
        RedactionError: It is not signed, the key is not there, or it was changed since.
    """
    signature = document.get("signature")
    if not isinstance(signature, dict) or signature.get("algorithm") != ALGORITHM:
        raise RedactionError(f"cannot verify {what}: it is not signed; {advice}")
    key = next((one for one in keys.keys if one.name == signature.get("key")), None)
    if key is None:
        raise RedactionError(f"cannot verify {what}: there is no key {signature.get('key')}; name its file in `keys`")
    body = {**document, "signature": {name: value for name, value in signature.items() if name != "value"}}
    if not hmac.compare_digest(_mac(body, key), str(signature.get("value"))):
        raise RedactionError(f"cannot verify {what}: it was changed since it was signed; do not rely on it")
    return key.name


def parse(text: bytes, path: str) -> dict[str, Any]:
    """A document from its JSON; a key that stands twice is refused, since readers differ in which one counts.

    Raises:
        RedactionError: It is no JSON object.
    """
    try:
        found = json.loads(text, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise RedactionError(f"cannot verify {path}: it is no JSON ({error}); name the JSON that was signed") from None
    if not isinstance(found, dict):
        raise RedactionError(f"cannot verify {path}: it is no JSON object; name the JSON that was signed")
    return found


def canonical(document: Mapping[str, Any]) -> bytes:
    """The one spelling of a document that is signed: keys sorted, no blanks, UTF-8."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def _mac(body: Mapping[str, Any], key: Key) -> str:
    return hmac.digest(key.secret, canonical(body), "sha256").hex()


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found
