"""Settings of the object stores that logs are read from and uploaded to: ``[objects]``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

from logshed.buckets import Access
from logshed.storage_settings import secret

if TYPE_CHECKING:
    from logshed.storage_settings import StorageSettings


class Objects(BaseModel):
    """How the stores are reached; where nothing is set here, as ``[storage]`` says of the lake's own."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    endpoint: str = Field(
        "",
        pattern=r"^(https?://\S+)?$",
        description="Address of a server that is not the cloud's own, such as MinIO; as `[storage]` unless `endpoint` "
        "or `region` is set here: then credentials are those that the cloud's own chain finds.",
    )
    region: str = Field("", description="Region of S3.")

    def access(self, storage: StorageSettings) -> Access:
        """The same for who opens buckets.

        Raises:
            SettingsError: A variable or a file that holds a secret is not there.
        """
        if self.endpoint or self.region:
            return Access(self.endpoint, self.region)
        return Access(
            storage.endpoint,
            storage.region,
            secret(storage.access_key, "storage.access_key"),
            secret(storage.secret_key, "storage.secret_key"),
            secret(storage.token, "storage.token"),
            storage.anonymous,
        )
