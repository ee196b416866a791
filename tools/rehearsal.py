"""`make rehearse`: the production path on this machine. A cloud of containers (localcloud), then the fleet of the stack
file in it: the same program, the same Pulumi, an API endpoint on loopback.

The cloud is a separate process that outlives this one; its token, its log and its state are beside the stack's state.
`make rehearse-down` removes all of it.
"""

from __future__ import annotations

import argparse
import ipaddress
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from configs import services
from localcloud import machines
from tools import backend, docker_engine, down, images, policy_pack, rehearsal_images, setup, ssh_program, working_copy
from tools.cli import Commands, port
from tools.droplet_recipe import DROPLET_RECIPES, droplet_key
from tools.environment import pulumi_env
from tools.errors import ToolError
from tools.net import without_proxy
from tools.paths import CHECKOUT, only_one, state_dir
from tools.processes import run
from tools.progress import say, step
from tools.stack import OWN, Stack
from tools.stack_settings import missing_paths, read_settings
from tools.up import up

IMAGES = (*images.PARTS, "vmagent", "postgres")
SERVER, SERVER_USER = "vps-1", "deploy"
DSN = "hosts.db-1.postgres.main.dsn"
FILE_WATCHERS = 1024  # of one user, for about ten machines
START = 30  # seconds that the cloud's service may take


@dataclass(frozen=True)
class Rehearsal:
    """One rehearsal: the stack's name is the cloud's name. `internet`: the /24 that stands for the internet; `port`:
    the API's, on this machine's loopback."""

    name: str
    internet: str
    port: int

    @property
    def server(self) -> str:
        """The address of the machine that is no droplet: .150 of the internet."""
        return str(ipaddress.ip_network(self.internet)[150])

    @property
    def home(self) -> Path:
        return state_dir() / self.name

    @property
    def cloud(self) -> Path:
        return self.home / down.REHEARSAL

    @property
    def key(self) -> Path:
        return self.home / "ssh_key"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def machines(self) -> machines.Machines:
        return machines.Machines(self.name, machine_image(), self.internet)


def register(commands: Commands) -> None:
    title = "the production path on this machine: a cloud of containers, and the fleet in it"
    for parser in (
        commands.add("rehearse", _rehearse, title),
        commands.add("rehearse-down", _rehearse_down, "remove the rehearsal"),
    ):
        parser.add_argument("--internet", default="198.18.0.0/24", help="the network that stands for the internet")
        parser.add_argument("--port", type=port, default=8490, help="the API's port on this machine's loopback")


def _rehearse(options: argparse.Namespace) -> int:
    rehearsal = _rehearsal(options)
    file = Path(options.file or CHECKOUT / "stacks" / f"Pulumi.{rehearsal.name}.yaml")
    chain = prepare(rehearsal, rehearsal_images.beside(file))
    parts = {key: ref for key, ref in chain.overrides.items() if key in services.IMAGE_KEYS}
    return bring_up(policy_pack.attached(Stack(rehearsal.name, file, pulumi_env(rehearsal.home), parts)), rehearsal)


def _rehearse_down(options: argparse.Namespace) -> int:
    return remove(_rehearsal(options))


def _rehearsal(options: argparse.Namespace) -> Rehearsal:
    name = options.stack if options.stack != "local" else "rehearsal"
    return Rehearsal(name, options.internet, options.port)


def machine_image() -> machines.MachineImage:
    """The image of the rehearsal's machines; `setup.set_up` makes it."""
    return machines.MachineImage(DROPLET_RECIPES[droplet_key()]().ref)


def golden(refs: Sequence[str], purpose: str = "rehearsal") -> None:
    """Make the volume from which droplets start with these images. One process at a time makes it."""
    with only_one(f"golden-{purpose}"):
        machines.golden(machine_image(), refs, purpose, step)


def prepare(rehearsal: Rehearsal, more: Sequence[str] = ()) -> setup.ToolChain:
    """Everything below the fleet: tool chain, images, the cloud's service, the server that is no droplet, the keys.
    `more` images: with `s3` the cloud has an S3 server; `ask` is not preloaded, the update copies it."""
    chain = setup.set_up([*IMAGES, droplet_key(), *more])
    setup.report(chain)
    ssh_program.get()
    _inotify()
    rehearsal.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not rehearsal.key.exists():
        argv = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "fleetwatch rehearsal", "-f", str(rehearsal.key)]
        run(argv, what="ssh-keygen")
    golden([image.ref for image in chain.images if image.key not in (droplet_key(), "s3", "ask")])
    refs = {image.key: image.ref for image in chain.images}
    start_cloud(rehearsal, refs.get("s3", ""), refs.get(rehearsal_images.DATABASE, ""))
    public = rehearsal.key.with_name("ssh_key.pub").read_text().strip()
    with step(f"Server {SERVER} (no droplet) at {rehearsal.server}"):
        rehearsal.machines().create_server(SERVER, rehearsal.server, SERVER_USER, public)
    overlay = {"ssh": {"key": str(rehearsal.key)}}
    working_copy.write(rehearsal.home / OWN, {"config": {f"fleetwatch:{key}": value for key, value in overlay.items()}})
    return chain


