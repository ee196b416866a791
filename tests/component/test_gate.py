"""What the gates wait for, and how changes are marked for the dashboards."""

from __future__ import annotations

import re
from urllib.parse import unquote

import pytest

from tests.component.program import Run, full, run


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Run:
    return run(full(), monkeypatch)


def _query(script: str, name: str) -> str:
    """A query of the gate, as the hub gets it."""
    return unquote(re.findall(rf"^{name}=(.*)$", script, re.MULTILINE)[0].strip("'"))


def test_gate_waits_for_a_container_by_name(made: Run) -> None:
    script = made.commands["hub-gate-hub"].script
    assert _query(script, "NEWEST_CONTAINER") == 'max(timestamp(container_last_seen{host="hub",container!=""}))'
    assert _query(script, "CADVISOR_UP") == 'max(up{host="hub",job="cadvisor"})'
    assert "PATIENCE=120\n" in script


def test_gate_waits_longer_for_a_cadvisor_scraped_rarely(monkeypatch: pytest.MonkeyPatch) -> None:
    slow = run({"hub": {"local": {}}, "hosts": {"hub": {"scrape": {"cadvisor": "2m"}}}, "env": "x"}, monkeypatch)
    assert "PATIENCE=300\n" in slow.commands["hub-gate-hub"].script


def test_a_users_log_source_may_be_called_deployment(monkeypatch: pytest.MonkeyPatch) -> None:
    logs = {"files": {"deployment": {"path": "/var/log/deploy/*.log"}}}
    script = run({"hub": {"local": {}}, "hosts": {"hub": {"logs": logs}}, "env": "x"}, monkeypatch).commands[
        "hub-gate-hub"
    ]
    assert "deployment" not in script.script, "its lines are no marks of the gate, and count as proof"


def test_the_mark_of_a_change_is_no_proof_of_a_hosts_logs(made: Run) -> None:
    script = made.commands["hub-gate-hub"].script
    assert _query(script, "LINES") == '{host="hub",job!="fleetwatch-changes"}'
    assert 'STREAM=\'{"env": "full", "host": "hub", "job": "fleetwatch-changes"}\'' in script


def test_a_change_of_the_hubs_own_parts_is_marked_too(made: Run) -> None:
    script = made.commands["hub-changed"].script
    assert "ROLES='prometheus loki grafana alertmanager caddy'" in script
    assert 'STREAM=\'{"env": "full", "host": "hub", "job": "fleetwatch-changes"}\'' in script
