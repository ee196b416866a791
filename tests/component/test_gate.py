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
    assert "CADVISOR=fleetwatch-cadvisor\n" in script
    assert "PATIENCE=120\n" in script


def test_gate_waits_for_every_job_that_is_scraped_each_15_seconds_or_faster(made: Run) -> None:
    script = made.commands["hub-gate-hub"].script
    jobs = script.partition("\nJOBS='")[2].partition("'")[0].split()
    every = made.exports["jobs"][0]["hub"]
    assert every["scaled"] <= 15
    assert set(jobs) == {job for job, interval in every.items() if interval <= 15} - {"scaled"}, (
        "a name may have no address yet"
    )
    assert "slow" in jobs
    samples = _query(script, "SAMPLES")
    ours, apps = samples.split(" or ")
    assert '* up{host="hub"' in ours, "one whose target is down has none"
    assert 'job=~"rabbitmq|push-gateway|shop|slow"' in apps
    assert "* up" not in apps, "an app or a server of the user may be down"
    assert not {"rabbitmq", "shop", "slow"} & set(re.findall(r"[\w-]+", ours)), "each job in one of the two"


def test_an_edge_reads_each_target_by_the_one_that_can(made: Run) -> None:
    script = made.commands["hub-project"].script

    def of(name: str) -> list[str]:
        (found,) = re.findall(rf"^{name}=('[^']*'|\S*)$", script, re.MULTILINE)
        return str(found).strip("'").split()

    assert of("JUDGED") == ["rabbitmq", "push-gateway", "shop", "slow"], "by the agent, in seconds"
    assert "rabbitmq" not in of("OURS"), "what does not answer there is a warning"
    assert not {"vault", "rabbitmq", "push-gateway", "shop", "slow", "scaled", "node"} & set(of("READ")), (
        "no password in a command"
    )
    assert of("SLOW") == ["sql", "probe"]
    assert of("TRIED") == ["scaled=10", "vault=40"], "what is found by a name, or scraped rarely, by a second agent"
    assert {"cadvisor", "agent", "loki"} <= set(of("READ"))


@pytest.mark.parametrize(
    ("agent", "program"), [("prometheus", "/bin/prometheus --agent"), ("vmagent", "/vmagent-prod")]
)
def test_apps_that_nothing_else_proves_are_tried_by_a_second_agent(
    monkeypatch: pytest.MonkeyPatch, agent: str, program: str
) -> None:
    apps = {
        "nightly": {"target": "nightly:80", "interval": "2m", "bearer_token": "planted-token"},
        "brisk": {"dns": "brisk:80", "timeout": "5s"},
        "usual": {"target": "usual:80"},
    }
    given = {"hub": {"local": {}}, "metrics": {"agent": agent}, "hosts": {"hub": {"apps": apps}}, "env": "x"}
    script = run(given, monkeypatch).commands["hub-project"].script
    assert "\nTRIED='brisk=5 nightly=30'\n" in script
    (line,) = re.findall(r"^TRIAL=.*$", script, re.MULTILINE)
    assert program in line
    assert "--network container:fleetwatch-agent --volumes-from fleetwatch-agent:ro" in line
    assert "cat > /tmp/trial.yml && exec timeout 120" in line
    assert "planted-token" not in script, "the second agent reads the files of the first"
    without = run({"hub": {"local": {}}, "env": "x"}, monkeypatch).commands["hub-project"].script
    assert "\nTRIAL=''\n" in without


def test_gate_leaves_a_cadvisor_scraped_rarely_to_the_hosts_own_check(monkeypatch: pytest.MonkeyPatch) -> None:
    slow = run({"hub": {"local": {}}, "hosts": {"hub": {"scrape": {"cadvisor": "2m"}}}, "env": "x"}, monkeypatch)
    gate, project = (slow.commands[name].script for name in ("hub-gate-hub", "hub-project"))
    assert "CADVISOR=''\n" in gate
    assert "cadvisor" not in gate.partition("\nJOBS='")[2].partition("'")[0]
    assert "\nSLOW=cadvisor\n" in project


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
    assert "ROLES='prometheus loki grafana alertmanager caddy ask-database ask-cache backup ask'" in script
    assert 'STREAM=\'{"env": "full", "host": "hub", "job": "fleetwatch-changes"}\'' in script
