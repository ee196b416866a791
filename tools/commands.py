"""What each command of `python -m tools` does with its options; the parser is in __main__.py."""

from __future__ import annotations

import argparse
import os
import shutil
from pathlib import Path

from tools import (
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
    secrets_provider,
    setup,
    ssh_program,
    stackfile,
    validate,
)
from tools.doctor import run as doctor
from tools.environment import pulumi_env
from tools.errors import ToolError
from tools.paths import CHECKOUT, cache_dir, only_one, state_dir
from tools.progress import ask, say
from tools.stack import Stack, hub_is_here, named_docker


def _keys(options: argparse.Namespace) -> list[str]:
    return options.keys or [*images.PARTS, *(images.FOR_TESTS if options.tests else ())]


def do_setup(options: argparse.Namespace) -> None:
    if options.tests:
        ssh_program.get()
        policy.prepare()
    setup.report(setup.set_up(_keys(options)))


def do_images(options: argparse.Namespace) -> None:
    with only_one("set-up"):
        say(images.table(images.get(_keys(options))))


def _file(options: argparse.Namespace) -> Path:
    return Path(options.file or CHECKOUT / "stacks" / f"Pulumi.{options.stack}.yaml")


def stack_of(options: argparse.Namespace, chain: setup.ToolChain | None = None) -> Stack:
    home = state_dir() / options.stack
    if chain is None:  # an earlier run may have been another checkout's, or the cache may be gone
        with only_one("set-up"):
            plugins.get()
    provider = secrets_provider.choose(_file(options), home / f"Pulumi.{options.stack}.yaml")
    env = pulumi_env(home, provider)
    return _guarded(Stack(options.stack, _file(options), env, chain.overrides if chain else None))


def _guarded(stack: Stack) -> Stack:
    return policy.with_pack(stack) if policy.wanted() else stack


def do_up(options: argparse.Namespace) -> int:
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
        return lifecycle.up(stack_of(options))
    chain = setup.set_up(lifecycle.images_for(_file(options)))
    setup.report(chain)
    return lifecycle.up(stack_of(options, chain))


def do_rehearse(options: argparse.Namespace) -> int:
    rehearsal = _rehearsal(options)
    chain = rehearse.prepare(rehearsal)
    file = Path(options.file or CHECKOUT / "stacks" / f"Pulumi.{rehearsal.name}.yaml")
    parts = {key: ref for key, ref in chain.overrides.items() if key in images.PARTS}
    stack = Stack(rehearsal.name, file, pulumi_env(rehearsal.home), parts)
    return rehearse.bring_up(_guarded(stack), rehearsal)


def do_rehearse_down(options: argparse.Namespace) -> int:
    return rehearse.remove(_rehearsal(options))


def _rehearsal(options: argparse.Namespace) -> rehearse.Rehearsal:
    name = options.stack if options.stack != "local" else "rehearsal"
    return rehearse.Rehearsal(name, options.internet, options.port)


def do_tunnel(options: argparse.Namespace) -> None:
    reach.tunnel(stack_of(options).outputs(), options.host, options.port)


def do_accept_key(options: argparse.Namespace) -> int:
    what = f"Taking the SSH host key that {options.host} shows now"
    return lifecycle.replace(stack_of(options), "command:local:Command", f"{options.host}-contact", what)


def do_rebuild(options: argparse.Namespace) -> int:
    what = f"Making the droplet of {options.host} anew; volume, address and data stay"
    return lifecycle.replace(stack_of(options), "digitalocean:index/droplet:Droplet", f"{options.host}-droplet", what)


def do_status(options: argparse.Namespace) -> int:
    return 0 if lifecycle.wait_for_data(stack_of(options), patience=0) else 1


def do_doctor(options: argparse.Namespace) -> int:
    return doctor.doctor(lambda: stack_of(options), options.json)


def do_down(options: argparse.Namespace) -> int:
    return lifecycle.down(stack_of(options), options.yes)


def do_lock(_options: argparse.Namespace) -> None:
    lock.lock()


def do_outdated(options: argparse.Namespace) -> int:
    return outdated.check(write=options.write)


def do_clean(_options: argparse.Namespace) -> None:
    if engine.stop_own():
        say("Stopped the Docker Engine that a set-up had started (it stays installed).")
    place = cache_dir()
    shutil.rmtree(place)
    say(f"Removed the cache {place}. Images in Docker stay; `docker image prune` removes what no container uses.")


def do_password(options: argparse.Namespace) -> None:
    say(str(stack_of(options).outputs(secrets=True)["password"]))


def do_secret(options: argparse.Namespace) -> None:
    lifecycle.secret(stack_of(options), options.key)


def do_env(options: argparse.Namespace) -> int:
    options.stack = newenv.checked_name(options.name)
    answers = newenv.Answers(options.region, options.domain, options.cidrs, options.size, options.volume)
    if answers.given() or not _file(options).exists():
        newenv.write(_file(options), options.stack, answers)
    return newenv.complete(stack_of(options), os.environ)


def do_validate(options: argparse.Namespace) -> int:
    return validate.validate([file.resolve() for file in options.files])


def do_move_state(options: argparse.Namespace) -> int:
    return movestate.move(stack_of(options), options.to)


def do_pulumi(options: argparse.Namespace) -> int:
    return lifecycle.engine_command(stack_of(options), options.words)


def do_policy(options: argparse.Namespace) -> int:
    if options.plan:
        return policy.check_file(Path(options.plan), options.stack)
    if options.pack:
        return lifecycle.engine_command(policy.with_pack(stack_of(options)), ["preview", "--suppress-outputs"])
    return policy.check(stack_of(options))
