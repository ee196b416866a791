"""The stack that the options of a command name."""

from __future__ import annotations

import argparse
from pathlib import Path

from tools import plugins, policy_pack, secrets_provider, stack_names
from tools.environment import pulumi_env
from tools.errors import ToolError
from tools.paths import CHECKOUT, only_one, state_dir
from tools.setup import ToolChain
from tools.stack import Stack
from tools.unknown_name import unknown


def stack_file(options: argparse.Namespace) -> Path:
    """`--file`, else the usual file of `--stack`."""
    return Path(options.file or CHECKOUT / "stacks" / f"Pulumi.{options.stack}.yaml")


def require_known(options: argparse.Namespace) -> None:
    """ToolError before anything is made for a stack that has no file, and no working copy on this machine either."""
    file, usual = stack_file(options), CHECKOUT / "stacks" / f"Pulumi.{options.stack}.yaml"
    working = state_dir() / options.stack / usual.name
    if file.exists() or (working.exists() and file.absolute() == usual):
        return
    if file.absolute() != usual:
        raise ToolError(f"{file}: there is no such stack file; FILE=... names another one.")
    known = map(stack_names.of_file, usual.parent.glob("Pulumi.*.yaml"))
    problem = unknown("STACK", options.stack, "a stack with a file in stacks/", known)
    raise ToolError(f"{problem} A new one: `make env NAME={options.stack}`.")


def open_stack(options: argparse.Namespace, chain: ToolChain | None = None) -> Stack:
    """The stack. `chain`: the tool chain that was set up for it; without one only the provider plugins are checked."""
    home = state_dir() / options.stack
    require_known(options)
    if chain is None:  # an earlier run may have been another checkout's, or the cache may be gone
        with only_one("set-up"):
            plugins.get()
    overrides = chain.overrides if chain else None
    provider = secrets_provider.choose(stack_file(options), home / f"Pulumi.{options.stack}.yaml")
    env = pulumi_env(home, provider)
    return policy_pack.attached(Stack(options.stack, stack_file(options), env, overrides))
