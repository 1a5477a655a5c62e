"""The verbs that keep a lake and vouch for it: upkeep, erasure, integrity, compliance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from logshed.errors import UsageError
from logshed.interface.base import Opened

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from logshed.pipeline.audit import AuditReport
    from logshed.pipeline.compliance import Compliance
    from logshed.pipeline.erasing import Erased
    from logshed.pipeline.integrity import Integrity
    from logshed.pipeline.maintain import Upkeep
    from logshed.pipeline.resting import Sample
    from logshed.pipeline.verify import Verification
    from logshed.sql.tables import Stored


class Keeping(Opened):
    """The verbs that keep a lake and vouch for it: upkeep, erasure, integrity, compliance."""

    def maintain(
        self,
        tasks: Sequence[str] = (),
        *,
        tables: Sequence[str] = (),
        grace: str = "24h",
        dry_run: bool = False,
        alone: bool = False,
        progress: Callable[[str], None] | None = None,
    ) -> list[Upkeep]:
        """Keep the lake quick and small: retention, compaction, merged manifests, expiry, what nothing names.

        Args:
            tasks: ``retain``, ``compact``, ``rewrite-manifests``, ``expire``, ``orphans``; none takes all.
            tables: Short names of tables, or ``ledger``; none takes all.
            grace: How long files stay that nothing names, and states of a table that another followed.
            dry_run: Only say what would be done.
            alone: Nothing else uses the lake, so that ``grace`` may be shorter than 12 hours.
            progress: Is told what is begun.

        Raises:
            logshed.errors.UsageError: There is no such task or table, or ``grace`` is too short.
            logshed.errors.LakeError: The lake cannot be read or written.
        """
        from datetime import UTC, datetime  # noqa: PLC0415 - light, and wanted here only

        from logshed.pipeline.maintain import Maintain  # noqa: PLC0415 - heavy

        since = self.moment(grace)
        seconds = (datetime.now(UTC) - since).total_seconds()
        given = (self._opened(), self.settings, tasks, tables, seconds, dry_run, alone, progress)
        return Maintain(*given, runner=self._runner()).run()

    def erase(
        self,
        *,
        user: str | None = None,
        column: str | None = None,
        value: str | None = None,
        anywhere: bool = False,
        dry_run: bool = False,
        alone: bool = False,
        progress: Callable[[str], None] | None = None,
    ) -> Erased:
        """Erase what the lake holds of a person: every record with a value or a pseudonym of it, in every table.

        Args:
            user: The user's id; short for ``column="user_id"`` with this value.
            column: A column of ``logs``, or the key of an attribute.
            value: Its value, as the logs had it or as it rests.
            anywhere: Look for the plain value in all texts too, as a whole word; pseudonyms always are.
            dry_run: Only say what would be erased.
            alone: Nothing else uses the lake, so that young files of no table can go, too.
            progress: Is told what is begun.

        Raises:
            logshed.errors.UsageError: There is no value, or no column.
            logshed.errors.RedactionError: The policy makes pseudonyms, and there is no key to find them by.
            logshed.errors.LakeError: The lake cannot be read or written; the next run goes on.
            logshed.errors.LiveError: The hot store cannot be reached.
        """
        from logshed.lake.names import LOGS  # noqa: PLC0415 - not for `import logshed`
        from logshed.lake.scan import attributes_promoted  # noqa: PLC0415 - heavy
        from logshed.pipeline.erase_subject import Subject  # noqa: PLC0415 - heavy
        from logshed.pipeline.erasing import Erase  # noqa: PLC0415 - heavy

        if (user is None) == (column is None) or (column is None) != (value is None):
            raise UsageError("cannot erase: it is not clear what; give a user, or a column with its value")
        wanted = (column, value) if column is not None and value is not None else ("user_id", user or "")
        columns = attributes_promoted(self._opened().table(LOGS))
        subject = Subject.of(*wanted, self.settings, anywhere=anywhere, promoted=columns)
        run = Erase(self._opened(), self.settings, subject, alone, progress)
        return run.look() if dry_run else run.run()

    def verify(self, progress: Callable[[int, int], None] | None = None) -> Integrity:
        """Look whether the files and the audit trail are what was committed.

        Args:
            progress: Is told files of ``lines`` read so far, and how many there are.

        Raises:
            logshed.errors.LakeError: The catalog cannot be read.
        """
        from logshed.pipeline.integrity import integrity  # noqa: PLC0415 - heavy

        return integrity(self._opened(), self.settings, progress)

    def audit(self) -> AuditReport:
        """Prove that every line read has one fate, and that the tables hold what the ledger says."""
        from logshed.pipeline.audit import audit  # noqa: PLC0415 - heavy

        return audit(self._opened())

    def ship_trail(self) -> int:
        """Bring what this machine wrote down of who did what into the lake's audit trail.

        Returns:
            Entries of this machine's log that the lake has now.

        Raises:
            logshed.errors.LakeError: The lake cannot be written.
        """
        from logshed.pipeline.trail import FILE, Trail  # noqa: PLC0415 - heavy

        return Trail(self.root / FILE).ship(self._opened())

    def verify_redaction(
        self,
        share: float = 0.01,
        *,
        seed: int = 0,
        policy: str | None = None,
        progress: Callable[[str, Sample], None] | None = None,
    ) -> Verification:
        """Look for what the policy forbids in what rests in the lake.

        Args:
            share: Share of the tables' rows to read, 0 to 1; of few rows all are.
            seed: Another number reads other rows.
            policy: By whose rules: a name, a file, or ``strictest`` for every rule; None takes the setting.
            progress: Is told the place and the rows read so far.

        Raises:
            logshed.errors.LakeError: A file of the lake cannot be read.
            logshed.errors.RedactionError: The policy or a rule is wrong.
        """
        from logshed.pipeline.resting import Sample  # noqa: PLC0415 - heavy
        from logshed.pipeline.verify import STRICTEST, verify  # noqa: PLC0415 - heavy
        from logshed.redaction.policy_files import load_policy, strictest  # noqa: PLC0415 - heavy

        made = strictest if policy == STRICTEST else load_policy
        name = self.settings.policy if policy in (None, STRICTEST) else str(policy)
        rules = made(name, self.settings.plugins, keys=self.settings.keys)
        return verify(self._opened(), rules, Sample(share, seed), progress=progress)

    def compliance(
        self,
        regime: str,
        share: float = 0.01,
        *,
        seed: int = 0,
        progress: Callable[[str, Sample], None] | None = None,
    ) -> Compliance:
        """Answer the points of a law or a standard from the settings and from what rests in the lake.

        Args:
            regime: Its name: ``gdpr``, ``hipaa``, ``ccpa``, ``pci``, or one of your own.
            share: Share of the tables' rows to read, 0 to 1; of few rows all are.
            seed: Another number reads other rows.
            progress: Is told the place and the rows read so far.

        Raises:
            logshed.errors.LakeError: A file of the lake cannot be read.
            logshed.errors.RedactionError: There is no such regime, or the policy or a rule is wrong.
        """
        from logshed.pipeline.compliance import compliance  # noqa: PLC0415 - heavy
        from logshed.pipeline.resting import Sample  # noqa: PLC0415 - heavy
        from logshed.redaction.regime_files import load_regime  # noqa: PLC0415 - heavy

        asked = load_regime(regime, self.settings.plugins)
        return compliance(self._opened(), self.settings, asked, Sample(share, seed), progress)

    def prover(self, *, sign: bool = False) -> Callable[[Path, Mapping[str, Any], int], Path]:
        """Note the state of the lake, and give what writes the proof of an answer that is asked for from now on.

        Args:
            sign: Sign it with the current key of pseudonyms.

        Returns:
            A function of the answer's file, what was asked and how many rows there are; it gives the proof's path.

        Raises:
            logshed.errors.RedactionError: There is no key to sign with.
        """
        from logshed.pipeline import proof  # noqa: PLC0415 - heavy
        from logshed.redaction.keyring import load_keys  # noqa: PLC0415 - heavy

        key = load_keys(self.settings.keys).current if sign else None
        store = self._opened()
        before = proof.snapshots(store)
        return lambda file, asked, rows: proof.write(file, asked, rows, (before, proof.snapshots(store)), key)

    def stored(self, names: Sequence[str] = ()) -> dict[str, Stored]:
        """The tables as they lie, for other programs that read them; those that are not made yet are left out.

        Args:
            names: Their short names; none takes all.

        Raises:
            logshed.errors.UsageError: There is no such table.
            logshed.errors.LakeError: The lake cannot be read.
        """
        from logshed.pipeline.tables import LakeTables  # noqa: PLC0415 - heavy

        tables = LakeTables(self._opened)
        known = tables.names()
        if unknown := [name for name in names if name not in known]:
            raise UsageError(f"cannot find table {unknown[0]}: there is none; take {', '.join(known)}")
        found = {name: tables.stored(name) for name in names or known}
        return {name: one for name, one in found.items() if one is not None}

    def check(self) -> None:
        """Look whether the tables that every lake has can be opened.

        Raises:
            logshed.errors.LakeError: One cannot.
        """
        from logshed.lake.names import FIRST  # noqa: PLC0415 - not for `import logshed`

        for table in FIRST:
            self._opened().table(table)
