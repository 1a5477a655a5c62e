"""Sends a report to a destination of alerts that takes documents, such as an e-mail."""

from __future__ import annotations

import difflib
import io
import zipfile
from typing import TYPE_CHECKING

from logshed.alerts import Document, document_sender
from logshed.errors import ReportError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from logshed.alert_settings import Alert
    from logshed.alerts import SendDocument
    from logshed.pipeline.report import Report


def poster(alerts: Sequence[Alert], name: str, plugins: Sequence[Path] = ()) -> SendDocument:
    """What sends documents to the destination of a name; nothing is sent yet.

    Raises:
        ReportError: There is none.
        SettingsError: It takes no documents, or a key is wrong.
    """
    for alert in alerts:
        if alert.name.lower() == name.lower():
            return document_sender(alert, plugins)
    near = difflib.get_close_matches(name, [alert.name for alert in alerts], n=1, cutoff=0.5)
    advice = f"did you mean {near[0]}?" if near else "add a table [[alert]] with to = 'email' to logshed.toml"
    raise ReportError(f"cannot send the report to {name!r}: there is no such destination; {advice}")


def document(report: Report) -> Document:
    """A report as it is sent: its summary as text, its files in one ZIP, since each page holds the chart library."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in report.files:
            archive.write(file, f"{report.folder.name}/{file.name}")
    files = {f"{report.folder.name}.zip": ("application/zip", packed.getvalue())}
    return Document(f"Report {report.window}", report.summary, files)
