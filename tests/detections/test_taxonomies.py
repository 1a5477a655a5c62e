"""What the fields of rules are in ``logs``: taxonomies, references between fields, and names that differ in case."""

from __future__ import annotations

import json

import pytest

from logshed.detections import taxonomy
from logshed.detections.loading import read_rules
from logshed.detections.model import Case
from logshed.errors import DetectionError
from logshed.pipeline.rule_cases import CaseReader, find
from logshed.settings import Settings
from logshed.sql.frames import Frames

_RULE = """
title: A rule
logsource: {{ product: {product}, service: {service} }}
detection:
  selection:
    {field}: {value}
  condition: selection
"""


def _found(product: str, service: str, field: str, value: str, format_: str, event: dict[str, object]) -> bool:
    text = _RULE.format(product=product, service=service, field=field, value=value)
    rules = read_rules("a_rule", text, "a_rule.yml")
    case = Case("", holds=True, lines=(json.dumps(event),), format=format_)
    return not find(rules, CaseReader(Settings()).rows(case)).is_empty()


_TRAIL = {
    "eventVersion": "1.08",
    "eventTime": "2026-01-05T10:00:00Z",
    "eventSource": "iam.amazonaws.com",
    "eventName": "UpdateLoginProfile",
    "userIdentity": {"type": "AssumedRole", "arn": "arn:aws:sts::1:assumed-role/x/anna"},
    "requestParameters": {"userName": "anna"},
}


@pytest.mark.parametrize(
    ("modifier", "name", "holds"),
    [
        ("fieldref|endswith", "anna", True),
        ("fieldref|endswith", "arn", False),
        ("fieldref|startswith", "arn:aws", True),
        ("fieldref|startswith", "anna", False),
        ("fieldref|contains", "assumed-role", True),
        ("fieldref|contains", "bert", False),
    ],
)
def test_a_reference_to_a_field_takes_its_beginning_its_end_or_any_part(
    modifier: str, name: str, *, holds: bool
) -> None:
    """A field can be compared with a part of another."""
    event = {**_TRAIL, "requestParameters": {"userName": name}}
    field = f"userIdentity.arn|{modifier}"
    assert _found("aws", "cloudtrail", field, "requestParameters.userName", "aws_cloudtrail", event) is holds


def test_an_array_is_looked_into_as_the_text_that_it_was() -> None:
    """Arrays stay JSON: any of their elements is found by its text."""
    items = [{"ipRanges": {"items": [{"cidrIp": "10.0.0.0/8"}, {"cidrIp": "0.0.0.0/0"}]}}]
    event = {**_TRAIL, "requestParameters": {"ipPermissions": {"items": items}}}
    field = "requestParameters.ipPermissions.items|contains"
    assert _found("aws", "cloudtrail", field, """'"cidrIp":"0.0.0.0/0"'""", "aws_cloudtrail", event)
    assert not _found("aws", "cloudtrail", field, """'"cidrIp":"0.0.0.0/8"'""", "aws_cloudtrail", event)


def test_fields_that_differ_in_letter_case_only_are_refused_in_one_rule() -> None:
    """SQL takes both for the same column, so one of them would never be looked at."""
    text = _RULE.format(product="logshed", service="x", field="Enabled", value="'true'\n    enabled: 'true'")
    with pytest.raises(DetectionError, match="differ in letter case only"):
        read_rules("a_rule", text, "a_rule.yml")


def test_rules_whose_fields_differ_in_letter_case_only_are_each_right() -> None:
    """Two rules without guards over the same records do not take each other's field."""
    texts = [_RULE.format(product="logshed", service="x", field=f"{name}|re", value="'^yes$'") for name in ("a", "A")]
    rules = [read_rules(f"rule_{n}", text, "a.yml")[0] for n, text in enumerate(texts)]
    rows = CaseReader(Settings()).rows(Case("", holds=True, events=({"attributes.A": "yes", "attributes.a": "no"},)))
    assert find(rules, rows)["rule_id"].to_list() in (["rule_1"], [rules[1].id])


def test_documented_fields_are_vouched_for_without_a_sample() -> None:
    """A field below what a format documents is known; another is not."""
    trail = taxonomy.find({"product": "aws", "service": "cloudtrail"})
    assert trail.resolve("requestParameters.anything.at.all").known
    assert not trail.resolve("eventSorce").known


@pytest.mark.parametrize(
    "source",
    [
        {"product": "aws", "service": "cloudtrail"},
        {"product": "aws", "service": "vpcflow"},
        {"product": "azure", "service": "activitylogs"},
        {"product": "azure", "service": "auditlogs"},
        {"product": "azure", "service": "signinlogs"},
        {"product": "azure", "service": "riskdetection"},
        {"product": "azure", "service": "pim"},
        {"product": "gcp", "service": "gcp.audit"},
        {"product": "gcp", "service": "google_workspace.admin"},
        {"product": "github", "service": "audit"},
        {"product": "kubernetes", "service": "audit"},
        {"product": "kubernetes", "category": "application"},
        {"product": "m365", "service": "threat_management"},
        {"product": "okta", "service": "okta"},
        {"product": "onelogin", "service": "onelogin.events"},
        {"product": "cisco", "service": "duo"},
    ],
)
def test_log_sources_of_clouds_and_services_that_people_write_rules_for_are_known(source: dict[str, str]) -> None:
    """A rule with Sigma's usual log source compiles."""
    assert taxonomy.find(source).formats


def test_every_expression_of_a_taxonomy_is_sql_over_logs() -> None:
    """An expression with a slip would stop every rule beside it: all are computed over a record once."""
    rows = CaseReader(Settings()).rows(Case("", holds=True, events=({"user_id": "anna"},)))
    with Frames() as frames:
        frames.put("logs", rows)
        for one in taxonomy.load().values():
            shown = ", ".join(f"({sql}) AS f{n}" for n, sql in enumerate(one.fields.values())) or "1"
            where = f" WHERE {one.where}" if one.where else ""
            frames.ask(f"SELECT {shown} FROM logs{where}")
