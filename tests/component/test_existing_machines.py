"""Machines and keys that existed before the fleet: servers, bastions, an account with SSH keys."""

from __future__ import annotations

import dataclasses
import shlex
from typing import Any

import pytest
import yaml

from components.host import Host
from configs import ssh
from configs.deploy import docker_packages
from configs.render import userdata
from tests.component.made_up import CLOUD
from tests.component.program import run
from tests.component.test_fleet import KEY, fleet


def test_a_renamed_host_keeps_the_key_of_its_bastion(monkeypatch: pytest.MonkeyPatch) -> None:
    behind = {"server": {"address": "10.9.9.9", "bastion": {"address": "203.0.113.8"}}, "via": "internet"}
    made = run(fleet(inner={**behind, "renamed_from": "old"}), monkeypatch)
    bastion = made.of("fleetwatch:index:Bastion")["inner"]
    assert [alias.spec.name for alias in bastion.request.aliases] == ["old"], "another one would accept any key again"
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
    def ports(**server: str) -> list[str]:
        hub = {"server": {"address": "203.0.113.5", **server}}
        ready: str = run({"hub": hub}, monkeypatch).commands["hub-ready"].script
        return ready.partition("PORTS='")[2].partition("'")[0].splitlines()

    assert ports() == ["443", "80", "9080"], "one each line"
    assert ports(private_address="10.77.0.5") == ["443", "80", "9080", "8080"], "there it accepts pushes without TLS"


def test_lists_of_names_are_one_name_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """The shell would divide them at spaces, and expand a `*`."""
    paths = {"a": "/var/log/my app/*.log", "b": "/srv/*x/y/*.log", "c": "/srv/b/c"}
    logs = {"files": {name: {"path": path} for name, path in paths.items()}}
    vps = {"server": {"address": "203.0.113.77"}, "networks": ["shop", "blog"], "logs": logs}
    made = run(fleet(vps=vps), monkeypatch)
    ready = made.commands["vps-ready"].script
    assert "FOLDERS='/srv\n/srv/b\n/var/log/my app'\n" in ready
    assert "NETWORKS='blog\nshop'\n" in ready
    assert "NETWORKS='blog\nshop'\n" in made.commands["vps-project"].script
    mounted = made.commands["hub-mounted"].script
    assert "FOLDERS='alertmanager\ncaddy-config\ncaddy-data\ngrafana\nloki\nprometheus'\n" in mounted


def test_a_check_gets_each_of_its_arguments_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    hub = {"local": {"files": "/srv/my files"}}
    made = run({"hub": hub, "images": {"caddy": "registry.example.com/caddy:2"}}, monkeypatch)
    text = made.commands["hub-caddy-config"].script
    check = next(line for line in shlex.split(text, comments=True) if line.startswith("CHECK="))
    words = shlex.split(check.removeprefix("CHECK=").replace('"$next"', "NEXT"))
    assert "/srv/my files/hub/caddy/secrets:/run/secrets/fleetwatch:ro" in words
    assert words[words.index("--entrypoint") + 1 :][:3] == ["caddy", "registry.example.com/caddy:2", "validate"]


def test_a_host_is_abstract() -> None:
    kind: Any = Host  # mypy refuses the call too
    with pytest.raises(TypeError, match="abstract"):
        kind("x", "fleetwatch")


def test_the_chosen_major_version_of_docker_reaches_droplets_and_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    vps = {"server": {"address": "203.0.113.77", "install_docker": True}}
    made = run(fleet(vps=vps) | {"docker": {"major": 28}}, monkeypatch)
    droplet = made.of("digitalocean:index/droplet:Droplet")["web-1-droplet"].plain()
    written = {file["path"]: file["content"] for file in yaml.safe_load(droplet["userData"])["write_files"]}
    assert written[f"{userdata.FOLDER}/docker-packages"] == docker_packages(28) != docker_packages(29)
    assert f"INSTALL={shlex.quote(docker_packages(28))}\n" in made.commands["vps-ready"].script
    assert "INSTALL=''\n" in made.commands["vps-1-ready"].script, "without install_docker nothing is installed"
