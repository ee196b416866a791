"""The digitalocean stand-in's managed databases: what is requested of the API, what is recorded, what is a secret."""

from __future__ import annotations

from typing import Any

import pytest

from localcloud.standins.plugins.provider import plain_map
from tests.plugins.account import Account, settled

CLUSTER: dict[str, Any] = {
    "name": "fleetwatch-prod-hub",
    "engine": "pg",
    "version": "17",
    "region": "fra1",
    "size": "db-s-1vcpu-1gb",
    "nodeCount": 1,
}


def _cluster(account: Account) -> tuple[str, Any, dict[str, Any]]:
    inputs = {**CLUSTER, "privateNetworkUuid": account.client.vpc()["id"]}
    return (*account.calls.create("DatabaseCluster", inputs), inputs)


def test_a_server_is_recorded_with_its_secrets_marked(account: Account) -> None:
    made, state, inputs = _cluster(account)
    settled(account, "DatabaseCluster", made, state, inputs)
    assert {key for key, value in state.items() if value.contains_secret()} == {"password", "uri", "privateUri"}
    found = plain_map(state)
    assert (found["port"], found["user"], found["clusterUrn"]) == (25060, "doadmin", f"do:dbaas:{made}")
    assert account.calls.diff("DatabaseCluster", state, {**inputs, "name": "other"}).replaces == ["name"]
    assert not account.calls.diff("DatabaseCluster", state, {**inputs, "nodeCount": 2}).replaces
    account.asks()
    larger = {**inputs, "size": "db-s-1vcpu-2gb", "nodeCount": 2}
    state = account.calls.update("DatabaseCluster", made, state, larger)
    assert account.asks() == [f"PUT /v2/databases/{made}/resize"]
    settled(account, "DatabaseCluster", made, state, larger)
    account.calls.delete("DatabaseCluster", made, state)
    assert not account.calls.read("DatabaseCluster", made, state, larger).resource_id


def test_another_region_is_not_covered(account: Account) -> None:
    made, state, inputs = _cluster(account)
    with pytest.raises(Exception, match="another region or version of a database is not covered"):
        account.calls.update("DatabaseCluster", made, state, {**inputs, "region": "ams3"})


def test_a_database_and_a_firewall_settle_and_leave(account: Account) -> None:
    cluster, _, _ = _cluster(account)
    db = {"clusterId": cluster, "name": "grafana"}
    made, state = account.calls.create("DatabaseDb", db)
    assert made == f"{cluster}/database/grafana"
    settled(account, "DatabaseDb", made, state, db)
    account.calls.delete("DatabaseDb", made, state)
    assert not account.calls.read("DatabaseDb", made, state, db).resource_id
    wall = {"clusterId": cluster, "rules": [{"type": "tag", "value": "hub"}]}
    made, state = account.calls.create("DatabaseFirewall", wall)
    settled(account, "DatabaseFirewall", made, state, wall)
    more = {**wall, "rules": [*wall["rules"], {"type": "ip_addr", "value": "198.51.100.7"}]}
    state = account.calls.update("DatabaseFirewall", made, state, more)
    settled(account, "DatabaseFirewall", made, state, more)
    account.calls.delete("DatabaseFirewall", made, state)
    assert account.client.get(f"/v2/databases/{cluster}/firewall")["rules"] == []


def test_the_authority_is_a_function_and_no_other_is_covered(account: Account) -> None:
    cluster, _, _ = _cluster(account)
    found = account.calls.invoke("getDatabaseCa", {"clusterId": cluster})
    assert found["certificate"] == "-----BEGIN CERTIFICATE-----"
    with pytest.raises(ValueError, match="the function .*getDatabaseUser is not covered"):
        account.calls.invoke("getDatabaseUser", {"clusterId": cluster})
