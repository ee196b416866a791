"""What the program asks the engine for: types, parents, and how tightly every container is kept."""

from __future__ import annotations

import re
from typing import Any, Literal

import pulumi
import pytest

from components import docker_service, machine_facts
from configs.services.container import Mount
from configs.validation import DockerFacts, MachineFacts
from tests.component.made_up import FACTS, SOCKET
from tests.component.program import Run, full, run
from tests.fixtures.full import ROOT, raw, small

COMPONENTS = {f"fleetwatch:index:{name}" for name in ("Edge", "Host", "Hub", "Service")}
CUSTOM = {
    "command:local:Command",
    "docker:index/container:Container",
    "docker:index/network:Network",
    "docker:index/volume:Volume",
    "pulumi:providers:docker",
    "random:index/randomPassword:RandomPassword",
}


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Run:
    return run(full(), monkeypatch)


def test_the_type_tokens_are_pinned(made: Run) -> None:
    assert {one.type for one in made.made} == COMPONENTS | CUSTOM, (
        "a changed token makes the engine replace everything below it; the stand-in plugins know these types alone"
    )


def test_every_resource_stands_below_a_component_and_every_component_below_the_stack(made: Run) -> None:
    for one in made.made:
        parent = one.parent.split("::")[-2].split("$")[-1]
        if one.name == "grafana-admin-password":
            assert parent == "pulumi:pulumi:Stack", "of no host"
        elif one.type in CUSTOM:
            assert parent in COMPONENTS, f"{one.type} {one.name} is lost among the stack's own"
        elif one.type == "fleetwatch:index:Service":
            assert parent == "fleetwatch:index:Hub", one.name
        else:
            assert parent == "pulumi:pulumi:Stack", one.name


def test_every_component_registers_its_outputs(made: Run) -> None:
    wanted = sum(one.type in COMPONENTS for one in made.made)
    registered = [urn for urn in made.outputs_of if "pulumi:pulumi:Stack::" not in urn]
    assert len(registered) == wanted, "a component without it stays `creating` in the engine's display"


def test_names_are_unique_within_a_type(made: Run) -> None:
    keys = [(one.type, one.name) for one in made.made]
    assert len(keys) == len(set(keys))


def test_only_caddy_is_published_and_only_on_the_loopback(made: Run) -> None:
    for name, container in made.containers.items():
        ports = container.plain().get("ports", [])
        assert not ports or name == "hub-caddy", f"{name} is published, past every firewall"
        assert {port["ip"] for port in ports} <= {"127.0.0.1"}, "the local stack is for this machine alone"
    assert [port["external"] for port in made.containers["hub-caddy"].plain()["ports"]] == [8480, 8443, 8481, 8482]


def test_only_the_node_exporter_is_on_the_hosts_network(made: Run) -> None:
    assert not [name for name, one in made.containers.items() if one.plain()["networkMode"] == "host"]
    hosts = {name for name, one in made.services.items() if "network_mode" in one or "pid" in one}
    assert hosts == {"hub-node-exporter"}
    listens = [word for word in made.services["hub-node-exporter"]["command"] if "listen-address" in word]
    assert listens == ["--web.listen-address=10.213.77.1:9100"], "on the bridge's gateway, never on all addresses"


def test_no_container_is_privileged_and_all_drop_their_rights(made: Run) -> None:
    # CAP_SYSLOG: cAdvisor reads in the kernel log which container ran out of memory
    allowed = {"CAP_NET_BIND_SERVICE", "CAP_DAC_READ_SEARCH", "CAP_SYS_PTRACE", "CAP_SYSLOG"}
    for name, container in made.containers.items():
        inputs = container.plain()
        assert not inputs.get("privileged"), f"{name}: privileged is root on the host"
        assert inputs["capabilities"]["drops"] == ["ALL"], name
        assert set(inputs["capabilities"]["adds"]) <= allowed, f"{name}: a right that nobody argued for"
        assert "no-new-privileges" in inputs["securityOpts"], name
        assert inputs["readOnly"] or name == "hub-grafana", f"{name}: its root file system should be read-only"
        binds = [mount for mount in inputs["mounts"] if mount["type"] == "bind"]
        assert all(mount["readOnly"] for mount in binds), f"{name} could write on the host"
    for name, service in made.services.items():
        assert not service.get("privileged"), f"{name}: privileged is root on the host"
        assert service["cap_drop"] == ["ALL"], name
        assert set(service.get("cap_add", [])) <= allowed, f"{name}: a right that nobody argued for"
        assert "no-new-privileges" in service["security_opt"], name
        assert service["read_only"] is True, f"{name}: its root file system should be read-only"
        binds = [mount for mount in service["volumes"] if mount["type"] == "bind"]
        assert all(mount["read_only"] for mount in binds), f"{name} could write on the host"


