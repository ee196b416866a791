"""What a user does with a stack: up, down, secrets, any engine command. The stack itself is in stack.py."""

from __future__ import annotations

import contextlib
import getpass
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tools import engine_state, images, reach, stackfile, status
from tools.errors import ToolError
from tools.hubclient import HubClient
from tools.progress import say
from tools.stack import Stack

REHEARSAL = "cloud"  # in a stack's state: the rehearsal cloud that it lives in
UNFINISHED = "pulumi up did not end well; what it says stands above. `make up` again goes on from what is there."
_PROTECTED = "What is protected needs `fleetwatch:cloud: {protect: false}` and `make up` first."


def up(stack: Stack) -> int:
    """Bring the stack up, wait for data, print the table. Exit code 0 only if everything arrived."""
    stack.prepare()
    stack.select()
    gone = engine_state.drifted(stack.state, stack.docker()) if stack.here else []
    if gone:
        say(f"\nNot running any more: {', '.join(gone)}. They are looked at first (--refresh) and brought back.")
    say("\nBringing the stack up (pulumi up)")
    code = stack.run("up", "--yes", "--skip-preview", "--suppress-outputs", *(["--refresh"] if gone else []))
    if code:
        raise ToolError(UNFINISHED)
    return 0 if wait_for_data(stack) else 1


def wait_for_data(stack: Stack, patience: float = 60.0) -> bool:
    """Show the table once everything expected has arrived, or after `patience` seconds with what is missing."""
    outputs = stack.outputs()
    listed = {host: reach.on(outputs, host, ["docker"]) for host in outputs["hosts"]}
    if stack.here:
        listed = {"this machine": ["docker", "-H", stack.docker()]}
    with reach.query_side(outputs) as address:
        hub = HubClient(address)
        status.wait(hub, outputs, patience)
        return status.show(hub, outputs, listed, stack.prefix())


def replace(stack: Stack, kind: str, name: str, what: str) -> int:
    """Make one resource anew, and with it what depends on it."""
    stack.prepare()
    stack.select()
    say(f"\n{what} (pulumi up --replace)")
    flags = ("--yes", "--skip-preview", "--suppress-outputs")
    if stack.run("up", *flags, "--replace", stack.urn(kind, name)):
        raise ToolError(UNFINISHED + (f" {_PROTECTED}" if kind.startswith("digitalocean:") else ""))
    return 0 if wait_for_data(stack) else 1


def images_for(file: Path) -> list[str]:
    """Image keys that this stack file needs: the usual ones, Alloy where it is chosen, none that the file names."""
    config = stackfile.read(file).get("config") or {}
    hosts, named = config.get("fleetwatch:hosts"), config.get("fleetwatch:images")
    found = set(images.PARTS)
    for host in hosts.values() if isinstance(hosts, dict) else ():
        logs = host.get("logs") if isinstance(host, dict) else None
        if isinstance(logs, dict) and logs.get("agent") == "alloy":
            found.add("alloy")
    return [key for key in (*images.PARTS, "alloy") if key in found - set(named if isinstance(named, dict) else ())]


def engine_command(stack: Stack, words: Sequence[str]) -> int:
    """Any command of the Pulumi CLI for this stack, such as `preview --diff` or `stack output`."""
    if not words:
        raise ToolError('Which command? For example: make pulumi ARGS="preview --diff"')
    if words[0] == "cancel":  # what it is for is a lock, at which everything else stops
        return stack.run(*words, *([] if "--yes" in words else ["--yes"]))
    stack.prepare()
    stack.select(mend=words[0] != "import")  # which is what an interrupted run's droplet may need
    return stack.run(*words)


def secret(stack: Stack, key: str) -> None:
    """Ask for a secret without echo (or read it from stdin) and put it encrypted into the working copy."""
    stack.prepare(check=False)
    stack.select(mend=False)  # the token, say, without which nobody can look what is half made
    value = ask_secret(f"{key}: ") if sys.stdin.isatty() else sys.stdin.read().rstrip("\n")
    if not value:
        raise ToolError(f"{key}: expected a text, got nothing; nothing was changed.")
    kept = set_secret(stack, key, value)
    say(f"{key} is set. `make up STACK={stack.name}` brings it to work.{kept}")


def ask_secret(question: str) -> str:
    """What is typed without echo; nothing if the terminal is closed instead (Ctrl-D)."""
    try:
        return getpass.getpass(question)
    except EOFError:
        say("")  # ends the question's line
        return ""


