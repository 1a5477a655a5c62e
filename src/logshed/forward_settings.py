"""The settings of what is forwarded: a table ``[[forward]]`` of logshed.toml."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class Forward(BaseModel):
    """Records that are sent on to somewhere else, as they come."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    name: str = Field(description="Its name: letters, digits, `.`, `_` and `-`; `logshed forward NAME` runs it.")
    to: str = Field(
        min_length=1,
        description="Where to: `otlp+http://`, `otlp+https://`, `otlp+grpc://`, `otlp+grpcs://`, or `http://` and "
        "`https://` for lines of JSON.",
    )
    search: str = Field("", description="Which records, in the language of `logshed search`; all unless set.")
    collection: str | None = Field(None, min_length=1, description="Only this collection.")
    since: str | None = Field(
        None, description="Which older records the first run takes: `24h`, `2026-11-01`, `all`; none unless set."
    )
    token: str | None = Field(None, description="The bearer token: `env:NAME` or `file:/path`.")
    ca_file: Path | None = Field(None, description="Certificates (PEM) to trust in place of the system's.")

    @field_validator("name")
    @classmethod
    def _sound_name(cls, value: str) -> str:
        if _NAME.fullmatch(value) is None:
            raise ValueError("it may hold at most 64 letters, digits, `.`, `_` and `-`; choose another")
        return value

    @field_validator("token")
    @classmethod
    def _elsewhere(cls, value: str | None) -> str | None:
        if value is not None and not (value.startswith(("env:", "file:")) and value.partition(":")[2]):
            raise ValueError("a secret stands in the file itself; write env:NAME or file:/path")
        return value


def rooted(value: dict[str, Any], base: Path) -> dict[str, Any]:
    """A table ``[[forward]]`` with paths as they hold from anywhere: relative to the file that names them."""
    found = dict(value)
    if isinstance(path := value.get("ca_file"), str):
        found["ca_file"] = base / Path(path).expanduser()
    if isinstance(token := value.get("token"), str) and token.startswith("file:") and token != "file:":  # noqa: S105 - a place
        found["token"] = f"file:{base / Path(token.removeprefix('file:')).expanduser()}"
    return found
