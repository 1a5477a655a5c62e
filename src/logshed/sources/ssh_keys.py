"""The private key by which hosts are logged in to: a file, or the key itself; no error tells of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from logshed.errors import SourceError

if TYPE_CHECKING:
    from pydantic import SecretStr

_WORDS = "PRIVATE KEY"
"""What stands in the first line of every private key."""


def private_key(key: SecretStr, passphrase: SecretStr | None) -> Any:
    r"""The key as asyncssh takes it.

    Args:
        key: The path of a file, or the key itself; its line feeds may be written as ``\n``.
        passphrase: What it is encrypted with.

    Raises:
        SourceError: It cannot be read, or is none.
    """
    asyncssh = asyncssh_module()
    text, where = key.get_secret_value(), "the key of the settings"
    if _WORDS not in text:
        where = f"the key {text}"
        text = _read(Path(text).expanduser())
    elif "\\n" in text and "\n" not in text.strip():
        text = text.replace("\\n", "\n")
    secret = passphrase.get_secret_value() if passphrase is not None else None
    try:
        return asyncssh.import_private_key(text.strip() + "\n", secret)
    except asyncssh.KeyEncryptionError:
        raise SourceError(f"cannot use {where}: the passphrase is wrong; correct it") from None
    except (asyncssh.KeyImportError, ValueError):
        advice = "give its passphrase" if secret is None else "correct it"
        raise SourceError(f"cannot use {where}: it is no private key, or needs a passphrase; {advice}") from None


def asyncssh_module() -> Any:
    """The library, which is an extra.

    Raises:
        SourceError: It is not installed.
    """
    try:
        import asyncssh  # noqa: PLC0415 - an extra
    except ImportError as error:
        name = error.name or error
        raise SourceError(f"cannot use SSH: {name} is not installed; pip install 'logshed[ssh]'") from error
    return asyncssh


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        cause = getattr(error, "strerror", None) or "it is no key"
        raise SourceError(f"cannot read the key {path}: {cause}; check the path and its permissions") from None
