"""What the fleet meets that was there before it: servers, bastions, an account with keys of its own."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from configs import ssh
from tests.component.program import CLOUD, run
from tests.component.test_fleet import KEY, fleet


def test_a_renamed_host_keeps_the_key_of_its_bastion(monkeypatch: pytest.MonkeyPatch) -> None:
    behind = {"server": {"address": "10.9.9.9", "bastion": {"address": "203.0.113.8"}}, "via": "internet"}
    made = run(fleet(inner={**behind, "renamed_from": "old"}), monkeypatch)
    bastion = made.of("fleetwatch:index:Bastion")["inner"]
    assert [alias.spec.name for alias in bastion.request.aliases] == ["old"], "another one would take any key anew"
    contact = made.commands["inner-bastion-contact"]
    assert "PATH_IN_FILE=hosts.inner.server.bastion" in contact.plain()["environment"]["CONTACT"]


def test_a_key_that_the_account_has_already_is_used_and_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def keys_made(name: str) -> tuple[list[str], Any]:
        known = {ssh.fingerprint(KEY): name}
        made = run(fleet(), monkeypatch, cloud=dataclasses.replace(CLOUD, keys=known))
        droplet = made.of("digitalocean:index/droplet:Droplet")["web-1-droplet"]
        return list(made.of("digitalocean:index/sshKey:SshKey")), droplet.plain()["sshKeys"]

    assert keys_made("laptop") == ([], [ssh.fingerprint(KEY)]), "the API takes a key once, whatever its name"
    assert keys_made("fleetwatch-test") == (["ssh-key"], ["aa:bb"]), "our own stays ours"


def test_a_hub_on_a_server_looks_whether_its_ports_are_free(monkeypatch: pytest.MonkeyPatch) -> None:
    def ports(**server: str) -> str:
        hub = {"server": {"address": "203.0.113.5", **server}}
        ready = run({"hub": hub}, monkeypatch).commands["hub-ready"].plain()["stdin"]
        return next(line for line in ready.splitlines() if line.startswith("PORTS="))

    assert ports() == "PORTS='443 80 9080'"
    assert ports(private_address="10.77.0.5") == "PORTS='443 80 9080 8080'", "there it takes pushes without TLS"
