"""The guard rails for containers: of each rule what passes, what does not, and what an absent property means."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from policy import containers, images
from policy.records import CONTAINER, Check, Mark, Record

GOOD: dict[str, Any] = {
    "image": "docker.io/prom/prometheus:v3.15.0",
    "memory": 256.0,
    "capabilities": {"adds": [], "drops": ["ALL"]},
    "securityOpts": ["no-new-privileges"],
    "networkMode": "bridge",
    "ports": [],
    "devices": [],
    "mounts": [{"type": "bind", "source": "/var/lib/fleetwatch/x", "target": "/etc/x", "readOnly": True}],
}
EVERY: dict[str, Check] = {
    "ports": containers.ports,
    "rights": containers.rights,
    "mounts": containers.mounts,
    "memory": containers.memory,
    "pinned": images.pinned,
}


def container(role: str = "prometheus", **changes: Any) -> Record:
    """A container with these properties changed; None takes one out."""
    properties = {**GOOD, "labels": [{"label": "fleetwatch.role", "value": role}], **changes}
    return Record(CONTAINER, f"hub-{role}", {key: value for key, value in properties.items() if value is not None})


def said(check: Check, record: Record, env: str = "dev") -> list[str]:
    return list(check(record, env))


def _one(check: Check, record: Record) -> str:
    (found,) = said(check, record)
    assert record.called in found, "where"
    assert "; expected " in found, "what was expected, and after it the way out"
    assert found.count("; ") >= 2
    return found


def port(inside: Any, ip: Any = "127.0.0.1") -> Mapping[str, Any]:
    return {"internal": inside, "external": 8443, "ip": ip, "protocol": "tcp"}


@pytest.mark.parametrize("name", EVERY)
def test_a_container_as_the_program_makes_it_passes(name: str) -> None:
    assert said(EVERY[name], container()) == []


@pytest.mark.parametrize("name", EVERY)
def test_other_resources_are_not_looked_at(name: str) -> None:
    assert said(EVERY[name], Record("docker:index/volume:Volume", "v", {"privileged": True})) == []


# Ports


@pytest.mark.parametrize(
    "published", [port(443, "0.0.0.0"), port(80.0, None), port(8080, "10.77.0.3"), port(8080, Mark.UNKNOWN), port(9080)]
)
def test_caddy_publishes_its_ports(published: Mapping[str, Any]) -> None:
    assert said(containers.ports, container("caddy", ports=[published])) == []


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "203.0.113.9", None])
def test_pushes_without_tls_are_not_published_to_everybody(address: str | None) -> None:
    assert "the private network's address" in _one(containers.ports, container("caddy", ports=[port(8080.0, address)]))


@pytest.mark.parametrize("address", ["0.0.0.0", "10.77.0.3", None])
def test_the_query_side_is_published_on_loopback_alone(address: str | None) -> None:
    assert "expected 127.0.0.1" in _one(containers.ports, container("caddy", ports=[port(9080, address)]))


@pytest.mark.parametrize(
    "record",
    [
        container("prometheus", ports=[port(9090)]),
        container("caddy", ports=[port(2019)]),
        container("caddy", ports=[port(Mark.UNKNOWN)]),
        container("", ports=[port(443)]),
        container("caddy", labels=None, ports=[port(443)]),
    ],
    ids=["not Caddy's", "another of Caddy's", "an unknown one", "no role", "no labels"],
)
def test_nothing_else_is_published(record: Record) -> None:
    assert "expected nothing published" in _one(containers.ports, record)


def test_every_port_at_once_is_not_published() -> None:
    assert "publishAllPorts" in _one(containers.ports, container("caddy", publishAllPorts=True))


def test_no_ports_property_publishes_nothing() -> None:
    assert said(containers.ports, container(ports=None)) == []


# Rights


@pytest.mark.parametrize(
    ("role", "changes"),
    [
        ("node-exporter", {"networkMode": "host", "pidMode": "host"}),
        ("node-exporter", {"securityOpts": ["label=disable", "no-new-privileges"]}),
        ("node-exporter", {"securityOpts": ["label:disable", "no-new-privileges:true"]}),
        ("cadvisor", {"devices": [{"hostPath": "/dev/kmsg", "containerPath": "/dev/kmsg", "permissions": "r"}]}),
        ("cadvisor", {"capabilities": {"adds": ["CAP_SYSLOG", "sys_ptrace"], "drops": ["ALL"]}}),
        ("promtail", {"capabilities": {"adds": ["DAC_READ_SEARCH"], "drops": ["all"]}}),
        ("caddy", {"capabilities": {"adds": ["CAP_NET_BIND_SERVICE"], "drops": ["ALL"]}}),
        ("loki", {"privileged": False}),
        ("loki", {"securityOpts": ["seccomp=/etc/docker/own.json", "no-new-privileges"]}),
    ],
)
def test_named_exceptions_pass(role: str, changes: dict[str, Any]) -> None:
    assert said(containers.rights, container(role, **changes)) == []


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"privileged": True}, "privileged is full control"),
        ({"networkMode": "host"}, "the network namespace (host)"),
        ({"networkMode": "container:abc"}, "the network namespace (container:abc)"),
        ({"pidMode": "host"}, "the pid namespace"),
        ({"ipcMode": "host"}, "the IPC namespace"),
        ({"usernsMode": "host"}, "the user namespace"),
        ({"cgroupnsMode": "host"}, "the cgroup namespace"),
        ({"capabilities": {"adds": ["SYS_ADMIN"], "drops": ["ALL"]}}, "CAP_SYS_ADMIN"),
        ({"capabilities": {"adds": ["ALL"], "drops": ["ALL"]}}, "the capability ALL"),
        ({"capabilities": {"drops": ["CAP_NET_RAW"]}}, "drops: [ALL]"),
        ({"capabilities": {"adds": Mark.UNKNOWN, "drops": Mark.UNKNOWN}}, "drops: [ALL]"),
        ({"devices": [{"hostPath": "/dev/kmsg", "permissions": "r"}]}, "/dev/kmsg:r"),
        ({"deviceCgroupRules": ["a *:* rwm"]}, "rule a *:* rwm"),
        ({"deviceRequests": [{"driver": "nvidia"}]}, "a device request"),
        ({"gpus": "all"}, "GPUs (all)"),
        ({"securityOpts": ["no-new-privileges", "seccomp=unconfined"]}, "seccomp=unconfined"),
        ({"securityOpts": ["no-new-privileges", "apparmor:unconfined"]}, "apparmor=unconfined"),
        ({"securityOpts": ["no-new-privileges", "label=disable"]}, "label=disable"),
    ],
)
def test_other_rights_do_not(changes: dict[str, Any], part: str) -> None:
    assert part in _one(containers.rights, container(**changes))


def test_an_exception_is_for_one_value() -> None:
    writable = [{"hostPath": "/dev/kmsg", "permissions": "rwm"}]
    assert "/dev/kmsg:rwm" in _one(containers.rights, container("cadvisor", devices=writable))
    without = [{"hostPath": "/dev/kmsg"}]  # Docker's default is everything
    assert "/dev/kmsg:rwm" in _one(containers.rights, container("cadvisor", devices=without))


def test_an_exception_is_for_one_role() -> None:
    assert "CAP_SYSLOG" in _one(
        containers.rights, container("promtail", capabilities={"adds": ["CAP_SYSLOG"], "drops": ["ALL"]})
    )


@pytest.mark.parametrize(
    ("absent", "part"), [("capabilities", "Docker's own set"), ("securityOpts", "setuid"), ("networkMode", "")]
)
def test_absent_protections_are_told(absent: str, part: str) -> None:
    """Docker's defaults: some capabilities, privileges by setuid; but a network of its own."""
    record = container(**{absent: None})
    if part:
        assert part in _one(containers.rights, record)
    else:
        assert said(containers.rights, record) == []


