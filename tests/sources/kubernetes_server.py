"""A stand-in for a Kubernetes API server and its nodes: no real one can be had where these tests run.

It speaks the part of the API that collecting reads, over real HTTPS: list (in pages), watch (with bookmarks, 410 for
versions that are forgotten), get of a pod and a namespace, and pods/log with ``follow``, ``sinceTime``, ``timestamps``,
``previous`` and ``container``; 401 and 403 as the real one words them. Logs are what real processes write into real
files, as a node's runtime writes them (``<time> stdout F <text>``), and are given as a kubelet gives them. It cannot
prove that a real cluster behaves as recorded here.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import threading
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import trustme
import yaml
from aiohttp import web
from tests.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TOKEN = "a-token-of-the-tests"  # noqa: S105 - it opens nothing
IMAGE = "registry.example.com:5000/shop/web:1.2"
POLL_S = 0.02
BOOKMARK_S = 0.5


@dataclass
class Run:
    """One run of a container: its id and the file that its process writes."""

    id: str
    log: Path
    ended: bool = False


@dataclass
class Container:
    """A container and all its runs, the last one current."""

    name: str
    kind: str = "containers"
    runs: list[Run] = field(default_factory=list)
    waits: bool = False


@dataclass
class Pod:
    """A pod of the stand-in."""

    namespace: str
    name: str
    containers: list[Container]
    labels: dict[str, str] = field(default_factory=dict)
    uid: str = field(default_factory=lambda: str(uuid4()))
    version: int = 0


class StandIn:
    """The server. Everything that changes its state may be called from the test's own thread.

    Attributes:
        forbidden: Pairs of verb and resource that the account may not use.
        allowed: The only pairs that it may use; None is all.
        rejects: Whether it accepts nobody's credentials.
        asked: Verb and resource of every request that came.
        log_queries: Parameters of every request for a log.
        page: Pods that an answer has at most, where it is to have a limit.
        forgets_pages: Whether the list has changed too much to go on with by its next page.
        noise: A line that is given in the place of a log, as a node does in trouble.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.pods: dict[str, Pod] = {}
        self.forbidden: set[tuple[str, str]] = set()
        self.allowed: set[tuple[str, str]] | None = None
        self.rejects = False
        self.asked: list[tuple[str, str]] = []
        self.log_queries: list[dict[str, str]] = []
        self.noise = b""
        self.page = 500
        self.forgets_pages = False
        self._version = 100
        self._oldest = 0
        self._events: list[tuple[int, dict[str, Any]]] = []
        self._streams: set[asyncio.Transport] = set()
        self._ca = trustme.CA()
        self._ca.cert_pem.write_to_path(str(folder / "ca.pem"))
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._runner: web.AppRunner | None = None
        self.port = free_port()
        self._thread.start()
        self.up()

    @property
    def kubeconfig(self) -> Path:
        """A kubeconfig with this server as the context ``test``, and with one that nobody answers."""
        path = self.folder / "kubeconfig"
        server = {
            "server": f"https://localhost:{self.port}",
            "certificate-authority-data": _base64(self.folder / "ca.pem"),
        }
        away = {**server, "server": "https://localhost:9"}
        strange = {"server": f"https://localhost:{self.port}"}
        clusters = [
            {"name": "one", "cluster": server},
            {"name": "two", "cluster": away},
            {"name": "three", "cluster": strange},
        ]
        contexts = [
            {"name": name, "context": {"cluster": cluster, "user": "someone"}}
            for name, cluster in (("test", "one"), ("away", "two"), ("strange", "three"))
        ]
        contexts.append({"name": "nobody", "context": {"cluster": "one"}})
        config = {"apiVersion": "v1", "kind": "Config", "current-context": "test", "clusters": clusters}
        users = [{"name": "someone", "user": {"token": TOKEN}}]
        path.write_text(yaml.safe_dump({**config, "contexts": contexts, "users": users}), encoding="utf-8")
        return path

    # what tests do to it

    def up(self) -> None:
        """Listen."""
        self._call(self._up())

    def down(self) -> None:
        """Stop listening and cut every connection."""
        self._call(self._down())

    def cut(self) -> None:
        """Cut every connection, without a farewell."""
        self._loop.call_soon_threadsafe(self._abort)

    def close(self) -> None:
        """End it."""
        self.down()
        self._call(_ended())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def add(self, pod: Pod) -> None:
        """A pod appears."""
        self._change(lambda: self.pods.__setitem__(pod.uid, pod), pod, "ADDED")

    def start(self, pod: Pod, name: str) -> Run:
        """A container begins a run: of the one before only the log stays. Returns the run, whose file is there."""
        container = next(one for one in pod.containers if one.name == name)
        log = self.folder / f"{pod.uid}-{name}-{len(container.runs)}.log"
        log.touch()
        run = Run(uuid4().hex * 2, log)

        def begin() -> None:
            if container.runs:
                container.runs[-1].ended = True
            container.runs.append(run)
            container.waits = False

        self._change(begin, pod, "MODIFIED")
        return run

    def end(self, pod: Pod, name: str, *, waits: bool = False) -> None:
        """A container's run ends; it may wait for the next one."""
        container = next(one for one in pod.containers if one.name == name)

        def finish() -> None:
            container.runs[-1].ended = True
            container.waits = waits

        self._change(finish, pod, "MODIFIED")

    def remove(self, pod: Pod) -> None:
        """A pod is deleted, and with it its logs."""
        self._change(lambda: self.pods.pop(pod.uid), pod, "DELETED")

    def forget(self) -> None:
        """Forget what happened so far: versions of it are too old to watch from."""

        async def forgotten() -> None:
            self._version += 1
            self._oldest = self._version
            self._events.clear()

        self._call(forgotten())

    # how it is served

    def _call(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(20)

    def _change(self, change: Callable[[], object], pod: Pod, kind: str) -> None:
        async def changed() -> None:
            change()
            self._version += 1
            pod.version = self._version
            if pod.uid in self.pods or kind == "DELETED":
                self._events.append((self._version, {"type": kind, "object": _pod(pod), "labels": pod.labels}))

        self._call(changed())

    async def _up(self) -> None:
        app = web.Application(middlewares=[_cut_off])
        app.router.add_get("/api/v1/pods", self._pods)
        app.router.add_get("/api/v1/namespaces/{namespace}", self._namespace)
        app.router.add_get("/api/v1/namespaces/{namespace}/pods", self._pods)
        app.router.add_get("/api/v1/namespaces/{namespace}/pods/{pod}", self._one_pod)
        app.router.add_get("/api/v1/namespaces/{namespace}/pods/{pod}/log", self._log)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._ca.issue_cert("localhost").configure_cert(context)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1, handle_signals=False)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "localhost", self.port, ssl_context=context, reuse_address=True)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def _down(self) -> None:
        self._abort()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def _abort(self) -> None:
        for transport in list(self._streams):
            transport.abort()

    def _checked(self, request: web.Request, verb: str, resource: str) -> None:
        self.asked.append((verb, resource))
        if self.rejects or request.headers.get("Authorization") != f"Bearer {TOKEN}":
            raise _status(401, "Unauthorized", "Unauthorized")
        if (verb, resource) in self.forbidden or (verb, resource) not in (self.allowed or {(verb, resource)}):
            namespace = request.match_info.get("namespace")
            where = f'in the namespace "{namespace}"' if namespace else "at the cluster scope"
            user = "system:serviceaccount:logs:collector"
            kind = resource.partition("/")[0]
            text = f'{kind} is forbidden: User "{user}" cannot {verb} resource "{resource}" in API group "" {where}'
            raise _status(403, "Forbidden", text)

    async def _namespace(self, request: web.Request) -> web.Response:
        self._checked(request, "get", "namespaces")
        name = request.match_info["namespace"]
        if name not in {pod.namespace for pod in self.pods.values()} | {"empty"}:
            raise _status(404, "NotFound", f'namespaces "{name}" not found')
        return web.json_response({"kind": "Namespace", "apiVersion": "v1", "metadata": {"name": name}})

    async def _one_pod(self, request: web.Request) -> web.Response:
        self._checked(request, "get", "pods")
        return web.json_response(_pod(self._found(request)))

    def _found(self, request: web.Request) -> Pod:
        namespace, name = request.match_info["namespace"], request.match_info["pod"]
        for pod in self.pods.values():
            if (pod.namespace, pod.name) == (namespace, name):
                return pod
        raise _status(404, "NotFound", f'pods "{name}" not found')

    def _matches(self, request: web.Request, namespace: str, labels: dict[str, str]) -> bool:
        wanted = [one.split("=", 1) for one in request.query.get("labelSelector", "").split(",") if one]
        own = request.match_info.get("namespace")
        return own in (None, namespace) and all(labels.get(key) == value for key, value in wanted)

    async def _pods(self, request: web.Request) -> web.StreamResponse:
        if request.query.get("watch") == "true":
            return await self._watch(request)
        self._checked(request, "list", "pods")
        pods = [pod for pod in self.pods.values() if self._matches(request, pod.namespace, pod.labels)]
        begin = int(request.query.get("continue", "0"))
        if begin and self.forgets_pages:
            raise _status(410, "Expired", "The provided continue parameter is too old to display a consistent list")
        limit = int(request.query.get("limit", "0"))
        size = min(limit, self.page) if limit else len(pods)
        about: dict[str, Any] = {"resourceVersion": str(self._version)}
        if begin + size < len(pods):
            about["continue"] = str(begin + size)
        items = [_pod(pod) for pod in pods[begin : begin + size]]
        return web.json_response({"kind": "PodList", "apiVersion": "v1", "metadata": about, "items": items})

    async def _watch(self, request: web.Request) -> web.StreamResponse:
        self._checked(request, "watch", "pods")
        version = int(request.query["resourceVersion"])
        answer = await self._begun(request, "application/json")
        told, quiet = version, 0.0
        while True:
            if told < self._oldest:
                text = f"too old resource version: {told} ({self._version})"
                gone = {"kind": "Status", "status": "Failure", "message": text, "reason": "Expired", "code": 410}
                await answer.write(json.dumps({"type": "ERROR", "object": gone}).encode() + b"\n")
                return answer
            for number, event in list(self._events):
                if number > told and self._matches(request, event["object"]["metadata"]["namespace"], event["labels"]):
                    plain = {"type": event["type"], "object": event["object"]}
                    await answer.write(json.dumps(plain).encode() + b"\n")
                told = max(told, number)
            quiet += POLL_S
            if quiet > BOOKMARK_S and request.query.get("allowWatchBookmarks") == "true":
                mark = {"kind": "Pod", "metadata": {"resourceVersion": str(told)}}
                await answer.write(json.dumps({"type": "BOOKMARK", "object": mark}).encode() + b"\n")
                quiet = 0.0
            await asyncio.sleep(POLL_S)

    async def _begun(self, request: web.Request, kind: str) -> web.StreamResponse:
        answer = web.StreamResponse(headers={"Content-Type": kind})
        await answer.prepare(request)
        transport = request.transport
        assert isinstance(transport, asyncio.Transport)
        self._streams = {one for one in self._streams if not one.is_closing()} | {transport}
        return answer

    async def _log(self, request: web.Request) -> web.StreamResponse:
        self._checked(request, "get", "pods/log")
        query = dict(request.query)
        self.log_queries.append(query)
        pod = self._found(request)
        container = next((one for one in pod.containers if one.name == query["container"]), None)
        if container is None:
            raise _status(400, "BadRequest", f"container {query['container']} is not valid for pod {pod.name}")
        run = _asked_for(pod, container, previous=query.get("previous") == "true")
        answer = await self._begun(request, "text/plain")
        if self.noise:
            noise, self.noise = self.noise, b""
            await answer.write(noise)
            return answer
        since = datetime.fromisoformat(query["sinceTime"]) if "sinceTime" in query else None
        with run.log.open("rb") as file:
            rest, skipping = b"", since is not None
            while True:
                over = run.ended or pod.uid not in self.pods
                data = file.read(2**18)
                *lines, rest = (rest + data).split(b"\n")
                if skipping and since is not None:
                    lines = [line for line in lines if _time(line) >= since]
                    skipping = not lines
                if lines:
                    await answer.write(b"".join(line.replace(b" stdout F ", b" ", 1) + b"\n" for line in lines))
                if not data:
                    if over:
                        await answer.write(rest.replace(b" stdout F ", b" ", 1))
                    if over or query.get("follow") != "true":
                        return answer
                    await asyncio.sleep(POLL_S)


