"""`make policy`: the rules of policy/, checked against what a preview plans.

It reads the preview's JSON and needs nothing but the CLI; `--pack` runs the rules as a policy pack (policy_pack.py).
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from policy import preview, rules
from tools import policy_pack
from tools.cli import Commands
from tools.errors import ToolError
from tools.progress import say
from tools.pulumi_command import run_pulumi
from tools.stack import Stack
from tools.stack_factory import open_stack


def register(commands: Commands) -> None:
    parser = commands.add("policy", _policy, "check the rules of policy/ against what a preview plans")
    parser.add_argument("plan", nargs="?", help="the output of an earlier `pulumi preview --json` (-: stdin)")
    parser.add_argument("--pack", action="store_true", help="as a policy pack, run by Pulumi")


def _policy(options: argparse.Namespace) -> int:
    if options.plan:
        return check_plan(Path(options.plan), options.stack)
    stack = open_stack(options)
    return run_pulumi(policy_pack.with_pack(stack), ["preview"]) if options.pack else check(stack)


def check(stack: Stack) -> int:
    """Preview the stack and check every resource. Exit code 0 only without a violation."""
    stack.prepare()
    stack.select()
    return report(stack.planned(), stack.name)


def check_plan(plan: Path, stack: str) -> int:
    """The same for what `pulumi preview --json` printed before; `-` reads it from stdin."""
    try:
        text = sys.stdin.read() if str(plan) == "-" else plan.read_text()
        digest = json.loads(text)
    except (OSError, ValueError) as problem:
        raise ToolError(f"{plan}: expected what `pulumi preview --json` printed, got {problem}; run it again") from None
    return report(digest, stack)


def report(digest: Any, stack: str) -> int:
    """Print every violation and a summary; the exit code."""
    records = preview.records(digest) if isinstance(digest, Mapping) else []
    if not records:
        raise ToolError("The preview has no resource to check; is it of the right stack?")
    env = preview.env(digest, stack)
    found = rules.violations(records, env)
    for one in found:
        say(f"{one.rule}: {one.message}")
    what = f"{len(records)} resources of {env}, {len(rules.RULES)} rules"
    say(f"{what}: {f'{len(found)} violations' if found else 'no violation'} (docs/policy.md)")
    return 1 if found else 0
