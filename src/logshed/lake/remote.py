"""Storages of clouds: S3 and what speaks its protocol, Azure, Google; how each is opened, and what its errors mean."""

from __future__ import annotations

import json
import re
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit
from uuid import uuid4

from logshed.errors import LogshedError, StorageError
from logshed.lake.names import LEDGER
from logshed.storage_settings import StorageSettings, secret

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

_USED: dict[str, StorageSettings] = {}
"""Settings by the warehouse that they are for."""

_EXTRAS = {"s3": ("s3fs", "s3"), "abfss": ("adlfs", "azure"), "gs": ("gcsfs", "gcs")}
"""Package and extra by scheme."""

_TIMEOUT_S = 20
_BLOCK_BYTES = 2**20
KEPT = re.compile(r"kept-[0-9a-f]{32}\.json")
"""Notes that say which files were replaced when they were written."""


def use(settings: StorageSettings) -> None:
    """Reach what lies under the settings' warehouse as they say."""
    if settings.remote:
        _USED[settings.warehouse] = settings


def filesystem(path: str) -> Any:
    """The fsspec filesystem that reaches an address.

    Raises:
        StorageError: No settings were given for it, or the package is not installed.
    """
    return _opened(_settings(path))


def opened(path: str, heard: Callable[[StorageError], None] | None = None) -> Any:
    """A file to read from, any part of it; what lies near is read ahead, a mebibyte at a time.

    Args:
        path: Its address.
        heard: Is told why it could not be read on, for a reader whose engine swallows what Python raises.
    """
    file = filesystem(path).open(path, "rb", cache_type="readahead", block_size=_BLOCK_BYTES)
    fetch = file.cache.fetcher

    def fetched(start: int, end: int) -> bytes:
        try:
            with told(path):
                return cast("bytes", fetch(start, end))
        except StorageError as error:
            if heard is not None:
                heard(error)
            raise

    file.cache.fetcher = fetched
    return file


def _settings(path: str) -> StorageSettings:
    near = [one for one in _USED if path == one or path.startswith(f"{one}/")]
    if not near:
        raise StorageError(
            f"cannot reach {path}: no warehouse of the settings holds it; set [storage] warehouse to the one that does"
        )
    return _USED[max(near, key=len)]


@lru_cache(maxsize=16)
def _opened(settings: StorageSettings) -> Any:
    scheme = urlsplit(settings.warehouse).scheme
    package, extra = _EXTRAS[scheme]
    try:
        return _OPENERS[scheme](settings)
    except ImportError as error:
        raise StorageError(
            f"cannot reach {settings.warehouse}: {error.name or package} is not installed; "
            f"pip install 'logshed[{extra}]'"
        ) from error


def _s3(settings: StorageSettings) -> Any:
    from s3fs import S3FileSystem  # noqa: PLC0415 - an extra

    client = {"endpoint_url": settings.endpoint or None, "region_name": settings.region or None}
    return S3FileSystem(
        anon=settings.anonymous,
        key=secret(settings.access_key, "storage.access_key") or None,
        secret=secret(settings.secret_key, "storage.secret_key") or None,
        token=secret(settings.token, "storage.token") or None,
        client_kwargs={name: value for name, value in client.items() if value},
        config_kwargs={"connect_timeout": _TIMEOUT_S, "read_timeout": 60},
        use_listings_cache=False,
        skip_instance_cache=True,
    )


def _azure(settings: StorageSettings) -> Any:
    from adlfs import AzureBlobFileSystem  # noqa: PLC0415 - an extra

    parts = urlsplit(settings.warehouse)
    account = (parts.hostname or "").partition(".")[0]
    key = secret(settings.access_key, "storage.access_key")
    options: dict[str, Any] = {"account_name": account, "use_listings_cache": False, "skip_instance_cache": True}
    if settings.endpoint and key:
        # adlfs takes an address of one's own only in this form.
        scheme = urlsplit(settings.endpoint).scheme
        options["connection_string"] = (
            f"DefaultEndpointsProtocol={scheme};AccountName={account};AccountKey={key};"
            f"BlobEndpoint={settings.endpoint.rstrip('/')}/{account};"
        )
    elif key:
        options["account_key"] = key
    if token := secret(settings.token, "storage.token"):
        options["sas_token"] = token
    options["anon"] = settings.anonymous
    return AzureBlobFileSystem(**options)


