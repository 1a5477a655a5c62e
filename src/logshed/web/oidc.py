"""Signs people in at an identity provider: OpenID Connect's code flow with PKCE, by Authlib."""

from __future__ import annotations

import ssl
import time
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlencode, urlsplit

import httpx2
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.httpx_client import AsyncOAuth2Client
from authlib.oidc.core import CodeIDToken
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry
from starlette.concurrency import run_in_threadpool

from logshed.errors import AccessError
from logshed.pipeline import identities
from logshed.storage_settings import secret

if TYPE_CHECKING:
    from collections.abc import Mapping

    from logshed.access import People, Tokens
    from logshed.access.accounts import User
    from logshed.access.flows import Flow
    from logshed.web_settings import Oidc

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519")
"""Signatures that are believed: those of a key pair, so that who can check one cannot make one."""
SECONDS = 10.0
"""That the provider may take to answer."""
LEEWAY_SECONDS = 60
"""That its clock may be off."""
FRESH_SECONDS = 3_600.0
"""How long what it says of itself is good."""
KEYS_SECONDS = 30.0
"""Its keys are asked for anew this often at most, when a key is not among them."""
REFUSED = "cannot sign in by the identity provider: {cause}; try again, or ask an administrator"


class Away(NamedTuple):
    """Where to send somebody, and the state that they have to bring back."""

    url: str
    state: str


class Admitted(NamedTuple):
    """Somebody whom the provider vouches for, the page they wanted, and what it wants to hear when they sign out."""

    user: User
    next: str
    hint: str