def bring_up(stack: Stack, rehearsal: Rehearsal) -> int:
    """The fleet of the stack file, and the table of what has arrived."""
    say(
        "\nStand-ins for the cloud: a local API in place of DigitalOcean's, containers with a Docker Engine and an SSH "
        "server in place of droplets, images preloaded into their Docker in place of pulls from a registry."
    )
    config = stack.prepare()
    stack.select()
    if DSN in missing_paths(read_settings(config, stack.name, str(stack.file))[1]):
        # The rehearsal's database checks no password; this one only shows how a DSN is stored.
        dsn = f"postgresql://postgres:{secrets.token_hex(16)}@db:5432/postgres"
        stack.quiet("config", "set", "--secret", "--path", f"fleetwatch:{DSN}", stdin=dsn)
    code = up(stack)
    say(
        f"\nTry it: change stacks/Pulumi.{stack.name}.yaml, then `make preview STACK={stack.name}`, "
        f"`make up STACK={stack.name}`. `make rehearse-down` removes everything."
    )
    return code


def remove(rehearsal: Rehearsal) -> int:
    """Remove the cloud with all its machines, and the stack's state, without confirmation: nothing of it is real."""
    if docker_engine.answers():
        with step("Removing the rehearsal's machines, networks and volumes"):
            stop_cloud(rehearsal)
            rehearsal.machines().remove_all()
    shutil.rmtree(rehearsal.home, ignore_errors=True)
    say("Removed the rehearsal.")
    return 0


def start_cloud(rehearsal: Rehearsal, s3: str = "", database: str = "") -> None:
    """The API's service, unless it runs; its address and token become the stack's environment. The others: images."""
    rehearsal.cloud.mkdir(mode=0o700, parents=True, exist_ok=True)
    log = rehearsal.cloud / "service.log"
    if not _answers(rehearsal):
        argv = [sys.executable, "-m", "localcloud.cloud", "--name", rehearsal.name, "--port", str(rehearsal.port)]
        argv += ["--state", str(rehearsal.cloud), "--internet", rehearsal.internet]
        argv += ["--image", machine_image().ref, "--s3", s3, "--database", database]
        with log.open("ab") as out:
            service = subprocess.Popen(
                argv, cwd=CHECKOUT, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True
            )
        (rehearsal.cloud / "service.pid").write_text(f"{service.pid}\n")
        spaces = ", versitygw in place of Spaces" if s3 else ""
        with step(f"The rehearsal's cloud: DigitalOcean's API at {rehearsal.url}{spaces}"):
            end = time.monotonic() + START
            while not _answers(rehearsal):
                if service.poll() is not None or time.monotonic() > end:
                    raise ToolError(f"The rehearsal's cloud does not answer at {rehearsal.url}; its log: {log}")
                time.sleep(0.2)
    made = rehearsal.home / "environment.json"
    with os.fdopen(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        account = {"DIGITALOCEAN_TOKEN": _token(rehearsal), "DIGITALOCEAN_API_URL": rehearsal.url}
        if s3:
            account["SPACES_ENDPOINT_URL"] = rehearsal.machines().spaces.endpoint
        json.dump({**account, backend.VARIABLE: backend.default_url(rehearsal.home)}, file)  # its state ends with it


def stop_cloud(rehearsal: Rehearsal) -> None:
    """End the service that `start_cloud` started, if it is still that one."""
    try:
        pid = int((rehearsal.cloud / "service.pid").read_text())
    except (OSError, ValueError):
        return
    if not _serves(rehearsal, pid):
        return
    os.kill(pid, signal.SIGTERM)
    end = time.monotonic() + START
    while time.monotonic() < end and _serves(rehearsal, pid):
        time.sleep(0.1)


def _serves(rehearsal: Rehearsal, pid: int) -> bool:
    """Whether this process is the cloud's service. A zombie has an empty command line."""
    try:
        argv = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return b"localcloud.cloud" in argv and str(rehearsal.cloud).encode() in argv


def _token(rehearsal: Rehearsal) -> str:
    return (rehearsal.cloud / "token").read_text().strip()


def _answers(rehearsal: Rehearsal) -> bool:
    try:
        request = urllib.request.Request(
            f"{rehearsal.url}/v2/account", headers={"Authorization": f"Bearer {_token(rehearsal)}"}
        )
        with without_proxy().open(request, timeout=3):
            return True
    except urllib.error.HTTPError:
        raise ToolError(
            f"Another service answers at {rehearsal.url}; stop it, or choose another port: make rehearse PORT=..."
        ) from None
    except OSError:
        return False


def _inotify() -> None:
    """All machines of a rehearsal share this kernel, and its limit for those who watch files."""
    limit = Path("/proc/sys/fs/inotify/max_user_instances")
    if limit.exists() and (now := int(limit.read_text())) < FILE_WATCHERS:
        say(
            f"Note: fs.inotify.max_user_instances is {now} here; should a cAdvisor not start, raise "
            f"it for all machines of the rehearsal: sysctl fs.inotify.max_user_instances={FILE_WATCHERS}"
        )
