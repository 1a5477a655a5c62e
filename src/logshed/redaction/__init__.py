"""Finds secrets and personal data in log text and puts tags in their place; each kind of them is one data file here."""

from __future__ import annotations

from logshed.redaction.engine import Redacted, Redactor
from logshed.redaction.model import Policy, Rule
from logshed.redaction.policy_files import load_policy
from logshed.redaction.registry import load_rules, rule_failures

__all__ = ["Policy", "Redacted", "Redactor", "Rule", "load_policy", "load_rules", "rule_failures"]
