"""`python -m tools <command>`: the back end of the Makefile."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from localcloud.machines import MachineError
from tools import (
    ci_commands,
    engine,
    images,
    lifecycle,
    lock,
    movestate,
    newenv,
    outdated,
    plugins,
    policy,
    reach,
    rehearse,
    setup,
    ssh_program,
    stackfile,
)
from tools.doctor import run as doctor
from tools.environment import pulumi_env
from tools.errors import ToolError
from tools.paths import CHECKOUT, cache_dir, only_one, state_dir
from tools.progress import ask, say
from tools.stack import Stack, hub_is_here, named_docker


def _keys(options: argparse.Namespace) -> list[str]:
    return options.keys or [*images.PARTS, *(images.FOR_TESTS if options.tests else ())]


def _setup(options: argparse.Namespace) -> None:
    if options.tests:
        ssh_program.get()
        policy.prepare()
    setup.report(setup.set_up(_keys(options)))


def _images(options: argparse.Namespace) -> None:
    with only_one("set-up"):
        say(images.table(images.get(_keys(options))))


def _file(options: argparse.Namespace) -> Path:
    return Path(options.file or CHECKOUT / "stacks" / f"Pulumi.{options.stack}.yaml")


def _stack(options: argparse.Namespace, chain: setup.ToolChain | None = None) -> Stack:
    home = state_dir() / options.stack
    if chain is None:  # an earlier run may have been another checkout's, or the cache may be gone
        with only_one("set-up"):
            plugins.get()
    return _guarded(Stack(options.stack, _file(options), pulumi_env(home), chain.overrides if chain else None))


def _guarded(stack: Stack) -> Stack:
    return policy.with_pack(stack) if policy.wanted() else stack


def _up(options: argparse.Namespace) -> int:
    # Images have to be where the containers will be, whatever engine the docker program would choose by itself.
    if address := named_docker(stackfile.read(_file(options)).get("config") or {}):
        if ask(["docker", "-H", address, "version"], timeout=20) is None:
            raise ToolError(
                f"hub.local.docker: expected a Docker Engine that answers at {address} ({options.file}); start it, or "
                "take the line out and `make up` looks for one itself. How to install: https://docs.docker.com/engine/install/"
            )
        os.environ["DOCKER_HOST"] = address
    if not hub_is_here(stackfile.read(_file(options)).get("config") or {}):
        # Images are pulled by the hosts; what this machine lacks for itself is got by `_stack`.
        ssh_program.get()
        return lifecycle.up(_stack(options))
    chain = setup.set_up(lifecycle.images_for(_file(options)))
    setup.report(chain)
    return lifecycle.up(_stack(options, chain))


def _rehearse(options: argparse.Namespace) -> int:
    rehearsal = _rehearsal(options)
    chain = rehearse.prepare(rehearsal)
    file = Path(options.file or CHECKOUT / "stacks" / f"Pulumi.{rehearsal.name}.yaml")
    parts = {key: ref for key, ref in chain.overrides.items() if key in images.PARTS}
    stack = Stack(rehearsal.name, file, pulumi_env(rehearsal.home), parts)
    return rehearse.bring_up(_guarded(stack), rehearsal)


def _rehearse_down(options: argparse.Namespace) -> int:
    return rehearse.remove(_rehearsal(options))


def _rehearsal(options: argparse.Namespace) -> rehearse.Rehearsal:
    name = options.stack if options.stack != "local" else "rehearsal"
    return rehearse.Rehearsal(name, options.internet, options.port)


def _tunnel(options: argparse.Namespace) -> None:
    reach.tunnel(_stack(options).outputs(), options.host, options.port)


def _accept_key(options: argparse.Namespace) -> int:
    what = f"Taking the SSH host key that {options.host} shows now"
    return lifecycle.replace(_stack(options), "command:local:Command", f"{options.host}-contact", what)


def _rebuild(options: argparse.Namespace) -> int:
    what = f"Making the droplet of {options.host} anew; volume, address and data stay"
    return lifecycle.replace(_stack(options), "digitalocean:index/droplet:Droplet", f"{options.host}-droplet", what)


def _status(options: argparse.Namespace) -> int:
    return 0 if lifecycle.wait_for_data(_stack(options), patience=0) else 1


def _doctor(options: argparse.Namespace) -> int:
    return doctor.doctor(lambda: _stack(options), options.json)


def _down(options: argparse.Namespace) -> int:
    return lifecycle.down(_stack(options), options.yes)


def _lock(_options: argparse.Namespace) -> None:
    lock.lock()


def _outdated(options: argparse.Namespace) -> int:
    return outdated.check(write=options.write)


def _clean(_options: argparse.Namespace) -> None:
    if engine.stop_own():
        say("Stopped the Docker Engine that a set-up had started (it stays installed).")
    place = cache_dir()
    shutil.rmtree(place)
    say(f"Removed the cache {place}. Images in Docker stay; `docker image prune` removes what no container uses.")


def _password(options: argparse.Namespace) -> None:
    say(str(_stack(options).outputs(secrets=True)["password"]))


def _secret(options: argparse.Namespace) -> None:
    lifecycle.secret(_stack(options), options.key)


def _env(options: argparse.Namespace) -> int:
    options.stack = newenv.checked_name(options.name)
    answers = newenv.Answers(options.region, options.domain, options.cidrs, options.size, options.volume)
    if answers.given() or not _file(options).exists():
        newenv.write(_file(options), options.stack, answers)
    return newenv.complete(_stack(options), os.environ)


def _move_state(options: argparse.Namespace) -> int:
    return movestate.move(_stack(options), options.to)


def _pulumi(options: argparse.Namespace) -> int:
    return lifecycle.engine_command(_stack(options), options.words)


def _policy(options: argparse.Namespace) -> int:
    if options.plan:
        return policy.check_file(Path(options.plan), options.stack)
    if options.pack:
        return lifecycle.engine_command(policy.with_pack(_stack(options)), ["preview", "--suppress-outputs"])
    return policy.check(_stack(options))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tools", description=__doc__)
    parser.add_argument("--stack", default="local", help="the stack's name (local)")
    parser.add_argument("--file", default="", help="its stack file (stacks/Pulumi.<stack>.yaml)")
    commands = parser.add_subparsers(required=True, metavar="command")

    def command(name: str, run: Callable[[argparse.Namespace], int | None], text: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text, description=text)
        sub.set_defaults(run=run)
        return sub

    for sub in (
        command("setup", _setup, "get engine, Pulumi CLI, images and plugins, and print what they are"),
        command("images", _images, "get the images alone and print which they are"),
    ):
        sub.add_argument("keys", nargs="*", help="image keys; without any: all that a stack runs by default")
        sub.add_argument("--tests", action="store_true", help="those of the tests as well")
    command("lock", _lock, "lock the Python packages anew, with hashes")
    sub = command("outdated", _outdated, "which pinned images are behind: asks their registries")
    sub.add_argument(
        "--write", action="store_true", help="digests for the pins that have none, into configs/images.yaml"
    )
    command("clean", _clean, "remove the caches, and stop the Docker Engine if a set-up started one")
    command("up", _up, "bring the stack up, wait for its data, show it")
    command("status", _status, "what runs, where to look, what has arrived")
    sub = command("doctor", _doctor, "whether every panel, every rule and every host has data")
    sub.add_argument("--json", action="store_true", help="JSON instead of tables")
    sub = command("down", _down, "remove everything that `up` made; data after a question")
    sub.add_argument("--yes", action="store_true", help="remove the data without a question")
    command("password", _password, "print the password of Grafana's admin")
    sub = command("secret", _secret, "set a secret of the stack file; asks for it, or reads it from stdin")
    sub.add_argument("key", help="its path, such as hosts.hub.postgres.main.dsn")
    for sub in (
        command(
            "rehearse", _rehearse, "the production path on this machine: a cloud of containers, and the fleet in it"
        ),
        command("rehearse-down", _rehearse_down, "remove the rehearsal"),
    ):
        sub.add_argument("--internet", default="198.18.0.0/24", help="the network that stands for the internet")
        sub.add_argument("--port", type=int, default=8490, help="the API's port on this machine's loopback")
    sub = command("tunnel", _tunnel, "the query pages of the hub on this machine's loopback, until Ctrl-C")
    sub.add_argument("host", nargs="?", default="hub")
    sub.add_argument("--port", type=int, default=0, help="a free one by default")
    sub = command("accept-key", _accept_key, "take the SSH host key that a host shows now")
    sub.add_argument("host")
    sub = command("rebuild", _rebuild, "make a droplet anew; what outlives it stays")
    sub.add_argument("host")
    sub = command("policy", _policy, "the guard rails over what a preview plans")
    sub.add_argument("plan", nargs="?", help="what `pulumi preview --json` printed before (-: stdin); no other is made")
    sub.add_argument("--pack", action="store_true", help="as a policy pack, by the engine")
    sub = command("env", _env, "a new environment: its stack file, its secrets, and what is still missing")
    sub.add_argument("name", help="such as qa")
    for name in ("region", "domain", "cidrs", "size", "volume"):
        sub.add_argument(f"--{name}", default="", help="for the stack file; asked for on a terminal")
    sub = command("move-state", _move_state, "the state of the stack into another backend (docs/state.md)")
    sub.add_argument("to", help="file:///folder, s3://bucket?endpoint=..., gs://, azblob:// or https://api.pulumi.com")
    ci_commands.add_to(command, _stack)
    sub = command("pulumi", _pulumi, "an engine command for this stack")
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
