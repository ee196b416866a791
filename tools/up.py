"""`make up`: sets up what a stack needs, brings it up, waits for data and shows the status."""

from __future__ import annotations

import argparse
import os

from configs import services
from configs.images import LOCAL, resolve
from configs.settings import Settings
from tools import (
    agent_targets,
    custom_check,
    image_tags,
    nodes,
    own_images,
    pull_everywhere,
    pulumi_process,
    pulumi_state,
    repair,
    setup,
    ssh_program,
    storage_change,
    working_copy,
)
from tools.backup.repository import Repository
from tools.cli import Commands
from tools.errors import ToolError
from tools.processes import try_output
from tools.progress import say
from tools.stack import Stack
from tools.stack_factory import open_stack, require_known, stack_file
from tools.stack_settings import complete_settings, configured_docker
from tools.status import report_status

FAILED = "pulumi up failed; the output above names the cause. Once it is fixed, `make up` continues from here."
INSTALL = "https://docs.docker.com/engine/install/"


def register(commands: Commands) -> None:
    commands.add("up", _up, "bring the stack up, wait for its data, show it")


def _up(options: argparse.Namespace) -> int:
    return up(prepared(options))


def prepared(options: argparse.Namespace) -> Stack:
    """The stack, with all that its update needs on this machine: images that no registry has, and an engine."""
    require_known(options)
    file = stack_file(options)
    settings = complete_settings(working_copy.read(file).get("config") or {}, options.stack, str(file))
    if settings is None or settings.hub.local is None:
        # The hosts pull images themselves; `open_stack` gets what this machine lacks.
        ssh_program.get()
        own_images.build(settings)
        return open_stack(options)
    # Images have to be where the containers will run, whatever Docker Engine the docker program would choose.
    if address := configured_docker(settings):
        _require_docker(address, options.file or file.name)
        os.environ["DOCKER_HOST"] = address
    chain = setup.set_up(required_images(settings))
    setup.report(chain)
    return open_stack(options, chain)


def _require_docker(address: str, file: str) -> None:
    if try_output(["docker", "-H", address, "version"], timeout=20) is None:
        raise ToolError(
            f"hub.local.docker: no Docker Engine answers at {address} ({file}); start it, or remove the key and "
            f"`make up` finds one itself. How to install: {INSTALL}"
        )


def required_images(settings: Settings) -> list[str]:
    """Image keys that the stack needs on this machine: those of its containers, without the overridden."""
    return [key for key in services.used_images(settings) if key not in settings.images.given()]


def up(stack: Stack, moves: bool = False) -> int:
    """Bring the stack up, wait for data, show the status. Exit code 0 only if everything arrived. `moves`: the caller
    keeps what a hub that becomes three nodes, or one of three, would lose."""
    stack.prepare()
    stack.select()
    refresh = _refreshed(stack)
    storage_change.require(stack, moves)
    nodes.order(stack)
    custom_check.require(stack)
    pull_everywhere.pull(stack)
    say("\nBringing the stack up (pulumi up)")
    unreachable: set[str] = set()

    def shown(line: str) -> None:
        if host := pulumi_process.unreachable(line):
            unreachable.add(host)

    with repair.Comparison(stack) as comparison:
        looks = nodes.again(stack.state)
        code = stack.run("up", "--yes", "--skip-preview", "--suppress-outputs", *refresh, *looks, shown=shown)
        problems = repair.repair(stack, comparison, unreachable)
    if problems:
        say(repair.failures(problems))
    if code:
        for sentence in image_tags.problems(_deployed_images(stack)):
            say(sentence)
        raise ToolError(FAILED)
    _keep_state(stack)
    return 0 if report_status(stack) and not problems else 1


def _keep_state(stack: Stack) -> None:
    """The exported state, its secrets encrypted, goes into the hub's backup. A hub that does not take it costs nothing
    but that: the next update tries again."""
    settings = stack.settings()
    if settings is None or settings.hub.backup is None:
        return
    try:
        Repository(stack).keep_state(stack.quiet("stack", "export"))
    except ToolError as problem:
        say(f"The state of this update is not in the backup: {problem}")


def _refreshed(stack: Stack) -> list[str]:
    """What the update needs so that containers of the hub that do not run any more are made again. Those of a cluster
    are refreshed here, by themselves: a node that does not answer would end a refresh of everything."""
    found = pulumi_state.outputs(stack.state)
    if "query" not in found:
        return []
    docker = agent_targets.docker_on(stack, found)
    if not nodes.of(found):
        stopped = pulumi_state.stopped(stack.state, docker("hub"))
        if stopped:
            names = ", ".join(sorted(stopped.values()))
            say(f"\nNot running any more: {names}. The state is refreshed first (--refresh).")
        return ["--refresh"] if stopped else []
    for host in nodes.of(found):
        stopped = pulumi_state.stopped(stack.state, docker(host), host)
        if stopped:
            say(f"\nNot running any more on {host}: {', '.join(sorted(stopped.values()))}. They are refreshed first.")
            # With their networks and volumes, which a machine that was installed again does not have either.
            made = {urn for urn in pulumi_state.on_machine(stack.state, host) if "docker:index/" in urn}
            targets = (word for urn in sorted({*stopped, *made}) for word in ("--target", urn))
            stack.quiet("refresh", "--yes", "--skip-preview", *targets)
    return []


def _deployed_images(stack: Stack) -> dict[str, str]:
    """The references that the stack's hosts pull, by key; none that a machine assembled itself."""
    settings = stack.settings()
    if settings is None:
        return {}
    references = resolve(settings.images)
    used = {key: references[key] for key in services.used_images(settings)}
    return {key: ref for key, ref in used.items() if not ref.startswith(LOCAL)}
