"""Looks for what is missing or misset: the installation, the settings, the data files, the lake, the hot store."""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar

from logshed.errors import LogshedError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from logshed.alert_settings import Alert
    from logshed.settings import Drop, Settings, Transform

T = TypeVar("T")
LOW_DISK_BYTES = 2 * 10**9


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        state: ``ok``, ``note`` (works, but could be better) or ``bad``.
        text: What was found, and what to do.
    """

    state: Literal["ok", "note", "bad"]
    text: str


def everything(lake: Path | None = None) -> list[Finding]:
    """All that can be looked at; nothing is changed.

    Args:
        lake: The lake's folder; None takes the setting.
    """
    return [*_installation(), *_configuration(), *_data_files(), *_backing(lake), *_lake(lake), *_hot()]


def configured() -> list[Finding]:
    """The settings and what they name."""
    return [*_configuration(), *_data_files()]


def _installation() -> Iterator[Finding]:
    python = ".".join(map(str, sys.version_info[:3]))
    yield Finding("ok", f"Python {python}, {os.cpu_count()} processors")
    for requirement in _requirements():
        name, _, extra = requirement.partition(";")
        distribution = name.split("[")[0].split(">")[0].split("<")[0].split("=")[0].strip()
        try:
            yield Finding("ok", f"{distribution} {version(distribution)}")
        except PackageNotFoundError:
            if "extra ==" in extra:
                group = extra.split("extra ==")[1].strip(" '\"")
                yield Finding("note", f"{distribution} is not installed; `pip install 'logshed[{group}]'` adds it")
            else:
                yield Finding("bad", f"{distribution} is not installed; install Logshed again with pip")


def _requirements() -> list[str]:
    try:
        return requires("logshed") or []
    except PackageNotFoundError:  # run from its sources, which may well have all that they need
        return []


def _configuration() -> Iterator[Finding]:
    from logshed.setting_layers import FILE  # noqa: PLC0415 - not for `--help`
    from logshed.settings import Settings, unknown_variables  # noqa: PLC0415 - as above

    here = Path.cwd()
    settings, finding = _tried(
        Settings.load, f"settings are sound ({FILE} {_there(here / FILE)}, .env {_there(here / '.env')})"
    )
    yield finding
    if settings is None:
        return
    for name in unknown_variables(here):
        yield Finding("note", f"the variable {name} sets nothing; correct or remove it")
    for rule in settings.drop:
        yield _tried(_drop_check(rule), f"drop rule {rule.name} is sound")[1]
    for transform in settings.transform:
        yield _transform_finding(transform)
    yield from _enrichment(settings)
    for alert in settings.alert:
        yield _tried(_alert_check(alert, settings.plugins), f"alert {alert.name} is sound")[1]
    if (oidc := settings.web.oidc) is not None:
        from logshed.pipeline import identities  # noqa: PLC0415 - not for `--help`

        yield _tried(lambda: identities.check(oidc), f"sign-in by {oidc.issuer} is sound")[1]
    for folder in settings.plugins:
        if not folder.is_dir():
            yield Finding(
                "bad", f"cannot use the plug-in folder {folder}: it is not there; create it or correct plugins"
            )


def _enrichment(settings: Settings) -> Iterator[Finding]:
    """Databases and lists: whether they can be used, and whether they are old."""
    if not (settings.enrichment.geoip or settings.enrichment.threat_lists):
        return
    from logshed.enrichment.sources import states  # noqa: PLC0415 - heavy

    for one in states(settings.enrichment):
        if one.error:
            yield Finding("bad", one.error)
        elif one.warning or one.stale:
            yield Finding("note", one.warning or f"{one.file} is {one.age_days} days old; get a newer one")
        else:
            yield Finding("ok", f"{one.file} is sound ({one.kind})")


def _data_files() -> Iterator[Finding]:
    settings = _settings()
    if settings is None:
        return
    from logshed.formats import registry as formats  # noqa: PLC0415 - heavy
    from logshed.queries import registry as queries  # noqa: PLC0415 - heavy
    from logshed.redaction import policy_files  # noqa: PLC0415 - heavy

    yield _tried(lambda: formats.load(settings.plugins), "every format file is sound")[1]
    yield _tried(lambda: queries.load(settings.plugins), "every question is sound")[1]
    yield _tried(
        lambda: policy_files.load_policy(settings.policy, settings.plugins, keys=settings.keys),
        f"redaction policy {settings.policy} is sound",
    )[1]


def _backing(path: Path | None) -> Iterator[Finding]:
    """The storage and the catalog, where they are not the lake's own folder."""
    settings = _settings()
    if settings is None or (settings.catalog.own and not settings.storage.warehouse):
        return
    from logshed.lake import probing  # noqa: PLC0415 - PyIceberg

    if settings.storage.warehouse:
        yield _told(lambda: probing.storage_works(settings.backing))
    yield _told(lambda: probing.catalog_works(path or settings.lake, settings.backing))


