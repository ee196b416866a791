"""`python -m tools <command>`: the commands that make and CI call."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence
from importlib import import_module

from tools import stack_names
from tools.cli import Commands, ended, heed_interrupts

# Command -> the module that registers it. Only the module of the command that runs is imported: imports take time.
MODULES = {
    "setup": "setup",
    "images": "setup",
    "lock": "dependency_lock",
    "outdated": "outdated",
    "clean": "cache",
    "up": "up",
    "status": "status",
    "doctor": "doctor.command",
    "alert-test": "alert_test",
    "custom": "custom_check",
    "backup": "backup.now",
    "restore": "backup.restore",
    "drill": "backup.drill",
    "grow": "grow",
    "drift": "drift",
    "export": "export",
    "down": "down",
    "password": "stack_secrets",  # pragma: allowlist secret
    "secret": "stack_secrets",  # pragma: allowlist secret
    "rehearse": "rehearsal",
    "rehearse-down": "rehearsal",
    "tunnel": "tunnel",
    "accept-key": "replacement",
    "rebuild": "replacement",
    "policy": "policy",
    "env": "newenv",
    "validate": "validate",
    "move-state": "move_state",
    "preview": "preview",
    "record": "preview_record",
    "comment": "comment.command",
    "post": "comment.command",
    "drift-issue": "comment.command",
    "affected": "affected_stacks",
    "overtaken": "affected_stacks",
    "take-stack": "pull_stacks",
    "runner-firewall": "runner_firewall",
    "scan": "scan",
    "licences": "licences",
    "sbom": "sbom",
    "audit": "audit",
    "test-programs": "test_programs",
    "pulumi": "pulumi_command",
    "ask": "ask_hub",
    "ask-catalogue": "ask_hub",
}


def parser(modules: Sequence[str] = tuple(dict.fromkeys(MODULES.values()))) -> argparse.ArgumentParser:
    """The parser with the commands of these modules."""
    parser = _options()
    commands = Commands(parser)
    for module in modules:
        import_module(f"tools.{module}").register(commands)
    return parser


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tools", description=__doc__)
    parser.add_argument("--stack", default="local", help="the stack's name (%(default)s)")
    parser.add_argument("--file", default="", help="its stack file (stacks/Pulumi.<stack>.yaml)")
    return parser


def _command(argv: Sequence[str]) -> str | None:
    """The command in an argument list, if it is a known one."""
    options = argparse.ArgumentParser(add_help=False, parents=[], exit_on_error=False)
    options.add_argument("--stack")
    options.add_argument("--file")
    options.add_argument("rest", nargs=argparse.REMAINDER)
    try:
        rest = options.parse_known_args(argv)[0].rest
    except argparse.ArgumentError:
        return None
    return rest[0] if rest and rest[0] in MODULES else None


def _terminate(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


def main(argv: Sequence[str]) -> int:
    """Run a command; its exit code."""
    heed_interrupts()
    signal.signal(signal.SIGTERM, _terminate)  # stops what is running, as Ctrl-C does
    return ended(lambda: _run(argv))


def _run(argv: Sequence[str]) -> int | None:
    command = _command(argv)
    options = (parser([MODULES[command]]) if command else parser()).parse_args(argv)
    stack_names.checked(options.stack, "STACK")
    code: int | None = options.run(options)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
