"""Both writers make equal containers from one spec: docker resources (the hub's) and Compose (an edge's)."""

from __future__ import annotations

import contextlib
import json
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import certifi
import pytest

from components.docker_service import DockerService, DockerServiceArgs
from components.local_host import LocalHost
from configs import compose, deployment, names, services
from configs.services.context import Context
from configs.services.spec import Late, ServiceSpec
from configs.settings import Local, load
from tests.component.program import record
from tests.component.secret_marks import plain
from tests.integration import plugin
from tests.integration.rig import DOCKER, docker, free_ports
from tools import setup

pytestmark = pytest.mark.xdist_group("writers")
# Of the hub's, Caddy: it publishes ports, and Compose has to write all that a spec may have.
ROLES = ("agent", "cadvisor", "caddy", "node-exporter", "postgres-main", "promtail")
LATE = Late(
    site="https://hub.example.com",
    # Any certificate: nothing here pushes.
    hub_ca=Path(certifi.where()).read_text().partition("-----END CERTIFICATE-----")[0] + "-----END CERTIFICATE-----\n",
    passwords={name: secrets.token_hex(20) for name in ("password", names.SCRAPE_PASSWORD)},
    scraper={names.SCRAPER: "$2a$10$" + 53 * "."},
    users={"hub": {"hub": "$2a$10$" + 53 * "."}},
)
CONFIG = ("Image", "Entrypoint", "Cmd", "User", "WorkingDir", "Healthcheck", "StopTimeout", "StopSignal", "Tty", "Env")
HOST = (
    "Memory", "MemorySwap", "MemoryReservation", "NanoCpus", "CpuShares", "RestartPolicy", "LogConfig", "Tmpfs",
    "ReadonlyRootfs", "Devices", "PidMode", "IpcMode", "UsernsMode", "Privileged", "PortBindings", "GroupAdd",
    "ExtraHosts", "AutoRemove", "PublishAllPorts", "OomKillDisable", "Runtime", "CgroupParent",
    "Sysctls",
)  # fmt: skip


def _passes_mounts_on() -> bool:
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    return any(line.split()[4] == "/" and (" shared:" in line or " master:" in line) for line in lines)


class Machine:
    """A folder for one host's files, its networks, and its specs."""

    def __init__(self, chain: setup.ToolChain) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="fleetwatch-test-writers-"))
        self.prefix = f"fwt-writers-{secrets.token_hex(3)}"
        self.base = self.home / "hub"
        (self.home / "logs").mkdir()
        https, http, push, query = free_ports(4)
        entry = {
            "subnet": f"10.{secrets.randbelow(200) + 20}.{secrets.randbelow(250)}.0/24",
            "postgres": {"main": {"dsn": f"postgresql://u:{secrets.token_hex(8)}@db.example.com:1/x"}},
            "logs": {"files": {"app": {"path": f"{self.home}/logs/*.log"}}},
        }
        ports = {"https": https, "http": http, "push": push, "query": query}
        sections = {
            "prefix": self.prefix, "env": "test", "hub": {"local": {}, "ports": ports}, "hosts": {"hub": entry},
        }  # fmt: skip
        self.settings = load(sections, "stack file of the test")
        self.context: Context = deployment.context(self.settings, "hub", str(self.base), "/var/run/docker.sock")
        every = (*services.edge_specs(self.context), *services.hub_specs(self.context))
        # Docker refuses rslave where this machine's mounts are private; on a host project.sh takes it out then.
        found = {spec.role: spec if _passes_mounts_on() else replace(spec, follows=()) for spec in every}
        found["agent"] = replace(found["agent"], sysctls={"net.ipv4.tcp_syn_retries": "2"})  # as where there are nodes
        self.specs: list[ServiceSpec] = [found[role] for role in ROLES]
        self.images = {image.key: image.ref for image in chain.images}

    def write(self, folder: Path) -> None:
        """The files of all roles, as both writers mount them."""
        for spec in self.specs:
            for kind, files in (("config", spec.files), ("secrets", spec.secrets)):
                for name, file in files.items():
                    path = folder / spec.role / kind / name
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_text(file.render(LATE))

    @contextlib.contextmanager
    def networks(self, *, edge: bool) -> Iterator[None]:
        """The hub's network and, where Compose does not make it, the edge's."""
        made = [docker("network", "create", names.hub_network(self.prefix)).strip()]
        try:
            if edge:
                net = ("--subnet", str(self.context.edge.subnet), "--gateway", self.context.gateway)
                made.append(docker("network", "create", *net, names.edge_network(self.prefix)).strip())
            yield
        finally:
            docker("network", "rm", *made)

    def shapes(self) -> dict[str, dict[str, Any]]:
        """What both writers decide of each container, by role, without what Docker or Compose add."""
        return {spec.role: self._shape(spec.role) for spec in self.specs}

    def _shape(self, role: str) -> dict[str, Any]:
        name = names.container(self.prefix, role)
        (found,) = json.loads(docker("inspect", "--type", "container", name))
        config, host = found["Config"], found["HostConfig"]
        shape: dict[str, Any] = {key: config.get(key) or None for key in CONFIG} | {
            key: host.get(key) or None for key in HOST
        }
        labels = {key: text for key, text in config["Labels"].items() if not key.startswith("com.docker.compose.")}
        # Which names Docker itself adds differs by its version; Compose adds the service's.
        added = {found["Id"][:12], name, role}
        capabilities = {
            key: sorted(one.removeprefix("CAP_") for one in host[key] or []) for key in ("CapAdd", "CapDrop")
        }
        return {
            **shape,
            **capabilities,
            "Labels": labels,
            "Env": sorted(config["Env"] or []),
            "SecurityOpt": sorted(host["SecurityOpt"] or []),
            "host network": host["NetworkMode"] == "host",
            "networks": {
                network: sorted(set(one["Aliases"] or []) - added)
                for network, one in found["NetworkSettings"]["Networks"].items()
            },
            "mounts": sorted(map(self._mount, found["Mounts"])),
        }

    def _mount(self, mount: dict[str, Any]) -> tuple[str, str, str, str, str]:
        """Without Docker's own `Mode`: a text of the request (`ro`, `z` or nothing), of which `RW` is the meaning."""
        source = mount.get("Name") or mount["Source"]
        for folder in (self.context.project, str(self.base)):
            source = source.replace(f"{folder}/", "<folder>/")
        access = "writable" if mount["RW"] else "read-only"
        return (mount["Destination"], mount["Type"], source, access, mount["Propagation"])

    def clean(self) -> None:
        mine = docker("volume", "ls", "-q").split()
        volumes = [name for name in mine if name.startswith(f"{self.prefix}-")]
        if volumes:
            docker("volume", "rm", *volumes)
        shutil.rmtree(self.home)


