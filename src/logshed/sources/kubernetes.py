"""A Kubernetes cluster as a feed: the logs of all containers of all pods that match, by reading its API alone."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

import orjson

from logshed.errors import LogshedError, SourceError
from logshed.sources.kubernetes_api import BrokenError, Call, Cluster, RefusedError, SilentError, refused
from logshed.sources.kubernetes_follower import FIRST_PAUSE_S, LONGEST_PAUSE_S, Follower
from logshed.sources.kubernetes_pods import found

if TYPE_CHECKING:
    from collections.abc import Mapping

    from logshed.sources.feeds import Sink
    from logshed.sources.kubernetes_pods import Container
    from logshed.sources.kubernetes_wanted import Wanted

log = logging.getLogger(__name__)

AT_ONCE = 64
"""Logs that are read at once where they are not followed."""
WATCH = "pods"
"""What the watch is called where it is told of."""
FORBIDDEN, NOT_FOUND, GONE = 403, 404, 410


class KubernetesFeed:
    """The containers of a cluster, or of one namespace of it."""

    def __init__(self, wanted: Wanted) -> None:
        """Check what is asked.

        Raises:
            UsageError: The namespace is none.
        """
        wanted.check()
        self._wanted = wanted
        self._cluster = Cluster(wanted.context, wanted.kubeconfig)
        self._followers: dict[tuple[str, str], Follower] = {}
        self._names: dict[str, set[tuple[str, str]]] = {}  # pods' uids and what is followed of them
        self._tasks: set[asyncio.Task[None]] = set()
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._failed: list[str] = []
        self._refused = asyncio.Event()

    @property
    def name(self) -> str:
        """``kubernetes:`` and the context, or ``current``; with the namespace where it is one."""
        of_one = f"/{self._wanted.namespace}" if self._wanted.namespace else ""
        return f"kubernetes:{self._wanted.context or 'current'}{of_one}"

    async def run(self, sink: Sink) -> None:
        """Bring the logs of all containers; where they are followed, those that come too.

        Raises:
            SourceError: Nothing can be collected: no such context, namespace or pod, no rights, no API there.
        """
        async with self._cluster:
            try:
                about = {"api": self._cluster.host, "selector": self._wanted.selector}
                await asyncio.to_thread(sink.note, "list pods", self.name, "ok", about)
                version = await self._list(sink)
                if not self._followers:
                    await self._nothing(sink)
                if self._wanted.follow:
                    await self._watched(version, sink)
                else:
                    await asyncio.gather(*self._tasks)
                    if self._failed and len(self._failed) == len(self._followers):
                        raise SourceError(self._failed[0])
            finally:
                for task in self._tasks:
                    task.cancel()
                await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _list(self, sink: Sink) -> str:
        """Take all pods that there are now: the version of the list, from which a watch goes on."""
        seen: set[str] = set()
        following: dict[str, str] = {}
        while True:
            try:
                page = await self._cluster.read(self._wanted.listed(following))
            except RefusedError as error:
                if error.status != GONE or "continue" not in following:
                    raise
                following = {"limit": "0"}  # pages came so slowly that the API forgot where it was: all at once
                continue
            for pod in page.get("items") or ():
                seen.add(self._take(pod, sink))
            about = page.get("metadata") or {}
            if not about.get("continue"):
                break
            following = {"continue": str(about["continue"])}
        for uid in self._names.keys() - seen:
            self._leave(uid)
        return str(about.get("resourceVersion") or "")

    async def _watched(self, version: str, sink: Sink) -> None:
        """Watch for pods until cancelled, or until no log at all may be read."""
        watching = asyncio.ensure_future(self._watch(version, sink))
        refusing = asyncio.ensure_future(self._refused.wait())
        try:
            await asyncio.wait((watching, refusing), return_when=asyncio.FIRST_COMPLETED)
            if watching.done():
                watching.result()
            raise SourceError(next(iter(one.refusal for one in self._followers.values() if one.refusal)))
        finally:
            watching.cancel()
            refusing.cancel()
            await asyncio.gather(watching, refusing, return_exceptions=True)

    async def _watch(self, version: str, sink: Sink) -> None:
        pause = FIRST_PAUSE_S
        while True:
            try:
                if not version:
                    version = await self._list(sink)
                call = self._wanted.watched(version)
                async with self._cluster.opened(call) as lines:
                    sink.tell(WATCH, "following")
                    async for chunk in lines.chunks():
                        for line in chunk:
                            version = self._event(call, line, sink) or version
                        pause = FIRST_PAUSE_S
            except SilentError:
                continue
            except (BrokenError, RefusedError) as error:
                if isinstance(error, RefusedError) and error.status == GONE:
                    version = ""  # the API has forgotten what came since: all pods are listed again
                    continue
                sink.tell(WATCH, "waiting", str(error))
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE_S)

    def _event(self, call: Call, line: bytes, sink: Sink) -> str:
        """Take what a watch tells: the version that it comes to.

        Raises:
            RefusedError: The watch cannot go on; with the status 410 its version is too old.
        """
        if not line:
            return ""
        try:
            event = orjson.loads(line)
            kind, pod = event["type"], event["object"]
        except (ValueError, KeyError, TypeError):
            raise RefusedError(f"cannot {call.what}: the API answers what is no event; see its log", 0) from None
        if kind == "ERROR":
            raise refused(call, int(pod.get("code") or 0), orjson.dumps(pod))
        if kind in ("ADDED", "MODIFIED"):
            self._take(pod, sink)
        elif kind == "DELETED":
            self._take(pod, sink)
            self._leave(str((pod.get("metadata") or {}).get("uid") or ""))
        return str((pod.get("metadata") or {}).get("resourceVersion") or "")

    def _take(self, pod: Mapping[str, Any], sink: Sink) -> str:
        """Follow what is new of a pod, and tell what is known of the rest: the pod's uid."""
        about = pod.get("metadata") or {}
        uid = str(about.get("uid") or "")
        keys = self._names.setdefault(uid, set())
        for container, runs in found(pod, self._cluster.name, every=self._wanted.every):
            if container.key in keys:
                self._followers[container.key].learn(runs)
                continue
            keys.add(container.key)
            follower = self._follower(container, sink)
            follower.learn(runs)
            self._followers[container.key] = follower
            self._tasks.add(asyncio.ensure_future(self._guarded(follower, container, sink)))
        return uid

    def _follower(self, container: Container, sink: Sink) -> Follower:
        wanted = self._wanted

        async def asked() -> None:
            path = f"/api/v1/namespaces/{container.namespace}/pods/{container.pod}"
            try:
                pod = await self._cluster.read(Call("get", "pods", path, "read a pod", container.namespace))
            except RefusedError as error:
                if error.status != NOT_FOUND:
                    raise
                pod = {}
            if (pod.get("metadata") or {}).get("uid") == container.uid:
                self._take(pod, sink)
            else:
                self._leave(container.uid)

        return Follower(
            self._cluster,
            container,
            container.stream(self._cluster.name, wanted.collection),
            sink,
            since=wanted.since,
            follow=wanted.follow,
            previous=wanted.previous,
            asked=asked,
            heard=self._heard,
        )

    def _heard(self) -> None:
        """Note where no log at all may be read."""
        followers = self._followers.values()
        if all(one.refusal for one in followers) and not any(one.served for one in followers):
            self._refused.set()

    def _leave(self, uid: str) -> None:
        """Let go of a pod that is gone."""
        for key in self._names.pop(uid, set()):
            if key in self._followers:
                self._followers[key].leave()

    async def _guarded(self, follower: Follower, container: Container, sink: Sink) -> None:
        """Run one follower; what happens to it stops no other."""
        try:
            if self._wanted.follow:
                await follower.run()
            else:
                async with self._slots:
                    await follower.run()
        except LogshedError as error:
            self._fail(container, str(error), sink)
        except Exception as error:
            log.exception("%s failed", container.target)
            self._fail(container, f"cannot go on: {type(error).__name__}: {error}; see the log", sink)
        finally:
            if follower.gone:
                del self._followers[container.key]
            task = asyncio.current_task()
            if task is not None and self._wanted.follow:
                self._tasks.discard(task)

    def _fail(self, container: Container, text: str, sink: Sink) -> None:
        self._failed.append(text)
        sink.tell(container.target, "failed", text)

    async def _nothing(self, sink: Sink) -> None:
        """Say that there is no pod.

        Raises:
            SourceError: The namespace does not exist; or pods are not waited for.
        """
        wanted = self._wanted
        where, matching = wanted.where(self._cluster.name), wanted.matching
        if wanted.namespace:
            await self._existing(wanted.namespace)
        if not wanted.follow:
            raise SourceError(
                f"cannot collect from {where}: it has no pod{matching}; check --namespace and --selector, or --follow"
            )
        sink.tell(WATCH, "waiting", f"{where} has no pod{matching} yet")

    async def _existing(self, namespace: str) -> None:
        """Ask for a namespace; who may not ask that is told only that there are no pods."""
        call = Call("get", "namespaces", f"/api/v1/namespaces/{namespace}", f"read the namespace {namespace}")
        try:
            await self._cluster.read(call)
        except RefusedError as error:
            if error.status == NOT_FOUND:
                raise SourceError(
                    f"cannot collect from the namespace {namespace!r}: the cluster {self._cluster.name} has none "
                    "of that name; `kubectl get namespaces` lists them"
                ) from None
            if error.status != FORBIDDEN:
                raise
