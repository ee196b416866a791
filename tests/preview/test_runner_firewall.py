"""The firewall for a runner's SSH, against the rehearsal cloud's API; its machines only record their calls."""

from __future__ import annotations

import argparse
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from localcloud.cloud.backend import Rule
from tests.cloud.rig import Client, FakeMachines, running
from tools import runner_firewall
from tools.errors import ToolError
from tools.runner_firewall import RunnerFirewall
from tools.stack import Stack

OWN = "198.51.100.77"
ADMIN = {"protocol": "tcp", "ports": "22", "sources": {"addresses": ["192.0.2.0/24"]}}
TAGS = ("fleetwatch-prod-hub", "fleetwatch-prod-edge")


@pytest.fixture
def machines() -> FakeMachines:
    return FakeMachines()


@pytest.fixture
def cloud(tmp_path: Path, machines: FakeMachines) -> Iterator[Client]:
    with running(tmp_path / "cloud", machines) as client:
        yield client


@pytest.fixture
def stack(tmp_path: Path, cloud: Client) -> Stack:
    file = tmp_path / "Pulumi.prod.yaml"
    file.write_text("config: {fleetwatch:hub: {droplet: {region: fra1}}}\n")
    return Stack("prod", file, {"DIGITALOCEAN_TOKEN": cloud.server.token, "DIGITALOCEAN_API_URL": cloud.server.url})


@pytest.fixture
def firewall(stack: Stack) -> RunnerFirewall:
    return runner_firewall.runner_firewall(stack, "4711-1")


@pytest.fixture
def hub(cloud: Client) -> int:
    """A droplet of the stack, behind its firewall."""
    droplet: int = cloud.droplet("fleetwatch-prod-hub", tags=[TAGS[0]])["id"]
    cloud.post("/v2/firewalls", {"name": "fleetwatch-prod-hub", "tags": [TAGS[0]], "inbound_rules": [ADMIN]}, code=202)
    return droplet


def _runner_firewalls(cloud: Client) -> list[str]:
    return [one["name"] for one in cloud.get("/v2/firewalls")["firewalls"] if "-runner-" in one["name"]]


def _let_in(machines: FakeMachines, droplet: int) -> set[str]:
    """The addresses whose SSH a droplet lets in now."""
    rules: tuple[Rule, ...] = [inbound for id, inbound, _ in machines.of("firewall") if id == droplet][-1]
    return {source for rule in rules if rule.ports == (22, 22) for source in rule.peers}


def test_open_lets_this_address_in_and_close_takes_it_back(
    firewall: RunnerFirewall, cloud: Client, machines: FakeMachines, hub: int
) -> None:
    assert _let_in(machines, hub) == {"192.0.2.0/24"}
    said = firewall.open(OWN)
    assert _let_in(machines, hub) == {"192.0.2.0/24", f"{OWN}/32"}
    assert _runner_firewalls(cloud) == ["fleetwatch-prod-runner-4711-1"]
    assert f"SSH from {OWN}" in said
    assert firewall.close() == "Firewall fleetwatch-prod-runner-4711-1: removed."
    assert _let_in(machines, hub) == {"192.0.2.0/24"}
    assert _runner_firewalls(cloud) == []
    assert len(cloud.get("/v2/firewalls")["firewalls"]) == 1, "the stack's own firewall stays"


def test_to_close_what_was_never_open_is_no_mistake(firewall: RunnerFirewall, hub: int) -> None:
    assert firewall.close() == "Firewall fleetwatch-prod-runner-4711-1: there was none."


def test_a_run_that_is_repeated_makes_one_firewall(
    firewall: RunnerFirewall, cloud: Client, machines: FakeMachines, hub: int
) -> None:
    firewall.open("198.51.100.1")
    firewall.open(OWN)
    assert _runner_firewalls(cloud) == ["fleetwatch-prod-runner-4711-1"]
    assert _let_in(machines, hub) == {"192.0.2.0/24", f"{OWN}/32"}