async def _ended() -> None:
    """End what is still being served."""
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await asyncio.sleep(0.05)  # clients that have gone in the middle of a handshake are noticed


@web.middleware
async def _cut_off(request: web.Request, handler: Any) -> web.StreamResponse:
    """A client that was cut off is no fault of the server's."""
    try:
        answer: web.StreamResponse = await handler(request)
    except ConnectionError:
        return web.Response()
    return answer


def _asked_for(pod: Pod, container: Container, *, previous: bool) -> Run:
    """The run whose log is meant, by a kubelet's rules."""
    runs = container.runs
    name = f'"{container.name}" in pod "{pod.name}"'
    if container.waits:
        return runs[-1]
    if previous:
        if len(runs) < 2:
            raise _status(400, "BadRequest", f"previous terminated container {name} not found")
        return runs[-2]
    if not runs:
        raise _status(400, "BadRequest", f"container {name} is waiting to start: ContainerCreating")
    return runs[-1]


def _time(line: bytes) -> datetime:
    return datetime.fromisoformat(line[: line.find(b" ")].decode())


def _pod(pod: Pod) -> dict[str, Any]:
    about = {
        "name": pod.name,
        "namespace": pod.namespace,
        "uid": pod.uid,
        "resourceVersion": str(pod.version),
        "labels": pod.labels,
        "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "shop-7d9c5b6f4", "uid": "u"}],
    }
    spec: dict[str, Any] = {"nodeName": "node-1", "containers": [], "initContainers": []}
    status: dict[str, Any] = {"phase": "Running", "containerStatuses": [], "initContainerStatuses": []}
    for one in pod.containers:
        spec[one.kind].append({"name": one.name, "image": IMAGE})
        status["containerStatuses" if one.kind == "containers" else "initContainerStatuses"].append(_state(one))
    return {"kind": "Pod", "apiVersion": "v1", "metadata": about, "spec": spec, "status": status}


