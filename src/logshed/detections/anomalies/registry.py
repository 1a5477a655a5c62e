"""Finds the anomaly detectors: ours, installed packages' and the user's."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from logshed.detections.anomalies.reading import parse
from logshed.errors import DetectionError
from logshed.plugins import data_files

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from logshed.detections.anomalies.model import Detector

FOLDER = "detections/anomalies"


def load(extra: Iterable[Path] = ()) -> dict[str, Detector]:
    """All detectors by name.

    Args:
        extra: More roots to look in (the ``plugins`` path of logshed.toml).

    Raises:
        logshed.errors.DetectionError: A file is wrong.
    """
    return {name: parse(name, file.read_text("utf-8")) for name, file in data_files(FOLDER, ".toml", extra).items()}


def detector(name: str, extra: Iterable[Path] = ()) -> Detector:
    """One detector; a mistake in another file does not matter.

    Raises:
        logshed.errors.DetectionError: There is none of this name, or its file is wrong.
    """
    found = data_files(FOLDER, ".toml", extra)
    if name not in found:
        near = difflib.get_close_matches(name, found, n=1, cutoff=0.5)
        advice = f"did you mean {near[0]}?" if near else f"take one of {', '.join(found)}"
        raise DetectionError(f"cannot run the anomaly detector {name!r}: there is none; {advice}")
    return parse(name, found[name].read_text("utf-8"))
