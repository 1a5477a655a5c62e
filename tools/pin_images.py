"""Writes behind each tag of an image in deploy/ the digest that it has in its registry now: `tools/pin_images.py`.

With --check it writes nothing, and exits with 1 where a reference has no digest or another one. The digest is that of
the list of all platforms. Registries are asked without an account.
"""
# ruff: noqa: T201, INP001 - a script that talks to people

from __future__ import annotations

import re
import sys
from http import HTTPStatus
from pathlib import Path

import urllib3

ROOT = Path(__file__).parent.parent
FILES = ("deploy/docker/Dockerfile", "deploy/compose.yaml")
REFERENCE = re.compile(
    r"^(?P<before>ARG \w+_IMAGE=|\s*image: )"
    r"(?P<name>[a-z0-9.-]+(?::\d+)?/[a-z0-9/._-]+):(?P<tag>[\w.-]+)(?:@sha256:[0-9a-f]{64})?$",
    re.MULTILINE,
)
HUB = {"docker.io": "registry-1.docker.io"}
KINDS = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
SECONDS = 30


def digest(name: str, tag: str) -> str:
    """The digest that a tag has now.

    Args:
        name: Registry and repository, such as ``docker.io/library/python``.
        tag: The tag.

    Raises:
        HTTPError: The registry does not answer.
        ValueError: It does not have it, or does not let in.
    """
    host, _, repository = name.partition("/")
    scheme = "http" if host.startswith(("127.0.0.1:", "localhost:")) else "https"
    url = f"{scheme}://{HUB.get(host, host)}/v2/{repository}/manifests/{tag}"
    answer = _head(url, "")
    if answer.status == HTTPStatus.UNAUTHORIZED:
        answer = _head(url, _token(answer.headers.get("WWW-Authenticate", "")))
    found = answer.headers.get("Docker-Content-Digest", "")
    if answer.status != HTTPStatus.OK or not re.fullmatch("sha256:[0-9a-f]{64}", found):
        raise ValueError(f"{url} answers {answer.status} and no digest")
    return found


def _head(url: str, token: str) -> urllib3.BaseHTTPResponse:
    headers = {"Accept": ", ".join(KINDS), **({"Authorization": f"Bearer {token}"} if token else {})}
    return urllib3.request("HEAD", url, headers=headers, timeout=SECONDS, retries=False)


def _token(challenge: str) -> str:
    """What lets one in who has no account, from where the registry says."""
    words = dict(re.findall(r'(\w+)="([^"]*)"', challenge))
    realm = words.pop("realm", "")
    if not realm.startswith(("https://", "http://127.0.0.1:")):
        raise ValueError(f"the registry asks for {challenge or 'nothing that is known'}")
    told = urllib3.request("GET", realm, fields=words, timeout=SECONDS).json()
    return str(told.get("token") or told["access_token"])


def pinned(text: str) -> str:
    """A text with the digests of today."""

    def one(found: re.Match[str]) -> str:
        return f"{found['before']}{found['name']}:{found['tag']}@{digest(found['name'], found['tag'])}"

    return REFERENCE.sub(one, text)


def main() -> int:
    """Pin the images of every file, or say which are not."""
    stale = []
    for name in FILES:
        path = ROOT / name
        before = path.read_text(encoding="utf-8")
        try:
            after = pinned(before)
        except (urllib3.exceptions.HTTPError, ValueError) as error:
            print(f"cannot pin {name}: {error}; try again, or look at the reference", file=sys.stderr)
            return 1
        if after != before:
            stale.append(name)
            if "--check" not in sys.argv[1:]:
                path.write_text(after, encoding="utf-8")
    print(
        f"{'Not pinned' if '--check' in sys.argv[1:] else 'Pinned'}: {', '.join(stale)}" if stale else "All are pinned."
    )
    return 1 if stale and "--check" in sys.argv[1:] else 0


if __name__ == "__main__":
    sys.exit(main())