def _lake(path: Path | None) -> Iterator[Finding]:
    settings = _settings()
    folder = path or (settings.lake if settings else None)
    if folder is None:
        return
    if not folder.exists() and not (settings and settings.storage.warehouse):
        yield Finding("note", f"there is no lake at {folder} yet; `logshed ingest` creates it")
    else:
        yield _tried(lambda: _opens(folder, settings), f"the lake at {folder} can be opened, and its tables too")[1]
        if folder.exists() and not os.access(folder, os.W_OK):
            yield Finding("bad", f"cannot write to {folder}: permission denied; take another lake or user")
    nearest = next(parent for parent in (folder.absolute(), *folder.absolute().parents) if parent.exists())
    free = shutil.disk_usage(nearest).free
    state: Literal["ok", "note"] = "ok" if free > LOW_DISK_BYTES else "note"
    yield Finding(state, f"{free / 1e9:.1f} GB free for the lake")


def _opens(folder: Path, settings: Settings | None) -> None:
    from logshed.lake.names import FIRST  # noqa: PLC0415 - heavy
    from logshed.lake.store import Store  # noqa: PLC0415 - PyIceberg
    from logshed.settings import Settings  # noqa: PLC0415 - as above

    store = Store.open(folder.absolute(), create=False, backing=(settings or Settings.load()).backing)
    for table in FIRST:
        store.table(table)


def _hot() -> Iterator[Finding]:
    """The hot store, where there shall be one."""
    settings = _settings()
    if settings is None or not settings.live.enabled:
        return
    from logshed.live.reading import HotReader  # noqa: PLC0415 - not for `--help`
    from logshed.live.server import address  # noqa: PLC0415 - as above

    opened, finding = _tried(
        lambda: HotReader.open(settings.live), f"the hot store at {address(settings.live)} answers and is bounded"
    )
    yield finding
    if opened is not None:
        if since := opened.rebuilding():
            yield Finding("note", f"the hot store is not whole since {since}; run `logshed live rebuild`")
        opened.close()


def _tried(call: Callable[[], T], good: str) -> tuple[T | None, Finding]:
    """What the call gives, and what is to be told of it."""
    try:
        return call(), Finding("ok", good)
    except LogshedError as error:
        return None, Finding("bad", str(error))


def _told(call: Callable[[], str]) -> Finding:
    """What the call says."""
    try:
        return Finding("ok", call())
    except LogshedError as error:
        return Finding("bad", str(error))


def _settings() -> Settings | None:
    from logshed.settings import Settings  # noqa: PLC0415 - not for `--help`

    try:
        return Settings.load()
    except LogshedError:
        return None  # told by _configuration


def _transform_finding(rule: Transform) -> Finding:
    """Whether a transform fits the columns and its own tests hold."""
    from logshed.pipeline import transforms  # noqa: PLC0415 - heavy

    def failures() -> list[str]:
        transforms.check([rule])
        return transforms.failures(rule)

    tests = f"its {len(rule.test)} tests hold" if rule.test else "it has no test; add [[transform.test]]"
    wrong, finding = _tried(failures, f"transform {rule.name} is sound, {tests}")
    if wrong:
        return Finding("bad", f"transform {rule.name} fails its tests: {'; '.join(wrong)}; correct one or the other")
    return finding if finding.state == "bad" or rule.test else replace(finding, state="note")


def _drop_check(rule: Drop) -> Callable[[], None]:
    """Runs the rule's conditions on no rows."""

    def run() -> None:
        import polars as pl  # noqa: PLC0415 - heavy

        from logshed import schema  # noqa: PLC0415 - as above

        empty = pl.DataFrame(schema=schema.polars_schema(schema.SILVER))
        try:
            if rule.match:
                pl.Series([""]).str.contains(rule.match)
            if rule.where:
                pl.sql_expr(rule.where)
                empty.filter(pl.sql_expr(rule.where))
        except pl.exceptions.PolarsError as error:
            raise UsageError(f"cannot use drop rule {rule.name}: {error}; correct it in logshed.toml") from None

    return run


def _alert_check(alert: Alert, plugins: tuple[Path, ...]) -> Callable[[], None]:
    """Reads a destination's settings and secrets and sends nothing."""

    def run() -> None:
        from logshed.alerts import destination  # noqa: PLC0415 - urllib3

        destination(alert, plugins)
        for secret in alert.secrets().values():
            secret.read()

    return run


def _there(path: Path) -> str:
    return "read" if path.is_file() else "not there"