def _state(container: Container) -> dict[str, Any]:
    runs = container.runs
    ids = [f"containerd://{run.id}" for run in runs]
    status: dict[str, Any] = {"name": container.name, "restartCount": max(len(runs) - 1, 0), "lastState": {}}
    status |= {"image": IMAGE, "imageID": f"{IMAGE}@sha256:0", "ready": bool(runs) and not runs[-1].ended}
    if not runs:
        return {**status, "state": {"waiting": {"reason": "ContainerCreating"}}}
    status["containerID"] = ids[-1]
    if container.waits:
        last = {"terminated": {"containerID": ids[-1], "exitCode": 1}}
        return {**status, "state": {"waiting": {"reason": "CrashLoopBackOff"}}, "lastState": last}
    if len(runs) > 1:
        status["lastState"] = {"terminated": {"containerID": ids[-2], "exitCode": 1}}
    ended = {"terminated": {"containerID": ids[-1], "exitCode": 0}}
    return {**status, "state": ended if runs[-1].ended else {"running": {"startedAt": "2026-01-05T10:00:00Z"}}}


def _status(code: int, reason: str, message: str) -> web.HTTPException:
    body = {"kind": "Status", "apiVersion": "v1", "status": "Failure"}
    text = json.dumps({**body, "message": message, "reason": reason, "code": code})
    kinds = {
        400: web.HTTPBadRequest,
        401: web.HTTPUnauthorized,
        403: web.HTTPForbidden,
        404: web.HTTPNotFound,
        410: web.HTTPGone,
    }
    return kinds[code](text=text, content_type="application/json")


def _base64(path: Path) -> str:
    import base64  # noqa: PLC0415 - only here

    return base64.b64encode(path.read_bytes()).decode()