class Provider:
    """The identity provider of the settings.

    Args:
        oidc: The settings.
        people: Who may sign in.
        tokens: All tokens.

    Raises:
        SettingsError: A role in the settings is none.
    """

    def __init__(self, oidc: Oidc, people: People, tokens: Tokens) -> None:
        identities.check(oidc)
        self.oidc = oidc
        self._people, self._tokens = people, tokens
        self._said: dict[str, Any] = {}
        self._said_at = self._keys_at = float("-inf")
        self._keys: dict[str, Any] = {}
        self._trusts: ssl.SSLContext | None = None

    async def begin(self, callback: str, next_page: str) -> Away:
        """Where to send somebody who wants to sign in.

        Args:
            callback: Where the provider sends them back.
            next_page: The page that they wanted.

        Raises:
            AccessError: The provider cannot be reached or is another than the settings say, or the file cannot be used.
        """
        said = await self._metadata()
        state, flow = await run_in_threadpool(self._people.flows.begin, self.oidc.issuer, next_page)
        async with self._client(callback) as client:
            url, _ = client.create_authorization_url(
                said["authorization_endpoint"], state=state, nonce=flow.nonce, code_verifier=flow.verifier
            )
        return Away(url, state)

    async def end(self, callback: str, answer: Mapping[str, str], state: str) -> Admitted:
        """Who came back.

        Args:
            callback: Where they came back to, as it was said when they were sent.
            answer: What the provider gave them to bring.
            state: The one that this browser was given.

        Raises:
            AccessError: The answer is none of a question of ours, what it brings is not sound, or they are not let in.
        """
        given = answer.get("state", "")
        flow = await run_in_threadpool(self._people.flows.end, given) if given and given == state else None
        if flow is None or flow.issuer != self.oidc.issuer:
            raise _refused("this sign-in was not begun here, is too old, or was answered before")
        if "error" in answer:
            raise _refused(f"it says {answer['error'][:100]!r}")
        if answer.get("iss", self.oidc.issuer) != self.oidc.issuer:
            raise _refused("the answer comes from another provider")
        claims, hint = await self._claims(callback, answer.get("code", ""), flow)
        user = await run_in_threadpool(identities.admit, self._people, self._tokens, self.oidc, claims)
        return Admitted(user, flow.next, hint)

    async def leave(self, hint: str | None, back: str) -> str | None:
        """Where to send somebody who has signed out here, so that they are signed out there, too.

        Args:
            hint: What it wants to hear.
            back: The page that it sends them back to.

        Returns:
            None where the provider has no such place.

        Raises:
            AccessError: The provider cannot be reached.
        """
        place = (await self._metadata()).get("end_session_endpoint")
        if not isinstance(place, str) or not self._theirs(place):
            return None
        told = {"client_id": self.oidc.client_id, "post_logout_redirect_uri": back}
        told |= {"id_token_hint": hint} if hint else {}
        return f"{place}{'&' if '?' in place else '?'}{urlencode(told)}"

    async def _claims(self, callback: str, code: str, flow: Flow) -> tuple[dict[str, Any], str]:
        said = await self._metadata()
        try:
            async with self._client(callback) as client:
                token = await client.fetch_token(
                    said["token_endpoint"], code=code, grant_type="authorization_code", code_verifier=flow.verifier
                )
                claims = await self._sound(token, flow)
                if self._more(claims) and (place := said.get("userinfo_endpoint")):
                    answer = await client.get(place)
                    answer.raise_for_status()
                    more = answer.json()
                    if more.get("sub") != claims["sub"]:
                        raise _refused("it speaks of two persons")
                    claims = {**more, **claims}
        except (AuthlibBaseError, JoseError, httpx2.HTTPError, ValueError, KeyError, TypeError) as error:
            raise _refused(f"what it answered is not sound ({type(error).__name__}: {error})") from None
        return claims, str(token["id_token"])

    def _more(self, claims: Mapping[str, Any]) -> bool:
        """Whether something is looked for that the signed part does not hold."""
        return not identities.groups_of(claims, self.oidc.groups_claim) or self.oidc.name_claim not in claims

    async def _sound(self, token: Mapping[str, Any], flow: Flow) -> dict[str, Any]:
        """The claims of a token for us, of this provider, of now and of this sign-in."""
        signed, access = str(token["id_token"]), token.get("access_token")
        rules = JWSRegistry(algorithms=list(ALGORITHMS), strict_check_header=False)
        kept = jwt.decode(signed, await self._key_set(signed), registry=rules)
        claims = CodeIDToken(
            kept.claims,
            kept.header,
            {
                "iss": {"essential": True, "value": self.oidc.issuer},
                "aud": {"essential": True, "value": self.oidc.client_id},
            },
            {"nonce": flow.nonce, "client_id": self.oidc.client_id, "access_token": access},
        )
        claims.validate(leeway=LEEWAY_SECONDS)
        if not isinstance(claims["sub"], str) or not claims["sub"]:
            raise _refused("it names nobody")
        return dict(claims)

    async def _key_set(self, signed: str) -> KeySet:
        named = _key_of(signed)
        if not any(named in (None, one.get("kid")) for one in self._keys.get("keys", ())):
            if time.monotonic() - self._keys_at < KEYS_SECONDS:
                raise _refused("it signed with a key that it does not name")
            self._keys = await self._fetched((await self._metadata())["jwks_uri"])
            self._keys_at = time.monotonic()
        return KeySet.import_key_set(self._keys)  # type: ignore[arg-type] # it was read from JSON

    async def _metadata(self) -> dict[str, Any]:
        if time.monotonic() - self._said_at > FRESH_SECONDS:
            said = await self._fetched(f"{self.oidc.issuer.rstrip('/')}/.well-known/openid-configuration")
            if said.get("issuer") != self.oidc.issuer:
                raise _refused(f"it calls itself {str(said.get('issuer'))[:200]!r}, not {self.oidc.issuer!r}")
            asked = ("authorization_endpoint", "token_endpoint", "jwks_uri")
            for name in (*asked, *(["userinfo_endpoint"] if said.get("userinfo_endpoint") else [])):
                if not self._theirs(str(said.get(name))):
                    raise _refused(f"its {name} is no address by https")
            self._said, self._said_at = said, time.monotonic()
        return self._said

    def _theirs(self, place: str) -> bool:
        """Whether a place is reached as safely as the provider itself."""
        return urlsplit(place).scheme in {"https", urlsplit(self.oidc.issuer).scheme}

    async def _fetched(self, url: str) -> dict[str, Any]:
        try:
            async with httpx2.AsyncClient(timeout=SECONDS, verify=self._trusted()) as client:
                answer = await client.get(url, headers={"Accept": "application/json"})
                answer.raise_for_status()
                found: dict[str, Any] = answer.json()
        except (httpx2.HTTPError, ValueError) as error:
            raise _refused(f"it cannot be asked ({type(error).__name__}: {error})") from None
        return found

    def _client(self, callback: str) -> Any:
        client: Any = AsyncOAuth2Client
        return client(
            client_id=self.oidc.client_id,
            client_secret=secret(found, "web.oidc.client_secret") if (found := self.oidc.client_secret) else None,
            scope=" ".join(self.oidc.scopes),
            redirect_uri=callback,
            code_challenge_method="S256",
            timeout=SECONDS,
            verify=self._trusted(),
        )

    def _trusted(self) -> ssl.SSLContext:
        """Whose certificates are believed; read once, which takes a while."""
        if self._trusts is None:
            self._trusts = ssl.create_default_context(cafile=str(self.oidc.ca_file) if self.oidc.ca_file else None)
        return self._trusts


def _refused(cause: str) -> AccessError:
    return AccessError(REFUSED.format(cause=cause))


def _key_of(signed: str) -> str | None:
    """The key that a token says it is signed with."""
    header = jws.extract_compact(signed.encode()).headers()
    return header.get("kid")
