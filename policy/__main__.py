"""The policy pack: the rules for Pulumi, through the SDK of pulumi-policy. Pulumi starts it, never a user."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pulumi_policy import (
    EnforcementLevel,
    PolicyPack,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    Secret,
)

# In place of this folder, whose modules are `policy.<name>`.
sys.path[0] = str(Path(__file__).resolve().parents[1])

from policy.preview import hide  # noqa: E402
from policy.records import Hidden, Record, Rule  # noqa: E402
from policy.rules import RULES, checked  # noqa: E402


def _env(args: ResourceValidationArgs) -> str:
    """From the tools; without them the stack's name is its environment. The SDK passes no configuration on."""
    return os.environ.get("FLEETWATCH_ENV") or str(args.urn).split(":")[2]


def _target(proxy: Any) -> Any:
    """The value behind one of the SDK's proxies, by the key with which the SDK itself unwraps them."""
    return proxy["__target"]


def _plain(value: Any) -> Any:
    """A value without the SDK's proxies, which raise at the first unknown value and hide what is a secret."""
    if isinstance(value, Secret):
        return Hidden.SECRET
    if isinstance(value, (Mapping, Sequence)) and not isinstance(value, (dict, list, str)):
        value = _target(value)
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list) else hide(value)


def _record(args: ResourceValidationArgs) -> Record:
    return Record(args.resource_type, args.name, _plain(args.props), bool(args.opts.protect), args.urn)


def _policy(rule: Rule) -> ResourceValidationPolicy:
    def validate(args: ResourceValidationArgs, report: ReportViolation) -> None:
        for one in checked(rule, _record(args), _env(args)):
            report(one.message)

    return ResourceValidationPolicy(rule.name, rule.reason, validate)


def _policy_with_secrecy(rule: Rule) -> ResourceValidationPolicy:
    """The SDK unwraps secrets before it validates, but not before it remediates. So this checks in the remediation and
    changes nothing; its findings are reported when the same resource is validated, right after."""
    found: dict[str, list[str]] = {}

    def look(args: ResourceValidationArgs) -> None:
        found[args.urn] = [one.message for one in checked(rule, _record(args), _env(args))]

    def validate(args: ResourceValidationArgs, report: ReportViolation) -> None:
        for message in found.pop(args.urn, [f"{args.name}: Pulumi did not run {rule.name} on it"]):
            report(message)

    return ResourceValidationPolicy(rule.name, rule.reason, validate, EnforcementLevel.REMEDIATE, remediate=look)


PolicyPack(
    "fleetwatch",
    [_policy_with_secrecy(rule) if rule.needs_secrecy else _policy(rule) for rule in RULES],
    EnforcementLevel.MANDATORY,
)
