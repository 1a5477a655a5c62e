"""What a pod's object says: its containers, which of their runs the API has the log of, and where they run."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from logshed.sources.feeds import Stream

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

NAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
"""What names of namespaces, pods and containers are made of."""
KINDS = (
    ("containers", "containerStatuses", False),
    ("initContainers", "initContainerStatuses", True),
    ("ephemeralContainers", "ephemeralContainerStatuses", True),
)
"""Where containers and their states stand, and whether they are taken only with all containers."""
OWNERS = {"ReplicaSet": "replicaset", "StatefulSet": "statefulset", "DaemonSet": "daemonset", "Job": "job"}
"""Kinds of owners, and what OpenTelemetry calls them."""
SERVICE_LABELS = ("app.kubernetes.io/name", "k8s-app", "app")
"""Labels that name the service, best first; without one it is the container's name."""
_UID_LETTERS = 8
_MARK_LETTERS = 16


@dataclass(frozen=True, slots=True)
class Runs:
    """Which runs of a container the API has the log of.

    Attributes:
        current: Mark of the run whose log ``previous=false`` gives; empty where there is none yet.
        ended: Whether that run has ended.
        previous: Mark of the run whose log ``previous=true`` gives; empty where there is none.
    """

    current: str = ""
    ended: bool = False
    previous: str = ""


@dataclass(frozen=True, slots=True)
class Container:
    """A container of a pod.

    Attributes:
        namespace: The namespace.
        pod: The pod's name.
        uid: What tells the pod from others that bore its name.
        name: The container's name.
        resource: OpenTelemetry's resource attributes, sorted.
        workload: What the pod is a replica of, or empty.
    """

    namespace: str
    pod: str
    uid: str
    name: str
    resource: tuple[tuple[str, str], ...] = ()
    workload: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """What tells it from all others."""
        return self.uid, self.name

    @property
    def target(self) -> str:
        """What to call it."""
        return f"{self.namespace}/{self.pod}/{self.name}"

    def stream(self, cluster: str, collection: str) -> Stream:
        """Its lines."""
        source = f"kubernetes:{cluster}/{self.namespace}/{self.pod}/{self.uid[:_UID_LETTERS]}/{self.name}"
        alike = f"{self.namespace}/{self.workload}/{self.name}" if self.workload else ""
        return Stream(source, collection, self.resource, target=self.target, alike=alike)


def found(pod: Mapping[str, Any], cluster: str, *, every: bool) -> Iterator[tuple[Container, Runs]]:
    """A pod's containers and their runs; what bears a name that no pod can have is left out.

    Args:
        pod: The API's object.
        cluster: What the cluster is called.
        every: Whether to take init containers that run once, and ephemeral ones.
    """
    about, spec, status = (pod.get(part) or {} for part in ("metadata", "spec", "status"))
    namespace, name, uid = (str(about.get(key) or "") for key in ("namespace", "name", "uid"))
    if not (NAME.fullmatch(namespace) and NAME.fullmatch(name)):
        return
    workload = next((str(one.get("uid")) for one in about.get("ownerReferences") or () if one.get("uid")), "")
    for where, states, asked in KINDS:
        by_name = {one.get("name"): one for one in status.get(states) or ()}
        for one in spec.get(where) or ():
            sidecar = one.get("restartPolicy") == "Always"
            if NAME.fullmatch(str(one.get("name"))) and (every or sidecar or not asked):
                resource = tuple(sorted(_resource(about, spec, one, cluster).items()))
                container = Container(namespace, name, uid, one["name"], resource, workload)
                yield container, _runs(by_name.get(one["name"], {}))


def _runs(status: Mapping[str, Any]) -> Runs:
    """A dead container that waits for its next start has only its last run, which counts as the previous."""
    state, last = status.get("state") or {}, status.get("lastState") or {}
    before = _mark((last.get("terminated") or {}).get("containerID"))
    if "running" in state:
        return Runs(_mark(status.get("containerID")), ended=False, previous=before)
    if "terminated" in state:
        own = (state["terminated"] or {}).get("containerID") or status.get("containerID")
        return Runs(_mark(own), ended=True, previous=before)
    return Runs(previous=before)


def _mark(container_id: object) -> str:
    return str(container_id or "").rpartition("/")[2][:_MARK_LETTERS]


def _resource(
    about: Mapping[str, Any], spec: Mapping[str, Any], container: Mapping[str, Any], cluster: str
) -> dict[str, str]:
    labels = {str(key): str(value) for key, value in (about.get("labels") or {}).items()}
    name = str(container["name"])
    service = next((labels[label] for label in SERVICE_LABELS if labels.get(label)), name)
    image, tag = _image(str(container.get("image") or ""))
    owners = about.get("ownerReferences") or ()
    owned = {f"k8s.{OWNERS[one['kind']]}.name": str(one.get("name")) for one in owners if one.get("kind") in OWNERS}
    given = {
        "k8s.cluster.name": cluster,
        "k8s.namespace.name": about.get("namespace"),
        "k8s.node.name": spec.get("nodeName"),
        "k8s.pod.name": about.get("name"),
        "k8s.pod.uid": about.get("uid"),
        "k8s.container.name": name,
        "container.name": name,
        "container.image.name": image,
        "container.image.tags": tag,
        "service.name": service,
    }
    of_labels = {f"k8s.pod.label.{key}": value for key, value in labels.items()}
    return {key: str(value) for key, value in (given | owned | of_labels).items() if value}


def _image(image: str) -> tuple[str, str]:
    """An image's name and its tag or digest."""
    name, at, digest = image.partition("@")
    before, colon, tag = name.rpartition(":")
    if colon and "/" not in tag:
        return before, tag + at + digest
    return name, digest
