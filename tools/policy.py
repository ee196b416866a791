"""`make policy`: the guard rails of policy/ over what a preview plans, or as a policy pack by the engine itself.

The reader of the preview's JSON needs nothing but the CLI. The pack needs its SDK, in a virtualenv of its own that is
made when it is first asked for; with FLEETWATCH_POLICY=1 every preview and update goes through it.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import venv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from policy import preview, rules
from tools import pulumi_cli
from tools.errors import ToolError
from tools.paths import CHECKOUT, VENV, only_one
from tools.progress import run, say, step
from tools.stack import Stack

FOLDER = CHECKOUT / "policy"
PACK = FOLDER / "pack"
PACKAGES = VENV / "policy-pack"
WANTED = "FLEETWATCH_POLICY"
MINIMUM = (3, 255)  # the first CLI that was seen to take a pack that is a program; 3.253 does not


def check(stack: Stack) -> int:
    """Preview the stack and hold every resource against the rules. Exit code 0 only without a violation."""
    stack.prepare()
    stack.select()
    return report(stack.planned(), stack.name)


def check_file(plan: Path, stack: str) -> int:
    """The same for what `pulumi preview --json` printed before; `-` reads it from stdin."""
    try:
        text = sys.stdin.read() if str(plan) == "-" else plan.read_text()
        digest = json.loads(text)
    except (OSError, ValueError) as problem:
        raise ToolError(
            f"{plan}: expected what `pulumi preview --json` printed, got {problem}; print it anew"
        ) from None
    return report(digest, stack)


def report(digest: Any, stack: str) -> int:
    """Say what was looked at and every violation; the exit code."""
    records = preview.records(digest) if isinstance(digest, Mapping) else []
    if not records:
        raise ToolError("The preview has no resource that could be looked at; is it of the right stack?")
    env = preview.env(digest, stack)
    found = rules.violations(records, env)
    for one in found:
        say(f"{one.rule}: {one.said}")
    what = f"{len(records)} resources of {env}, {len(rules.RULES)} rules"
    say(f"{what}: {f'{len(found)} violations' if found else 'no violation'} (docs/policy.md)")
    return 1 if found else 0


def with_pack(stack: Stack) -> Stack:
    """The stack, its previews and updates looked at by the pack. ToolError if the CLI is too old for that."""
    version = pulumi_cli.find().version
    if tuple(int(number) for number in version.split("-")[0].split(".")[:2]) < MINIMUM:
        raise ToolError(
            f"Pulumi {version} takes no policy pack that is a program: update it to {'.'.join(map(str, MINIMUM))} or "
            "newer, or use `make policy` without PACK, which reads the preview instead."
        )
    prepare()
    stack.policy_pack = PACK
    return stack


def wanted() -> bool:
    """Whether every preview and update of this run goes through the pack."""
    return os.environ.get(WANTED, "") not in ("", "0")


def prepare() -> None:
    """The pack's virtualenv with its packages, as policy/requirements.txt locks them."""
    place, lock = PACKAGES, FOLDER / "requirements.txt"
    stamp = place / "fleetwatch-stamp"
    with only_one("policy pack"):
        if stamp.is_file() and stamp.read_text() == lock.read_text():
            return
        with step("Policy pack: its packages"):
            shutil.rmtree(place, ignore_errors=True)
            venv.create(place, with_pip=True, symlinks=True)
            pip = [str(place / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "install", "--no-input"]
            run([*pip, "--require-hashes", "-r", str(lock)], what="pip install of the policy pack")
            stamp.write_text(lock.read_text())
