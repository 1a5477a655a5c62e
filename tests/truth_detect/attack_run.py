"""Runs the CloudTrail rules over the records of a simulated attack: what was found, by technique."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from logshed.detections import registry
from logshed.pipeline.rule_cases import CaseReader, find
from logshed.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

STEPS = {
    "CloudTrail: a trail is deleted": "aws_cloudtrail_stopped",
    "CloudTrail: management events are left out": "aws_cloudtrail_event_selectors_reduced",
    "CloudTrail: logs expire after a day": "aws_s3_short_lifecycle",
    "VPC: flow logs are deleted": "aws_flow_logs_deleted",
    "Organisation: the account tries to leave": "aws_organization_left",
    "Secrets Manager: secrets are read": "aws_secrets_sweep",
    "Systems Manager: parameters are decrypted": "aws_ssm_parameters_decrypted",
    "EC2: passwords of instances are asked for": "aws_password_data_read",
    "EC2: user data of instances is read": "aws_user_data_downloaded",
    "EC2: everything is listed": "aws_reconnaissance_burst",
    "EC2: costly instances are launched": "aws_costly_instance_launched",
    "EC2: a port is opened to the internet": "aws_security_group_open",
    "EC2: an image is shared": "aws_ami_shared",
    "EC2: a snapshot is shared": "aws_snapshot_shared",
    "RDS: a snapshot is shared": "aws_rds_snapshot_shared",
    "S3: a bucket is shared with another account": "aws_s3_bucket_shared_with_account",
    "IAM: a role trusts another account": "aws_iam_role_trusts_other_account",
    "IAM: a key is created for another user": "aws_access_key_created_for_other",
    "IAM: an administrator is created": "aws_iam_admin_policy_attached",
    "IAM: a console password is set for another user": "aws_login_profile_changed_for_other",
    "IAM: a trust anchor is created": "aws_rolesanywhere_trust_anchor_created",
    "Lambda: another account may call a function": "aws_lambda_permission_added",
    "Lambda: the code of a function is replaced": "aws_lambda_code_changed_by_user",
    "Console: a login without second factor": "aws_console_login_without_mfa",
    "Systems Manager: a command is sent to instances": "aws_ssm_command_sent",
    "EC2: many calls are denied": "aws_unauthorized_call",
    "The tool itself": "aws_offensive_tool_agent",
}
"""What the attack did, read out of its records by hand, and the rule that is to find it."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a rule found in the run.

    Attributes:
        techniques: ATT&CK's techniques, separated by blanks.
        rule: Its name.
        confidence: ``high`` or ``low``.
        findings: How many.
        records: How many records they tell of.
    """

    techniques: str
    rule: str
    confidence: str
    findings: int
    records: int


def run(path: Path, settings: Settings | None = None) -> list[Found]:
    """What all CloudTrail rules find in the run, by technique."""
    settings = settings or Settings.load()
    loaded = registry.load(settings.plugins).rules
    rules = [rule for rule in loaded.values() if rule.logsource == "product=aws service=cloudtrail"]
    rows = CaseReader(settings).parsed(path.read_text(encoding="utf-8").splitlines(), "aws_cloudtrail")
    findings = find(rules, rows)
    counted: dict[str, list[int]] = {}
    for name, records in zip(findings["rule_id"], findings["event_count"], strict=True):
        counted.setdefault(str(name), []).append(int(records))
    found = [
        Found(rule.techniques, rule.name, rule.confidence, len(records), sum(records))
        for rule in rules
        if (records := counted.get(rule.name) or counted.get(rule.id))
    ]
    return sorted(found, key=lambda one: (one.techniques, one.rule))


def missed(found: Iterable[Found]) -> list[str]:
    """Steps of the attack that no rule found."""
    names = {one.rule for one in found}
    return [step for step, rule in STEPS.items() if rule not in names]


def section(found: Sequence[Found]) -> list[str]:
    """Its part of ``docs/truth-detect.md``."""
    by_name = {one.rule: one for one in found}
    lines = [
        "## A simulated attack on AWS",
        "",
        f"2,900 CloudTrail records of one run: {len(STEPS) - len(missed(found))} of the {len(STEPS)} steps are found.",
        "",
        "| step | rule | technique | confidence | records |",
        "|---|---|---|---|--:|",
    ]
    for step, rule in STEPS.items():
        one = by_name.get(rule)
        lines.append(
            f"| {step} | {rule} | {one.techniques} | {one.confidence} | {one.records:,} |"
            if one
            else f"| {step} | {rule} | | | not found |"
        )
    others = [one for one in found if one.rule not in STEPS.values()]
    lines += ["", "What else was found:", "", "| technique | rule | confidence | records |", "|---|---|---|--:|"]
    lines += [f"| {one.techniques} | {one.rule} | {one.confidence} | {one.records:,} |" for one in others]
    return lines
