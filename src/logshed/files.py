"""The Python interface to files without a lake: convert, thin out, profile, propose a format; redaction comes first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from logshed.errors import SourceError
from logshed.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from logshed.pipeline.passing import Pass
    from logshed.pipeline.profile import Profile
    from logshed.pipeline.proposing import Proposal
    from logshed.pipeline.sampling import Sampler
    from logshed.sql.result import Result

PROFILE_PIECE_BYTES = 2**20
"""Least bytes of the pieces in which a file is looked at for its profile."""


def convert(paths: Sequence[str | Path], *, columns: Sequence[str] = (), passing: Pass | None = None) -> Result:
    """Files of any known format as rows of ``logs``, redacted by the policy, without a lake.

    Args:
        paths: Files, folders, globs, or ``-`` for standard input.
        columns: The columns, in order; none are all.
        passing: How to read them, made by ``reader``; its ``check`` tells afterwards what could not be read.

    Raises:
        logshed.errors.SourceError: Nothing can be read.
        logshed.errors.LogshedError: A format, policy or setting is wrong; nothing was read.
    """
    from logshed.pipeline.convert import convert as rows_of  # noqa: PLC0415 - heavy

    return rows_of(passing or reader(), [str(path) for path in paths], columns)


def sampler(
    share: float,
    *,
    keep_errors: bool = True,
    by: str = "trace_id",
    seed: int = 0,
    passing: Pass | None = None,
) -> Sampler:
    """What thins files out; its ``lines`` gives the lines that are kept, redacted by the policy.

    Args:
        share: Share of the records to keep, 0 to 1.
        keep_errors: Keep every error, and of a trace with one every record.
        by: Column or ``attributes.<key>`` whose records stay together.
        seed: Another number chooses other records.
        passing: How to read files, as for ``convert``.

    Raises:
        logshed.errors.LogshedError: A column, format, policy or setting is wrong.
    """
    from logshed.pipeline.sampling import Sampler  # noqa: PLC0415 - heavy

    return Sampler(passing or reader(), share, keep_errors=keep_errors, by=by, seed=seed)


def profile(
    paths: Sequence[str | Path], *, samples: int = 1000, settings: Settings | None = None, **reading: Any
) -> Profile:
    """Which fields the records of files have: how often, of which types, with which values.

    Args:
        paths: Files, folders, globs, or ``-`` for standard input.
        samples: Records to look at, of all files together.
        settings: Settings; None reads logshed.toml, ``.env`` and the environment.
        reading: ``format``, ``policy``, ``encoding``, ``timezone``, ``service`` as in ``Lake.ingest``.

    Raises:
        logshed.errors.SourceError: A file cannot be read.
        logshed.errors.LogshedError: A format, policy or setting is wrong.
    """
    from logshed.pipeline.profile import profile as look  # noqa: PLC0415 - heavy

    own = reader(settings, split_bytes=PROFILE_PIECE_BYTES, chunk_bytes=PROFILE_PIECE_BYTES, **reading)
    found = look(own, [str(path) for path in paths], samples)
    own.check()
    return found


def propose_format(
    path: str | Path, *, name: str, encoding: str = "auto", policy: str | None = None, settings: Settings | None = None
) -> Proposal:
    """A format file for a log that no format takes, proposed from its lines.

    Args:
        path: A file with sample lines.
        name: The format's name.
        encoding: Text encoding; ``auto`` detects UTF-16 by its mark and takes the rest as UTF-8.
        policy: Redaction policy for the lines that go into the file; None takes the setting.
        settings: Settings; None reads logshed.toml, ``.env`` and the environment.

    Raises:
        logshed.errors.SourceError: The file cannot be read.
        logshed.errors.FormatError: No pattern takes its lines.
    """
    from logshed.pipeline.proposing import propose  # noqa: PLC0415 - heavy
    from logshed.redaction.engine import Redactor  # noqa: PLC0415 - heavy
    from logshed.redaction.policy_files import load_policy  # noqa: PLC0415 - heavy
    from logshed.sources import files  # noqa: PLC0415 - heavy

    settings = settings or Settings.load()
    discovered = files.discover([str(path)], encoding=encoding)
    if discovered.problems:
        raise SourceError(discovered.problems[0].message)
    redactor = Redactor(load_policy(policy or settings.policy, settings.plugins, keys=settings.keys))
    lines = [line for target in discovered.targets for line in redactor.redact(files.sample(target)).text]
    return propose(name, lines)


def reader(
    settings: Settings | None = None,
    *,
    policy: str | None = None,
    split_bytes: int | None = None,
    chunk_bytes: int | None = None,
    **reading: Any,
) -> Pass:
    """What reads files as an ingest does, redaction first, and keeps nothing.

    Args:
        settings: Settings; None reads logshed.toml, ``.env`` and the environment.
        policy: Redaction policy, a name or a file; None takes the setting.
        split_bytes: About how long the pieces of a file are; None takes each file whole.
        chunk_bytes: Bytes in hand at a time; None takes the setting.
        reading: ``format``, ``encoding``, ``timezone``, ``service`` as in ``Lake.ingest``.
    """
    from logshed.pipeline.passing import Pass  # noqa: PLC0415 - heavy
    from logshed.pipeline.planning import Options  # noqa: PLC0415 - heavy

    settings = settings or Settings.load()
    if policy is not None:
        settings = settings.model_copy(update={"policy": policy})
    options = Options(collection=settings.collection, **reading)
    return Pass(settings, options, split_bytes=split_bytes, chunk_bytes=chunk_bytes)
