"""The list of `make env` refuses what the program refuses: both have the same rules and the same facts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from components import cloud_facts, machine_facts
from configs.validation import CloudFacts, DockerFacts, MachineFacts
from tests.fixtures.hubs import PUBLIC_KEY
from tests.unit.test_tools_newenv import CLOUD, SET, FakeStack, _complete, _config
from tools import missing


def _report(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str], config: dict[str, Any]
) -> str:
    """What the list says of a complete file with these changes; it must end with code 1."""
    assert _complete(monkeypatch, tmp_path, "", config, DIGITALOCEAN_TOKEN="x")[0] == 1
    said = capsys.readouterr().out
    assert "nothing is missing" not in said
    return said


def _good(tmp_path: Path) -> dict[str, Any]:
    (tmp_path / "key").write_text("a private key")
    (tmp_path / "key.pub").write_text(f"{PUBLIC_KEY}\n")
    config = _config()
    config["fleetwatch:ssh"] = {"key": str(tmp_path / "key")}
    config["fleetwatch:hub"] = {"domain": "monitor.fleet.test", "droplet": config["fleetwatch:hub"]["droplet"]}
    config["fleetwatch:hosts"] = {}
    return config


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "a volume that is too small": (
        {"fleetwatch:hub": {"droplet": {"region": "fra1", "volume": 5}}},
        "hub.droplet.volume: expected at least ",
    ),
    "a muted alert that does not exist": (
        {"fleetwatch:hosts": {"hub": {"alerts": {"mute": ["DiskUsd"]}}}},
        "hosts.hub.alerts.mute.0: expected the name of an alert, got 'DiskUsd'; did you mean DiskUsed?",
    ),
    "a size that the region does not have": (
        {"fleetwatch:hosts": {"a": {"droplet": {"size": "s-9vcpu-9gb"}}}},
        "hosts.a.droplet.size: expected one that fra1 has",
    ),
    "a rule across sections": (
        {"fleetwatch:hosts": {"a": {"server": {"address": "203.0.113.9"}, "via": "vpc"}}},
        "hosts.a.via: expected internet",
    ),
    "a misspelt section": ({"fleetwach:hub": {}}, "fleetwach:hub: unknown section; did you mean fleetwatch:hub?"),
    "an image that is no reference": (
        {"fleetwatch:images": {"caddy": "caddy:2; touch x"}},
        "images.caddy: expected an image reference",
    ),
    "a network of this machine that is missing": (
        {"fleetwatch:hosts": {"here": {"local": {}, "networks": ["gone"]}}},
        "hosts.here.networks.0: expected a Docker network of this machine",
    ),
}


@pytest.mark.parametrize("mistake", REFUSED)
def test_what_the_program_refuses_is_missing_here_too(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str], mistake: str
) -> None:
    change, said = REFUSED[mistake]
    docker = DockerFacts("20.10", networks=frozenset({"bridge"}))
    facts = MachineFacts({"unix:///var/run/docker.sock": docker}, public_key=PUBLIC_KEY)
    monkeypatch.setattr(machine_facts, "probe", lambda _: facts)
    assert said in _report(monkeypatch, tmp_path, capsys, _good(tmp_path) | change)


def test_a_secret_in_clear_beside_no_encrypted_one_is_missing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = _good(tmp_path)
    config["fleetwatch:hosts"] = {"hub": {"postgres": {"main": {"dsn": "postgresql://u:hunter22@db/x"}}}}
    said = _report(monkeypatch, tmp_path, capsys, config)
    assert "hosts.hub.postgres.main.dsn: expected an encrypted value" in said
    assert "make secret STACK=qa KEY=hosts.hub.postgres.main.dsn" in said
    assert "hunter22" not in said


def test_an_encrypted_token_is_decrypted_for_the_clouds_api(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    used: list[str] = []
    config = _good(tmp_path) | {"digitalocean:token": SET}

    def probe(config: Any, environ: Any) -> CloudFacts:
        used.append(config["digitalocean:token"])
        return CLOUD

    stack = FakeStack(config, tmp_path)
    monkeypatch.setattr(cloud_facts, "probe", probe)
    assert missing.report(config, stack, {}) == 0
    assert used == ["decrypted-s3cret"]


def test_a_cloud_that_does_not_answer_is_missing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stack = FakeStack(_good(tmp_path), tmp_path)
    monkeypatch.setattr(cloud_facts, "probe", lambda *_: CloudFacts(problem="api.test cannot be reached"))
    assert missing.report(stack.config, stack, {missing.TOKEN: "x"}) == 1
    assert "api.test cannot be reached" in capsys.readouterr().out


@pytest.mark.parametrize("hub", ["", "x", 5, [], {"alerts": "x"}, {"alerts": {"receivers": ["x"]}}])
def test_a_hub_of_a_wrong_type_is_a_line_and_no_traceback(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str], hub: Any
) -> None:
    config = _good(tmp_path) | {"fleetwatch:hub": hub}
    assert "  - hub" in _report(monkeypatch, tmp_path, capsys, config)


def test_what_the_program_accepts_is_advice(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a key.pub").write_text(f"{PUBLIC_KEY}\n")
    config = _config() | {"fleetwatch:ssh": {"key": str(tmp_path / "a key")}, "fleetwatch:hosts": {}}
    config["fleetwatch:hub"] = {"domain": "monitor.example.com", "droplet": config["fleetwatch:hub"]["droplet"]}
    config["fleetwatch:access"] = {"admin_cidrs": ["203.0.113.7/32"]}
    code, _ = _complete(monkeypatch, tmp_path, "", config, DIGITALOCEAN_TOKEN="x")
    shown = capsys.readouterr().out
    assert code == 0, shown
    advice = shown.partition("Worth a look:")[2]
    assert "hub.domain: monitor.example.com is reserved for documentation" in advice
    assert "access.admin_cidrs.0: 203.0.113.7/32 is reserved for documentation" in advice
    assert f"`ssh-keygen -t ed25519 -f '{tmp_path}/a key'` makes one" in advice


def test_a_home_folder_is_not_in_quotes() -> None:
    assert missing._shell_path("~/my keys/x") == "~/'my keys/x'"
    assert missing._shell_path("~/.ssh/id_ed25519") == "~/.ssh/id_ed25519"
