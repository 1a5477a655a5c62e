"""Speaks to a Kubernetes API server by the official client: only reads, with time limits, and says what is refused."""

from __future__ import annotations

import asyncio
import logging
import re
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import orjson

from logshed.errors import SourceError
from logshed.sources.kubernetes_lines import Lines

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

log = logging.getLogger(__name__)

CONNECT_S = 10.0
"""How long a connection may take."""
ANSWER_S = 30.0
"""How long the API may take to answer what is no stream."""
SILENT_S = 120.0
"""A stream of which nothing came for so long is asked for anew: a cut network is silent, as a quiet container is."""
FAREWELL_S = 0.05
"""Connections are closed one turn of the loop after they were told to."""
BUFFER_BYTES = 2**17
"""Bytes of one stream that the client holds; hundreds are open at once."""
ANSWER_BYTES = 2**28
"""An answer longer than this is refused."""
IN_CLUSTER = "in-cluster"
ROLE = "deploy/kubernetes/collect-role.yaml"
_PLAIN = re.compile(r"[^\x20-\x7e]+")
_MOST_LETTERS = 300


class RefusedError(SourceError):
    """The API answered with something else than what was asked for.

    Attributes:
        status: The HTTP status code.
    """

    def __init__(self, text: str, status: int) -> None:
        super().__init__(text)
        self.status = status


class BrokenError(SourceError):
    """The API could not be reached, or a connection was cut; trying again may help."""


class SilentError(BrokenError):
    """Nothing came for so long that the connection may be dead."""


@dataclass(frozen=True, slots=True)
class Call:
    """One kind of reading.

    Attributes:
        verb: The verb of RBAC.
        resource: The resource of RBAC, ``pods`` or ``pods/log``.
        path: The path at the API server.
        what: What it reads, for people.
        namespace: The namespace, or empty for all.
        query: The parameters.
    """

    verb: str
    resource: str
    path: str
    what: str
    namespace: str = ""
    query: Mapping[str, str] = field(default_factory=dict)


class Cluster:
    """An API server and who asks it. Use it with ``async with``.

    Attributes:
        host: The address of the API server.
        name: What the cluster is called: its context, or ``in-cluster``.

    Args:
        context: The context in the kubeconfig; empty takes the current one, or the pod's own service account.
        kubeconfig: The kubeconfig; empty takes ``KUBECONFIG`` or ``~/.kube/config``.
    """

    def __init__(self, context: str = "", kubeconfig: str = "") -> None:
        self._context = context
        self._kubeconfig = kubeconfig
        self._client: Any = None
        self._refreshing: asyncio.Task[None] | None = None
        self.host = ""
        self.name = IN_CLUSTER

    async def __aenter__(self) -> Self:
        """Read the configuration.

        Raises:
            SourceError: The client is not installed, or the configuration is missing or wrong.
        """
        try:
            from kubernetes.aio import client, config  # noqa: PLC0415 - an extra, and heavy
        except ModuleNotFoundError as error:
            raise SourceError(
                f"cannot use Kubernetes: {error.name or error} is not installed; pip install 'logshed[kubernetes]'"
            ) from None
        settings = client.Configuration()
        settings.connection_pool_maxsize = 0  # as many as there are containers
        settings.client_session_kwargs = {"read_bufsize": BUFFER_BYTES}
        try:
            loader = await self._configured(config, settings)
            self._client = client.ApiClient(settings)
        except (OSError, ValueError) as error:
            raise SourceError(f"cannot use the kubeconfig: {error}; correct it") from None
        self._client.user_agent = "logshed"
        self.host = settings.host
        if loader is not None:
            self._refreshing = asyncio.create_task(_refreshed(config, loader, settings))
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._refreshing is not None:
            self._refreshing.cancel()
        if self._client is not None:
            await self._client.close()
            await asyncio.sleep(FAREWELL_S)

    async def read(self, call: Call) -> dict[str, Any]:
        """An object of the API.

        Raises:
            RefusedError: The API refuses it.
            BrokenError: It cannot be reached.
        """
        try:
            async with asyncio.timeout(ANSWER_S), self.opened(call) as lines:
                return dict(orjson.loads(await lines.everything(ANSWER_BYTES)))
        except TimeoutError:
            raise self._broken(f"no answer within {ANSWER_S:g} s") from None
        except ValueError:
            raise RefusedError(
                f"cannot {call.what}: {self.host} answers something else than JSON; check that it is an API server", 0
            ) from None

    @asynccontextmanager
    async def opened(self, call: Call) -> AsyncIterator[Lines]:
        """The lines of an answer, as they come.

        Raises:
            RefusedError: The API refuses it.
            BrokenError: It cannot be reached, or the connection is cut.
        """
        import aiohttp  # noqa: PLC0415 - comes with the extra

        limits = aiohttp.ClientTimeout(total=None, connect=CONNECT_S, sock_connect=CONNECT_S, sock_read=SILENT_S)
        try:
            request = await self._client.param_serialize(
                "GET", call.path, query_params=list(call.query.items()), auth_settings=["BearerToken"]
            )
            response = (await self._client.call_api(*request, _request_timeout=limits)).response
            try:
                if response.status != 200:  # noqa: PLR2004 - HTTP's OK
                    raise refused(call, response.status, await response.content.read(2**16))
                yield Lines(response.content)
            finally:
                if response.connection is not None and response.connection.transport is not None:
                    response.connection.transport.abort()  # it is in the middle of an answer; nothing is left to say
                response.release()
        except aiohttp.ClientConnectorCertificateError as error:
            raise self._broken(f"its certificate is not trusted ({error.certificate_error})") from None
        except aiohttp.SocketTimeoutError:
            raise SilentError(
                f"cannot go on with {call.what}: nothing came for {SILENT_S:g} s; it is tried again"
            ) from None
        except TimeoutError:
            raise self._broken(f"no connection within {CONNECT_S:g} s") from None
        except (aiohttp.ClientError, OSError) as error:
            raise self._broken(str(error) or type(error).__name__) from None

    async def _configured(self, config: Any, settings: Any) -> Any:
        """Fill the client's configuration; what can refresh its token, where there is that."""
        import yaml  # noqa: PLC0415 - only for this

        given = self._kubeconfig or config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION
        try:
            if self._context or self._kubeconfig or _any_exists(given):
                loader = await config.load_kube_config(
                    given, self._context or None, client_configuration=settings, persist_config=False
                )
                self.name = self._context or str(config.list_kube_config_contexts(given)[1]["name"])
                return loader
        except (config.ConfigException, yaml.YAMLError, ValueError) as error:
            raise SourceError(self._wrong(error)) from None
        except TypeError:  # what the client makes of it
            raise SourceError(
                f"cannot use {given}: the context names no user, or part of it is missing; add it with `kubectl config`"
            ) from None
        try:
            config.load_incluster_config(client_configuration=settings)
        except config.ConfigException:
            raise SourceError(
                "cannot find a Kubernetes cluster: there is no kubeconfig and this is no pod; "
                "set KUBECONFIG, or give --kubeconfig"
            ) from None
        return None

    def _wrong(self, error: Exception) -> str:
        where = self._kubeconfig or "the kubeconfig"
        if self._context and f"name {self._context}" in str(error):
            return (
                f"cannot use the context {self._context!r}: {where} has none of that name; "
                "`kubectl config get-contexts` lists them"
            )
        return f"cannot use {where}: {plain(str(error))}; correct it, or give another with --kubeconfig"

    def _broken(self, cause: str) -> BrokenError:
        return BrokenError(
            f"cannot reach the Kubernetes API {self.host}: {plain(cause)}; check address, network and context"
        )


