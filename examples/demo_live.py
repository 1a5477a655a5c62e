"""Shows what is live: a Redis, the sample logs in a lake, the map, and a replay of a day of them in two minutes."""

# ruff: noqa: T201, INP001, S603 - a script that talks to people and starts programs

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import webbrowser
from pathlib import Path

HERE = Path(__file__).parent
BUILD = HERE.parent / "build" / "demo-live"
LISTEN = "127.0.0.1:8610"
DAY = ("--since", "2015-05-20T00:00:00Z", "--until", "2015-05-20T21:10:00Z")
LOGSHED = [sys.executable, "-m", "logshed"]


def main() -> int:
    """Start all of it and wait for Ctrl-C; returns the exit code."""
    server = shutil.which("redis-server") or shutil.which("valkey-server")
    if server is None:
        print("cannot start the demonstration: there is no redis-server; apt-get install redis-server")
        return 1
    shutil.rmtree(BUILD, ignore_errors=True)
    BUILD.mkdir(parents=True)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = {
        **os.environ,
        "LOGSHED_LIVE_REDIS": f"redis://127.0.0.1:{port}/0",
        "LOGSHED_LAKE": str(BUILD / "lake"),
        "LOGSHED_ENRICHMENT_GEOIP": str(HERE / "places.mmdb"),
    }
    words = f"--port {port} --bind 127.0.0.1 --maxmemory 128mb --dir {BUILD} --logfile redis.log --daemonize no".split()
    running = [subprocess.Popen([server, *words, "--save", ""], stdout=subprocess.DEVNULL)]
    try:
        print("Taking the sample logs into a lake …", flush=True)
        subprocess.run([*LOGSHED, "ingest", str(HERE / "access.log")], env=environment, check=True)
        running.append(subprocess.Popen([*LOGSHED, "live", "map", "--no-tokens", "--listen", LISTEN], env=environment))
        replay = [*LOGSHED, "replay", *DAY, "--duration", "2m", "--loop"]
        replaying = subprocess.Popen(replay, env=environment, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
        running.append(replaying)
        counting = [*LOGSHED, "live", "import", "--collection", "sample"]
        running.append(subprocess.Popen(counting, env=environment, stdin=replaying.stdout))
        time.sleep(2)
        print(f"\nOpen http://{LISTEN}/ : a day of requests in two minutes, again and again. Ctrl-C ends it.")
        print(f"In another terminal: LOGSHED_LIVE_REDIS=redis://127.0.0.1:{port}/0 logshed live countries")
        webbrowser.open(f"http://{LISTEN}/")
        while all(one.poll() is None for one in running):
            time.sleep(0.5)
        print("a part of the demonstration has ended; what it said stands above")
    except KeyboardInterrupt:
        return 0
    finally:
        for one in reversed(running):
            one.send_signal(signal.SIGTERM)
        for one in running:
            one.wait(10)
    return 1


if __name__ == "__main__":
    sys.exit(main())
