"""Sigma rules for Linux, applications and databases compile, and find what they ask for."""

from __future__ import annotations

from typing import Any

import pytest

from logshed.detections.loading import read_rules
from logshed.detections.model import Case
from logshed.errors import DetectionError
from logshed.pipeline.rule_cases import CaseReader, find
from logshed.settings import Settings

RULE = """title: A rule
logsource: {source}
detection:
  selection:
    {wanted}
  condition: selection
"""
EXECVE = {
    "event_name": "EXECVE",
    "log_format": "auditd",
    "attributes.auditd.a0": "base64",
    "attributes.auditd.a1": "-d",
}
LAUREL = {
    "event_name": "SYSCALL",
    "log_format": "laurel",
    "user_id": "anna",
    "attributes.process.executable.path": "/usr/bin/base64",
    "attributes.process.command_args": '["base64","-d"]',
    "attributes.process.parent.executable.path": "/usr/bin/bash",
}
SYSCALL = {
    "event_name": "SYSCALL",
    "log_format": "auditd",
    "attributes.auditd.syscall": "59",
    "attributes.auditd.arch": "c000003e",
    "attributes.process.executable.path": "/usr/bin/useradd",
}


def _found(source: str, wanted: str, event: dict[str, Any]) -> bool:
    rules = read_rules("rule", RULE.format(source=source, wanted=wanted), "rule.yml")
    rows = CaseReader(Settings()).rows(Case("", holds=True, events=(event,)))
    return not find(rules, rows).is_empty()


@pytest.mark.parametrize(
    ("source", "wanted", "event"),
    [
        ("{product: linux, service: auditd}", "type: EXECVE\n    a1: '-d'", EXECVE),
        ("{product: linux, service: auditd}", "exe|endswith: /base64\n    a1: '-d'", LAUREL),
        ("{product: linux, service: auditd}", "type: SYSCALL\n    syscall: execve\n    exe: '*/useradd'", SYSCALL),
        ("{category: process_creation, product: linux}", "Image|endswith: base64", EXECVE),
        ("{category: process_creation, product: linux}", "CommandLine|contains: '64 -d'", EXECVE),
        ("{category: process_creation, product: linux}", "CommandLine|contains: '64 -d'", LAUREL),
        ("{category: process_creation, product: linux}", "ParentImage|endswith: /bash\n    User: anna", LAUREL),
        (
            "{category: file_event, product: linux}",
            "TargetFilename|startswith: /etc/cron.d/",
            {
                "event_name": "PATH",
                "log_format": "auditd",
                "attributes.auditd.nametype": "CREATE",
                "attributes.auditd.name": "/etc/cron.d/x",
            },
        ),
        ("{product: linux, service: sshd}", "'|all': ['bad sig']", {"log_format": "sshd", "body": "a bad sig"}),
        ("{product: linux, service: auth}", "'|all': ['bad sig']", {"service_name": "sshd", "body": "a bad sig"}),
        (
            "{product: linux, service: sudo}",
            "USER: '#-*'",
            {"log_format": "sudo", "attributes.user.effective.name": "#-1"},
        ),
        (
            "{product: linux, service: cron}",
            "'|all': [REPLACE]",
            {"log_format": "cron", "body": "(root) REPLACE (root)"},
        ),
        ("{product: linux, service: syslog}", "'|all': [evil]", {"service_name": "named", "body": "an evil message"}),
        ("{product: linux}", "'|all': [evil]", {"service_name": "app", "body": "an evil message"}),
        ("{product: linux, service: clamav}", "'|all': [FOUND]", {"log_format": "clamav", "body": "x: Eicar FOUND"}),
        ("{product: linux, service: guacamole}", "'|all': [shadow]", {"log_format": "guacamole", "body": "shadow"}),
        ("{product: linux, service: vsftpd}", "'|all': [refused]", {"log_format": "vsftpd", "body": "refused"}),
        ("{category: application, product: django}", "'|all': [Suspicious]", {"body": "SuspiciousOperation"}),
        ("{product: apache}", "'|all': [exit]", {"log_format": "apache_error", "body": "exit signal"}),
        ("{product: nginx}", "'|all': [exited]", {"log_format": "nginx_error", "body": "exited on signal 11"}),
        ("{category: database}", "'|all': ['union select']", {"log_format": "mysql_general", "body": "union SELECT 1"}),
    ],
)
def test_a_rule_of_the_source_finds_its_record(source: str, wanted: str, event: dict[str, Any]) -> None:
    assert _found(source, wanted, event)


@pytest.mark.parametrize(
    ("source", "wanted", "event"),
    [
        ("{product: linux, service: sshd}", "'|all': ['bad sig']", {"log_format": "vsftpd", "body": "a bad sig"}),
        ("{category: process_creation, product: linux}", "Image|endswith: useradd", SYSCALL),
        ("{product: nginx}", "'|all': [exited]", {"log_format": "apache_error", "body": "exited on signal 11"}),
    ],
)
def test_records_of_another_source_are_not_looked_at(source: str, wanted: str, event: dict[str, Any]) -> None:
    assert not _found(source, wanted, event)


CORRELATION = """title: A login
name: base
logsource: {{category: authentication}}
detection:
  selection: {{event_outcome: success}}
  condition: selection
---
title: A correlation
correlation:
  type: event_count
  rules: [base]
  group-by: [user_id]
  timespan: 1h
  condition: {{gte: 2}}
logshed: {own}
"""


@pytest.mark.parametrize(
    ("own", "said"),
    [
        ("{travel: fast}", "logshed.travel: 'fast' is no number"),
        ("{per_value: -1}", "logshed.per_value: -1 is no number"),
        ("{novel: {field: user_id}}", "logshed.novel: it has field"),
        ("{novel: {field: nothing, after: 3}}", "nothing is no column"),
    ],
)
def test_a_wrong_key_of_a_correlation_is_told(own: str, said: str) -> None:
    with pytest.raises(DetectionError, match=said):
        read_rules("rule", CORRELATION.format(own=own), "rule.yml")


def test_a_correlation_says_which_columns_it_needs() -> None:
    (rule,) = read_rules("rule", CORRELATION.format(own="{travel: 900}"), "rule.yml")
    assert rule.needs == ("client_geo_lat", "client_geo_lon")