def _google(settings: StorageSettings) -> Any:
    from gcsfs.core import GCSFileSystem  # noqa: PLC0415 - an extra; the other one asks for each bucket's kind by gRPC

    token = secret(settings.token, "storage.token")
    try:
        account = json.loads(token) if token.startswith("{") else token or None
    except ValueError:
        raise StorageError(
            "cannot use storage.token: it begins like the key file of a service account, and is not whole; "
            "download the key file anew"
        ) from None
    return GCSFileSystem(
        token="anon" if settings.anonymous else account,
        endpoint_url=settings.endpoint or None,
        use_listings_cache=False,
        skip_instance_cache=True,
        timeout=_TIMEOUT_S,
    )


_OPENERS: dict[str, Callable[[StorageSettings], Any]] = {"s3": _s3, "abfss": _azure, "gs": _google}


def address(folder: str, name: str) -> str:
    """The address of a file that a listing of a folder calls so."""
    parts = urlsplit(folder)
    container = parts.netloc.partition("@")[0]
    return f"{parts.scheme}://{parts.netloc}{name.removeprefix('/').removeprefix(container)}"


def moment(info: Mapping[str, Any]) -> float:
    """When a file was last written, in seconds since 1970, by what a listing says of it."""
    found = info.get("LastModified") or info.get("last_modified") or info.get("mtime") or info.get("updated")
    if isinstance(found, str):
        found = datetime.fromisoformat(found)
    if isinstance(found, datetime):
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
    return time.time()  # not said: then it is young


def keep_a_while(paths: Sequence[str]) -> None:
    """Note that files were replaced now: the time of an object cannot be set, and a copy onto itself costs its bytes.

    Raises:
        StorageError: The storage cannot be reached, or refuses.
    """
    if not paths:
        return
    settings = _settings(paths[0])
    note = f"{settings.warehouse}/{LEDGER}/kept-{uuid4().hex}.json"
    with told(note):
        filesystem(note).pipe_file(note, json.dumps(sorted(paths)).encode())


def kept(folder: str) -> dict[str, float]:
    """Seconds since files were noted as replaced, by their addresses."""
    place = f"{_settings(folder).warehouse}/{LEDGER}"
    reached = filesystem(place)
    found: dict[str, float] = {}
    with told(place):
        every = reached.find(f"{place}/", detail=True)
        notes = {address(place, name): info for name, info in every.items() if KEPT.search(name)}
        texts = reached.cat(list(notes), on_error="omit") if notes else {}
    now = time.time()
    for name, text in texts.items():
        age = now - moment(notes[address(place, name.partition("://")[2] or name)])
        for path in json.loads(text):
            found[path] = min(age, found.get(path, age))
    return found


