"""The fleet: what its hosts cost in resources, how they are reached, and what one host's change may touch."""

from __future__ import annotations

import copy
import json
import shlex
from typing import Any

import pytest

from tests.component.program import HASH, PASSWORD, Made, Run, run
from tests.component.test_changes import changed

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHQ3dSdY8Zq0QXvIFWbW6vKQH3xKyXk4zq1pZQ0zq1pZ"
FLEET: dict[str, Any] = {
    "hub": {
        "droplet": {"region": "fra1", "size": "s-2vcpu-4gb", "volume": 100},
        "domain": "monitor.example.com",
        "dns_zone": "example.com",
        "uptime": {"email": ["ops@example.com"]},
        "retention": {"metrics": "180d"},
    },
    "access": {"admin_cidrs": ["192.0.2.0/24"]},
    "cloud": {"range": "10.77.0.0/20", "project": "monitoring"},
    "ssh": {"key": "~/.ssh/id_ed25519", "public_key": KEY},
    "hosts": {
        "web-1": {"droplet": {"size": "s-1vcpu-1gb"}},
        "db-1": {"server": {"address": "10.77.0.200"}},
        "vps-1": {"server": {"address": "203.0.113.7", "user": "deploy"}},
    },
}


def fleet(**hosts: Any) -> dict[str, Any]:
    """The fleet with these hosts added, changed or (None) removed."""
    sections = copy.deepcopy(FLEET)
    for name, entry in hosts.items():
        name = name.replace("_", "-")
        if entry is None:
            del sections["hosts"][name]
        else:
            sections["hosts"][name] = {**sections["hosts"].get(name, {}), **entry}
    return sections


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Run:
    return run(fleet(), monkeypatch)


def _one(made: Run, kind: str, name: str) -> Made:
    return made.of(kind)[name]


def _opts(made: Run) -> list[str]:
    """The options of ssh with which the docker provider, the hub's, gets there."""
    found = _one(made, "pulumi:providers:docker", "hub-docker").plain()["sshOpts"]
    options: list[str] = json.loads(found) if isinstance(found, str) else found
    return options


