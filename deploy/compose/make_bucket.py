"""Makes the bucket of compose.yaml's lake where there is none: `make_bucket.py URL BUCKET`, keys in /run/secrets."""

from __future__ import annotations

import sys
from http import HTTPStatus
from pathlib import Path

import boto3
from botocore.exceptions import ClientError

SECRETS = Path("/run/secrets")
OURS = ("BucketAlreadyOwnedByYou", "BucketAlreadyExists")


def make(url: str, bucket: str, secrets: Path = SECRETS) -> str:
    """Make the bucket, and say what came of it.

    Raises:
        ClientError: The server refuses.
    """
    keys = [(secrets / name).read_text().strip() for name in ("s3_access_key", "s3_secret_key")]
    client = boto3.client(
        "s3", endpoint_url=url, region_name="us-east-1", aws_access_key_id=keys[0], aws_secret_access_key=keys[1]
    )
    try:
        client.head_bucket(Bucket=bucket)
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] != HTTPStatus.NOT_FOUND:
            raise
    else:
        return f"The bucket {bucket} is there."
    try:
        client.create_bucket(Bucket=bucket)
    except ClientError as error:
        if error.response["Error"]["Code"] not in OURS:
            raise
    return f"Made the bucket {bucket}."


if __name__ == "__main__":
    print(make(sys.argv[1], sys.argv[2]))
