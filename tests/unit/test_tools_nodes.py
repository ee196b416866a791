"""What the tools know of a cluster's nodes: their rings, the first that answers, and which is changed first."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.fleets import cluster
from tools import drift, nodes, pulumi_state, remote_access, replacement, status, up
from tools.comment.model import HostDrift
from tools.doctor import command, report
from tools.doctor.hosts import HostReport
from tools.errors import ToolError
from tools.hubclient import HubClient
from tools.stack import Stack

NODES = {"hub": "a", "hub-b": "b", "hub-c": "c"}
WELL = "\n".join(
    ["made", *(f"ready {program}" for program in nodes.PROGRAMS)]
    + [f"sees {program} {node}" for program in ("loki", "alertmanager") for node in "abc"]
)


class Fleet(Stack):
    """A stack whose nodes answer as `told` says, by host; None: they are off. `ssh` is a program of the test."""

    def __init__(self, folder: Path, told: Mapping[str, str | None]) -> None:
        folder.mkdir(exist_ok=True)
        for host, text in told.items():
            if text is not None:
                (folder / host).write_text(text + "\n")
        program = folder / "ssh"
        program.write_text(
            f'#!/bin/sh\n[ -e {folder}/$1 ] || {{ echo "ssh: connect to host $1: No route to host" >&2; exit 255; }}\n'
            f'case "$*" in *docker*) echo "$*" >> {folder}/docker; cat {folder}/ps 2> /dev/null; exit 0 ;; esac\n'
            f"cat > {folder}/$1.script\ncat {folder}/$1\n"
        )
        program.chmod(0o755)
        hosts = {host: {"ssh": [str(program), host], "private": "10.77.0.2"} for host in (*NODES, "web-1")}
        self.found: dict[str, Any] = {"query": "http://127.0.0.1:9080", "nodes": NODES, "hosts": hosts, "jobs": {}}
        self.name, self.env = "t", {}
        self.state = state(self.found)
        self.ran: list[tuple[str, ...]] = []

    def settings(self) -> Any:
        return cluster()

    def quiet(self, *arguments: str, stdin: str | None = None) -> str:
        self.ran.append(arguments)
        return ""

    @property
    def hub_is_local(self) -> bool:
        return False


def state(outputs: Mapping[str, Any], *containers: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "deployment": {
            "resources": [{"type": "pulumi:pulumi:Stack", "urn": "urn:stack", "outputs": outputs}, *containers]
        }
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "bin"


def _all(**told: str | None) -> dict[str, str | None]:
    return {host: told.get(host.replace("-", "_"), WELL) for host in NODES}


def test_every_node_reports_its_rings(folder: Path) -> None:
    stack = Fleet(folder, _all())
    found = nodes.views(stack.settings(), stack.found)
    assert [view.host for view in found] == list(NODES)
    assert nodes.problems(found) == {}
    assert nodes.table(found)[1] == ("hub-b", "ready", "ready, sees 3", "ready, sees 3")
    script = (folder / "hub-b.script").read_text()
    assert "HOSTS=/var/lib/fleetwatch/fleetwatch/nodes/hosts\n" in script


def test_what_is_wrong_is_a_sentence_of_its_node(folder: Path) -> None:
    blind = WELL.replace("sees loki b\n", "").replace("ready alertmanager\n", "")
    stack = Fleet(folder, _all(hub=blind, hub_c=None))
    found = nodes.views(stack.settings(), stack.found)
    assert nodes.problems(found) == {
        "hub": [
            "hub: Loki does not see hub-b: docs/runbooks/NodesApart.md",
            "hub: Alertmanager takes no requests. On the host: `docker ps -a`, then `docker logs` of it",
        ],
        "hub-c": ["hub-c: the node does not answer: ssh: connect to host hub-c: No route to host"],
    }
    assert nodes.table(found)[2] == ("hub-c", *["does not answer"] * 3)


def test_status_and_doctor_show_the_nodes(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stack = Fleet(folder, _all(hub_b=None))
    assert not status.show_rings(stack, stack.found)
    assert "NODE  hub-b: the node does not answer" in capsys.readouterr().out
    hosts = [HostReport(host=host) for host in (*NODES, "web-1")]
    nothing = report.Findings(verdicts=[], hosts=hosts, unloaded=[], notes=[], requests=1, seconds=0.1)
    found = command.with_rings(nothing, nodes.views(stack.settings(), stack.found))
    assert found.faults == 1
    assert json.loads(report.as_json(found))["nodes"][0] == {
        "host": "hub", "receive": "ready", "loki": "ready, sees 3", "alertmanager": "ready, sees 3",
    }  # fmt: skip
    assert "  hub-b  does not answer  does not answer  does not answer" in report.as_text(found)


def test_a_broken_node_is_changed_first(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stack = Fleet(folder, _all())
    nodes.order(stack)
    assert stack.env == {}
    half = WELL.replace("ready loki\n", "")
    stack = Fleet(folder, _all(hub=half, hub_c="made"))
    nodes.order(stack)
    assert stack.env == {"FLEETWATCH_FIRST_NODE": "hub-c"}, "that of which the least is left"
    assert "hub-c is changed first." in capsys.readouterr().out


def test_a_new_node_joins_first(folder: Path) -> None:
    stack = Fleet(folder, _all(hub_c=None))
    stack.found["nodes"] = {"hub": "a", "hub-b": "b", "hub-old": "old"}  # hub-c takes its place
    stack.found["hosts"]["hub-old"] = {"ssh": [str(folder / "ssh"), "hub-old"]}
    stack.state = state(stack.found)
    nodes.order(stack)
    assert stack.env == {"FLEETWATCH_FIRST_NODE": "hub-c"}, "that the old one does not answer is no reason to wait"


def test_a_healthy_node_is_not_resized_while_another_is_broken(folder: Path) -> None:
    stack = Fleet(folder, _all(hub_c=None))
    sizes = {"hub": "s-2vcpu-4gb", "hub-b": "s-2vcpu-4gb", "hub-c": "s-2vcpu-4gb"}  # hub-b is to have another one
    stack.state = state({**stack.found, "node_sizes": sizes})
    with pytest.raises(ToolError, match="host hub-b: not changed, because hub-c does not answer"):
        nodes.order(stack)
    (folder / "hub-c").write_text(WELL)
    nodes.order(stack)


def test_a_node_is_rebuilt_only_while_the_others_are_healthy(folder: Path) -> None:
    stack = Fleet(folder, _all(hub_c=None))
    with pytest.raises(ToolError, match="host hub-b: not changed, because hub-c does not answer"):
        replacement._ring(stack, "hub-b")
    replacement._ring(stack, "hub-c")
    assert stack.env == {"FLEETWATCH_FIRST_NODE": "hub-c"}, "the broken one itself"
    stack.env = {}
    replacement._ring(stack, "web-1")
    assert stack.env == {}


def _container(host: str, name: str, made: str) -> dict[str, Any]:
    return {
        "type": "docker:index/container:Container",
        "urn": f"urn:{host}-{name}",
        "id": made,
        "inputs": {"labels": [{"label": "fleetwatch.host", "value": host}]},
        "outputs": {"name": f"fleetwatch-{name}"},
    }


def test_stopped_containers_are_looked_for_on_their_own_node(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stack = Fleet(folder, _all(hub_c=None))
    (folder / "ps").write_text("11\n22\n")
    made = [_container("hub", "loki", "11"), _container("hub-b", "loki", "33"), _container("hub-c", "loki", "44")]
    network = "urn:x::fleetwatch:index:Hub$docker:index/network:Network::hub-b-hub"
    on_it = {"type": "docker:index/network:Network", "urn": network, "parent": "urn:x::fleetwatch:index:Hub::hub-b"}
    stack.state = state(stack.found, *made, on_it)
    assert up._refreshed(stack) == [], "a refresh of everything would end at the node that does not answer"
    assert stack.ran == [("refresh", "--yes", "--skip-preview", "--target", "urn:hub-b-loki", "--target", network)]
    assert "Not running any more on hub-b: fleetwatch-loki." in capsys.readouterr().out


def test_docker_of_the_hub_is_that_of_the_first_node_that_answers(folder: Path) -> None:
    stack = Fleet(folder, _all(hub=None))
    assert list(nodes.docker(stack, stack.found))[:2] == [str(folder / "ssh"), "hub-b"]
    nobody = Fleet(folder.with_name("off"), dict.fromkeys(NODES))
    with pytest.raises(ToolError, match="None of the hub's nodes answers: hub, hub-b, hub-c"):
        nodes.docker(nobody, nobody.found)


def test_queries_go_to_the_first_node_that_answers_them(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stack = Fleet(folder, _all())
    tried: list[str] = []

    def answers(client: Any, query: str) -> list[Any]:
        tried.append(client._base)
        if len(tried) == 1:
            raise ToolError("The hub does not answer")
        return []

    monkeypatch.setattr(remote_access, "_wait_for", lambda *_: None)
    monkeypatch.setattr(HubClient, "metrics", answers)
    with remote_access.query_address(stack.found) as address:
        assert address == tried[1]
    one = {**stack.found, "nodes": {}}
    with remote_access.query_address(one):
        assert len(tried) == 2, "of a hub on one host nothing is tried before"
    monkeypatch.setattr(HubClient, "metrics", lambda *_: (_ for _ in ()).throw(ToolError("off.")))
    with (
        pytest.raises(ToolError, match=r"None of the hub's nodes answers. hub: off\. hub-b: off\. hub-c: off\."),
        remote_access.query_address(stack.found),
    ):
        pass


def test_a_hub_on_one_host_has_no_nodes() -> None:
    outputs = {"query": "x", "hosts": {"hub": {}}}
    assert (nodes.of(outputs), remote_access.hub_hosts(outputs)) == ({}, ("hub",))
    assert pulumi_state.stopped({}, ["docker"]) == {}


def test_containers_of_a_node_are_compared_while_the_engine_cannot(folder: Path) -> None:
    stack = Fleet(folder, _all(hub_c=None))
    (folder / "ps").write_text("11\n")
    made = state(stack.found, _container("hub", "loki", "11"), _container("hub-b", "loki", "33"))
    found = {
        host: drift._with_stopped(stack, made, HostDrift(host, (), "", reached=host != "hub-c"))
        for host in (*NODES, "web-1")
    }
    lines = {host: one.lines for host, one in found.items() if one.lines}
    assert lines == {"hub-b": ("container fleetwatch-loki: does not run",)}


def _step(name: str, at: str) -> dict[str, Any]:
    urn = f"urn:pulumi:prod::fleetwatch::fleetwatch:index:Hub$command:local:Command::{name}"
    return {"urn": urn, "type": "command:local:Command", "modified": f"2026-11-30T{at}Z"}


def test_a_look_for_a_change_that_failed_is_taken_again() -> None:
    done = [_step("hub-ring-before", "07:00:01.123456789"), _step("hub-ring-after", "07:00:01.223456789")]
    half = [_step("hub-b-ring-before", "07:01:00.5"), _step("hub-b-ring-after", "06:00:00")]
    first = [_step("hub-c-ring-before", "07:02:00")]
    assert nodes.again({"deployment": {"resources": done}}) == []
    found = nodes.again({"deployment": {"resources": [*done, *half, *first]}})
    assert found == ["--replace", half[0]["urn"], "--replace", first[0]["urn"]]
    assert nodes.again({}) == []
