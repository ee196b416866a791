"""`python -m tools <command>`: the back end of the Makefile."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from localcloud.machines import MachineError
from tools import ci_commands, commands
from tools.errors import ToolError


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tools", description=__doc__)
    parser.add_argument("--stack", default="local", help="the stack's name (local)")
    parser.add_argument("--file", default="", help="its stack file (stacks/Pulumi.<stack>.yaml)")
    known = parser.add_subparsers(required=True, metavar="command")

    def command(name: str, run: Callable[[argparse.Namespace], int | None], text: str) -> argparse.ArgumentParser:
        sub = known.add_parser(name, help=text, description=text)
        sub.set_defaults(run=run)
        return sub

    for sub in (
        command("setup", commands.do_setup, "get engine, Pulumi CLI, images and plugins, and print what they are"),
        command("images", commands.do_images, "get the images alone and print which they are"),
    ):
        sub.add_argument("keys", nargs="*", help="image keys; without any: all that a stack runs by default")
        sub.add_argument("--tests", action="store_true", help="those of the tests as well")
    command("lock", commands.do_lock, "lock the Python packages anew, with hashes")
    sub = command("outdated", commands.do_outdated, "which pinned images are behind: asks their registries")
    sub.add_argument(
        "--write", action="store_true", help="digests for the pins that have none, into configs/images.yaml"
    )
    command("clean", commands.do_clean, "remove the caches, and stop the Docker Engine if a set-up started one")
    command("up", commands.do_up, "bring the stack up, wait for its data, show it")
    command("status", commands.do_status, "what runs, where to look, what has arrived")
    sub = command("doctor", commands.do_doctor, "whether every panel, every rule and every host has data")
    sub.add_argument("--json", action="store_true", help="JSON instead of tables")
    sub = command("down", commands.do_down, "remove everything that `up` made; data after a question")
    sub.add_argument("--yes", action="store_true", help="remove the data without a question")
    command("password", commands.do_password, "print the password of Grafana's admin")
    sub = command("secret", commands.do_secret, "set a secret of the stack file; asks for it, or reads it from stdin")
    sub.add_argument("key", help="its path, such as hosts.hub.postgres.main.dsn")
    for sub in (
        command(
            "rehearse",
            commands.do_rehearse,
            "the production path on this machine: a cloud of containers, and the fleet in it",
        ),
        command("rehearse-down", commands.do_rehearse_down, "remove the rehearsal"),
    ):
        sub.add_argument("--internet", default="198.18.0.0/24", help="the network that stands for the internet")
        sub.add_argument("--port", type=int, default=8490, help="the API's port on this machine's loopback")
    sub = command("tunnel", commands.do_tunnel, "the query pages of the hub on this machine's loopback, until Ctrl-C")
    sub.add_argument("host", nargs="?", default="hub")
    sub.add_argument("--port", type=int, default=0, help="a free one by default")
    sub = command("accept-key", commands.do_accept_key, "take the SSH host key that a host shows now")
    sub.add_argument("host")
    sub = command("rebuild", commands.do_rebuild, "make a droplet anew; what outlives it stays")
    sub.add_argument("host")
    sub = command("policy", commands.do_policy, "the guard rails over what a preview plans")
    sub.add_argument("plan", nargs="?", help="what `pulumi preview --json` printed before (-: stdin); no other is made")
    sub.add_argument("--pack", action="store_true", help="as a policy pack, by the engine")
    sub = command("env", commands.do_env, "a new environment: its stack file, its secrets, and what is still missing")
    sub.add_argument("name", help="such as qa")
    for name in ("region", "domain", "cidrs", "size", "volume"):
        sub.add_argument(f"--{name}", default="", help="for the stack file; asked for on a terminal")
    sub = command("validate", commands.do_validate, "check stack files by themselves, without credentials")
    sub.add_argument("files", nargs="*", type=Path, help="without any: all of stacks/, but not the rehearsal's")
    sub = command("move-state", commands.do_move_state, "the state of the stack into another backend (docs/state.md)")
    sub.add_argument("to", help="file:///folder, s3://bucket?endpoint=..., gs://, azblob:// or https://api.pulumi.com")
    ci_commands.add_to(command, commands.stack_of)
    sub = command("pulumi", commands.do_pulumi, "an engine command for this stack")
    sub.add_argument("words", nargs=argparse.REMAINDER)
    return parser


def _terminated(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


def main() -> int:
    signal.signal(signal.SIGTERM, _terminated)  # ends what is running as Ctrl-C does
    options = _parser().parse_args()
    try:
        return options.run(options) or 0
    except (ToolError, MachineError) as problem:
        print(f"fleetwatch: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("fleetwatch: interrupted; the next run continues from here.", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
