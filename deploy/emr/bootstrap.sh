#!/usr/bin/env bash
# Bootstrap action of an EMR cluster (release 7): Logshed in an environment of Python 3.11 on each machine.
#   bootstrap.sh s3://company-logs/code/logshed-0.1.0-py3-none-any.whl
set -euo pipefail

wheel=$1
sudo dnf install -y -q python3.11 python3.11-pip
sudo python3.11 -m venv /opt/logshed
aws s3 cp --only-show-errors "$wheel" /tmp/
sudo /opt/logshed/bin/pip install -q --no-cache-dir "/tmp/$(basename "$wheel")[s3,glue]"