def test_no_new_privileges_can_be_switched_off() -> None:
    found = said(containers.rights, container(securityOpts=["no-new-privileges:false"]))
    assert len(found) == 2, "it is not on, and it is switched off"


# Mounts


def bind(source: Any, target: str = "/x", read_only: bool = True) -> dict[str, Any]:
    return {"type": "bind", "source": source, "target": target, "readOnly": read_only}


SOCKET = "/var/run/docker.sock"


@pytest.mark.parametrize(
    ("role", "mount"),
    [
        ("cadvisor", bind(SOCKET, SOCKET)),
        ("promtail", bind(SOCKET, SOCKET)),
        ("alloy", bind("/run/user/1000/docker.sock", SOCKET)),
        ("cadvisor", bind("/", "/rootfs")),
        ("node-exporter", bind("/", "/host")),
        ("loki", bind("/var/log/nginx")),
        ("loki", {"type": "volume", "source": "fleetwatch-loki", "target": "/loki"}),
        ("loki", bind(Mark.UNKNOWN)),
    ],
)
def test_what_may_be_mounted(role: str, mount: dict[str, Any]) -> None:
    assert said(containers.mounts, container(role, mounts=[mount])) == []


@pytest.mark.parametrize("role", ["grafana", "node-exporter", "caddy"])
def test_dockers_socket_is_in_nobody_else(role: str) -> None:
    assert "full control of its host" in _one(containers.mounts, container(role, mounts=[bind(SOCKET, SOCKET)]))


