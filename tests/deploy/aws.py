"""The few words of the `aws` command that docs/operations.md uses, for where that command is not installed.

Only ``s3 sync`` and ``s3 cp`` between buckets, with ``--exclude``; against the server that ``AWS_ENDPOINT_URL`` names.
"""

from __future__ import annotations

import argparse
from fnmatch import fnmatchcase
from typing import Any

import boto3


def parts(address: str) -> tuple[str, str]:
    """Bucket and key."""
    bucket, _, key = address.removeprefix("s3://").partition("/")
    return bucket, key


def copy(client: Any, source: str, target: str) -> None:
    """Copy one object."""
    (bucket, key), (there, name) = parts(source), parts(target)
    client.copy_object(CopySource={"Bucket": bucket, "Key": key}, Bucket=there, Key=name)


def sync(client: Any, source: str, target: str, exclude: list[str]) -> None:
    """Copy what the target does not have."""
    bucket, prefix = parts(source)
    there, place = parts(target)
    pages = client.get_paginator("list_objects_v2")
    has = {one["Key"] for page in pages.paginate(Bucket=there, Prefix=place) for one in page.get("Contents", [])}
    for page in pages.paginate(Bucket=bucket, Prefix=prefix):
        for one in page.get("Contents", []):
            rest = one["Key"].removeprefix(prefix)
            if place + rest not in has and not any(fnmatchcase(rest, pattern) for pattern in exclude):
                copy(client, f"s3://{bucket}/{one['Key']}", f"s3://{there}/{place}{rest}")


def main() -> None:
    """Do what the words say."""
    parser = argparse.ArgumentParser()
    parser.add_argument("service", choices=["s3"])
    parser.add_argument("verb", choices=["sync", "cp"])
    parser.add_argument("--only-show-errors", action="store_true")
    parser.add_argument("--exclude", action="append", default=[])
    parser.add_argument("source")
    parser.add_argument("target")
    given = parser.parse_args()
    client = boto3.client("s3")
    if given.verb == "cp":
        copy(client, given.source, given.target)
    else:
        sync(client, given.source, given.target, given.exclude)


if __name__ == "__main__":
    main()