def _by_docker_resources(machine: Machine) -> dict[str, dict[str, Any]]:
    def program() -> None:
        host = LocalHost("hub", machine.prefix, Local(docker=DOCKER, files=str(machine.home)))
        assert host.base == str(machine.base)
        for spec in machine.specs:
            args = DockerServiceArgs(
                host=host,
                spec=spec,
                image=machine.images[spec.service.image],
                late={
                    "site": LATE.site,
                    "hub_ca": LATE.hub_ca,
                    "passwords": dict(LATE.passwords),
                    "scraper": dict(LATE.scraper),
                    "users": dict(LATE.users),
                },
                networks={"hub": names.hub_network(machine.prefix), "edge": names.edge_network(machine.prefix)},
            )
            DockerService(spec.role, args)

    registered = record(program).containers
    machine.write(machine.base)
    with machine.networks(edge=True), plugin.started() as made:
        for role in ROLES:
            made.create(role, plain(registered[f"hub-{role}"].inputs))
        return machine.shapes()


def _by_compose(machine: Machine) -> dict[str, dict[str, Any]]:
    folder = Path(machine.context.project)
    machine.write(folder)
    containers = compose.containers(machine.context, machine.specs, machine.images)
    (folder / compose.FILE).write_text(compose.compose_yaml(machine.context, containers))
    call = ("compose", "-p", machine.prefix, "--project-directory", str(folder), "-f", str(folder / compose.FILE))
    with machine.networks(edge=False):
        try:
            docker(*call, "up", "-d", "--pull", "never", "--no-build")
            return machine.shapes()
        finally:
            docker(*call, "down", "-v", "-t", "1")


@pytest.fixture(scope="module")
def both(chain: setup.ToolChain) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    machine = Machine(chain)
    try:
        yield _by_docker_resources(machine), _by_compose(machine)
    finally:
        machine.clean()


@pytest.mark.parametrize("role", ROLES)
def test_both_writers_make_equal_containers(both: tuple[dict[str, Any], dict[str, Any]], role: str) -> None:
    resources, project = (found[role] for found in both)
    differing = {key: (resources[key], project[key]) for key in resources if resources[key] != project[key]}
    assert differing == {}, "by docker resources, and by Compose"


def test_what_is_compared_is_there(both: tuple[dict[str, Any], dict[str, Any]]) -> None:
    """Otherwise two empty values would be equal."""
    found, _ = both
    for role, shape in found.items():
        for key in ("Image", "Memory", "MemorySwap", "NanoCpus", "CapDrop", "SecurityOpt", "Healthcheck", "LogConfig",
                    "RestartPolicy", "ReadonlyRootfs", "StopTimeout", "Labels", "networks", "Tmpfs"):  # fmt: skip
            assert shape[key], f"{role}: {key}"
    assert found["caddy"]["PortBindings"]
    assert found["caddy"]["networks"] == {next(iter(found["caddy"]["networks"])): ["fleetwatch.localhost"]}
    assert found["cadvisor"]["Devices"]
    assert found["cadvisor"]["CapAdd"]
    assert found["cadvisor"]["Entrypoint"]
    assert (found["node-exporter"]["PidMode"], found["node-exporter"]["host network"]) == ("host", True)
    assert len(found["agent"]["networks"]) == 2
    assert found["promtail"]["mounts"]
    assert {mount[1] for mount in found["promtail"]["mounts"]} == {"bind", "volume"}
    assert found["postgres-main"]["Env"]