def test_dockers_socket_is_known_by_where_it_is_mounted() -> None:
    assert "Docker's socket" in _one(containers.mounts, container("loki", mounts=[bind("/opt/engine", SOCKET)]))


@pytest.mark.parametrize("role", ["cadvisor", "promtail", "loki"])
def test_nothing_of_the_host_is_writable(role: str) -> None:
    assert "writable" in _one(containers.mounts, container(role, mounts=[bind("/srv/data", read_only=False)]))


def test_dockers_socket_is_not_writable_where_it_is_allowed() -> None:
    assert "writable" in _one(containers.mounts, container("cadvisor", mounts=[bind(SOCKET, SOCKET, False)]))


@pytest.mark.parametrize("folder", ["/", "/var", "/var/run", "/run/", "/var/"])
def test_a_folder_with_the_socket_in_it_counts(folder: str) -> None:
    assert "Docker's socket is in it" in _one(containers.mounts, container("loki", mounts=[bind(folder)]))


def test_the_older_way_to_mount_counts_too() -> None:
    volumes = [{"hostPath": "/srv", "containerPath": "/srv"}]
    assert "writable" in _one(containers.mounts, container(mounts=None, volumes=volumes))
    named = [{"volumeName": "data", "containerPath": "/srv"}]
    assert said(containers.mounts, container(mounts=None, volumes=named)) == []


def test_read_only_that_is_not_said_is_writable() -> None:
    assert "writable" in _one(
        containers.mounts, container(mounts=[{"type": "bind", "source": "/srv", "target": "/srv"}])
    )


def test_no_mounts_are_fine() -> None:
    assert said(containers.mounts, container(mounts=None)) == []


# Memory


@pytest.mark.parametrize("memory", [64, 256.0, Mark.UNKNOWN])
def test_a_memory_limit_passes(memory: Any) -> None:
    assert said(containers.memory, container(memory=memory)) == []


@pytest.mark.parametrize("memory", [0, -1, None, True, "lots"])
def test_no_memory_limit_does_not(memory: Any) -> None:
    assert "no memory limit" in _one(containers.memory, container(memory=memory))


# Images


@pytest.mark.parametrize(
    "image",
    [
        "docker.io/prom/prometheus:v3.15.0",
        "caddy:2.11.9-alpine",
        "registry.example:5000/caddy:2.11.9",
        "fleetwatch.local/grafana-stand-in:reader-ae9bfb8c",
        "fleetwatch.local/postgres-exporter:debian-offline-4eb3baa8",
        "registry.example/app:2026-03-14",
        "grafana/grafana@sha256:" + "0a" * 32,
        "grafana/grafana:latest@sha256:" + "0a" * 32,
        "sha256:" + "0a" * 32,
        Mark.UNKNOWN,
    ],
)
def test_a_pinned_image_passes(image: Any) -> None:
    assert said(images.pinned, container(image=image)) == []


@pytest.mark.parametrize(
    ("image", "part"),
    [
        ("grafana/grafana:latest", "the tag latest"),
        ("grafana/grafana", "has no tag"),
        ("registry.example:5000/grafana", "has no tag"),
        ("postgres:15", "the tag 15"),
        ("caddy:2.11-alpine", "the tag 2.11-alpine"),
        ("grafana/grafana:main", "the tag main"),
        ("grafana/grafana@sha256:0a", "which moves"),
        ("", "names no image"),
        (None, "names no image"),
    ],
)
def test_a_moving_image_does_not(image: str | None, part: str) -> None:
    assert part in _one(images.pinned, container(image=image))
