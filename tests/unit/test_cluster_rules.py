"""Which stack files of a cluster are refused and in which sentence, and what of a cluster other stacks do not have."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from configs.catalogue import catalogue
from configs.services import alertmanager
from configs.settings import SettingsError, load
from configs.validation import check_file, validate
from tests.fixtures.fleets import CLUSTER, HUB, SOURCE, cluster, fleet, on_servers

APP = {"droplet": {}, "apps": {"hub-database": {"target": "api:8000"}}}


def _problems(hub: dict[str, Any], hosts: dict[str, Any] | None = None) -> list[str]:
    try:
        settings = load(fleet(hub, hosts=hosts or {}), SOURCE)
    except SettingsError as error:
        return error.problems
    return validate(settings, machine=None, cloud=None, encrypted=None)


def _on_droplets(**storage: Any) -> dict[str, Any]:
    return {**HUB, "storage": {**copy.deepcopy(CLUSTER), **storage}}


def test_without_a_cluster_nothing_is_of_one() -> None:
    for storage in ({}, {"kind": "bucket", "bucket": copy.deepcopy(CLUSTER["bucket"])}):
        hub = {**HUB, "ask": {}, "storage": storage}
        assert not _problems(hub, {"web-1": APP})
        settings = load(fleet(hub), SOURCE)
        assert "hub-database" not in catalogue(settings)["jobs"]
        text = alertmanager.config(settings)
        assert 'alertname!~"HostSilent|HubPartDown|Watchdog"' in text
        assert not [name for name in ("HubDatabaseDown", "NodeAlone") if name in text]


def test_no_app_of_a_cluster_has_the_job_of_the_shared_database() -> None:
    (said,) = _problems(_on_droplets(), {"web-1": APP})
    assert said.startswith("hosts.web-1.apps.hub-database: `hub-database` is reserved beside `kind: cluster`; choose")
    assert "hub-database" in catalogue(cluster())["jobs"]


@pytest.mark.parametrize(
    ("node", "key", "value"), [("a", "size", "s-1vcpu-1gb"), ("b", "size", "s-1vcpu-1gb"), ("c", "volume", 100)]
)
def test_servers_have_no_keys_of_droplets(node: str, key: str, value: Any) -> None:
    assert not _problems(on_servers({}))
    (said,) = _problems(on_servers({node: {key: value}}))
    assert said.startswith(f"hub.storage.nodes.{node}.{key}: expected no such key with servers; remove it")


@pytest.mark.parametrize("place", [{"server": {"address": "198.51.100.9"}}, {"local": {}, "via": "internet"}])
def test_hosts_on_the_internet_know_the_balancer_in_front_of_servers(place: dict[str, Any]) -> None:
    (said,) = _problems(on_servers(), {"web-1": place})
    assert said.startswith("hub.balancer.address: missing, hosts.web-1 has `via: internet` and without `hub.domain`")
    assert "set one of the two keys, or `via: vpc`" in said
    assert not _problems(on_servers(balancer={"address": "203.0.113.9"}), {"web-1": place})
    assert not _problems(on_servers(domain="monitor.example.com"), {"web-1": place})
    assert not _problems(on_servers(), {"db-1": {"server": {"address": "10.20.0.9"}}})
    assert not _problems({"server": on_servers()["server"]}, {"web-1": place})


def test_a_mistake_in_the_domain_or_the_address_is_one_problem() -> None:
    host = {"web-1": {"server": {"address": "198.51.100.9"}}}
    for hub, path in (
        ({"domain": "no name"}, "hub.domain"),
        ({"balancer": {"address": "::1"}}, "hub.balancer.address"),
    ):
        (said,) = check_file(fleet(on_servers(**hub), hosts=host), SOURCE)[1]
        assert said.startswith(f"{path}: ")


NO_MAPPINGS: list[Any] = [[], 3, "abc", None]
SLUG = "expected a slug as DigitalOcean writes it"
ADDRESS = {"address": "203.0.113.6", "private_address": "127.0.0.1"}


@pytest.mark.parametrize(
    ("hub", "path", "said"),
    [
        (
            _on_droplets(nodes={"a": {}, "b": {}, "c" * 59: {}, "d" * 60: {}}),
            "nodes." + "d" * 60,
            "expected at most 59",
        ),
        (_on_droplets(kind="Cluster"), "kind", "expected "),
        (_on_droplets(kind="Cluster", nodes={}, database={"managed": {}}), "kind", "expected "),
        (_on_droplets(kind="bucket", nodes={}, database={}), "kind", "expected `cluster` beside `database`"),
        (_on_droplets(kind="bucket", nodes={}, database={"x": 1}), "kind", "expected `cluster` beside `database`"),
        (_on_droplets(nodes={"a": {"size": "A B"}, "b": {}, "c": {}}), "nodes.a.size", SLUG),
        (_on_droplets(nodes={"a": {"volume": 0}, "b": {}, "c": {}}), "nodes.a.volume", "expected at least 1"),
        *((_on_droplets(nodes=value), "nodes", "expected a mapping") for value in NO_MAPPINGS),
        (on_servers({"b": {"server": ADDRESS}}), "nodes.b.server.private_address", "expected a private IPv4 address"),
    ],
)
def test_a_mistake_is_one_problem_at_its_own_path(hub: dict[str, Any], path: str, said: str) -> None:
    (problem,) = _problems(hub)
    assert problem.startswith(f"hub.storage.{path}: {said}")


def test_a_mistake_in_the_address_of_the_first_server_is_one_problem() -> None:
    hub = on_servers()
    (problem,) = _problems({**hub, "server": ADDRESS})
    assert problem.startswith("hub.server.private_address: expected a private IPv4 address")


def test_the_longest_name_of_a_node_is_that_of_a_host_too() -> None:
    name = "n" * 59
    settings = load(fleet(_on_droplets(nodes={"a": {}, "b": {}, name: {}})), SOURCE)
    assert f"hub-{name}" in settings.hosts
