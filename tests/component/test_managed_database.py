"""The managed database of a cluster: what is made, who is let in, and that its password is a secret on the way."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from tests.component.program import CA, Run, run
from tests.fixtures.fleets import CLUSTER, HUB, fleet

PASSWORD = "made-s3cret"
NODES: dict[str, Any] = {"a": {}, "b": {}, "c": {}}
OWN = {"postgres": {"grafana": {"dsn": "postgresql://g:own-s3cret@db.example.com:6432/g"}}}


def _sections(database: dict[str, Any] | None = None, **hub: Any) -> dict[str, Any]:
    storage = {**copy.deepcopy(CLUSTER), "nodes": NODES, **({"database": database} if database else {})}
    return fleet({**HUB, "storage": storage, **hub})


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Run:
    return run(_sections(ask={}), monkeypatch)


def _of(made: Run, kind: str) -> dict[str, dict[str, Any]]:
    return {name: one.plain() for name, one in made.of(f"digitalocean:index/database{kind}").items()}


def _sent(made: Run, role: str) -> str:
    """What the commands of this role write on the nodes, secret files too."""
    names = [f"{node}-{role}-{what}" for node in ("hub", "hub-b", "hub-c") for what in ("config", "secrets")]
    return "".join(str(made.commands[name].plain()["stdin"]) for name in names)


def test_the_server_is_in_the_private_network_and_open_to_the_hub_alone(made: Run) -> None:
    (server,) = _of(made, "Cluster:DatabaseCluster").values()
    assert (server["engine"], server["size"], server["nodeCount"]) == ("pg", "db-s-1vcpu-2gb", 1)
    assert server["privateNetworkUuid"] == "vpc-id"
    (firewall,) = _of(made, "Firewall:DatabaseFirewall").values()
    assert firewall["clusterId"] == "database-id"
    droplet = made.of("digitalocean:index/droplet:Droplet")["hub-c-droplet"].plain()
    assert [(rule["type"], rule["value"]) for rule in firewall["rules"]] == [("tag", droplet["tags"][0])]


def test_each_program_has_a_database(made: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert sorted(one["name"] for one in _of(made, "Db:DatabaseDb").values()) == ["ask", "grafana"]
    alone = run(_sections(), monkeypatch)
    assert [one["name"] for one in _of(alone, "Db:DatabaseDb").values()] == ["grafana"]


def test_three_grafanas_have_one_database_one_authority_and_one_admin(made: Run) -> None:
    text = _sent(made, "grafana")
    assert text.count("host = private-database.db.invalid:25060") == 3
    assert text.count(CA.strip()) == 3
    assert text.count(PASSWORD) == 3
    generated = sorted(one for one in made.of("random:index/randomPassword:RandomPassword") if "grafana" in one)
    assert generated == ["grafana-admin-password", "grafana-secret-key"], "one of each for all nodes"


def test_the_password_is_nowhere_in_clear(made: Run) -> None:
    for one in made.made:
        assert not any(PASSWORD in text for text in one.in_clear()), one.name


def test_a_server_of_the_user_makes_nothing_and_opens_its_port(monkeypatch: pytest.MonkeyPatch) -> None:
    made = run(_sections(OWN), monkeypatch)
    assert not [one.type for one in made.made if "atabase" in one.type]
    outbound = made.of("digitalocean:index/firewall:Firewall")["firewall-hub"].plain()["outboundRules"]
    assert "6432" in {rule.get("portRange") for rule in outbound}
    assert _sent(made, "grafana").count("host = db.example.com:6432") == 3
    for one in made.made:
        assert not any("own-s3cret" in text for text in one.in_clear()), one.name


def test_the_assistant_has_no_network_and_no_password_of_servers_that_it_does_not_have(made: Run) -> None:
    assert {f"{node}-ask" for node in ("hub", "hub-b", "hub-c")} <= set(made.containers)
    assert not [name for name in made.containers if name.endswith(("ask-database", "ask-cache"))]
    assert not [name for name in made.of("docker:index/network:Network") if name.endswith("-ask")]
    generated = {name for name in made.of("random:index/randomPassword:RandomPassword") if name.startswith("ask-")}
    assert generated == {"ask-admin-password", "ask-session-key"}
