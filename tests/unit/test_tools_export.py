"""`make export`: the folder that plain `docker compose` starts, with no secret in it."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import pytest
import yaml

from configs import compose, export, images
from configs.settings import Settings, load
from tests.fixtures.fleets import cluster
from tests.fixtures.full import small
from tools import export as tool
from tools import stack_secrets
from tools.errors import ToolError

CLUSTER = ("hub", "hub-b", "hub-c")
STATE = {
    "deployment": {
        "resources": [
            {
                "type": "pulumi:pulumi:Stack",
                "urn": "urn:pulumi:t::fleetwatch::pulumi:pulumi:Stack::t",
                "outputs": {"hosts": {"hub": {"address": "203.0.113.9", "private": "10.0.0.2"}}},
            },
            {
                "type": "command:local:Command",
                "urn": "urn:pulumi:t::fleetwatch::command:local:Command::hub-ca",
                "outputs": {"stdout": "-----BEGIN CERTIFICATE-----\n"},
            },
        ]
    }
}


def settings(domain: str | None = "monitor.example.com", **host: Any) -> Settings:
    hub: dict[str, Any] = {"server": {"address": "203.0.113.9"}, **({"domain": domain} if domain else {})}
    own = {"server": {"address": "203.0.113.7"}, "via": "internet", **host}
    return load(small(hub=hub, hosts={"hub": {}, "web-1": own}), "stacks/Pulumi.t.yaml")


def three_nodes(via: str) -> Settings:
    own = {"server": {"address": "203.0.113.7" if via == "internet" else "10.0.0.7"}, "via": via}
    return cluster(hosts={"web-1": own})


def folder(found: Settings, state: Any = None) -> dict[str, str]:
    def read() -> Any:
        if state is None:
            raise AssertionError("no state is needed")
        return state

    return export.files(found, "web-1", images.pins(), tool.reached(found, "web-1", read))


def test_the_project_is_the_one_that_the_program_deploys() -> None:
    found = settings()
    made = yaml.safe_load(folder(found)[compose.FILE])
    assert made["name"] == found.prefix
    agent = made["services"]["agent"]
    assert agent["container_name"] == f"{found.prefix}-agent"
    assert {mount["source"] for mount in agent["volumes"]} >= {"./agent/config", "./agent/secrets"}


def test_a_hub_with_a_domain_needs_no_state() -> None:
    assert "https://monitor.example.com/api/v1/write" in folder(settings())["agent/config/prometheus.yml"]


def test_a_hub_without_a_domain_has_its_address_in_the_hosts_file_and_its_own_ca() -> None:
    made = folder(settings(domain=None), STATE)
    assert "203.0.113.9 hub.fleetwatch.internal" in made[compose.HOSTS]
    assert "https://hub.fleetwatch.internal/" in made["agent/config/prometheus.yml"]
    assert made["agent/config/hub-ca.crt"].startswith("-----BEGIN CERTIFICATE-----")


def test_a_cluster_is_reached_by_its_load_balancer_or_by_all_its_nodes() -> None:
    outputs = {
        "hosts": {host: {"address": f"203.0.113.{n}", "private": f"10.0.0.{n}"} for n, host in enumerate(CLUSTER, 2)},
        "entry": "203.0.113.44",
        "ca": "-----BEGIN CERTIFICATE-----\nshared\n",
    }
    resource = {"type": "pulumi:pulumi:Stack", "urn": "urn:pulumi:t::fleetwatch::pulumi:pulumi:Stack::t"}
    state = {"deployment": {"resources": [{**resource, "outputs": outputs}]}}
    made = folder(three_nodes("internet"), state)
    assert "203.0.113.44 hub.fleetwatch.internal" in made[compose.HOSTS]
    assert "shared" in made["agent/config/hub-ca.crt"]
    known = folder(three_nodes("vpc"), state)[compose.HOSTS]
    assert [line.split()[0] for line in known.splitlines() if "hub.fleetwatch" in line] == [
        f"10.0.0.{n}" for n in (2, 3, 4)
    ]


def test_an_edge_in_the_vpc_has_the_private_address_in_its_hosts_file() -> None:
    made = folder(settings(via="vpc", server={"address": "10.0.0.7"}), STATE)
    assert "10.0.0.2 hub.fleetwatch.internal" in made[compose.HOSTS]
    assert "http://hub.fleetwatch.internal" in made["agent/config/prometheus.yml"]


@pytest.mark.parametrize(
    ("found", "missing"),
    [
        (settings(domain=None), "the hub's address and the certificate of the hub's own CA"),
        (settings(via="vpc", server={"address": "10.0.0.7"}), "the hub's address"),
    ],
)
def test_what_only_a_hub_that_is_up_knows_is_named(found: Settings, missing: str) -> None:
    with pytest.raises(ToolError, match=f"hosts.web-1: {missing} is known once the hub is up: run `make up` first"):
        folder(found, {})


def test_each_secret_is_an_example_that_git_keeps_and_the_filled_in_one_is_ignored() -> None:
    made = folder(settings(postgres={"main": {"dsn": "postgresql://unread:unread@unread:5432/unread"}}))
    secrets = [path for path in made if "/secrets/" in path]
    assert "agent/secrets/password.example" in secrets
    assert all(path.endswith(".example") for path in secrets)
    assert made[export.IGNORED].splitlines()[1:] == ["*/secrets/*", "!*/secrets/*.example"]
    for path in secrets:
        text = made[path]
        assert any(mark in text for mark in (export.PLACEHOLDER, export.SCRAPE, export.HASH, "unread")), path
        assert f"  {path.removesuffix('.example')}\n" in made[compose.README], "the README lists what to fill in"


def test_an_edge_in_the_vpc_has_no_push_password_to_fill_in() -> None:
    made = folder(settings(via="vpc", server={"address": "10.0.0.7"}), STATE)
    secrets = {path for path in made if "/secrets/" in path}
    assert secrets == {"agent/secrets/scrape-password.example", "node-exporter/secrets/web.yml.example"}
    assert export.PLACEHOLDER not in "".join(made.values())
    assert export.PLACEHOLDER in folder(settings())[compose.README]


def test_the_users_networks_are_part_of_the_project() -> None:
    """The program joins them afterwards; here nobody does."""
    made = yaml.safe_load(folder(settings(networks=["shop_default"]))[compose.FILE])
    assert made["networks"]["user-1"] == {"name": "shop_default", "external": True}
    assert "user-1" in made["services"]["agent"]["networks"]
    assert "user-1" not in made["services"]["cadvisor"]["networks"]


class Opened:
    """What `export_host` uses of a stack."""

    def __init__(self, config: dict[str, Any]) -> None:
        self.name, self.env, self._config = "t", {"FLEETWATCH_STACK_FILE": "stacks/Pulumi.t.yaml"}, config

    def composed(self) -> dict[str, Any]:
        return {"config": self._config}

    def read_state(self) -> dict[str, Any]:
        return STATE


def opened(**host: Any) -> Any:
    own = {"server": {"address": "203.0.113.7"}, "via": "internet", **host}
    hub = {"server": {"address": "203.0.113.9"}, "domain": "monitor.example.com", **small()["hub"]}
    hub.pop("local", None)
    sections = {**small(), "hub": hub, "hosts": {"hub": {}, "web-1": own}}
    sections.pop("env", None)
    return Opened({f"fleetwatch:{key}": value for key, value in sections.items()})


def test_no_encrypted_value_and_no_secret_that_is_kept_elsewhere_is_read(tmp_path: Path) -> None:
    made = opened(postgres={"main": {"dsn": {"secure": "v1:abc:hunter22"}}, "other": {}})
    tool.export_host(made, "web-1", str(tmp_path / "to"))
    files = [path for path in (tmp_path / "to").rglob("*") if path.is_file()]
    assert [path for path in files if "hunter22" in path.read_text()] == []
    assert {path.parent.parent.name for path in files if path.name == "uri.example"} == {
        "postgres-main",
        "postgres-other",
    }


def test_a_second_export_keeps_what_was_filled_in_and_removes_old_configuration(tmp_path: Path) -> None:
    tool.export_host(opened(), "web-1", str(tmp_path))
    (tmp_path / "agent" / "secrets" / "password").write_text("filled in")
    (tmp_path / "agent" / "config" / "old.yml").write_text("x")
    tool.export_host(opened(), "web-1", str(tmp_path))
    assert (tmp_path / "agent" / "secrets" / "password").read_text() == "filled in"
    assert not (tmp_path / "agent" / "config" / "old.yml").exists()
    mode = stat.S_IMODE((tmp_path / "agent" / "config" / "prometheus.yml").stat().st_mode)
    assert mode & 0o044 == 0o044, "a container's user, who is not the owner, reads it"


@pytest.mark.parametrize(
    ("host", "to", "message"),
    [
        ("web-2", "new", "HOST=web-2: expected a host of the stack file .*; did you mean web-1"),
        ("web-1", "", "TO=: expected the folder to write"),
        ("web-1", "taken", "expected an empty folder or that of an earlier export"),
    ],
)
def test_a_wrong_host_or_folder_is_refused(tmp_path: Path, host: str, to: str, message: str) -> None:
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "agent").mkdir()
    with pytest.raises(ToolError, match=message):
        tool.export_host(opened(), host, str(tmp_path / to) if to else "")
    assert not (tmp_path / "new").exists()


def test_the_push_password_of_a_host_is_that_of_its_newest_rotation() -> None:
    def password(name: str, result: str, keepers: Any = None) -> dict[str, Any]:
        urn = f"urn:pulumi:t::fleetwatch::random::{name}"
        return {"type": stack_secrets.PASSWORD, "urn": urn, "outputs": {"result": result, "keepers": keepers}}

    made = [password("web-1-password", "two", {"rotation": "2"}), password("web-1-password-b", "one")]
    state = {"deployment": {"resources": [*made, password("web-10-password", "other")]}}
    assert stack_secrets.push_password(state, "web-1") == "two"
    assert stack_secrets.push_password({"deployment": {"resources": made[1:]}}, "web-1") == "one"
    with pytest.raises(ToolError, match="HOST=db-1: expected a host that pushes with a password \\(web-1, web-10\\)"):
        stack_secrets.push_password(state, "db-1")
