"""The door for a runner's SSH, against the rehearsal cloud's API (its machines only remember what they are told)."""

from __future__ import annotations

import argparse
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from localcloud.cloud.backend import Rule
from tests.cloud.rig import Client, FakeMachines, running
from tools import ci_commands, runner_firewall
from tools.errors import ToolError
from tools.runner_firewall import Door
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
def door(stack: Stack) -> Door:
    return runner_firewall.of(stack, "4711-1")


@pytest.fixture
def hub(cloud: Client) -> int:
    """A droplet of the stack, behind its firewall."""
    droplet: int = cloud.droplet("fleetwatch-prod-hub", tags=[TAGS[0]])["id"]
    cloud.post("/v2/firewalls", {"name": "fleetwatch-prod-hub", "tags": [TAGS[0]], "inbound_rules": [ADMIN]}, code=202)
    return droplet


def _doors(cloud: Client) -> list[str]:
    return [one["name"] for one in cloud.get("/v2/firewalls")["firewalls"] if "-door-" in one["name"]]


def _let_in(machines: FakeMachines, droplet: int) -> set[str]:
    """The addresses whose SSH a droplet lets in now."""
    rules: tuple[Rule, ...] = [inbound for id, inbound, _ in machines.of("firewall") if id == droplet][-1]
    return {source for rule in rules if rule.ports == (22, 22) for source in rule.peers}


def test_open_lets_this_address_in_and_close_takes_it_back(
    door: Door, cloud: Client, machines: FakeMachines, hub: int
) -> None:
    assert _let_in(machines, hub) == {"192.0.2.0/24"}
    said = door.open(OWN)
    assert _let_in(machines, hub) == {"192.0.2.0/24", f"{OWN}/32"}
    assert _doors(cloud) == ["fleetwatch-prod-door-4711-1"]
    assert f"SSH from {OWN}" in said
    assert door.close() == "Door fleetwatch-prod-door-4711-1: closed."
    assert _let_in(machines, hub) == {"192.0.2.0/24"}
    assert _doors(cloud) == []
    assert len(cloud.get("/v2/firewalls")["firewalls"]) == 1, "the stack's own firewall stays"


def test_to_close_what_was_never_open_is_no_mistake(door: Door, hub: int) -> None:
    assert door.close() == "Door fleetwatch-prod-door-4711-1: there was none."


def test_a_run_that_is_repeated_opens_one_door(door: Door, cloud: Client, machines: FakeMachines, hub: int) -> None:
    door.open("198.51.100.1")
    door.open(OWN)
    assert _doors(cloud) == ["fleetwatch-prod-door-4711-1"]
    assert _let_in(machines, hub) == {"192.0.2.0/24", f"{OWN}/32"}


def test_the_door_of_another_run_stays_unless_it_is_old(
    door: Door, stack: Stack, cloud: Client, hub: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = runner_firewall.of(stack, "4710-1")
    other.open(OWN)
    door.open(OWN)
    assert sorted(_doors(cloud)) == [other.name, door.name]
    monkeypatch.setattr(runner_firewall, "OLDEST", runner_firewall.OLDEST * 0)
    door.open(OWN)
    assert _doors(cloud) == [door.name], "a run that died leaves its door open for ever otherwise"


def test_doors_of_other_stacks_are_not_seen(door: Door, cloud: Client, hub: int) -> None:
    cloud.post("/v2/tags", {"name": "fleetwatch-dev-hub"})
    body = {"name": "fleetwatch-dev-door-4711-1", "tags": ["fleetwatch-dev-hub"], "inbound_rules": [ADMIN]}
    cloud.post("/v2/firewalls", body, code=202)
    door.open(OWN)
    door.close()
    assert _doors(cloud) == ["fleetwatch-dev-door-4711-1"]


def test_a_stack_without_droplets_gets_no_door(door: Door, cloud: Client) -> None:
    assert "there is no droplet of this stack yet" in door.open(OWN)
    assert _doors(cloud) == []


@pytest.mark.parametrize("given", ["0.0.0.0/0", "198.51.100.0/24", "x.example.com", "", "<html>"])
def test_the_door_is_for_one_address(door: Door, cloud: Client, hub: int, given: str) -> None:
    with pytest.raises(ToolError, match="expected one IP address|does not say this machine's address"):
        door.open(given or "nothing")
    assert _doors(cloud) == []


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
    with pytest.raises(ToolError, match="give it: --address"):
        runner_firewall.own_address()


def test_a_wrong_token_is_a_sentence_without_it(stack: Stack, hub: int) -> None:
    stack.env = {**stack.env, "DIGITALOCEAN_TOKEN": "dop_v1_wrong"}
    with pytest.raises(ToolError, match="answers 401 .*DIGITALOCEAN_TOKEN is not valid") as caught:
        runner_firewall.of(stack, "1").open(OWN)
    assert "dop_v1_wrong" not in str(caught.value)


def test_what_is_missing_is_named(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ToolError, match="--run: expected"):
        runner_firewall.of(stack, "")
    monkeypatch.delenv("DIGITALOCEAN_TOKEN", raising=False)
    stack.env = {}
    with pytest.raises(ToolError, match="DIGITALOCEAN_TOKEN is not set"):
        runner_firewall.of(stack, "1")


@pytest.mark.parametrize("action", ["open", "close"])
@pytest.mark.parametrize(
    "config",
    [
        "{fleetwatch:hub: {server: {address: 192.0.2.7}}, fleetwatch:hosts: {hub: {}, a: {server: {address: a}}}}",
        "{fleetwatch:hub: {local: {}}}",
        "{}",
    ],
)
def test_a_stack_file_without_a_droplet_needs_no_door_and_no_token(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], config: str, action: str
) -> None:
    monkeypatch.delenv("DIGITALOCEAN_TOKEN", raising=False)
    stack.env = {}
    stack.file.write_text(f"config: {config}\n")
    options = argparse.Namespace(run="1", action=action, address="")
    ci_commands._door(options, lambda _: stack)
    assert capsys.readouterr().out.startswith("No door: the stack file has no droplet")


def test_one_host_that_is_a_droplet_needs_one(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DIGITALOCEAN_TOKEN", raising=False)
    stack.env = {}
    stack.file.write_text("config: {fleetwatch:hub: {server: {}}, fleetwatch:hosts: {a: {droplet: {size: s}}}}\n")
    with pytest.raises(ToolError, match="DIGITALOCEAN_TOKEN is not set"):
        runner_firewall.of(stack, "1")
