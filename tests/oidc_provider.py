"""An identity provider on loopback that speaks OpenID Connect rightly, or wrong in one thing that it is told."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode

import uvicorn
from joserfc import jwt
from joserfc.jwk import RSAKey
from starlette.applications import Starlette
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from logshed.doors.serving import opened_socket

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.requests import Request

SECONDS = 20
CLIENT, SECRET = "logshed", "known to both"


class Provider:
    """Its answers.

    Attributes:
        wrong: What it does wrong, by name of the thing: a claim of the token, ``alg``, ``kid``, ``issuer``, ``iss``, …
        person: What it knows of who signs in.
        asked: What the token's address was last asked.
    """

    def __init__(self) -> None:
        self.issuer = ""
        self.wrong: dict[str, Any] = {}
        self.person: dict[str, Any] = {"sub": "7", "preferred_username": "anna", "groups": ["ops"]}
        self.asked: dict[str, str] = {}
        self.keys = {"one": RSAKey.generate_key(2048, {"kid": "one"})}
        self._codes: dict[str, dict[str, str]] = {}

    def app(self) -> Starlette:
        """Its addresses."""
        return Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self._described),
                Route("/authorize", self._authorize),
                Route("/token", self._token, methods=["POST"]),
                Route("/keys", self._named_keys),
                Route("/userinfo", self._userinfo),
            ]
        )

    async def _described(self, _: Request) -> Response:
        told = {
            "issuer": self.wrong.get("issuer", self.issuer),
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": self.wrong.get("token_endpoint", f"{self.issuer}/token"),
            "jwks_uri": f"{self.issuer}/keys",
            "userinfo_endpoint": self.wrong.get("userinfo_endpoint", f"{self.issuer}/userinfo"),
            "end_session_endpoint": f"{self.issuer}/leave?realm=logs",
        }
        return JSONResponse(told)

    async def _authorize(self, request: Request) -> Response:
        asked = dict(request.query_params)
        code = f"code{len(self._codes)}"
        self._codes[code] = asked
        told = {"code": code, "state": asked["state"], "iss": self.issuer}
        return RedirectResponse(f"{asked['redirect_uri']}?{urlencode(told)}")

    async def _token(self, request: Request) -> Response:
        self.asked = dict(parse_qsl((await request.body()).decode()))
        asked = self._codes.pop(self.asked["code"], None)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(self.asked.get("code_verifier", "").encode()).digest())
        known = base64.b64encode(f"{CLIENT}:{SECRET.replace(' ', '+')}".encode()).decode()
        proven = asked is not None and asked.get("code_challenge") == challenge.rstrip(b"=").decode()
        if not proven or request.headers.get("authorization") not in (f"Basic {known}", _basic(CLIENT, SECRET)):
            return JSONResponse({"error": "invalid_grant"}, 400)
        assert asked is not None
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 60, "nonce": asked["nonce"]}
        claims |= {key: value for key, value in self.person.items() if key not in self.wrong.get("apart", ())}
        claims |= {key: value for key, value in self.wrong.items() if key not in ("alg", "kid", "issuer", "apart")}
        claims = {key: value for key, value in claims.items() if value is not None}
        return JSONResponse({"access_token": "access", "token_type": "Bearer", "id_token": self._signed(claims)})

    def _signed(self, claims: dict[str, Any]) -> str:
        kid = self.wrong.get("kid", "one")
        if (algorithm := self.wrong.get("alg")) is not None:  # signed with what everybody knows, or not at all
            signed = b".".join(_coded(json.dumps(one).encode()) for one in ({"alg": algorithm, "kid": kid}, claims))
            public = self.keys["one"].as_pem(private=False)
            mark = b"" if algorithm == "none" else hmac.digest(public, signed, "sha256")
            return f"{signed.decode()}.{_coded(mark).decode()}"
        return jwt.encode({"alg": "RS256", "kid": kid}, claims, self.keys.get(kid) or RSAKey.generate_key(2048))

    async def _named_keys(self, _: Request) -> Response:
        return JSONResponse({"keys": [one.as_dict(private=False) for one in self.keys.values()]})

    async def _userinfo(self, _: Request) -> Response:
        return JSONResponse({**self.person, "sub": self.wrong.get("userinfo_sub", self.person["sub"])})


def _coded(content: bytes) -> bytes:
    return base64.urlsafe_b64encode(content).rstrip(b"=")


def _basic(user: str, password: str) -> str:
    return f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"


@contextmanager
def provider() -> Iterator[Provider]:
    """One that runs."""
    made = Provider()
    opened = opened_socket("127.0.0.1:0", anyone=True)
    made.issuer = f"http://127.0.0.1:{opened.getsockname()[1]}"
    server = uvicorn.Server(uvicorn.Config(made.app(), log_config=None, lifespan="off", access_log=False))
    thread = threading.Thread(target=lambda: server.run([opened]), name="provider")
    thread.start()
    try:
        yield made
    finally:
        server.should_exit = True
        thread.join(SECONDS)
        assert not thread.is_alive()
