"""Where settings stand (logshed.toml, .env, variables), what each of them says, paths as they hold from anywhere."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from logshed.alert_settings import rooted as rooted_alert
from logshed.errors import SettingsError
from logshed.forward_settings import rooted as rooted_forward
from logshed.kafka_settings import Kafka
from logshed.receive_settings import rooted as rooted_receive
from logshed.record_settings import Enrichment, paths
from logshed.ssh_settings import older
from logshed.ssh_settings import rooted as rooted_host
from logshed.web_settings import rooted as rooted_web

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from pydantic import BaseModel

FILE = "logshed.toml"
PREFIX = "LOGSHED_"


class Names(NamedTuple):
    """The settings that variables can set.

    Attributes:
        plain: Those of one value.
        tables: Those that are tables of others.
    """

    plain: Collection[str]
    tables: Mapping[str, type[BaseModel]]


def layers(
    folder: Path, environ: Mapping[str, str], file: str | Path | None, names: Names
) -> list[tuple[str, Path, dict[str, Any]]]:
    """Where settings stand, weakest first: what to call the place, what its paths are relative to, its values."""
    written = folder / FILE if file is None else Path(file).absolute()
    return [
        ("the environment", Path(), older(environ)),
        (FILE, written.parent, _file(written)),
        (".env", folder, _variables(dotenv(folder), names)),
        ("the environment", Path(), _variables(environ, names)),
    ]


def _file(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8-sig"))
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise SettingsError(f"cannot read {path}: {error}; correct the file or move it away") from None


def dotenv(folder: Path) -> dict[str, str]:
    """What ``.env`` of a folder says.

    Raises:
        SettingsError: It cannot be read.
    """
    path = folder / ".env"
    if not path.is_file():
        return {}
    from dotenv import dotenv_values  # noqa: PLC0415 - most folders have no .env

    try:
        return {name: value for name, value in dotenv_values(path).items() if value is not None}
    except (UnicodeDecodeError, OSError) as error:
        raise SettingsError(f"cannot read {path}: {error}; correct the file or move it away") from None


def _variables(environ: Mapping[str, str], names: Names) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in environ.items():
        if value and (key := key_of(name, names)):
            table, _, own = key.partition(".")
            found[table] = found.get(table, {}) | {own: value} if own else value
    return found


def key_of(name: str, names: Names) -> str | None:
    """The setting that a variable sets, if any; one of a table as ``table.key``."""
    key = name.removeprefix(PREFIX).lower()
    if name != PREFIX + key.upper():
        return None
    for table, model in names.tables.items():
        if (own := key.removeprefix(f"{table}_")) != key and own in model.model_fields:
            return f"{table}.{own}"
    return key if key in names.plain else None


def rooted(key: str, value: Any, base: Path) -> Any:
    """Paths as they hold from anywhere: relative to where they were written."""
    if key in ("lake", "spool", "tokens") and isinstance(value, str):
        return base / Path(value).expanduser()
    if key == "plugins" and isinstance(parts := paths(value), list):
        return [base / Path(part).expanduser() if isinstance(part, str) else part for part in parts]
    if key in _ROOTED:
        whole = value if isinstance(value, list) else [value]
        found = [_ROOTED[key](one, base) if isinstance(one, dict) else one for one in whole]
        return found if isinstance(value, list) else found[0]
    key_file = (
        key == "keys" and isinstance(value, str) and value and not value.startswith("env:") and "://" not in value
    )
    if key_file or (key == "policy" and isinstance(value, str) and value.endswith(".toml")):
        return str(base / Path(value).expanduser())
    return value


_ROOTED: dict[str, Callable[[dict[str, Any], Path], Any]] = {
    "enrichment": Enrichment.rooted,
    "kafka": Kafka.rooted,
    "alert": rooted_alert,
    "forward": rooted_forward,
    "ssh": rooted_host,
    "collect": rooted_host,
    "receive": rooted_receive,
    "web": rooted_web,
}
"""Tables that hold paths."""
