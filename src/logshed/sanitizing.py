"""Redaction as a part of the Python interface: records, files, and what is in them."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from logshed import __version__, buckets
from logshed.errors import RedactionError, UsageError
from logshed.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from logshed.pipeline.outcome import Progress
    from logshed.pipeline.sanitizing import Outcome
    from logshed.pipeline.scanning import Findings
    from logshed.redaction.engine import Redactor

PAGE, JSON = ".html", ".json"


def sanitize(record: dict[str, Any], *, policy: str | None = None, settings: Settings | None = None) -> dict[str, Any]:
    """See ``logshed.sanitize``."""
    from logshed.pipeline.mapping import sanitize_record  # noqa: PLC0415 - heavy

    settings = settings or _settings()
    redactor = _redactor(policy or settings.policy, settings.plugins, settings.keys)
    return sanitize_record(record, redactor)


def sanitize_files(
    paths: Sequence[str | Path],
    to: str | Path | None,
    *,
    policy: str | None = None,
    report: Path | None = None,
    sign: bool = False,
    force: bool = False,
    encoding: str = "auto",
    format: str = "auto",  # noqa: A002 - the option's name
    settings: Settings | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Outcome:
    """Write files again without what a policy forbids, else as they are.

    Args:
        paths: Files, folders, globs, or ``-`` for standard input.
        to: A file, a folder that mirrors the inputs, or None for standard output.
        policy: A policy's name or a policy file; None takes the setting.
        report: Where to write a report: ``R.json`` and ``R.html`` beside it.
        sign: Sign it with the current key of pseudonyms.
        force: Replace outputs that are there; never an input.
        encoding: Text encoding, which the output has too; ``auto`` detects it.
        format: The lines' format, by which they are parsed; ``auto`` detects it where the policy names columns.
        settings: Settings; None reads logshed.toml, ``.env`` and the environment.
        progress: Is told where the run is.

    Returns:
        What came of each file; ``problems`` tell what could not be read.

    Raises:
        logshed.errors.UsageError: An output would replace an input, another output, or what is there.
        logshed.errors.LogshedError: The policy is wrong, there is no key to sign with, or an output cannot be written.
    """
    from logshed.pipeline import placing  # noqa: PLC0415 - heavy
    from logshed.pipeline.sanitizing import Sanitizer  # noqa: PLC0415 - heavy
    from logshed.redaction.keyring import load_keys  # noqa: PLC0415 - heavy

    settings = _with_policy(settings, policy)
    key = load_keys(settings.keys).current if sign else None
    sanitizer = Sanitizer(settings, format=format, examples=report is not None, progress=progress)
    reports = _reports(report, force=force) if report else []
    places = placing.place(
        [str(path) for path in paths], None if to is None else str(to), encoding=encoding, force=force, also=reports
    )
    outcome = sanitizer.run(places)
    if reports:
        from logshed.redaction.page import page  # noqa: PLC0415 - only for reports
        from logshed.redaction.signing import signed  # noqa: PLC0415 - only for reports

        told = sanitizer.report(f"logshed {__version__}")
        told = signed(told, key) if key else told
        _write(reports[0], json.dumps(told, indent=2, ensure_ascii=False) + "\n")
        _write(reports[1], page(told))
    return outcome


def scan(
    paths: Sequence[str | Path],
    *,
    policy: str | None = None,
    fail_on: Sequence[str] = (),
    limit: int = 3,
    encoding: str = "auto",
    settings: Settings | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Findings:
    """Find what a policy would replace, and change nothing.

    Args:
        paths: Files, folders, globs, or ``-`` for standard input.
        policy: A policy's name or a policy file; None takes the setting.
        fail_on: Classes and rules that the caller will ask the findings for; wrong names are refused before any work.
        limit: Masked examples of each rule in each file.
        encoding: Text encoding; ``auto`` detects it.
        settings: Settings; None reads logshed.toml, ``.env`` and the environment.
        progress: Is told where the run is.

    Raises:
        logshed.errors.UsageError: ``fail_on`` names what the policy does not look for.
        logshed.errors.LogshedError: The policy is wrong.
    """
    from logshed.pipeline import placing  # noqa: PLC0415 - heavy
    from logshed.pipeline.scanning import Scanner  # noqa: PLC0415 - heavy

    scanner = Scanner(_with_policy(settings, policy), limit=limit, progress=progress)
    scanner.check(fail_on)
    return scanner.run(placing.find([str(path) for path in paths], encoding=encoding))


def verify_report(path: Path, *, settings: Settings | None = None) -> str:
    """Check that a report is as it was signed.

    Returns:
        The id of the key that signed it.

    Raises:
        logshed.errors.RedactionError: It is not, or that cannot be told; the text says why.
    """
    from logshed.redaction import report, signing  # noqa: PLC0415 - heavy
    from logshed.redaction.keyring import load_keys  # noqa: PLC0415 - heavy

    try:
        text = path.read_bytes()
    except OSError as error:
        raise RedactionError(f"cannot verify {path}: {error.strerror}; check the path") from None
    return report.verified(signing.parse(text, str(path)), load_keys((settings or Settings.load()).keys))


def _reports(report: Path, *, force: bool) -> list[Path]:
    """The JSON and the page of a report."""
    if report.suffix.lower() not in (JSON, PAGE):
        raise UsageError(f"cannot write report {report}: its ending tells no form; end it in {JSON} or {PAGE}")
    found = [report.with_suffix(JSON), report.with_suffix(PAGE)]
    for path in found:
        if path.exists() and not force:
            raise UsageError(f"cannot write report {path}: it exists; name another file or say --force")
    return found


def _write(path: Path, text: str) -> None:
    from logshed.pipeline import writing  # noqa: PLC0415 - heavy

    with writing.opened(path, "plain", "utf-8") as output:
        output.write(text.encode())


def _with_policy(settings: Settings | None, policy: str | None) -> Settings:
    settings = settings or Settings.load()
    buckets.use(settings.objects.access(settings.storage))
    return settings if policy is None else settings.model_copy(update={"policy": policy})


@lru_cache(maxsize=1)
def _settings() -> Settings:
    return Settings.load()


@lru_cache(maxsize=8)
def _redactor(policy: str, plugins: tuple[Path, ...], keys: str) -> Redactor:
    from logshed.redaction.engine import Redactor  # noqa: PLC0415 - heavy
    from logshed.redaction.policy_files import load_policy  # noqa: PLC0415 - heavy

    return Redactor(load_policy(policy, plugins, keys=keys))
