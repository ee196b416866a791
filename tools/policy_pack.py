"""The rules of policy/ as a policy pack, run by Pulumi itself: with FLEETWATCH_POLICY=1 in every preview and update.

The pack needs its SDK, in a separate virtualenv that is made on first use.
"""

from __future__ import annotations

import os
import shutil
import venv

from tools import pulumi_cli
from tools.errors import ToolError
from tools.paths import CHECKOUT, VENV, only_one
from tools.processes import run
from tools.progress import step
from tools.stack import Stack

FOLDER = CHECKOUT / "policy"
PACK = FOLDER / "pack"
PACKAGES = VENV / "policy-pack"
WANTED = "FLEETWATCH_POLICY"
MINIMUM = (3, 255)  # the first CLI that was seen to take a pack that is a program; 3.253 does not


def attached(stack: Stack) -> Stack:
    """The stack, with the pack if FLEETWATCH_POLICY is set."""
    return with_pack(stack) if os.environ.get(WANTED, "") not in ("", "0") else stack


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
