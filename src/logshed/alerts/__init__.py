"""Destinations of a finding: one file each, with what it takes (``KIND``) and how it is sent to (``sender``)."""

from __future__ import annotations

import difflib
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

from logshed.alerts.common.kind import COMMON, Document, Kind, Send, SendDocument
from logshed.errors import LogshedError, SettingsError
from logshed.plugins import data_files

if TYPE_CHECKING:
    from collections.abc import Iterable

    from logshed.alert_settings import Alert

__all__ = ["Destination", "Document", "Kind", "Send", "SendDocument", "destination", "destinations", "document_sender"]


class Destination(Protocol):
    """A module of this folder, or one of your own."""

    KIND: Kind

    def sender(self, alert: Alert) -> Send:
        """What sends one message to the destination that the settings describe; nothing is sent yet.

        Raises:
            ValueError: A setting does not fit; the text begins with its key.
        """
        ...


def destinations(plugins: Iterable[Path] = ()) -> list[str]:
    """The names of all destinations: ours, installed packages' and the user's."""
    return list(data_files("alerts", ".py", plugins))


def destination(alert: Alert, plugins: Iterable[Path] = ()) -> tuple[Kind, Send]:
    """The destination that a table ``[[alert]]`` describes: what it is, and what sends to it.

    Raises:
        logshed.errors.SettingsError: There is no such destination, or a key is missing, unknown to it or wrong.
    """
    found = _module(alert, tuple(plugins))
    _check(alert, found.KIND)
    try:
        return found.KIND, found.sender(alert)
    except ValueError as error:
        raise _wrong(alert, str(error)) from None


def document_sender(alert: Alert, plugins: Iterable[Path] = ()) -> SendDocument:
    """What sends documents with files to a destination; it is one whose module has ``document_sender``.

    Raises:
        logshed.errors.SettingsError: The destination takes no documents, or a key is wrong.
    """
    found = _module(alert, tuple(plugins))
    _check(alert, found.KIND)
    made = getattr(found, "document_sender", None)
    if made is None:
        raise _wrong(alert, f"to: {alert.to} takes no documents; name a destination with to = 'email'")
    try:
        return cast("SendDocument", made(alert))
    except ValueError as error:
        raise _wrong(alert, str(error)) from None


def _module(alert: Alert, plugins: tuple[Path, ...]) -> Destination:
    files = data_files("alerts", ".py", plugins)
    file = files.get(alert.to)
    if file is None:
        near = difflib.get_close_matches(alert.to, list(files), n=1)
        advice = f"did you mean {near[0]}?" if near else f"take one of {', '.join(files)}"
        raise _wrong(alert, f"to: there is no destination {alert.to!r}; {advice}")
    if isinstance(file, Path) and file.parent == Path(__file__).parent:
        return cast("Destination", import_module(f"logshed.alerts.{alert.to}"))
    return cast("Destination", _loaded(alert, Path(str(file))))


def _loaded(alert: Alert, path: Path) -> Any:
    """A module outside our package."""
    spec = spec_from_file_location(f"logshed_alerts_{alert.to}", path)
    if spec is None or spec.loader is None:
        raise _wrong(alert, f"to: {path} is no Python file; correct or remove it")
    module = module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except LogshedError:
        raise
    except Exception as error:  # a stranger's file may fail in any way
        raise _wrong(alert, f"to: {path} fails with {type(error).__name__}; correct or remove it") from error
    if not (isinstance(getattr(module, "KIND", None), Kind) and callable(getattr(module, "sender", None))):
        raise _wrong(alert, f"to: {path} has no KIND and sender; give it both, see docs/alerts.md")
    return module


def _check(alert: Alert, kind: Kind) -> None:
    for key in kind.needs:
        if not getattr(alert, key):
            raise _wrong(alert, f"{key}: {alert.to} needs it; {kind.example(key)}")
    for key in sorted(alert.model_fields_set - COMMON - {*kind.needs, *kind.takes}):
        if getattr(alert, key) not in (None, (), {}):
            takes = ", ".join(sorted({*kind.needs, *kind.takes}))
            raise _wrong(alert, f"{key}: {alert.to} does not take it; it takes {takes or 'nothing besides'}")
    if kind.secret_url and alert.url and alert.url.literal is not None:
        raise _wrong(alert, f'url: the address of {alert.to} is a secret; write url = "env:NAME" or "file:/path"')
    if alert.ca_file and not alert.ca_file.is_file():
        raise _wrong(alert, f"ca_file: there is no file {alert.ca_file}; name the authority's certificate in PEM")


def _wrong(alert: Alert, text: str) -> SettingsError:
    cause, _, advice = text.partition("; ")
    advice = advice or "correct it, see docs/alerts.md"
    return SettingsError(f"cannot use logshed.toml: alert {alert.name}: {cause}; {advice}")
