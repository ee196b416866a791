"""Stand-in for the docker provider: networks, volumes and containers, through the Engine's API (docker_api.py).

What replaces and what is changed in place: docker_tables.py. As with the real provider, an image is pulled when it is
not there and known by its name alone (a new image under an old tag changes nothing); `wait` waits for "healthy"; a
container that was removed by hand leaves the state in a refresh; deleting what is gone already is fine; a container
that does not start stays recorded, so that the next run deals with it.

Limits: explicit names only (no generated ones), no images, services, registries, uploads, or TLS over TCP.
"""

from __future__ import annotations

import os
import time

from localcloud.standins.plugins import docker_container as shape
from localcloud.standins.plugins.docker_api import DEFAULT_HOST, NOT_FOUND, Docker, DockerError, parse_ssh_opts
from localcloud.standins.plugins.docker_tables import CONFIG, CONTAINER, NETWORK, VOLUME
from localcloud.standins.plugins.provider import Package, State, Unfinished
from localcloud.standins.plugins.server import Log

PATIENCE = 30  # seconds that a network or volume may still be in use before its removal fails
GONE, IN_USE = NOT_FOUND, 409


def _labels(found: dict[str, str] | None) -> list[State]:
    return [{"label": k, "value": v} for k, v in sorted((found or {}).items())]


def _as_map(labels: list[State] | None) -> dict[str, str]:
    return {x["label"]: x["value"] for x in labels or []}


class Network:
    table = NETWORK

    def __init__(self, docker: Docker) -> None:
        self._docker = docker

    def create(self, urn: str, inputs: State) -> tuple[str, State]:
        configs = [
            {"Subnet": c.get("subnet", ""), "Gateway": c.get("gateway", ""), "IPRange": c.get("ipRange", "")}
            for c in inputs.get("ipamConfigs", [])
        ]
        body = {
            "Name": inputs["name"],
            "CheckDuplicate": True,
            "Driver": inputs.get("driver", ""),
            "Internal": inputs.get("internal", False),
            "Attachable": inputs.get("attachable", False),
            "EnableIPv6": inputs.get("ipv6", False),
            "Labels": _as_map(inputs.get("labels")),
            "Options": inputs.get("options"),
            "IPAM": {"Driver": inputs["ipamDriver"], "Config": configs},
        }
        try:
            made = self._docker.post("/networks/create", {k: v for k, v in body.items() if v not in ("", None)})["Id"]
        except DockerError as error:
            raise RuntimeError(f"Unable to create network: {error}") from error
        return made, self.read(made, {}) or {}

    def read(self, resource_id: str, state: State) -> State | None:
        found = self._docker.find(f"/networks/{resource_id}")
        if found is None:
            return None
        configs = [
            {"subnet": c.get("Subnet", ""), "gateway": c.get("Gateway", ""), "ipRange": c.get("IPRange", "")}
            for c in found["IPAM"].get("Config") or []
        ]
        return {
            "id": found["Id"],
            "name": found["Name"],
            "driver": found["Driver"],
            "internal": found["Internal"],
            "attachable": found["Attachable"],
            "ipv6": found["EnableIPv6"],
            "labels": _labels(found["Labels"]),
            "options": found["Options"] or {},
            "ipamDriver": found["IPAM"]["Driver"],
            "ipamConfigs": configs,
            "scope": found["Scope"],
        }

    def update(self, urn: str, resource_id: str, old: State, inputs: State) -> State:
        return old  # the table leaves nothing to change in place

    def delete(self, urn: str, resource_id: str, state: State) -> None:
        _remove(self._docker, f"/networks/{resource_id}", "has active endpoints")


class Volume:
    table = VOLUME

    def __init__(self, docker: Docker) -> None:
        self._docker = docker

    def create(self, urn: str, inputs: State) -> tuple[str, State]:
        body = {
            "Name": inputs["name"],
            "Driver": inputs.get("driver", ""),
            "DriverOpts": inputs.get("driverOpts"),
            "Labels": _as_map(inputs.get("labels")),
        }
        try:
            made = self._docker.post("/volumes/create", {k: v for k, v in body.items() if v not in ("", None)})["Name"]
        except DockerError as error:
            raise RuntimeError(f"Unable to create volume: {error}") from error
        return made, self.read(made, {}) or {}

    def read(self, resource_id: str, state: State) -> State | None:
        found = self._docker.find(f"/volumes/{resource_id}")
        if found is None:
            return None
        return {
            "id": found["Name"],
            "name": found["Name"],
            "driver": found["Driver"],
            "driverOpts": found.get("Options") or {},
            "labels": _labels(found["Labels"]),
            "mountpoint": found["Mountpoint"],
        }

    def update(self, urn: str, resource_id: str, old: State, inputs: State) -> State:
        return old

    def delete(self, urn: str, resource_id: str, state: State) -> None:
        _remove(self._docker, f"/volumes/{resource_id}", "volume is in use", force="true")


