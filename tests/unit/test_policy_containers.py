"""The guard rails for ports and rights of containers: what passes, what does not, what an absent property means."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from configs import names
from policy import containers, images
from policy.records import Check, Hidden, Record
from tests.fixtures.guarded import container, one, said

EVERY: dict[str, Check] = {
    "ports": containers.ports,
    "rights": containers.rights,
    "mounts": containers.mounts,
    "networks": containers.networks,
    "memory": containers.memory,
    "pinned": images.pinned,
}


def port(inside: Any, ip: Any = "127.0.0.1") -> Mapping[str, Any]:
    return {"internal": inside, "external": 8443, "ip": ip, "protocol": "tcp"}


@pytest.mark.parametrize("name", EVERY)
def test_a_container_as_the_program_makes_it_passes(name: str) -> None:
    assert said(EVERY[name], container()) == []


@pytest.mark.parametrize("name", EVERY)
def test_other_resources_are_not_looked_at(name: str) -> None:
    assert said(EVERY[name], Record("docker:index/volume:Volume", "v", {"privileged": True})) == []


# Networks


def _on(role: str, *joined: str) -> Record:
    return container(role, networksAdvanced=[{"name": name, "aliases": []} for name in joined])


def test_the_assistant_is_between_its_database_and_the_hub() -> None:
    inner = names.ask_network("fleetwatch")
    assert said(containers.networks, _on("ask", inner, "fleetwatch-hub")) == []
    for role in names.ASK_INNER:
        assert said(containers.networks, _on(role, inner)) == []


@pytest.mark.parametrize("role", names.ASK_INNER)
def test_database_and_cache_are_on_no_other_network(role: str) -> None:
    found = one(containers.networks, _on(role, names.ask_network("fleetwatch"), "fleetwatch-hub"))
    assert "the network fleetwatch-hub" in found


@pytest.mark.parametrize("role", ["grafana", "agent", ""])
def test_nobody_else_is_on_their_network(role: str) -> None:
    assert "database and cache" in one(containers.networks, _on(role, names.ask_network("fleetwatch")))


# Ports


@pytest.mark.parametrize(
    "published",
    [port(443, "0.0.0.0"), port(80.0, None), port(8080, "10.77.0.3"), port(8080, Hidden.UNKNOWN), port(9080)],
)
def test_caddy_publishes_its_ports(published: Mapping[str, Any]) -> None:
    assert said(containers.ports, container("caddy", ports=[published])) == []


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "203.0.113.9", None])
def test_pushes_without_tls_are_not_published_to_everybody(address: str | None) -> None:
    assert "the private network's address" in one(containers.ports, container("caddy", ports=[port(8080.0, address)]))


@pytest.mark.parametrize("address", ["0.0.0.0", "10.77.0.3", None])
def test_the_query_side_is_published_on_loopback_alone(address: str | None) -> None:
    assert "expected 127.0.0.1" in one(containers.ports, container("caddy", ports=[port(9080, address)]))


@pytest.mark.parametrize(
    ("role", "inside"),
    [
        ("ask", names.ASK_PORT), ("ask", names.ASK_METRICS_PORT),
        ("ask-database", names.ASK_DATABASE_PORT), ("ask-cache", names.ASK_CACHE_PORT),
    ],
)  # fmt: skip
def test_no_port_of_the_assistant_is_published(role: str, inside: int) -> None:
    for address in ("0.0.0.0", "10.77.0.3", "127.0.0.1"):
        assert f"its port {inside} is published" in one(
            containers.ports, container(role, ports=[port(inside, address)])
        )


@pytest.mark.parametrize(
    "record",
    [
        container("prometheus", ports=[port(9090)]),
        container("caddy", ports=[port(2019)]),
        container("caddy", ports=[port(Hidden.UNKNOWN)]),
        container("", ports=[port(443)]),
        container("caddy", labels=None, ports=[port(443)]),
    ],
    ids=["not Caddy's", "another of Caddy's", "an unknown one", "no role", "no labels"],
)
def test_nothing_else_is_published(record: Record) -> None:
    assert "expected nothing published" in one(containers.ports, record)


def test_every_port_at_once_is_not_published() -> None:
    assert "publishAllPorts" in one(containers.ports, container("caddy", publishAllPorts=True))


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
        ({"capabilities": {"adds": Hidden.UNKNOWN, "drops": Hidden.UNKNOWN}}, "drops: [ALL]"),
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
    assert part in one(containers.rights, container(**changes))


def test_an_exception_is_for_one_value() -> None:
    writable = [{"hostPath": "/dev/kmsg", "permissions": "rwm"}]
    assert "/dev/kmsg:rwm" in one(containers.rights, container("cadvisor", devices=writable))
    without = [{"hostPath": "/dev/kmsg"}]  # Docker's default is everything
    assert "/dev/kmsg:rwm" in one(containers.rights, container("cadvisor", devices=without))


def test_an_exception_is_for_one_role() -> None:
    assert "CAP_SYSLOG" in one(
        containers.rights, container("promtail", capabilities={"adds": ["CAP_SYSLOG"], "drops": ["ALL"]})
    )


@pytest.mark.parametrize(
    ("absent", "part"), [("capabilities", "Docker's own set"), ("securityOpts", "setuid"), ("networkMode", "")]
)
def test_absent_protections_are_told(absent: str, part: str) -> None:
    """Docker's defaults: some capabilities, privileges by setuid; but a network of its own."""
    changes: dict[str, Any] = {absent: None}
    record = container(**changes)
    if part:
        assert part in one(containers.rights, record)
    else:
        assert said(containers.rights, record) == []


def test_no_new_privileges_can_be_switched_off() -> None:
    found = said(containers.rights, container(securityOpts=["no-new-privileges:false"]))
    assert len(found) == 2, "it is not on, and it is switched off"