def test_the_firewall_of_another_run_stays_unless_it_is_old(
    firewall: RunnerFirewall, stack: Stack, cloud: Client, hub: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = runner_firewall.runner_firewall(stack, "4710-1")
    other.open(OWN)
    firewall.open(OWN)
    assert sorted(_runner_firewalls(cloud)) == [other.name, firewall.name]
    monkeypatch.setattr(runner_firewall, "OLDEST", runner_firewall.OLDEST * 0)
    firewall.open(OWN)
    assert _runner_firewalls(cloud) == [firewall.name], "a run that died leaves its firewall otherwise"


def test_firewalls_of_other_stacks_are_not_seen(firewall: RunnerFirewall, cloud: Client, hub: int) -> None:
    cloud.post("/v2/tags", {"name": "fleetwatch-dev-hub"})
    body = {"name": "fleetwatch-dev-runner-4711-1", "tags": ["fleetwatch-dev-hub"], "inbound_rules": [ADMIN]}
    cloud.post("/v2/firewalls", body, code=202)
    firewall.open(OWN)
    firewall.close()
    assert _runner_firewalls(cloud) == ["fleetwatch-dev-runner-4711-1"]


def test_a_stack_without_droplets_gets_no_firewall(firewall: RunnerFirewall, cloud: Client) -> None:
    assert "there is no droplet of this stack yet" in firewall.open(OWN)
    assert _runner_firewalls(cloud) == []


@pytest.mark.parametrize("given", ["0.0.0.0/0", "198.51.100.0/24", "x.example.com", "", "<html>"])
def test_the_firewall_is_for_one_address(firewall: RunnerFirewall, cloud: Client, hub: int, given: str) -> None:
    with pytest.raises(ToolError, match="expected one IP address|does not give this machine's address"):
        firewall.open(given or "nothing")
    assert _runner_firewalls(cloud) == []


def _says(answer: str) -> HTTPServer:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(answer.encode())

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


@pytest.mark.parametrize(("answer", "good"), [(f"{OWN}\n", True), ("<html>busy</html>", False), ("10.0.0.0/8", False)])
def test_the_own_address_is_asked_for(answer: str, good: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    server = _says(answer)
    monkeypatch.setenv("FLEETWATCH_ADDRESS_URL", f"http://127.0.0.1:{server.server_port}/")
    try:
        if good:
            assert runner_firewall.own_address() == OWN
        else:
            with pytest.raises(ToolError, match="expected one IP address"):
                runner_firewall.own_address()
    finally:
        server.shutdown()
        server.server_close()


def test_a_service_that_does_not_answer_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLEETWATCH_ADDRESS_URL", "http://127.0.0.1:1/")
    with pytest.raises(ToolError, match="set it: --address"):
        runner_firewall.own_address()


def test_a_wrong_token_is_a_sentence_without_it(stack: Stack, hub: int) -> None:
    stack.env = {**stack.env, "DIGITALOCEAN_TOKEN": "dop_v1_wrong"}
    with pytest.raises(ToolError, match="answers 401 .*DIGITALOCEAN_TOKEN is not valid") as caught:
        runner_firewall.runner_firewall(stack, "1").open(OWN)
    assert "dop_v1_wrong" not in str(caught.value)


def test_what_is_missing_is_named(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ToolError, match="--run: expected"):
        runner_firewall.runner_firewall(stack, "")
    monkeypatch.delenv("DIGITALOCEAN_TOKEN", raising=False)
    stack.env = {}
    with pytest.raises(ToolError, match="DIGITALOCEAN_TOKEN is not set"):
        runner_firewall.runner_firewall(stack, "1")


@pytest.mark.parametrize("action", ["open", "close"])
@pytest.mark.parametrize(
    "config",
    [
        "{fleetwatch:hub: {server: {address: 192.0.2.7}}, fleetwatch:hosts: {hub: {}, a: {server: {address: a}}}}",
        "{fleetwatch:hub: {local: {}}}",
    ],
)
def test_a_stack_file_without_a_droplet_needs_no_firewall_and_no_token(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], config: str, action: str
) -> None:
    monkeypatch.delenv("DIGITALOCEAN_TOKEN", raising=False)
    stack.env = {}
    stack.file.write_text(f"config: {config}\n")
    options = argparse.Namespace(run="1", action=action, address="")
    monkeypatch.setattr(runner_firewall, "open_stack", lambda _options: stack)
    runner_firewall._runner_firewall(options)
    assert capsys.readouterr().out.startswith("No runner firewall: the stack file has no droplet")


def test_one_host_that_is_a_droplet_needs_one(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DIGITALOCEAN_TOKEN", raising=False)
    stack.env = {}
    stack.file.write_text(
        "config: {fleetwatch:hub: {server: {address: 10.0.0.7}}, fleetwatch:hosts: {a: {droplet: {size: s}}}}\n"
    )
    with pytest.raises(ToolError, match="DIGITALOCEAN_TOKEN is not set"):
        runner_firewall.runner_firewall(stack, "1")


def test_a_stack_file_whose_hub_cannot_be_read_is_refused_with_its_mistakes(stack: Stack) -> None:
    stack.file.write_text("config: {fleetwatch:hub: {droplet: {size: s}}}\n")
    with pytest.raises(ToolError, match="hub.droplet.region: missing"):
        runner_firewall.runner_firewall(stack, "1")
