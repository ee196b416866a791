"""A node that is cut off: what its real Alertmanager sends, and what that of another node does with its alerts."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import httpx
import pytest

from configs.services import alertmanager
from tests.fixtures.fleets import cluster
from tests.fixtures.receiver_sink import Sink
from tests.integration.rig import eventually, free_ports
from tests.rendered.conftest import program
from tests.rendered.receivers_rig import Running, answers, write

ALERTS = {
    "HostSilent": {"host": "web-1", "severity": "critical"},
    "NodesApart": {"host": "hub-b", "severity": "critical"},
    "ShopDown": {"host": "web-1", "severity": "critical", "env": ""},  # of the user, without our labels
}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The Alertmanager of the node `hub`."""
    folder = tmp_path_factory.mktemp("alertmanager")
    sink = Sink(tmp_path_factory.mktemp("sink"))
    (port,) = free_ports(1)
    hook = {"webhook": {"url": f"{sink.url}/webhook/", "token": "t"}}
    settings = cluster({"alerts": {"receivers": {"team": hook, "beat": hook}, "default": "team", "watchdog": "beat"}})
    argv = [
        *program("alertmanager", folder, sink.folder),
        f"--config.file={write(folder, settings, sink, 'hub')}", f"--storage.path={folder}/data",
        f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address=",
    ]  # fmt: skip
    log = folder / "log"
    with log.open("w") as out:
        process = subprocess.Popen(argv, stdout=out, stderr=out)
    try:
        eventually("Alertmanager to be ready", lambda: answers(f"http://127.0.0.1:{port}/-/ready"), 60)
        yield Running(f"http://127.0.0.1:{port}", log, sink)
    finally:
        process.terminate()
        process.wait(30)
        sink.close()


def _states(running: Running) -> dict[str, str]:
    found = httpx.get(f"{running.url}/api/v2/alerts", trust_env=False).json()
    return {one["labels"]["alertname"]: one["status"]["state"] for one in found}


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


def test_only_the_nodes_of_a_cluster_have_the_rule() -> None:
    assert 'alertname="NodeAlone"' not in alertmanager.config(cluster())
    assert 'host="hub-b"' in alertmanager.config(cluster(), "hub-b")