def set_secret(stack: Stack, key: str, value: str) -> str:
    """Put a secret encrypted into the working copy of a stack that was selected, and where others find it; a sentence
    says where that is. A key with a colon is another provider's, such as `digitalocean:token`."""
    stack.quiet("config", "set", "--secret", "--path", key if ":" in key else f"fleetwatch:{key}", stdin=value)
    path = stack.share_secrets()
    return f" {path} has it, encrypted: commit that file." if path else ""


def down(stack: Stack, yes: bool) -> int:
    """Remove all containers, networks and files; the data after a question."""
    if not stack.here:
        return _destroy_fleet(stack, yes)
    prefix, docker = stack.prefix(), stack.docker()
    volumes = _docker(docker, "volume", "ls", "-q", "--filter", f"label=fleetwatch.stack={prefix}").split()
    with_data = yes or (bool(volumes) and _ask_for_data(volumes))
    if stack.exists():
        stack.select()
        # Passwords stay with the data: Grafana keeps its own copy of the admin's in there.
        keep = [] if with_data or not volumes else ["--exclude", "**randomPassword:RandomPassword::*"]
        if stack.run("destroy", "--yes", "--skip-preview", "--suppress-outputs", *keep):
            raise ToolError("pulumi destroy did not end well; what it says stands above. `make down` again continues.")
    _remove_left_over(docker, prefix)
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
    return 0


def _destroy_fleet(stack: Stack, yes: bool) -> int:
    """Droplets, volume and address go; what runs on servers is removed from them, the hub's data too."""
    if not stack.exists():
        say(f"There is no stack {stack.name} on this machine.")
        return 0
    stack.prepare()
    stack.select()
    if not yes and not _confirmed(
        f"Destroy stack {stack.name} with its data: every droplet, the volume and the address; on servers its "
        "containers and volumes? [y/N] "
    ):
        raise ToolError(f"Nothing was removed. `make down STACK={stack.name} YES=1` does it without a question.")
    way = _way_to_kept_data(stack)
    if stack.run("destroy", "--yes", "--skip-preview", "--suppress-outputs"):
        raise ToolError(
            f"pulumi destroy did not end well; what it says stands above. `make down` again continues. {_PROTECTED}"
        )
    if way:
        _remove_kept_data(way, stack.prefix())
    if (stack.home / REHEARSAL).exists():
        say("Removed the fleet; its cloud is still there: `make rehearse` uses it again, `make rehearse-down` ends it.")
        return 0
    _forget(stack)
    say(f"Removed stack {stack.name}.")
    return 0


def _forget(stack: Stack) -> None:
    """The state, wherever it is, and then its folder here with the passphrase."""
    if stack.exists():
        stack.forget()
    shutil.rmtree(stack.home, ignore_errors=True)
    with contextlib.suppress(OSError):
        stack.home.parent.rmdir()  # only if nothing else is in it


def _way_to_kept_data(stack: Stack) -> list[str]:
    """The command line of a hub that is a server, on which the engine leaves the volumes; nothing for any other hub."""
    if not stack.on_server:
        return []
    try:
        return list(stack.outputs()["hosts"]["hub"]["ssh"])
    except ToolError:  # it was never up: there is no data
        return []


def _remove_kept_data(way: Sequence[str], prefix: str) -> None:
    """With the state the passwords go; volumes that stayed would keep a Grafana whose password nobody has."""
    remove = f"docker volume ls -q --filter label=fleetwatch.stack={prefix} | xargs -r docker volume rm"
    done = subprocess.run([*way, remove], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["no answer"])[-1]
        say(f"The hub's volumes of data are still there ({said}). On the hub, this removes them: {remove}")


def _confirmed(question: str) -> bool:
    if not sys.stdin.isatty():
        return False
    try:
        return input(question).strip().lower() in ("y", "yes")
    except EOFError:
        return False


def _ask_for_data(volumes: Sequence[str]) -> bool:
    return _confirmed(f"Remove the data as well ({', '.join(volumes)})? [y/N] ")


def _remove_left_over(docker: str, prefix: str) -> None:
    """What carries this stack's label and is in no state any more, as after a lost state."""
    for container in _docker(docker, "ps", "-aq", "--filter", f"label=fleetwatch.stack={prefix}").split():
        _docker(docker, "rm", "--force", "--volumes", container)
    for network in _docker(docker, "network", "ls", "-q", "--filter", f"label=fleetwatch.stack={prefix}").split():
        _docker(docker, "network", "rm", network)


def _docker(docker: str, *words: str) -> str:
    done = subprocess.run(["docker", "-H", docker, *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise ToolError(f"docker {words[0]}: {done.stderr.strip()}")
    return done.stdout
