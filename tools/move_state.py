"""`make move-state TO=<url>`: the state of a stack into another backend, by Pulumi's export and import.

Secrets stay encrypted, with the same passphrase. The stack is removed from the old backend once the new one holds the
same resources, so that no run continues with the old one; an export of it stays in a file beside the passphrase.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from pathlib import Path
from typing import Any

from tools import backend, pulumi_state
from tools.cli import Commands
from tools.environment import TOKEN
from tools.errors import ToolError
from tools.progress import say
from tools.stack import Stack
from tools.stack_factory import open_stack


def register(commands: Commands) -> None:
    text = "move the state of the stack into another backend (docs/state.md)"
    parser = commands.add("move-state", _move, text)
    parser.add_argument(
        "to", help="file:///folder, s3://bucket?endpoint=..., gs://, azblob:// or https://api.pulumi.com"
    )


def _move(options: argparse.Namespace) -> int:
    backend.checked(options.to, "TO")
    return move(open_stack(options), options.to)


def move(stack: Stack, to: str) -> int:
    """Move it. ToolError, with the old backend untouched, when anything is not as expected."""
    to, old = backend.checked(to, "TO"), stack.backend
    if to == old:
        raise ToolError(f"The state of stack {stack.name} is in {to} already.")
    if not stack.exists():
        raise ToolError(f"There is no stack {stack.name} in {old}: nothing to move (docs/state.md).")
    env = {**stack.env, backend.VARIABLE: to}
    if backend.needs_login(to) and (token := os.environ.get(TOKEN)):
        env[TOKEN] = token
    if (place := backend.folder(to)) is not None:
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
    stack.prepare(check=False)
    stack.select()  # stops at a lock, and puts an interrupted run in order
    new = Stack(stack.name, stack.file, env)
    if new.exists():
        raise ToolError(
            f"{to} has a stack {stack.name} already; it is not overwritten. Remove it there, or choose another place."
        )
    text = stack.quiet("stack", "export")
    kept = _keep(stack.home, text)
    new.make()
    try:
        new.quiet("stack", "import", stdin=text)
        # The import encrypts again: only the decrypted values show that nothing was lost. They stay in memory.
        arrived = _resources(new.quiet("stack", "export", "--show-secrets"))
        if arrived != _resources(stack.quiet("stack", "export", "--show-secrets")):
            raise ToolError(f"{to} does not hold the same resources after the import.")
    except ToolError as problem:
        new.forget()
        raise ToolError(f"Not moved, {old} is as it was: {problem}") from None
    backend.remember(stack.home, to)
    stack.forget()
    say(
        f"Moved {len(arrived)} resources from {old}. An export of its state is in {kept}, its secrets encrypted; "
        "keep the passphrase."
    )
    return 0


def _resources(exported: str) -> list[Any]:
    return pulumi_state.resources(json.loads(exported))


def _keep(home: Path, text: str) -> Path:
    file = home / f"state-before-move-{time.strftime('%Y%m%d-%H%M%S')}.json"
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
        out.write(text)
    return file
