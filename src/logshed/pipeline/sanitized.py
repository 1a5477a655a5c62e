"""Tells whether a file is sanitised: a report of ``logshed sanitize`` names its bytes, or nothing is found in it."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import orjson

from logshed.errors import RedactionError
from logshed.pipeline import placing
from logshed.pipeline.scanning import Scanner
from logshed.redaction import report as reports
from logshed.redaction import signing
from logshed.redaction.keyring import load_keys
from logshed.redaction.naming import Names

if TYPE_CHECKING:
    from pathlib import Path

    from logshed.redaction.model import Policy
    from logshed.settings import Settings

_ADVICE = "sanitize it first (`logshed sanitize`), or say --raw if it may go as it is"


class Proof:
    """What proves of files that they hold nothing that a policy forbids.

    Args:
        settings: ``keys`` and ``plugins`` count.
        policy: The policy.
        report: A report; None looks into the files.
    """

    def __init__(self, settings: Settings, policy: Policy, report: Path | None) -> None:
        """Read the report.

        Raises:
            RedactionError: It is none, was changed since it was signed, or is by another policy.
        """
        self._policy = policy
        self._settings = settings
        self._names = Names(policy, lambda: secrets.token_bytes(32))  # names are only compared, and go nowhere
        self._hashes = None if report is None else self._read(report)

    def check(self, path: Path, sha256: str, key: str) -> None:
        """Refuse a file that is not proved to be sanitised.

        Args:
            path: The file.
            sha256: Of its bytes, 64 hex digits.
            key: What it will be called.

        Raises:
            RedactionError: It is not.
        """
        if self._names.recorded([key])[key] != key:
            raise RedactionError(f"cannot upload {path}: its name holds what the policy forbids; give it another one")
        if self._hashes is not None:
            if sha256 not in self._hashes:
                raise RedactionError(f"cannot upload {path}: the report names no output of these bytes; {_ADVICE}")
            return
        every = (self._policy, *(override.policy for override in self._policy.overrides))
        if any(one.columns for one in every):
            raise RedactionError(
                f"cannot upload {path}: policy {self._policy.name} names columns, which only sanitizing looks at; "
                "name the report of that with --report, or say --raw if it may go as it is"
            )
        findings = Scanner(self._settings, limit=0).run(placing.find([str(path)]))
        if findings.problems or not findings.files:
            cause = "; ".join(findings.problems) or "it is no text"
            raise RedactionError(f"cannot upload {path}: nobody can tell whether it is sanitised: {cause}; {_ADVICE}")
        if findings.finds:
            found = ", ".join(f"{one.count:,} {one.rule}" for one in findings.finds)
            raise RedactionError(f"cannot upload {path}: it is not sanitised, it holds {found}; {_ADVICE}")

    def _read(self, path: Path) -> set[str]:
        """The hashes of the outputs that a report names."""
        try:
            document = signing.parse(path.read_bytes(), str(path))
        except OSError as error:
            raise RedactionError(f"cannot read {path}: {error.strerror}; name the report's JSON") from None
        if document.get("report") != reports.FORMAT:
            raise RedactionError(f"cannot use {path}: it is no '{reports.FORMAT}'; name the JSON that sanitize wrote")
        if "signature" in document:
            reports.verified(document, load_keys(self._settings.keys))
        told = reports.policy_told(self._policy, self._settings.plugins)
        if orjson.loads(orjson.dumps(told)) != document.get("policy"):
            raise RedactionError(
                f"cannot use {path}: it is by another policy than {self._policy.name} is now; "
                "sanitize again, or name its policy with --policy"
            )
        return {str(one["sha256"]) for one in document.get("files", ()) if one.get("sha256") and not one.get("problem")}
