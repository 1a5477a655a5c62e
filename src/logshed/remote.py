"""A lake behind a server: the verbs that ask are answered by ``logshed serve``, those that work on files refuse.

What a verb asks is SQL in the end, here as on a lake of one's own, so one route of the server is enough for all of
them: it decides what whoever asks may see.
"""

from __future__ import annotations

import os
import re
import stat
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import orjson
import pyarrow as pa
import urllib3
from urllib3.exceptions import HTTPError

from logshed import __version__
from logshed.alerts.common.http import loopback
from logshed.api import Lake
from logshed.errors import AccessError, QueryError, UnreachableError, UsageError
from logshed.search.sql import literal
from logshed.search.sql import time as sql_time
from logshed.security import Security
from logshed.settings import Settings
from logshed.sql.result import Result

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from logshed.interface.base import EngineName
    from logshed.lake.store import Store
    from logshed.sql.duckdb import Limits

SERVER, TOKEN, TOKEN_FILE = "LOGSHED_SERVER", "LOGSHED_TOKEN", "LOGSHED_TOKEN_FILE"
"""Variables: the server, the token, the file with the token."""
OWN_FILE = Path("~/.config/logshed/token")
"""Where the token is looked for where no variable says it."""
ARROW = "application/vnd.apache.arrow.stream"
CONNECT_SECONDS, READ_SECONDS = 10.0, 600.0
LONGEST_TOKEN = 4096
_LONGEST_PROBLEM = 1 << 16
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_PARAMETER = re.compile(
    r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*.*?\*/|(?P<tag>\$\w*\$).*?(?P=tag)|\$(?P<name>[A-Za-z_]\w*)",
    re.DOTALL,
)
_INCIDENT = "SELECT * FROM incidents WHERE starts_with(incident_id, $id) ORDER BY incident_id LIMIT 2"