@pytest.mark.parametrize(("propagation", "asked"), [("rslave", {"propagation": "rslave"}), ("", None)])
def test_docker_follows_new_mounts_where_a_service_needs_it(
    propagation: Literal["", "rslave"], asked: dict[str, str] | None
) -> None:
    found = docker_service._bind_options(Mount("bind", "/var/log", "/var/log", True, propagation))
    assert (vars(found)["propagation"] if found is not None else None) == (asked or {}).get("propagation")


def test_only_the_log_agent_and_cadvisor_have_dockers_socket(made: Run) -> None:
    mounts = {name: one.plain()["mounts"] for name, one in made.containers.items()}
    mounts |= {name: service["volumes"] for name, service in made.services.items()}
    with_socket = {name for name, found in mounts.items() if any("docker.sock" in one["source"] for one in found)}
    assert with_socket == {"hub-promtail", "hub-cadvisor"}, "the socket is full control of the host"


def test_every_container_has_limits_and_bounded_logs(made: Run) -> None:
    for name, container in made.containers.items():
        inputs = container.plain()
        assert inputs["memory"] >= 64, name
        assert inputs["memorySwap"] == inputs["memory"], f"{name}: swap would be a second limit on top"
        assert float(inputs["cpus"]) > 0, name
        assert inputs["logOpts"] == {"max-size": "10m", "max-file": "5"}, f"{name}: its log could fill the disk"
        assert inputs["restart"] == "unless-stopped", f"{name} would not come back"
    for name, service in made.services.items():
        assert service["mem_limit"] >= 64 * 1024**2, name
        assert service["memswap_limit"] == service["mem_limit"], f"{name}: swap would be a second limit on top"
        assert service["cpus"] > 0, name
        logging = {"driver": "json-file", "options": {"max-size": "10m", "max-file": "5"}}
        assert service["logging"] == logging, f"{name}: its log could fill the disk"
        assert service["restart"] == "unless-stopped", f"{name} would not come back"


def test_everything_in_docker_has_the_labels_by_which_it_is_found(made: Run) -> None:
    for one in made.made:
        if one.type.startswith("docker:"):
            labels = {item["label"]: item["value"] for item in one.plain()["labels"]}
            assert set(labels) == {"fleetwatch.stack", "fleetwatch.host", "fleetwatch.role"}, f"{one.type} {one.name}"
            assert labels["fleetwatch.stack"] == "fleetwatch"
            assert one.plain()["name"].startswith("fleetwatch-"), one.name
    project = made.project("hub")
    for part in project["services"].values():
        assert set(part["labels"]) == {"fleetwatch.stack", "fleetwatch.host", "fleetwatch.role"}, part
        assert part["labels"]["fleetwatch.stack"] == "fleetwatch"
        assert part["container_name"].startswith("fleetwatch-")
    for part in (project["networks"]["edge"], *project["volumes"].values()):
        # Nothing that a rename of the host changes: Compose would make the volume again, without its data.
        assert part["labels"] == {"fleetwatch.stack": "fleetwatch"}, part
        assert part["name"].startswith("fleetwatch-")


def test_the_prefix_is_in_every_docker_name(monkeypatch: pytest.MonkeyPatch) -> None:
    made = run(small(prefix="second"), monkeypatch)
    names = [one.plain()["name"] for one in made.made if one.type.startswith("docker:")]
    assert all(name.startswith("second-") for name in names), "two stacks on one machine must not meet"
    project = made.project("hub")
    assert project["name"] == "second"
    assert all(one["container_name"].startswith("second-") for one in project["services"].values())
    assert project["networks"]["edge"]["name"] == "second-edge"
    assert all(volume.startswith("second-") for volume in project["volumes"])
    texts = [made.files("hub")["compose.yaml"], *(one.script for one in made.commands.values())]
    assert not [text for text in texts if "fleetwatch-" in text.replace("fleetwatch-changes", "")]


