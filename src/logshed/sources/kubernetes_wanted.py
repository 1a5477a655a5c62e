"""What is asked of a cluster: which pods, from when on, and the calls that find them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from logshed.errors import UsageError
from logshed.sources.kubernetes_api import Call
from logshed.sources.kubernetes_pods import NAME

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

PAGE = 500
"""Pods of one answer."""
WATCH_S = 300
"""How long the API keeps one watch open; the next goes on where it ended."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked of a cluster.

    Attributes:
        context: The context in the kubeconfig; empty takes the current one, or the pod's own service account.
        kubeconfig: The kubeconfig; empty takes ``KUBECONFIG`` or ``~/.kube/config``.
        namespace: The namespace; empty takes all.
        selector: Labels of the pods, as ``kubectl -l`` takes them.
        since: Lines from then on, of containers of which nothing came before.
        every: Also init containers and ephemeral ones.
        follow: Go on with what comes.
        previous: Also the run before the current one, of containers of which nothing came before.
        collection: Collection of the records; empty takes the run's.
    """

    context: str = ""
    kubeconfig: str = ""
    namespace: str = ""
    selector: str = ""
    since: datetime | None = None
    every: bool = False
    follow: bool = False
    previous: bool = False
    collection: str = ""

    def check(self) -> None:
        """Look at what goes into a path.

        Raises:
            UsageError: The namespace is none.
        """
        if self.namespace and not NAME.fullmatch(self.namespace):
            raise UsageError(
                f"cannot collect from the namespace {self.namespace!r}: that is no name of one; "
                "write small letters, digits and hyphens"
            )

    def where(self, cluster: str) -> str:
        """What is looked at, for people."""
        return f"the namespace {self.namespace!r}" if self.namespace else f"the cluster {cluster}"

    @property
    def matching(self) -> str:
        """What is looked for in it, for people."""
        return f" whose labels match {self.selector!r}" if self.selector else ""

    def listed(self, following: Mapping[str, str]) -> Call:
        """A page of the list of pods."""
        return self._call("list", "list pods", {"limit": str(PAGE), **following})

    def watched(self, version: str) -> Call:
        """What happens to pods after a version of their list."""
        query = {"watch": "true", "allowWatchBookmarks": "true", "timeoutSeconds": str(WATCH_S)}
        return self._call("watch", "watch pods", {**query, "resourceVersion": version})

    def _call(self, verb: str, what: str, query: Mapping[str, str]) -> Call:
        where = f" in the namespace {self.namespace}" if self.namespace else " in all namespaces"
        path = f"/api/v1/namespaces/{self.namespace}/pods" if self.namespace else "/api/v1/pods"
        selected = {"labelSelector": self.selector} if self.selector else {}
        return Call(verb, "pods", path, f"{what}{where}", self.namespace, {**query, **selected})
