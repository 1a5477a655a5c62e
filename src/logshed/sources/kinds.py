"""What is no log: by its name, where it lies below a folder, and by its bytes."""

from __future__ import annotations

from pathlib import Path

_BINARY_MAGICS: dict[bytes, str] = {
    b"\x89PNG\r\n": "a PNG image",
    b"\xff\xd8\xff": "a JPEG image",
    b"GIF8": "a GIF image",
    b"%PDF-": "a PDF document",
    b"\x7fELF": "a program",
    b"PK\x03\x04": "a zip archive; unpack it first",
    b"PK\x05\x06": "an empty zip archive",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive; unpack it first",
    b"Rar!\x1a\x07": "a rar archive; unpack it first",
    b"\x1f\x9d": "compressed by compress(1); unpack it first",
    b"\x04\x22\x4d\x18": "compressed by lz4; unpack it first",
    b"SQLite format 3\x00": "an SQLite database",
    b"LPKSHHRH": "a systemd journal; export it with journalctl -o json",
    b"ElfFile\x00": "a Windows event log; export it as text first",
    b"\xd4\xc3\xb2\xa1": "a packet capture",
    b"\xca\xfe\xba\xbe": "a program",
    b"Obj\x01": "an Avro file",
}
_TAR_MAGIC, _TAR_MAGIC_AT = b"ustar", 257
_NO_LOG_SUFFIXES = frozenset(
    (  # noqa: SIM905 - a list of these takes fifty lines
        ".7z,.avro,.bin,.bmp,.class,.db,.dll,.dylib,.ear,.exe,.gif,.ico,.idx,.jar,.jpeg,.jpg,.journal,.lck,.lock,.mmdb,"
        ".mo,.mp3,.mp4,.o,.orc,.pcap,.pdf,.pid,.png,.pyc,.rar,.sig,.so,.sock,.sqlite,.sqlite3,.swp,.tar,.tgz,"
        ".tbz2,.txz,.war,.webp,.whl,.woff,.woff2,.zip"
    ).split(",")
)
_ONLY_NAMED = frozenset({".parquet"})
"""What is read where a path or a pattern names it: below a folder it may be the data of a table."""
_CONTROL = bytes((*range(7), *range(14, 27), *range(28, 32), 127))
_MAX_CONTROL = 0.05


def why_skipped(rest: str, path: str, size: int) -> str:
    """Why an object below a folder is no log by its key, or empty.

    Args:
        rest: Its key below the folder.
        path: Its address.
        size: Its bytes.
    """
    if any(part.startswith(".") for part in rest.split("/")):
        return "hidden"
    return why_no_log(path) if size else "empty"


def why_no_log(path: str) -> str:
    """Why something below a folder is no log by the end of its name, or empty."""
    suffix = Path(path).suffix.lower()
    if suffix in _ONLY_NAMED:
        return f"{suffix} files may be a table's; name it, or a pattern such as {path.rpartition('/')[0]}/*{suffix}"
    return f"{suffix} files are no logs" if suffix in _NO_LOG_SUFFIXES else ""


def why_binary(data: bytes, text: bytes, last: bytes) -> str:
    """What else than a log some bytes are, or empty.

    A log whose writer did not notice that it was truncated begins with a hole of NULs: so its end has a say too.
    """
    for magic, what in _BINARY_MAGICS.items():
        if data.startswith(magic):
            return what
    if data[_TAR_MAGIC_AT:].startswith(_TAR_MAGIC):
        return "a tar archive; unpack it first"
    if _is_binary(text) and (not last or _is_binary(last)):
        return "binary; if it is text in another encoding, name that with --encoding"
    return ""


def _is_binary(text: bytes) -> bool:
    return len(text) - len(text.translate(None, _CONTROL)) > _MAX_CONTROL * len(text)
