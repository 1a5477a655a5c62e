"""Keys of hosts: which are known, which are new, which have changed, and how a new one is recorded."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from logshed.errors import SourceError
from logshed.sources.ssh_keys import asyncssh_module

if TYPE_CHECKING:
    from collections.abc import Sequence

log = logging.getLogger(__name__)

GLOBAL = Path("/etc/ssh/ssh_known_hosts")
_PORT = 22


class HostKeys:
    """The known keys of one host, read when it is connected to.

    Args:
        file: The user's own file; None takes ``~/.ssh/known_hosts``.
        accept_new: Whether the key of a host of which none is known is recorded, instead of refused.

    Attributes:
        known: Whether any key is known of the host.
        refused: Why a key was refused: an error that says what to do; None where none was.
    """

    def __init__(self, file: Path | None, *, accept_new: bool) -> None:
        self.file = file or Path("~/.ssh/known_hosts").expanduser()
        self.refused: SourceError | None = None
        self._others = () if file else (GLOBAL,)
        self._accept_new = accept_new
        self.known = False

    def match(self, host: str, addr: str, port: int | None) -> Sequence[Any]:
        """Known keys, authorities and revoked keys of a host, as asyncssh asks for them."""
        asyncssh = asyncssh_module()
        text = b""
        for path in (self.file, *self._others):
            try:
                text += path.read_bytes() + b"\n"
            except FileNotFoundError:
                continue
            except OSError as error:
                raise SourceError(f"cannot read {path}: {error.strerror}; check its permissions") from None
        try:
            found: Sequence[Any] = asyncssh.match_known_hosts(text, host, addr, port)
        except (ValueError, UnicodeDecodeError) as error:
            raise SourceError(f"cannot read {self.file}: {error}; correct that line") from None
        self.known = bool(found[0] or found[1])
        return found

    def accepts(self, host: str, port: int, key: Any) -> bool:
        """Whether a key that is not among the known ones may be used; it is recorded then."""
        where = host if port == _PORT else f"[{host}]:{port}"
        print_ = key.get_fingerprint()
        if self.known:
            self.refused = SourceError(
                f"cannot trust {where}: its host key has CHANGED to {print_}; somebody may be listening. Where "
                f"the host was set up anew, delete its line of {self.file}"
            )
            return False
        if not self._accept_new:
            self.refused = SourceError(
                f"cannot trust {where}: its host key {print_} is not known; compare it with the host's own and use "
                f"--accept-new once, or add it to {self.file}"
            )
            return False
        self._record(where, key)
        return True

    def _record(self, where: str, key: Any) -> None:
        line = where.encode() + b" " + key.export_public_key("openssh").split(b"\n")[0].strip()
        line = b" ".join(line.split()[:3]) + b"\n"
        try:
            self.file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle = os.open(self.file, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
            try:
                size = os.fstat(handle).st_size
                ended = size == 0 or os.pread(handle, 1, size - 1) == b"\n"
                os.write(handle, line if ended else b"\n" + line)
            finally:
                os.close(handle)
        except OSError as error:
            raise SourceError(f"cannot write {self.file}: {error.strerror}; check its permissions") from None
        log.warning("The host key %s of %s is recorded in %s.", key.get_fingerprint(), where, self.file)