class RemoteLake(Lake):
    """A lake that a server answers for.

    Args:
        url: The server's address.
        token: What lets in; empty sends none.
        settings: The settings here: the time zone, own questions.

    Raises:
        UsageError: The address is none, or the token would go where anyone can read it.
    """

    def __init__(self, url: str, token: str = "", settings: Settings | None = None) -> None:
        super().__init__(Path(), settings or Settings.load())
        self._url = _address(url, token)
        self._token = token
        timeout = urllib3.Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS)
        self._pool = urllib3.PoolManager(timeout=timeout, retries=False)

    @classmethod
    def at(cls, url: str, environment: Mapping[str, str] = os.environ) -> RemoteLake:
        """The lake behind a server, with the token that the environment or a file has.

        Raises:
            UsageError: The address is none, or the token's file cannot be used.
        """
        return cls(url, token_of(environment))

    def query(
        self,
        sql: str,
        *,
        engine: EngineName = "duckdb",
        params: dict[str, object] | None = None,
        timezone: str | None = None,
        sandbox: bool | None = None,
        limits: Limits | None = None,
    ) -> Result:
        """Run a statement at the server, which has its own sandbox and limits; see ``Lake.query``.

        Raises:
            logshed.errors.QueryError: The statement is wrong, or its answer was cut off.
            logshed.errors.AccessError: The server does not let in, or not to this.
            logshed.errors.UnreachableError: It does not answer.
            logshed.errors.UsageError: It was asked for what a server does not do.
        """
        del sandbox
        if limits:
            raise UsageError(f"cannot limit what {self._url} takes for an answer: the server does; leave limits out")
        if engine != "duckdb":
            raise UsageError(f"cannot ask {self._url} by {engine}: a server has DuckDB alone; leave --sql out")
        plain, values = _plain(sql, params or {})
        body: dict[str, Any] = {"sql": plain, "params": values}
        if timezone is not None and timezone != "UTC":
            body["timezone"] = timezone
        answer = self._asked("api/v1/sql", body)
        if answer.status != 200:  # noqa: PLR2004 - OK
            raise self._refusal(answer)
        return _result(answer, self._url)

    @property
    def security(self) -> Security:
        """Rules that are known here; incidents are the server's."""
        return _Security(self)

    def _find(self, *, create: bool = False) -> Store:
        del create
        raise UsageError(
            f"cannot do this at {self._url}: it works on the files of a lake; do it where the lake is, without --server"
        )

    def _asked(self, path: str, body: Mapping[str, Any]) -> urllib3.BaseHTTPResponse:
        headers = {"Accept": ARROW, "Content-Type": "application/json", "User-Agent": f"logshed/{__version__}"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        try:
            return self._pool.request(
                "POST",
                f"{self._url}/{path}",
                body=orjson.dumps(body),
                headers=headers,
                preload_content=False,
                redirect=False,
            )
        except HTTPError as error:
            raise UnreachableError(
                f"cannot ask {self._url}: {_cause(error)}; is `logshed serve` running there, and is the address right?"
            ) from None

    def _refusal(self, answer: urllib3.BaseHTTPResponse) -> Exception:
        """What the server said it does not do."""
        try:
            told = orjson.loads(answer.read(_LONGEST_PROBLEM))
        except (orjson.JSONDecodeError, HTTPError):
            told = None
        detail = str(told.get("detail", "")) if isinstance(told, dict) else ""
        answer.release_conn()
        if answer.status == 401:  # noqa: PLR2004 - Unauthorized
            return AccessError(f"cannot ask {self._url}: it knows no such token; put one into {TOKEN} or {TOKEN_FILE}")
        if answer.status == 403:  # noqa: PLR2004 - Forbidden
            return AccessError(f"cannot ask {self._url}: {detail or 'not allowed'}; ask with a token that may")
        if detail:
            return QueryError(detail)
        return UnreachableError(f"cannot ask {self._url}: it answers {answer.status}; is it a `logshed serve`?")

    def __repr__(self) -> str:
        return f"RemoteLake({self._url!r})"


class _Security(Security):
    """Rules as they are known here, incidents as the server has them."""

    def __init__(self, lake: RemoteLake) -> None:
        super().__init__(lake._find, lake.settings)  # noqa: SLF001 - of the same module
        self._lake = lake

    def incident(self, name: str) -> dict[str, Any]:
        """The newest version of an incident.

        Raises:
            logshed.errors.UsageError: There is no such incident, or there are several.
        """
        result = self._lake.query(_INCIDENT, params={"id": name})
        rows = result.rows()
        if len(rows) != 1:
            told = "several begin so" if rows else "there is none that begins so"
            raise UsageError(f"cannot show the incident {name}: {told}; `logshed incidents list` shows them")
        return dict(zip(result.columns, rows[0], strict=True))


def token_of(environment: Mapping[str, str]) -> str:
    """The token: of the variable, or of a file that its owner alone may read; empty where there is none.

    Raises:
        UsageError: The file cannot be read, others may read it, or it holds no token.
    """
    if given := environment.get(TOKEN, "").strip():
        return _checked(given, TOKEN)
    named = environment.get(TOKEN_FILE, "")
    file = Path(named or OWN_FILE).expanduser()
    if not named and not file.exists():
        return ""
    try:
        if file.stat().st_mode & _OTHERS:
            raise UsageError(f"cannot use the token in {file}: others may read it; chmod 600 {file}")
        text = file.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read the token in {file}: {error}; put a token into it") from None
    return _checked(text, str(file))


def _checked(token: str, place: str) -> str:
    if not token or len(token) > LONGEST_TOKEN or not token.isascii() or not token.isprintable() or " " in token:
        raise UsageError(f"cannot use the token in {place}: it is none; put a token into it, and nothing else")
    return token


def _address(url: str, token: str) -> str:
    """The address without a slash at its end; no message tells what else stands in it."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        host, parts = "", urlsplit("")
    if parts.scheme not in {"http", "https"} or not host or parts.username is not None or parts.query or parts.fragment:
        raise UsageError(
            "cannot ask the server: its address is none; write https://logs.example.com, and no user in it"
        )
    if token and parts.scheme == "http" and not loopback(host):
        raise UsageError(
            f"cannot send a token to {host} by http: anyone on the way can read it; use the address of its TLS (https)"
        )
    return f"{parts.scheme}://{parts.netloc}{parts.path}".rstrip("/")


def _plain(sql: str, params: Mapping[str, object]) -> tuple[str, dict[str, object]]:
    """A statement and its parameters as JSON takes them: times, which it has none of, stand in the statement."""

    def put(found: re.Match[str]) -> str:
        value = params.get(found["name"] or "")
        return _literal(value) if isinstance(value, date | time) else found[0]

    used = {found["name"] for found in _PARAMETER.finditer(sql) if found["name"]}
    rest = {name: value for name, value in params.items() if name in used and not isinstance(value, date | time)}
    return _PARAMETER.sub(put, sql), rest


def _literal(value: date | time) -> str:
    if isinstance(value, datetime):
        return f"({sql_time(value if value.tzinfo else value.replace(tzinfo=UTC))})"
    return f"(CAST({literal(value.isoformat())} AS {'DATE' if isinstance(value, date) else 'TIME'}))"


def _result(answer: urllib3.BaseHTTPResponse, url: str) -> Result:
    """The rows as they come."""
    cut = f"cannot read the answer of {url}: it was cut off"

    def guarded(read: Callable[[], Any]) -> Any:
        try:
            return read()
        except (pa.ArrowInvalid, OSError, HTTPError, EOFError) as error:
            answer.close()
            raise QueryError(f"{cut} ({_cause(error)}); ask again, or for less") from None

    reader = guarded(lambda: pa.ipc.open_stream(pa.PythonFile(answer, "r")))

    def batches() -> Iterator[pa.RecordBatch]:
        while True:
            try:
                yield guarded(reader.read_next_batch)
            except StopIteration:
                return

    return Result(reader.schema, batches(), close=answer.close)


def _cause(error: Exception) -> str:
    """What went wrong, without the objects that urllib3 tells of."""
    reason = getattr(error, "reason", None) or error
    return re.sub(r"<[^>]*>:? ?|\w+\(host=.*?\): ", "", str(reason)).strip() or type(error).__name__