async def _refreshed(config: Any, loader: Any, settings: Any) -> None:
    """Have the token of an account that changes it renewed, as long as it lasts."""
    try:
        await config.kube_config.refresh_token(loader, settings)
    except (config.ConfigException, OSError, ValueError) as error:
        log.warning("cannot renew the token of the Kubernetes account: %s; log in again", plain(str(error)))
    except TypeError:  # the context names no user, whose token could be renewed
        log.debug("the context has no user")


def _any_exists(paths: str) -> bool:
    return any(Path(one).expanduser().exists() for one in paths.split(":") if one)


def refused(call: Call, status: int, body: bytes) -> RefusedError:
    """What an answer with an error means.

    Args:
        call: What was asked for.
        status: The HTTP status code.
        body: A ``Status`` of the API, or anything.
    """
    message = told(body)
    if status == 403:  # noqa: PLR2004 - HTTP's Forbidden
        kind = "a Role" if call.namespace else "a ClusterRole"
        return RefusedError(
            f"cannot {call.what}: the API forbids it ({message}); the account lacks {kind} with the rule "
            f'apiGroups [""], resources ["{call.resource}"], verbs ["{call.verb}"]; {ROLE} has all that is needed',
            status,
        )
    if status == 401:  # noqa: PLR2004 - HTTP's Unauthorized
        return RefusedError(
            f"cannot {call.what}: the API does not accept the credentials ({message}); log in again, "
            "or correct the user of the context",
            status,
        )
    return RefusedError(f"cannot {call.what}: the API answers {status} ({message}); see what it says", status)


def told(body: bytes) -> str:
    """What the API says of an error, as plain text of bounded length."""
    try:
        text = str(orjson.loads(body)["message"])
    except (ValueError, KeyError, TypeError):
        text = body.decode("utf-8", "replace")
    return plain(text) or "no reason given"


def plain(text: str) -> str:
    """Text from elsewhere that does nothing to a terminal, cut to a bounded length."""
    return _PLAIN.sub(" ", text)[:_MOST_LETTERS].strip()
