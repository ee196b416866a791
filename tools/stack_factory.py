"""The stack that the options of a command name."""

from __future__ import annotations

import argparse
from pathlib import Path

from tools import plugins, policy_pack, secrets_provider
from tools.environment import pulumi_env
from tools.paths import CHECKOUT, only_one, state_dir
from tools.setup import ToolChain
from tools.stack import Stack


def stack_file(options: argparse.Namespace) -> Path:
    """`--file`, else the usual file of `--stack`."""
    return Path(options.file or CHECKOUT / "stacks" / f"Pulumi.{options.stack}.yaml")


def open_stack(options: argparse.Namespace, chain: ToolChain | None = None) -> Stack:
    """The stack. `chain`: the tool chain that was set up for it; without one only the provider plugins are checked."""
    home = state_dir() / options.stack
    if chain is None:  # an earlier run may have been another checkout's, or the cache may be gone
        with only_one("set-up"):
            plugins.get()
    overrides = chain.overrides if chain else None
    provider = secrets_provider.choose(stack_file(options), home / f"Pulumi.{options.stack}.yaml")
    env = pulumi_env(home, provider)
    return policy_pack.attached(Stack(options.stack, stack_file(options), env, overrides))
