"""A node that is cut off: what its real Alertmanager sends, and what that of another node does with its alerts."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from configs.services import alertmanager
from tests.fixtures.fleets import cluster
from tests.integration.rig import eventually
from tests.rendered.nodes_rig import serving
from tests.rendered.receivers_rig import Running

ALERTS = {
    "HostSilent": {"host": "web-1", "severity": "critical"},
    "NodesApart": {"host": "hub-b", "severity": "critical"},
    "ShopDown": {"host": "web-1", "severity": "critical", "env": ""},  # of the user, without our labels
}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with serving(tmp_path_factory, "hub") as running:
        yield running


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The Alertmanager of a node that is not alone. Each test has its own `env`."""
    with serving(tmp_path_factory, "hub-c") as running:
        yield running


def _states(running: Running, env: str = "") -> dict[str, str]:
    """The state of each alert (of `env` alone) by its name."""
    found = httpx.get(f"{running.url}/api/v2/alerts", trust_env=False).json()
    here = [one for one in found if env in ("", one["labels"].get("env"))]
    return {one["labels"]["alertname"]: one["status"]["state"] for one in here}


def _post(running: Running) -> None:
    for name, labels in ALERTS.items():
        running.post(alertname=name, **labels)
    running.post(alertname="Watchdog", severity="none", host="hub")


def test_an_alert_of_another_node_that_is_alone_suppresses_nothing_here(running: Running) -> None:
    running.post(alertname="NodeAlone", severity="critical", host="hub-b")
    _post(running)
    eventually("the alerts", lambda: set(_states(running).values()) == {"active"} and len(_states(running)) == 5, 30)


def test_a_node_that_is_alone_sends_that_and_its_watchdog_alone(running: Running) -> None:
    running.post(alertname="NodeAlone", severity="critical", host="hub")
    _post(running)
    wanted = {**dict.fromkeys(ALERTS, "suppressed"), "NodeAlone": "active", "Watchdog": "active"}
    eventually("the alerts", lambda: _states(running) == wanted, 30)


def test_silent_node_is_notified_once(other: Running) -> None:
    other.post(alertname="HostSilent", host="hub-b", env="one")
    explained = ("NodesApart", "ReplicationFails")
    for name in explained:
        other.post(alertname=name, host="hub", env="one")
    wanted = {"HostSilent": "active", **dict.fromkeys(explained, "suppressed")}
    eventually("all", lambda: _states(other, "one") == wanted, 30)


def test_silent_host_that_is_no_node_explains_no_missing_node(other: Running) -> None:
    other.post(alertname="HostSilent", host="hub-backup", env="two")
    other.post(alertname="NodesApart", host="hub", job="loki", env="two")
    eventually("both", lambda: _states(other, "two") == {"HostSilent": "active", "NodesApart": "active"}, 30)


def test_part_of_one_node_explains_alerts_of_that_node_alone(other: Running) -> None:
    other.post(alertname="HubPartDown", job="loki", instance="loki:3100", host="hub-c", env="three")
    other.post(alertname="HubPartDown", job="caddy", instance="caddy:2019", host="hub-c", env="three")
    other.post(alertname="LogsSilent", host="web-1", env="three")
    other.post(alertname="RemoteWriteBehind", host="web-2", env="three")
    other.post(alertname="LogLinesLost", host="hub-c", env="three")
    wanted = {"HubPartDown": "active", "LogsSilent": "active", "RemoteWriteBehind": "active"}
    eventually("four", lambda: _states(other, "three") == {**wanted, "LogLinesLost": "suppressed"}, 30)


@pytest.mark.parametrize(("job", "name"), [("loki", "LogsSilent"), ("caddy", "HostSilent")])
def test_part_that_the_whole_hub_lacks_explains_alerts_of_every_host(other: Running, job: str, name: str) -> None:
    other.post(alertname="HubPartDown", job=job, host="hub", env=job)
    other.post(alertname=name, host="web-1", env=job)
    eventually("both", lambda: _states(other, job) == {"HubPartDown": "active", name: "suppressed"}, 30)


def test_only_the_nodes_of_a_cluster_have_the_rule() -> None:
    assert 'alertname="NodeAlone"' not in alertmanager.config(cluster())
    assert 'host="hub-b"' in alertmanager.config(cluster(), "hub-b")
