"""The settings of the engine that runs the work: a table ``[engine]`` of logshed.toml."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from logshed.sizes import Size

EngineName = Literal["local", "ray", "spark"]
RETRIES = 3


class EngineSettings(BaseModel):
    """Where ingest, reparse, compaction, detection and aggregation run."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: EngineName = Field(
        "local", description="`local` (threads of this process), `ray` (Ray Data) or `spark` (PySpark)."
    )
    address: str | None = Field(
        None,
        description="The cluster: of Ray `auto` or `host:6379`, of Spark `spark://host:7077`, `yarn`, `k8s://…`; "
        "one is begun on this machine unless set.",
    )
    num_cpus: int | None = Field(None, ge=1, description="Processors to use; all unless set.")
    task_cpus: int | None = Field(None, ge=1, description="Processors that a task takes; one unless set.")
    task_memory: Size | None = Field(
        None,
        description="Memory that a task takes, such as `2GB`: fewer run at once; not counted unless set.",
    )
    progress_bars: bool = Field(False, description="Ray and Spark draw their own progress in place of ours.")
    retries: int | None = Field(
        None, ge=0, le=100, description="How often a task is begun again whose worker was lost; 3 times unless set."
    )