_CAUSES: tuple[tuple[str, str], ...] = (
    (r"ExpiredToken|TokenRefreshRequired|token.{0,20}expired|RefreshError", "the token has expired; get a new one"),
    (
        r"RequestTimeTooSkewed|clock.?skew|RequestExpired",
        "this machine's clock is off; set it (by NTP) and try again",
    ),
    (
        r"NoSuchBucket|bucket does not exist|ContainerNotFound|container does not exist|NoSuchContainer",
        "there is no such bucket or container; make it, or correct [storage] warehouse",
    ),
    (
        (
            r"InvalidAccessKeyId|SignatureDoesNotMatch|AuthenticationFailed|InvalidAuthenticationInfo|InvalidClientTokenId"
            r"|AuthFailure|InvalidToken|Invalid Credentials|\b401\b|Incorrect padding"
        ),
        "the credentials are wrong; correct access_key, secret_key or token of [storage], or the cloud's own chain",
    ),
    (
        r"NoCredentials|Unable to locate credentials|PartialCredentials|DefaultCredentialsError|CredentialUnavailable",
        "there are no credentials; set access_key and secret_key of [storage], or the cloud's own chain",
    ),
    (
        r"AccessDenied|AuthorizationPermissionMismatch|AuthorizationFailure|Forbidden|PermissionError|\b403\b",
        "the credentials lack a right to it; docs/storage.md lists the rights that are needed",
    ),
    (r"SlowDown|Throttl|TooManyRequests|ServerBusy|\b429\b", "the storage is too busy; try again later"),
    (
        r"ClientPayloadError|IncompleteRead|ContentLengthError|ResponseParserError|Connection closed|Connection lost",
        "the connection to it was cut again and again; check the network, and try again",
    ),
    (
        r"InternalError|InternalServerError|ServiceUnavailable|Bad Gateway|\b50[0-4]\b",
        "the storage has a fault of its own; try again later",
    ),
    (
        (
            r"EndpointConnectionError|ConnectionError|ConnectTimeout|ReadTimeout|ServiceRequestError|Cannot connect"
            r"|ClientConnector|TimeoutError|ConnectionRefused|Could not connect|ServerDisconnected"
        ),
        "the storage does not answer; check [storage] endpoint and the network",
    ),
)
"""What a storage's words mean, the first that fits."""

_PASSING = re.compile(r"too busy|fault of its own|was cut|does not answer|answered with")
"""Causes that may be gone when it is tried again soon."""


@contextmanager
def told(path: str) -> Iterator[None]:
    """Turn what a storage's client raises into a sentence; that a file is missing or there stays as it is.

    Raises:
        StorageError: The storage cannot be reached, or refuses.
    """
    try:
        yield
    except (LogshedError, FileExistsError, GeneratorExit):
        raise
    except Exception as error:  # the clients raise whatever comes
        cause = cause_of(_spoken(path, error))
        if isinstance(error, FileNotFoundError) and "no such bucket" not in cause:
            raise
        if _already_there(error):
            raise FileExistsError(path) from None
        raise StorageError(f"cannot use {path}: {cause}", passing=bool(_PASSING.search(cause))) from None


def _spoken(path: str, error: Exception) -> Exception:
    """The same refusal with its reason: S3 gives none where it is asked for a file's head alone."""
    if not path.startswith("s3://") or not any(word in {"Forbidden", "403", "400"} for word in _words(error)):
        return error
    try:
        filesystem(path).call_s3("list_objects_v2", Bucket=urlsplit(path).netloc, MaxKeys=1)
    except Exception as second:  # noqa: BLE001 - as above
        return second
    return error


def cause_of(error: BaseException) -> str:
    """Why a storage refused, and what to do; nothing of the request is told, which may hold a secret."""
    words = " ".join(_words(error))
    for pattern, cause in _CAUSES:
        if re.search(pattern, words, re.IGNORECASE):
            return cause
    return f"the storage answered with {type(error).__name__}; check [storage], and run `logshed doctor`"


def _already_there(error: BaseException) -> bool:
    return bool(
        re.search(
            r"BlobAlreadyExists|ResourceExists|PreconditionFailed|conditionNotMet|\b412\b", " ".join(_words(error))
        )
    )


def _words(error: BaseException) -> Iterator[str]:
    """Names, codes and texts of an error and of what led to it."""
    seen = 0
    held: BaseException | None = error
    while held is not None and seen < 8:  # noqa: PLR2004 - chains are short, loops are not
        yield type(held).__name__
        code = getattr(held, "error_code", None) or getattr(held, "code", None)
        response = getattr(held, "response", None)
        if isinstance(response, dict):
            code = response.get("Error", {}).get("Code", code)
        yield str(code or "")
        yield str(held)
        held, seen = held.__cause__ or held.__context__, seen + 1