def test_one_more_host_touches_its_own_and_its_credential_at_the_hub(
    made: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    after = run(fleet(vps_2={"server": {"address": "203.0.113.8"}}), monkeypatch)
    difference = changed(made, after)
    assert {name.removeprefix("hub-gate-")[:5] for name in difference.pop("+")} == {"vps-2"}, (
        "only its own resources are new"
    )
    assert difference == {
        "hub-caddy-secrets": {"stdin"},
        "hub-prometheus-config": {"stdin"},
        "hub-loki-config": {"stdin"},
    }, "the hub learns its password and its name; no container and no other host"


def test_one_more_droplet_touches_nothing_that_is_there(made: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    after = run(fleet(web_2={"droplet": {}}), monkeypatch)
    difference = changed(made, after)
    assert {name.removeprefix("hub-gate-")[:5] for name in difference.pop("+")} == {"web-2"}
    assert difference == {"hub-prometheus-config": {"stdin"}, "hub-loki-config": {"stdin"}}


def test_a_changed_size_changes_the_droplet_and_waits_for_it(made: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    after = run(fleet(web_1={"droplet": {"size": "s-2vcpu-4gb"}}), monkeypatch)
    assert changed(made, after) == {"web-1-droplet": {"size"}, "web-1-ready": {"environment"}}


def _ssh(made: Run, command: str) -> list[str]:
    """The command line of ssh with which a command gets to its host."""
    script = made.commands[command].plain()["environment"]["ON_HOST"]
    (line,) = [word for word in shlex.split(script, comments=True) if word.startswith("SSH=")]
    return shlex.split(line.removeprefix("SSH="))


def test_a_private_server_is_reached_through_the_hub(made: Run) -> None:
    for command in ("db-1-ready", "db-1-project"):
        (jump,) = [word for word in _ssh(made, command) if word.startswith("ProxyCommand=")]
        assert "-W '[%h]:%p'" in jump
        assert "root@203.0.113.9" in jump, "the hub's own lasting address"
    assert not [word for word in _ssh(made, "web-1-project") if word.startswith("ProxyCommand=")]


def test_every_ssh_takes_the_pinned_key_alone(made: Run) -> None:
    for host in ("hub", "web-1", "db-1", "vps-1"):
        for options in (_ssh(made, f"{host}-project"), *([_opts(made)] if host == "hub" else [])):
            assert "StrictHostKeyChecking=yes" in options
            assert f"KnownHostsCommand=/bin/echo %H ssh-ed25519 AAAA{host}-contact" in options, host
        for name, command in made.commands.items():
            mine = name.startswith(f"{host}-") and name != f"{host}-contact"
            if mine and "ON_HOST" in command.plain()["environment"]:
                assert "StrictHostKeyChecking=yes" in command.plain()["environment"]["ON_HOST"], name


def test_the_first_contact_is_repeated_for_another_machine_only(made: Run) -> None:
    droplet = made.commands["web-1-contact"].plain()
    address, given, machine = droplet["triggers"]
    assert address.startswith("ssh://root@")
    assert (given, bool(machine)) == ("", True)
    assert "PULUMI_COMMAND_STDOUT" in droplet["update"], "a new text or another way there would take a new key"
    # A jump host that is made anew has another key of its own; the host behind it has not.
    behind = made.commands["db-1-contact"].request
    assert list(behind.propertyDependencies["triggers"].urns) == []
    assert any(urn.endswith("::hub-contact") for urn in behind.propertyDependencies["environment"].urns)


def test_what_is_on_a_droplet_goes_with_it(made: Run) -> None:
    droplet = next(one for one in made.made if one.name == "web-1-droplet")
    for one in made.made:
        on_it = one.name.startswith("web-1-") and one.type.split(":")[0] in ("docker", "command")
        if on_it:
            assert one.request.deletedWith.endswith(f"::{droplet.name}"), f"{one.name} would be removed over SSH first"


def test_an_abandoned_server_is_let_go_without_contact(monkeypatch: pytest.MonkeyPatch) -> None:
    made = run(fleet(vps_1={"abandoned": True}), monkeypatch)
    its = [one for one in made.made if one.name.startswith("vps-1") and one.type.split(":")[0] in ("docker", "command")]
    assert its
    for one in its:
        assert one.request.retainOnDelete, f"{one.type} {one.name} would be removed over SSH"
        assert "*" in one.request.ignoreChanges, f"{one.type} {one.name} could still be changed over SSH"
    assert "hub-gate-vps-1" not in made.commands, "nothing waits for its data"


def test_a_renamed_host_keeps_its_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    made = run(fleet(web_1=None, front={"droplet": {}, "renamed_from": "web-1"}), monkeypatch)
    components = [one for one in made.made if one.type.startswith("fleetwatch:") and one.name == "front"]
    assert {one.type.rpartition(":")[2] for one in components} == {"Droplet", "Edge", "Host"}
    for one in components:
        assert [alias.spec.name for alias in one.request.aliases] == ["web-1"], f"{one.type}: its children follow it"
    named = {one.name for one in made.made if one.parent.split("::")[-1].startswith("front")}
    assert all(name.startswith("front") or name == "hub-gate-front" for name in named), (
        "the engine goes by this beginning"
    )


def test_nothing_is_written_on_a_host_that_is_not_ready(made: Run) -> None:
    for host in ("web-1", "db-1"):
        after = made.commands[f"{host}-project"].request.dependencies
        assert any(urn.endswith(f"::{host}-ready") for urn in after), "its folder may not be there, or not ours yet"


def test_the_hubs_data_outlives_its_droplet(made: Run) -> None:
    volumes = made.of("docker:index/volume:Volume")
    for suffix in ("prometheus", "loki", "grafana", "alertmanager", "caddy-data", "caddy-config"):
        options = volumes[f"hub-{suffix}"].plain()["driverOpts"]
        assert options == {"type": "none", "o": "bind", "device": f"/mnt/fleetwatch/{suffix}"}
    agent = made.project("hub")["volumes"]["fleetwatch-agent"]
    assert not {"driver", "driver_opts"} & set(agent), "what is not sent yet is the machine's own"
    removed = made.commands["web-1-project"].plain()["environment"]["OFF_SCRIPT"]
    assert "VOLUMES=yes\n" in removed, "an edge that is removed leaves nothing"


def test_a_grown_volume_comes_before_another_size(made: Run) -> None:
    """Both are events of the droplet, which takes one at a time."""
    droplet = _one(made, "digitalocean:index/droplet:Droplet", "hub-droplet").request
    assert any(urn.endswith("::hub-volume") for urn in droplet.dependencies)


def test_the_last_host_on_the_internet_takes_no_folder_from_the_hubs_door(
    made: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    difference = changed(made, run(fleet(vps_1=None), monkeypatch))
    assert "hub-caddy" not in difference, "a mount that comes and goes makes the container anew"
    assert "hub-caddy-secrets" in difference


@pytest.mark.parametrize(("env", "protected"), [("prod", True), ("dev", False)])
def test_what_bears_data_is_protected_in_production(env: str, protected: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    made = run({**fleet(), "env": env}, monkeypatch)
    kinds = {"volume:Volume": "hub-volume", "reservedIp:ReservedIp": "hub-address", "droplet:Droplet": "hub-droplet"}
    for kind, name in {**kinds, "vpc:Vpc": "vpc"}.items():
        assert _one(made, f"digitalocean:index/{kind}", name).request.protect is protected, f"{kind} in {env}"
    assert not _one(made, "digitalocean:index/droplet:Droplet", "web-1-droplet").request.protect


def test_the_hubs_doors_are_where_the_design_says(made: Run) -> None:
    ports = {port["external"]: port["ip"] for port in made.containers["hub-caddy"].plain()["ports"]}
    assert ports == {443: "0.0.0.0", 80: "0.0.0.0", 8080: "10.77.0.11", 9080: "127.0.0.1"}
    inbound = _one(made, "digitalocean:index/firewall:Firewall", "firewall-hub").plain()["inboundRules"]
    opened = {(rule["protocol"], rule.get("portRange")): rule["sourceAddresses"] for rule in inbound}
    everyone = ["0.0.0.0/0", "::/0"]
    assert opened == {
        ("tcp", "443"): everyone, ("tcp", "80"): everyone, ("tcp", "8080"): ["10.77.0.0/20"],
        ("tcp", "22"): ["192.0.2.0/24"], ("icmp", None): everyone,
    }  # fmt: skip
    edge = _one(made, "digitalocean:index/firewall:Firewall", "firewall-edge").plain()["inboundRules"]
    assert [rule["sourceAddresses"] for rule in edge if rule["protocol"] == "tcp"] == [["192.0.2.0/24"]]
    assert {(rule["protocol"], rule.get("portRange")) for rule in edge} == {("tcp", "22"), ("icmp", None)}


def test_what_goes_out_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    mail = {"email": {"to": "ops@example.com", "sender": "fw@example.com", "smarthost": "mail.example.com:587"}}
    sections = fleet() | {"access": {"admin_cidrs": ["192.0.2.0/24"], "outbound": [8443]}}
    sections["hub"]["alerts"] = {"receivers": {"team": mail}, "default": "team"}
    made = run(sections, monkeypatch)
    for firewall in ("firewall-hub", "firewall-edge"):
        rules = _one(made, "digitalocean:index/firewall:Firewall", firewall).plain()["outboundRules"]
        everywhere = {
            (rule["protocol"], rule.get("portRange")) for rule in rules if "0.0.0.0/0" in rule["destinationAddresses"]
        }
        tcp = {("tcp", port) for port in ("53", "80", "443", "587", "8443")}
        assert everywhere == {*tcp, ("udp", "53"), ("udp", "123"), ("icmp", None)}, firewall


def test_no_secret_is_in_the_clear_anywhere(made: Run) -> None:
    for one in made.made:
        leaked = [secret for secret in (PASSWORD, HASH) for text in one.in_clear() if secret in text]
        assert not leaked, f"{one.type} {one.name}"


def test_a_rotation_lets_both_passwords_in_until_it_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    made = run(fleet(vps_1={"rotation": 1}), monkeypatch)
    users = made.commands["hub-caddy-secrets"].plain()["stdin"]
    assert "vps-1.1 " in users
    assert "\nvps-1 " in users, "the old password has to hold until the edge has changed over"
    files = made.files("vps-1")
    assert "vps-1.1" in files["agent/config/prometheus.yml"]
    assert "/password-1" in files["agent/config/prometheus.yml"]
    assert {"agent/secrets/password", "agent/secrets/password-1"} <= set(files)


def test_what_a_user_is_told(made: Run) -> None:
    assert made.exports["url"] == ("https://monitor.example.com", False)
    assert made.exports["monthly_usd"] == (41.0, False), "24 + 6 for the droplets, 10 the volume, 1 for the check"
    hosts = made.exports["hosts"][0]
    assert hosts["vps-1"]["address"] == "203.0.113.7"
    assert hosts["web-1"]["via"] == "vpc"
    assert "caddy" in hosts["hub"]["runs"]
