"""Docker Engine 28 in a container, with its images in containerd or not, and cAdvisor in it as the program runs it."""

from __future__ import annotations

import contextlib
import re
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from configs import compose, deployment, services
from configs.settings import load
from localcloud.machines import MachineImage
from tests.integration.rig import docker, eventually

SYSTEM = "/run/containerd/containerd.sock"
OTHER = "shop-api"  # a user's container
CADVISOR = "fleetwatch-cadvisor"
_NAMED = re.compile(r'^container_last_seen\{.*[{,]name="([^"]+)"', re.MULTILINE)
# No networks: a second engine on a machine would rewrite the first one's packet filter, and none is needed.
_DOCKERD = "dockerd --bridge=none --iptables=false --ip6tables=false --userland-proxy=false -H unix:///run/docker.sock"


def rendered(image: str) -> dict[str, Any]:
    """The Compose service that is cAdvisor, of a stack with nothing but its defaults."""
    settings = load({"env": "test", "hub": {"local": {}}}, "a test")
    context = deployment.context(settings, "hub", "/var/lib/fleetwatch", "/var/run/docker.sock")
    specs = [spec for spec in services.edge_specs(context) if spec.role == "cadvisor"]
    project = yaml.safe_load(compose.compose_yaml(context, compose.containers(context, specs, {"cadvisor": image})))
    made: dict[str, Any] = project["services"]["cadvisor"]
    return made


@dataclass
class Engine:
    """One engine, in the container `machine`. `folder` has its socket, for this machine."""

    machine: str
    folder: Path
    image: str

    @property
    def host(self) -> str:
        return f"unix://{self.folder}/docker.sock"

    def docker(self, *words: str) -> str:
        """A docker command in this engine."""
        return docker("-H", self.host, *words)

    def inside(self, script: str) -> str:
        """A shell script on the machine."""
        return docker("exec", self.machine, "sh", "-euc", script)

    def start(self, name: str, command: str, socket: str) -> None:
        """A daemon, until its socket is there."""
        docker("exec", "-d", self.machine, "sh", "-c", f"exec {command} > /var/log/{name}.log 2>&1")
        try:
            eventually(f"the socket of {name}", lambda: self.inside(f"test -S {socket} && echo yes"), 60, 0.2)
        except AssertionError as late:
            raise AssertionError(f"{late}\n{self.inside(f'tail -20 /var/log/{name}.log')}") from None

    def containerd(self, socket: str = SYSTEM, data: str = "/var/lib/containerd") -> None:
        folder = str(Path(socket).parent)
        self.start("containerd", f"containerd --address {socket} --root {data} --state {folder}/state", socket)

    def dockerd(self, image_store: bool, options: str = "") -> None:
        """Docker, with the image that the tests run loaded, and a container of a user."""
        store = str(image_store).lower()
        command = f"{_DOCKERD} -H unix:///outside/docker.sock --feature containerd-snapshotter={store} {options}"
        self.start("dockerd", command, "/outside/docker.sock")
        self.inside("chmod 666 /outside/docker.sock")
        eventually("Docker to answer", lambda: self.docker("version"), 60, 0.2)
        with tempfile.TemporaryDirectory() as work:
            docker("save", "-o", f"{work}/image.tar", self.image)
            self.docker("load", "-q", "-i", f"{work}/image.tar")
        self.docker("run", "-d", "--name", OTHER, "--network", "none", "--entrypoint", "sleep", self.image, "3600")

    def store(self) -> str:
        """What `docker info` says about where images are."""
        return self.docker("info", "-f", "{{.Driver}} {{.DriverStatus}}")

    def cadvisor(self) -> None:
        """cAdvisor as the program makes it: arguments, mounts, capabilities, limits. It has no network here."""
        service = {**rendered(self.image), "network_mode": "none"}
        del service["networks"]
        del service["healthcheck"]  # `healthy` runs it: Docker would do so after 30 seconds only
        project = yaml.safe_dump({"name": "fleetwatch", "services": {"cadvisor": service}})
        docker("-H", self.host, "compose", "-f", "-", "up", "-d", "--pull", "never", stdin=project)

    def names(self) -> set[str]:
        """The containers that cAdvisor's metrics name."""
        metrics = self.docker("exec", CADVISOR, "wget", "-q", "-O", "-", "http://127.0.0.1:8080/metrics")
        assert "container_last_seen" in metrics
        return set(_NAMED.findall(metrics))

    def healthy(self) -> bool:
        """What Docker's health check would find now."""
        kind, *command = rendered(self.image)["healthcheck"]["test"]
        assert kind == "CMD"
        try:
            self.docker("exec", CADVISOR, *command)
        except AssertionError:
            return False
        return True

    def log(self) -> str:
        """What cAdvisor's container has written, to stdout and stderr."""
        words = ["docker", "-H", self.host, "logs", CADVISOR]
        return subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=True).stdout

    def expect_names(self, patience: float = 30) -> None:
        """cAdvisor names itself and the user's container, and Docker calls it healthy."""
        wanted = {OTHER, CADVISOR}
        eventually(f"metrics that name {wanted}", lambda: wanted <= self.names(), patience)
        eventually("its health", self.healthy, 10)


@contextlib.contextmanager
def machine(engine_image: str, image: str) -> Iterator[Engine]:
    """A machine without an engine that runs; gone at the end."""
    name = f"fleetwatch-image-store-{secrets.token_hex(4)}"
    folder = Path(tempfile.mkdtemp(prefix="fwt-"))  # a socket's path has a limit, the tests' own folders are too long
    label = f"fleetwatch.test={name}"
    try:
        options = [
            "--name",
            name,
            "--label",
            label,
            "--network",
            "none",
            *MachineImage(engine_image).rights(),
            "-v",
            f"{folder}:/outside",
        ]
        docker("run", "-d", *options, engine_image)
        made = Engine(name, folder, image)
        eventually("the machine to boot", lambda: made.inside("test -e /run/booted && echo yes"), 30, 0.2)
        yield made
    finally:
        for found in docker("ps", "-aq", "--filter", f"label={label}", check=False).split():
            docker("rm", "-f", "-v", found, check=False)
        shutil.rmtree(folder, ignore_errors=True)
