"""backlog.sh for real, with a fake Docker: what an agent holds is with the hub before another container replaces it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from configs.deploy import on_stdin, script
from tests.fixtures.fake_docker import Rig

PROMETHEUS = """\
prometheus_remote_storage_queue_highest_timestamp_seconds{{remote_name="a",url="b"}} 1000
prometheus_remote_storage_queue_highest_sent_timestamp_seconds{{remote_name="a",url="b"}} {sent}
"""
VMAGENT = 'vmagent_remotewrite_pending_data_bytes{{path="/d/1_5E", url="1:secret-url"}} {pending}\n'
_BEFORE = """
HOST=web-1 PREFIX=fw DIR=/nowhere AGENT_PORT=9090
seen() { case $2 in *Status*) echo running ;; *) echo "$WAS" ;; esac; }
compose() { echo "agent new"; }
sleep() { :; }
"""


class Agent(Rig):
    """An agent's container: its metrics, one answer after another, the last one again."""

    def metrics(self, *answers: str) -> None:
        for number, text in enumerate(answers, 1):
            (self.answers / f"metrics{number}").write_text(text)
        self.answer(
            "exec",
            'n=$(cat "$ANSWERS/n" 2> /dev/null || echo 1); cat "$ANSWERS/metrics$n"\n'
            '[ ! -e "$ANSWERS/metrics$((n + 1))" ] || echo $((n + 1)) > "$ANSWERS/n"',
        )

    def drain(self, kind: str, *, was: str = "old", stall: int = 0) -> subprocess.CompletedProcess[str]:
        whole = f"set -eu\nWAS={was}\n{_BEFORE}{script('backlog', STALL=str(stall), DRAIN='60')}\ndrain {kind}\n"
        return subprocess.run(
            ["/bin/sh", "-c", on_stdin(whole)], input=whole, capture_output=True, text=True, env=self.env, timeout=30,
            check=False,
        )  # fmt: skip


@pytest.fixture
def agent(tmp_path: Path) -> Agent:
    return Agent(tmp_path / "host")


@pytest.mark.parametrize(
    ("left", "empty"),
    [
        (PROMETHEUS.format(sent=400), PROMETHEUS.format(sent=999)),
        (VMAGENT.format(pending="1.5e+06"), VMAGENT.format(pending="0")),
    ],
)
def test_the_update_waits_until_the_hub_has_the_backlog(agent: Agent, left: str, empty: str) -> None:
    agent.metrics(left, empty)
    done = agent.drain("prometheus", stall=30)
    assert done.returncode == 0, done.stderr
    assert "host web-1: waiting until the hub has the samples" in done.stderr
    assert "the hub has them after" in done.stderr
    assert len(agent.calls()) == 2


def test_a_backlog_that_becomes_no_less_is_a_warning_with_its_size(agent: Agent) -> None:
    agent.metrics(PROMETHEUS.format(sent=400))
    done = agent.drain("vmagent")
    assert done.returncode == 0, done.stderr
    assert "host web-1: warning: after " in done.stderr
    assert "the hub has not taken 600 s of the agent's samples" in done.stderr


def test_an_empty_backlog_is_no_reason_to_wait_or_to_speak(agent: Agent) -> None:
    agent.metrics(PROMETHEUS.format(sent=999))
    done = agent.drain("prometheus")
    assert (done.returncode, done.stderr) == (0, "")


def test_an_agent_that_sent_nothing_yet_has_no_backlog_to_wait_for(agent: Agent) -> None:
    agent.metrics(PROMETHEUS.format(sent=0))
    assert agent.drain("prometheus").stderr == ""


def test_vmagent_in_the_place_of_vmagent_goes_on_with_its_queue(agent: Agent) -> None:
    agent.metrics(VMAGENT.format(pending="1.5e+06"))
    assert agent.drain("vmagent").stderr == ""
    assert len(agent.calls()) == 1


def test_an_agent_whose_definition_stays_is_not_queried(agent: Agent) -> None:
    agent.metrics(PROMETHEUS.format(sent=400))
    assert agent.drain("prometheus", was="new").stderr == ""
    assert agent.calls() == []


def test_an_agent_that_does_not_answer_does_not_stop_an_update(agent: Agent) -> None:
    agent.answer("exec", "exit 1")
    done = agent.drain("vmagent")
    assert (done.returncode, done.stderr) == (0, "")
