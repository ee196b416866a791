"""The guard rails for an edge's Compose project: its services become records, and what cannot be judged is refused."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from policy import compose_values, images, projects, rules
from policy.records import COMMAND, CONTAINER, Hidden, Record
from tests.fixtures.guarded import said

GOOD: dict[str, Any] = {
    "container_name": "fleetwatch-agent",
    "image": "docker.io/prom/prometheus:v3.15.0",
    "mem_limit": 268435456,
    "cap_drop": ["ALL"],
    "security_opt": ["no-new-privileges"],
    "volumes": [{"type": "bind", "source": "./agent/config", "target": "/etc/agent", "read_only": True}],
    "labels": {"fleetwatch.role": "agent"},
    "command": ["--log.format=$$x"],
    "networks": {"edge": None},
}
NETWORKS = {"edge": {"name": "fleetwatch-edge", "driver": "bridge"}}
START = "set -eu\ndocker compose up -d\n"


def project(service: dict[str, Any] | None = None, **top: Any) -> Record:
    """A command with one service that has these keys changed; None takes one out."""
    changed = {key: value for key, value in {**GOOD, **(service or {})}.items() if value is not None}
    content = {"name": "fleetwatch", "services": {"agent": changed}, "networks": NETWORKS, **top}
    return command(f"==> README <==\nx\n==> compose.yaml <==\n{yaml.safe_dump(content)}")


def command(files: Any, **more: Any) -> Record:
    environment = {"SCRIPT": START, "FILES": files, **more}
    return Record(COMMAND, "web-1-project", {"environment": environment, "stdin": Hidden.SECRET})


def broken(record: Record) -> set[str]:
    return {one.rule for one in rules.violations([record], "dev")}


def service_of(record: Record) -> Record:
    (found,) = [one for one in projects.parts(record) if one.service]
    return found


def test_a_project_as_the_program_makes_it_passes() -> None:
    assert broken(project()) == set()


def test_a_service_is_a_record_like_that_of_a_docker_resource() -> None:
    found = service_of(project({"environment": {"TZ": "UTC"}, "ports": ["127.0.0.1:8443:443/tcp"]}))
    assert (found.type, found.name, found.service, found.role) == (CONTAINER, "web-1-project", "agent", "agent")
    assert found.called == "Container web-1-project (service agent, role agent)"
    assert found.properties["memory"] == 256
    assert found.properties["capabilities"] == {"drops": ["ALL"]}
    assert found.properties["envs"] == ["TZ=UTC"]
    assert found.properties["ports"] == [{"internal": 443, "ip": "127.0.0.1"}]
    assert found.properties["mounts"] == [
        {"type": "bind", "source": "agent/config", "target": "/etc/agent", "readOnly": True, "bindOptions": None}
    ]


@pytest.mark.parametrize(
    "record",
    [
        Record(CONTAINER, "hub-loki", {"environment": {"FILES": "==> compose.yaml <==\nservices: {a: {}}\n"}}),
        Record(COMMAND, "hub-x", {}),
        Record(COMMAND, "hub-x", {"environment": {"SCRIPT": "docker compose version || echo 'run `make up`'"}}),
        Record(COMMAND, "hub-x", {"environment": Hidden.UNKNOWN}),
    ],
    ids=["no command", "no environment", "starts nothing", "not known yet"],
)
def test_other_resources_bring_no_containers(record: Record) -> None:
    assert projects.parts(record) == [record]
    assert said(projects.readable, record) == []


@pytest.mark.parametrize(
    ("service", "rule"),
    [
        ({"privileged": True}, "container-rights"),
        ({"privileged": "true"}, "container-rights"),
        ({"privileged": "$${PRIVILEGED}"}, "container-rights"),
        ({"network_mode": "host"}, "container-rights"),
        ({"network_mode": "service:db"}, "container-rights"),
        ({"pid": "host"}, "container-rights"),
        ({"ipc": "host"}, "container-rights"),
        ({"userns_mode": "host"}, "container-rights"),
        ({"cgroup": "host"}, "container-rights"),
        ({"cap_add": ["SYS_ADMIN"]}, "container-rights"),
        ({"cap_drop": None}, "container-rights"),
        ({"security_opt": None}, "container-rights"),
        ({"security_opt": ["no-new-privileges", "seccomp=unconfined"]}, "container-rights"),
        ({"devices": ["/dev/kmsg:/dev/kmsg:r"]}, "container-rights"),
        ({"devices": [{"source": "/dev/kmsg", "target": "/dev/kmsg", "permissions": "r"}]}, "container-rights"),
        ({"device_cgroup_rules": ["a *:* rwm"]}, "container-rights"),
        ({"gpus": "all"}, "container-rights"),
        ({"gpus": [{"count": 1}]}, "container-rights"),
        ({"ports": ["9090:9090"]}, "published-ports"),
        ({"ports": ["9090"]}, "published-ports"),
        ({"ports": [{"target": 9090, "published": "9090"}]}, "published-ports"),
        ({"volumes": ["/srv:/srv"]}, "host-mounts"),
        ({"volumes": ["./agent/config:/etc/agent:rw"]}, "host-mounts"),
        ({"volumes": ["/run/docker.sock:/x:ro"]}, "host-mounts"),
        ({"volumes": ["/:/rootfs:ro"]}, "host-mounts"),
        ({"volumes": ["/var/log/../../srv:/x:ro"]}, "readable-project"),
        ({"volumes": ["~/x:/x:ro"]}, "readable-project"),
        ({"volumes": ["data:/srv:nocopy"]}, "readable-project"),
        ({"volumes": [{"type": "npipe", "source": "x", "target": "x"}]}, "readable-project"),
        ({"volumes": [{"type": "bind", "source": "/x", "target": "/x", "read_only": True,
                       "bind": {"recursive": "writable"}}]}, "readable-project"),
        ({"mem_limit": None}, "memory-limit"),
        ({"mem_limit": 0}, "memory-limit"),
        ({"mem_limit": "lots"}, "memory-limit"),
        ({"image": "docker.io/prom/prometheus"}, "pinned-images"),
        ({"image": None}, "pinned-images"),
        ({"environment": ["PGPASSWORD=hunter2-s3cret"]}, "no-plain-secrets"),
        ({"environment": {"PGPASSWORD": "hunter2-s3cret"}}, "no-plain-secrets"),
        ({"command": ["--web.auth-token=hunter2-s3cret"]}, "no-plain-secrets"),
        ({"uts": "host"}, "readable-project"),
        ({"extends": {"service": "x"}}, "readable-project"),
        ({"post_start": [{"command": "x", "privileged": True}]}, "readable-project"),
        ({"env_file": [".env"]}, "readable-project"),
        ({"user": "${USER}"}, "readable-project"),
        ({"user": "$$$USER"}, "readable-project"),
        ({"cap_add": "SYS_ADMIN"}, "readable-project"),
    ],
    ids=str,
)  # fmt: skip
def test_what_a_service_may_not_have(service: dict[str, Any], rule: str) -> None:
    record = project(service)
    found = rules.violations([record], "dev")
    assert {one.rule for one in found} == {rule}
    for one in found:
        assert one.record.called in one.message, "where"
        assert "; expected " in one.message
        assert "hunter2" not in one.message


@pytest.mark.parametrize("memory", [1024, "64m", "1gb", "1073741824"])
def test_a_memory_limit_in_any_form_passes(memory: Any) -> None:
    assert broken(project({"mem_limit": memory})) == set()


@pytest.mark.parametrize(
    ("top", "part"),
    [
        ({"include": ["other.yaml"]}, "the key include"),
        ({"services": None}, "no services"),
        ({"services": {"agent": None}}, "no mapping at services.agent"),
        ({"volumes": {"data": {"driver_opts": {"o": "bind", "device": "/"}}}}, "volumes.data.driver_opts"),
        ({"volumes": {"data": {"name": "data", "external": True}}}, "volumes.data.external"),
        ({"networks": {**NETWORKS, "lan": {"driver": "macvlan"}}}, "the driver macvlan for networks.lan"),
        ({"networks": {**NETWORKS, "lan": {"driver_opts": {}}}}, "networks.lan.driver_opts"),
    ],
    ids=str,
)  # fmt: skip
def test_what_a_project_may_not_have(top: dict[str, Any], part: str) -> None:
    found = said(projects.readable, project(**top))
    assert any(part in message for message in found), found


@pytest.mark.parametrize("networks", [{"host": {"external": True}}, {"edge": {"name": "host", "external": True}}])
def test_the_hosts_network_by_name_is_its_network_namespace(networks: dict[str, Any]) -> None:
    record = project({"networks": list(networks)}, networks=networks)
    assert broken(record) == {"container-rights"}


@pytest.mark.parametrize(
    "files",
    [Hidden.SECRET, "", "==> README <==\nx\n", "==> compose.yml <==\nservices: {}\n", "==> compose.yaml <==\n- {\n"],
    ids=str,
)
def test_a_project_that_cannot_be_read_does_not_pass(files: Any) -> None:
    (found,) = said(projects.readable, command(files))
    assert "; expected " in found


@pytest.mark.parametrize(
    "script", ["docker compose up", "docker compose --progress quiet -f x.yaml --dry-run up -d", "docker-compose run x"]
)
def test_what_starts_containers_is_known_by_its_script(script: str) -> None:
    assert said(projects.readable, Record(COMMAND, "hub-x", {"environment": {"SCRIPT": f"set -eu\n{script}\n"}}))


def test_one_that_is_known_late_is_looked_at_when_it_is() -> None:
    assert said(projects.readable, command(Hidden.UNKNOWN)) == []
    assert said(projects.readable, command("==> README <==\nx\n", FILES_AGENT=Hidden.UNKNOWN)) == []


def test_a_whole_environment_that_is_secret_hides_a_project() -> None:
    record = Record(COMMAND, "web-1-project", {"environment": Hidden.SECRET})
    assert "only single values marked" in said(projects.readable, record)[0]


@pytest.mark.parametrize("variable", ["FILES_AGENT", "FILES_ZZZ_2"])
def test_a_second_compose_file_is_judged_too(variable: str) -> None:
    """The last one of a name is what the host gets."""
    other = {**GOOD, "privileged": True}
    text = f"==> ./compose.yaml <==\n{yaml.safe_dump({'services': {'agent': other}, 'networks': NETWORKS})}"
    good = project().object("environment")["FILES"]
    assert broken(command(good, **{variable: text})) == {"container-rights"}


def test_an_image_of_a_service_is_named_by_its_service() -> None:
    (found,) = said(images.pinned, service_of(project({"image": "x:latest"})))
    assert found.startswith("Container web-1-project (service agent, role agent): the image x:latest")


def test_a_port_that_int_does_not_read_is_kept_as_text() -> None:
    assert compose_values.ports(["127.0.0.1:80:²"]) == [{"internal": "²", "ip": "127.0.0.1"}]