def _remove(docker: Docker, path: str, in_use: str, **query: str | int) -> None:
    """Removes; waits while a container that is being removed still uses it; it may be gone already."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return docker.delete(path, **query)
        except DockerError as error:
            if error.status == GONE:
                return None
            if in_use not in str(error) or time.monotonic() > deadline:
                raise
        time.sleep(1)


class Container:
    table = CONTAINER

    def __init__(self, docker: Docker, log: Log) -> None:
        self._docker, self._log = docker, log

    def create(self, urn: str, inputs: State) -> tuple[str, State]:
        image = inputs["image"]
        self._docker.ensure_image(image, lambda: self._log.info(f"pulling {image}", urn, live=True))
        try:
            made = self._docker.post("/containers/create", shape.payload(inputs), name=inputs["name"])["Id"]
        except DockerError as error:
            raise RuntimeError(f"Unable to create container: {error}") from error
        try:
            self._connect(made, inputs)
            if inputs["start"]:
                self._start(made)
                if inputs["wait"]:
                    self._wait(made, inputs["waitTimeout"])
        except RuntimeError as error:
            raise Unfinished(str(error), made) from error
        return made, self.read(made, inputs) or {}

    def _connect(self, made: str, inputs: State) -> None:
        networks = inputs.get("networksAdvanced") or []
        if not networks:
            return
        try:
            self._docker.post("/networks/bridge/disconnect", {"Container": made, "Force": False})
        except DockerError as error:
            if "is not connected to" not in str(error):
                raise RuntimeError(f"Unable to disconnect the default network: {error}") from error
        for network in networks:
            try:
                body = {"Container": made, "EndpointConfig": shape.endpoint(network)}
                self._docker.post(f"/networks/{network['name']}/connect", body)
            except DockerError as error:
                raise RuntimeError(f"Unable to connect to network '{network['name']}': {error}") from error

    def _start(self, made: str) -> None:
        try:
            self._docker.post(f"/containers/{made}/start")
        except DockerError as error:
            raise RuntimeError(f"Unable to start container: {error}") from error

    def _wait(self, made: str, timeout: int) -> None:
        deadline = time.monotonic() + timeout
        while True:
            health = self._docker.get(f"/containers/{made}/json")["State"].get("Health")
            if health is None:
                raise RuntimeError(
                    "you have supplied a 'wait' argument, but the container does not have a healthcheck "
                    "defined. Please remove the 'wait' argument or add a 'healthcheck' attribute"
                )
            if health["Status"] == "healthy":
                return
            if time.monotonic() > deadline:
                raise RuntimeError("container failed to be in healthy state")
            time.sleep(0.5)

    def read(self, resource_id: str, state: State) -> State | None:
        found = self._docker.find(f"/containers/{resource_id}/json")
        return None if found is None else shape.observed(found, state)

    def update(self, urn: str, resource_id: str, old: State, inputs: State) -> State:
        if inputs["mustRun"] and old.get("mustRun") is False and inputs["start"]:
            self._start(resource_id)
        before = {k: v for k, v in old.items() if k in inputs} | {"restart": old.get("restart") or "no"}
        if shape.resources(inputs) != shape.resources(before):
            try:
                self._docker.post(f"/containers/{resource_id}/update", shape.resources(inputs))
            except DockerError as error:
                raise RuntimeError(f"Unable to update a container: {error}") from error
        return old

    def delete(self, urn: str, resource_id: str, state: State) -> None:
        try:
            self._docker.post(f"/containers/{resource_id}/stop", t=state.get("destroyGraceSeconds") or 0)
        except DockerError as error:
            if error.status != GONE:
                raise RuntimeError(f"Error stopping container {resource_id}: {error}") from error
        try:
            volumes = "true" if state.get("removeVolumes", True) else "false"
            self._docker.delete(f"/containers/{resource_id}", v=volumes, force="true")
        except DockerError as error:
            if error.status not in (GONE, IN_USE):  # 409: its removal is already in progress
                raise RuntimeError(f"Error deleting container {resource_id}: {error}") from error


def package(log: Log) -> Package:
    docker = Docker()

    def configure(config: State) -> None:
        docker.configure(
            config.get("host") or os.environ.get("DOCKER_HOST") or DEFAULT_HOST, parse_ssh_opts(config.get("sshOpts"))
        )

    kinds = (Network(docker), Volume(docker), Container(docker, log))
    return Package(
        "docker", CONFIG, {kind.table.token: kind for kind in kinds}, configure=configure, cancel=docker.close
    )
