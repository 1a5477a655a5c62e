"""The Python interface: one object, a lake, with the verbs as its methods. The command line is a thin layer on it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from logshed.interface.base import EngineName
from logshed.interface.figures import Figures
from logshed.interface.giving import Giving
from logshed.interface.intake import REJECTS, Intake
from logshed.interface.keeping import Keeping
from logshed.interface.looking import Looking
from logshed.interface.tending import Tending
from logshed.lake import folder
from logshed.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from logshed.security import Security

__all__ = ["REJECTS", "EngineName", "Lake"]


class Lake(Intake, Figures, Giving, Keeping, Looking, Tending):
    """A lake: its tables, and what can be done with them.

    Use ``Lake.open`` or ``logshed.open``.

    Attributes:
        root: The lake's folder.
        settings: The settings that hold for its verbs.
    """

    @classmethod
    def open(
        cls,
        path: str | Path | None = None,
        *,
        create: bool = False,
        check: bool = True,
        settings: Settings | None = None,
        engine: Mapping[str, Any] | None = None,
    ) -> Lake:
        """Open a lake.

        Args:
            path: The lake's folder; None takes the setting ``lake``.
            create: Make an empty lake where there is none.
            check: Look now whether there is a lake; False looks when its tables are first needed.
            settings: Settings; None reads logshed.toml, ``.env`` and the environment.
            engine: What differs from the settings of ``[engine]``: ``{"name": "ray", "address": "auto"}``.

        Raises:
            logshed.errors.LakeError: There is no lake, it is something else, or a newer version wrote it.
            logshed.errors.SettingsError: A setting is wrong.
        """
        settings = (settings or Settings.load()).run_by(engine or {})
        lake = cls(Path(settings.lake if path is None else path).expanduser().absolute(), settings)
        if create and not folder.is_lake(lake.root):
            lake._opened(create=True)
        elif check:
            folder.check(lake.root, settings.backing)
        return lake

    @property
    def security(self) -> Security:
        """Rules, findings and incidents."""
        from logshed.security import Security  # noqa: PLC0415 - few ask for it

        return Security(self._opened, self.settings, seen=self._found, sight=self._sight, root=self.root)

    def __repr__(self) -> str:
        return f"Lake({str(self.root)!r})"
