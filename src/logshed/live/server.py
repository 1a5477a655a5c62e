"""The Redis or Valkey behind the hot store: reached, looked at before it is used, and its refusals put into words."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from logshed.errors import LiveError, LiveFullError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from logshed.live_settings import Live

CONNECT_S, ANSWER_S = 5.0, 20.0
"""How long a connection and an answer may take."""
TRIES = 6
"""How often a command is tried while the server restarts or another takes over."""
LONGEST_WAIT_S = 4.0
OLDEST = 7
"""Redis 7.0 brought EXPIRETIME; every Valkey has it."""
SHARE = 0.9
"""Share of ``maxmemory`` that the store takes unless ``bytes`` says how much: beyond it a write would be refused."""


def redis_module() -> Any:
    """The client library.

    Raises:
        LiveError: It is not installed.
    """
    try:
        import redis  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise LiveError("cannot use the hot store: redis is not installed; pip install 'logshed[live]'") from error
    return redis


def address(settings: Live) -> str:
    """Where the server is, without what logs in there."""
    parts = urlsplit(settings.redis.get_secret_value())
    if parts.scheme == "unix":
        return parts.path
    return f"{parts.hostname or '127.0.0.1'}:{parts.port or 6379}"


def connected(settings: Live, *, tries: int = TRIES, asynchronous: bool = False) -> Any:
    """A client; it connects with the first command, and tries again while the server does not answer.

    Args:
        settings: Where the server is.
        tries: How often; each wait is longer.
        asynchronous: Whether it is for an event loop.

    Raises:
        LiveError: The library is not installed, or the URL is none.
    """
    redis = redis_module()
    from redis.backoff import ExponentialWithJitterBackoff  # noqa: PLC0415 - an extra

    retry_of: Any = redis.retry.Retry
    if asynchronous:
        import redis.asyncio  # noqa: PLC0415 - an extra

        retry_of = redis.asyncio.retry.Retry
    of_client = redis.asyncio.Redis if asynchronous else redis.Redis
    try:
        return of_client.from_url(
            settings.redis.get_secret_value(),
            socket_connect_timeout=CONNECT_S,
            socket_timeout=ANSWER_S,
            retry=retry_of(ExponentialWithJitterBackoff(cap=LONGEST_WAIT_S, base=0.1), tries),
            retry_on_error=[
                redis.exceptions.ConnectionError,
                redis.exceptions.TimeoutError,
                redis.exceptions.BusyLoadingError,
                redis.exceptions.ReadOnlyError,
            ],
        )
    except ValueError:
        raise LiveError(
            "cannot use the hot store: [live] redis is no URL of one; write redis://127.0.0.1:6379/0"
        ) from None


@contextmanager
def told(settings: Live, doing: str = "use") -> Iterator[None]:
    """Put what the server says into words.

    Args:
        settings: Whose server.
        doing: The verb of the text.

    Raises:
        LiveError: It does not answer, or refuses.
        LiveFullError: It has no room.
    """
    redis = redis_module()
    what = f"cannot {doing} the hot store at {address(settings)}"
    try:
        yield
    except redis.exceptions.AuthenticationError:
        raise LiveError(f"{what}: it wants another user or password; set [live] redis") from None
    except redis.exceptions.NoPermissionError as error:
        raise LiveError(f"{what}: its user may not do that ({error}); see docs/live.md") from None
    except redis.exceptions.OutOfMemoryError:
        raise LiveFullError(f"{what}: it is full; raise its maxmemory, or lower [live] lines, hours or bytes") from None
    except (redis.exceptions.ConnectionError, redis.exceptions.TimeoutError, OSError) as error:
        if isinstance(error, redis.exceptions.BusyLoadingError):
            raise LiveError(f"{what}: it is loading its data still; try again later") from None
        cause = _cause(error)
        raise LiveError(f"{what}: {cause}; look whether it runs there, and at [live] redis") from None
    except redis.exceptions.RedisError as error:
        if "user executing the script" in str(error):
            raise LiveError(f"{what}: its user may not do all that writing takes; see docs/live.md") from None
        raise LiveError(f"{what}: it says {str(error)[:200]!r}; see its log") from None


def _cause(error: BaseException) -> str:
    """Why there is no connection, without its address, which was told."""
    behind: BaseException | None = error
    while behind is not None and not (isinstance(behind, OSError) and behind.strerror):
        behind = behind.__cause__ or behind.__context__
    said = behind.strerror if isinstance(behind, OSError) else str(error)
    return str(said).rstrip(".").lower() or type(error).__name__


def check(settings: Live, info: Mapping[str, Any]) -> int | None:
    """Whether a server may hold the store, and how many bytes the store may take; None where nothing bounds it.

    Args:
        settings: What is wanted.
        info: What the server says of itself.

    Raises:
        LiveError: It is too old, has no ``maxmemory``, or would evict counters.
    """
    what = f"cannot use the Redis at {address(settings)}"
    version = str(info.get("redis_version", "0"))
    if int(version.partition(".")[0] or 0) < OLDEST:
        raise LiveError(f"{what}: it is version {version}; install Redis 7 or newer, or Valkey")
    most, policy = int(info.get("maxmemory", 0)), str(info.get("maxmemory_policy", "noeviction"))
    if not settings.allow_unbounded:
        if not most:
            raise LiveError(
                f"{what}: it has no maxmemory, and would take all memory of its machine; set one (`CONFIG SET "
                "maxmemory 512mb`, and in redis.conf), or `allow_unbounded = true` in [live]"
            )
        if policy.startswith("allkeys"):
            raise LiveError(
                f"{what}: it evicts any key when it is full ({policy}), also counters; set `maxmemory-policy "
                "noeviction` or `volatile-ttl`, or `allow_unbounded = true` in [live]"
            )
    return settings.bytes or (int(most * SHARE) or None)
