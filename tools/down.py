"""`make down`: removes what `make up` made, and the data after confirmation."""

from __future__ import annotations

import argparse
import contextlib
import shutil
import subprocess
from collections.abc import Sequence

from tools.cli import Commands, confirmed
from tools.errors import ToolError
from tools.progress import say
from tools.remote_access import hub_hosts
from tools.stack import Stack
from tools.stack_factory import open_stack

REHEARSAL = "cloud"  # folder in a stack's state: the rehearsal cloud that it lives in
FAILED = "pulumi destroy failed; the output above names the cause. Once it is fixed, `make down` continues from here."
PROTECTED = "Protected resources need `fleetwatch:cloud: {protect: false}` and `make up` first."


def register(commands: Commands) -> None:
    parser = commands.add("down", _down, "remove everything that `up` made; data after confirmation")
    parser.add_argument("--yes", action="store_true", help="remove the data without confirmation")


def _down(options: argparse.Namespace) -> int:
    return down(open_stack(options), options.yes)


def down(stack: Stack, yes: bool) -> int:
    """Remove all containers, networks and files; the data after confirmation."""
    if not stack.hub_is_local:
        return _destroy_fleet(stack, yes)
    prefix, docker = stack.prefix(), stack.docker()
    volumes = _docker(docker, "volume", "ls", "-q", "--filter", f"label=fleetwatch.stack={prefix}").split()
    kept = _kept_bucket(stack) if stack.exists() else ""
    with_data = yes or (bool(volumes) and _ask_for_data(volumes))
    if stack.exists():
        stack.select()
        # Passwords stay with the data: it holds Grafana's copy of the admin password.
        keep = [] if with_data or not volumes else ["--exclude", "**randomPassword:RandomPassword::*"]
        if stack.run("destroy", "--yes", "--skip-preview", "--suppress-outputs", *keep):
            raise ToolError(FAILED)
    _remove_leftovers(docker, prefix)
    if with_data:
        for volume in volumes:
            _docker(docker, "volume", "rm", volume)
        _forget(stack)
        say(f"Removed, with {len(volumes)} volume(s) of data.")
    else:
        say(
            f"Removed. {len(volumes)} volume(s) of data and their passwords are kept; "
            "`make down YES=1` removes them too."
        )
    if kept:
        say(kept)
    return 0


def _destroy_fleet(stack: Stack, yes: bool) -> int:
    """Remove droplets, volume and address; on servers the containers, and the hub's data."""
    if not stack.exists():
        say(f"There is no stack {stack.name} on this machine.")
        return 0
    stack.prepare()
    stack.select()
    if not yes and not confirmed(
        f"Destroy stack {stack.name} with its data: every droplet, the volume and the address; on servers its "
        "containers and volumes? [y/N] "
    ):
        raise ToolError(f"Nothing was removed. `make down STACK={stack.name} YES=1` needs no confirmation.")
    servers, kept = _servers_with_data(stack), _kept_bucket(stack)
    if stack.run("destroy", "--yes", "--skip-preview", "--suppress-outputs"):
        raise ToolError(f"{FAILED} {PROTECTED}")
    for ssh_argv in servers:
        _remove_kept_data(ssh_argv, stack.prefix())
    if kept:
        say(kept)
    if (stack.home / REHEARSAL).exists():
        say("Removed the fleet; its cloud still runs: `make rehearse` uses it again, `make rehearse-down` removes it.")
        return 0
    _forget(stack)
    say(f"Removed stack {stack.name}.")
    return 0


def _kept_bucket(stack: Stack) -> str:
    """A sentence about a bucket with backups that stays, else empty. Called before the state is forgotten."""
    settings = stack.settings()
    spaces = settings.spaces if settings is not None else None
    if spaces is None or not spaces.keep:
        return ""
    try:
        url = stack.outputs()["bucket"]
    except (ToolError, KeyError):  # it was never up
        return ""
    return (
        f"The bucket with the backups is kept, and costs: {url}. Delete it at DigitalOcean, or restore from it with "
        f"`hub.backup.to.spaces: {{region: {spaces.region}, bucket: {url.rpartition('/')[2]}}}`."
    )


def _forget(stack: Stack) -> None:
    """Remove the state from its backend, and the stack's folder here with the passphrase."""
    if stack.exists():
        stack.forget()
    shutil.rmtree(stack.home, ignore_errors=True)
    with contextlib.suppress(OSError):
        stack.home.parent.rmdir()  # only if nothing else is in it


def _servers_with_data(stack: Stack) -> list[list[str]]:
    """The SSH command lines of the hub's hosts that are servers, where Pulumi retains the volumes."""
    if not stack.on_server:
        return []
    try:
        outputs = stack.outputs()
        return [list(outputs["hosts"][host]["ssh"]) for host in hub_hosts(outputs)]
    except ToolError:  # it was never up: there is no data
        return []


def _remove_kept_data(ssh_argv: Sequence[str], prefix: str) -> None:
    """Remove the volumes, and a container of an interrupted restore that still uses one: the passwords go with the
    state, and without them no user can sign in to the Grafana in those volumes."""
    ours = f"--filter label=fleetwatch.stack={prefix}"
    remove = (
        f"docker ps -aq {ours} | xargs -r docker rm -f -v && docker volume ls -q {ours} | xargs -r docker volume rm"
    )
    done = subprocess.run([*ssh_argv, remove], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no answer"])[-1]
        say(f"The hub's data volumes are still there ({reason}). On the hub, this removes them: {remove}")


def _ask_for_data(volumes: Sequence[str]) -> bool:
    return confirmed(f"Remove the data as well ({', '.join(volumes)})? [y/N] ")


def _remove_leftovers(docker: str, prefix: str) -> None:
    """Remove what carries this stack's label and is in no state any more, as after a lost state."""
    for container in _docker(docker, "ps", "-aq", "--filter", f"label=fleetwatch.stack={prefix}").split():
        _docker(docker, "rm", "--force", "--volumes", container)
    for network in _docker(docker, "network", "ls", "-q", "--filter", f"label=fleetwatch.stack={prefix}").split():
        _docker(docker, "network", "rm", network)


def _docker(docker: str, *arguments: str) -> str:
    done = subprocess.run(["docker", "-H", docker, *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise ToolError(f"docker {arguments[0]}: {done.stderr.strip()}")
    return done.stdout