def test_volumes_are_never_removed_with_the_stack(made: Run) -> None:
    volumes = made.of("docker:index/volume:Volume").values()
    assert {v.plain()["name"] for v in volumes} == {
        f"fleetwatch-{name}"
        for name in (
            "prometheus",
            "loki",
            "grafana",
            "alertmanager",
            "caddy-data",
            "caddy-config",
            "backup",
            "ask-database",
        )
    }
    assert all(one.request.retainOnDelete for one in volumes), "data goes only by an answer to a question"
    assert set(made.project("hub")["volumes"]) == {"fleetwatch-agent", "fleetwatch-promtail"}
    removed = made.commands["hub-project"].plain()["delete"]
    assert "VOLUMES=''\n" in removed, "neither that of an edge on this machine"


def test_agents_that_lose_data_or_have_no_support_are_warned_about(made: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    promtail, agent = made.warnings
    assert promtail == (
        "host hub ships logs with Promtail, which is out of support since March 2026; `logs: {agent: alloy}` ships "
        "nearly the same with Grafana Alloy, which needs more memory"
    )
    assert agent == (
        "hub: a Prometheus agent that restarts while the hub is down loses the samples that it has not sent; "
        "`metrics: {agent: vmagent}` keeps them"
    )
    sections = full()
    sections["hosts"]["hub"]["logs"]["agent"] = "alloy"
    sections["metrics"] = {"agent": "vmagent"}
    alloy = run(sections, monkeypatch)
    assert alloy.warnings == []
    assert "hub-alloy" in alloy.services
    assert "hub-promtail" not in alloy.services


def test_what_is_exported(made: Run) -> None:
    assert made.exports["url"] == ("https://fleetwatch.localhost:8443", False)
    assert made.exports["password"][1] is True, "the engine would print it after every update"
    assert set(made.exports) == {
        "url", "user", "password", "query", "jobs", "hosts", "rotations",
        "storage", "bucket_prepared",
    }  # fmt: skip


BAD = [
    (small(hub={"local": {}, "nonsense": 1}), FACTS, "hub.nonsense: unknown key"),
    (small(hosts={"hub": {"networks": ["gone"]}}), FACTS, "hosts.hub.networks.0: expected a Docker network"),
    (small(), MachineFacts({SOCKET: DockerFacts(None, "it says: no")}), "a Docker Engine that answers"),
    (raw(), FACTS, "hosts.web-1: expected no host besides `hub`"),
]


@pytest.mark.parametrize(("sections", "facts", "sentence"), BAD)
def test_a_bad_stack_file_ends_before_the_first_resource(
    sections: dict[str, Any], facts: MachineFacts, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    registered: list[str] = []
    monkeypatch.setattr("tests.component.program.Made", lambda *words: registered.append(words[1]))
    with pytest.raises(pulumi.RunError, match=re.escape(sentence)):
        run(sections, monkeypatch, facts)
    assert registered == [], "nothing may be half-made"


def test_the_entry_is_short() -> None:
    assert len((ROOT / "__main__.py").read_text().splitlines()) <= 40, "load, build, export; the rest has its place"
    assert machine_facts.__doc__


def test_cadvisor_runs_under_a_script_that_finds_containerd(made: Run) -> None:
    cadvisor = made.services["hub-cadvisor"]
    shell, flag, script, name = (word.replace("$$", "$") for word in cadvisor["entrypoint"])
    assert (shell, flag, name) == ("/bin/sh", "-c", "cadvisor")
    assert '/usr/bin/cadvisor -logtostderr "--containerd=$socket" "$@"' in script
    assert cadvisor["command"][0] == "--port=8080"
    assert {mount["target"] for mount in cadvisor["volumes"]} == {"/rootfs", "/sys", "/var/run/docker.sock"}, (
        "Docker's folder may be anywhere, and is below /rootfs"
    )
