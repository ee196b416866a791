"""`make rebuild` and `make accept-key`: replace one resource of a host, and with it what depends on it."""

from __future__ import annotations

import argparse

from tools.cli import Commands
from tools.down import PROTECTED
from tools.errors import ToolError
from tools.progress import say
from tools.stack import Stack
from tools.stack_factory import open_stack
from tools.status import report_status
from tools.up import FAILED

DROPLET, CONTACT = "digitalocean:index/droplet:Droplet", "command:local:Command"


def register(commands: Commands) -> None:
    commands.add("accept-key", _accept_key, "accept the SSH host key that a host presents now").add_argument("host")
    commands.add("rebuild", _rebuild, "replace a droplet; its volume, address and data stay").add_argument("host")


def _accept_key(options: argparse.Namespace) -> int:
    title = f"Accepting the SSH host key that {options.host} presents now"
    return replace(open_stack(options), CONTACT, f"{options.host}-contact", title)


def _rebuild(options: argparse.Namespace) -> int:
    title = f"Replacing the droplet of {options.host}; volume, address and data stay"
    return replace(open_stack(options), DROPLET, f"{options.host}-droplet", title)


def replace(stack: Stack, kind: str, name: str, title: str) -> int:
    """Replace the resource of this type and name."""
    stack.prepare()
    stack.select()
    say(f"\n{title} (pulumi up --replace)")
    flags = ("--yes", "--skip-preview", "--suppress-outputs")
    if stack.run("up", *flags, "--replace", stack.urn(kind, name)):
        raise ToolError(f"{FAILED} {PROTECTED}" if kind == DROPLET else FAILED)
    return 0 if report_status(stack) else 1
