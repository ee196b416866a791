"""scrapes.sh for real, with a fake Docker: whether an agent can scrape its targets, found in seconds."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from configs.deploy import on_stdin, script
from tests.fixtures.fake_docker import Rig

CONFIG = """\
global:
  scrape_interval: 15s
scrape_configs:
- job_name: node
  scrape_interval: 15s
  scrape_timeout: 10s
- job_name: cadvisor
  scrape_interval: 1m
  scrape_timeout: 20s
- job_name: shop
  scrape_interval: 15s
"""
BRIEF = CONFIG.replace(
    "  scrape_interval: 15s\n  scrape_timeout: 10s\n", "  scrape_interval: 2s\n  scrape_timeout: 2s\n"
)
BRIEF = BRIEF.replace(
    "- job_name: shop\n  scrape_interval: 15s", "- job_name: shop\n  scrape_interval: 2s\n  scrape_timeout: 2s"
)
NEVER_BY_VMAGENT = "1970-01-01T00:00:00Z"
URLS = {
    "gateway": "http://10.213.77.1:9100/metrics",
    "nightly": "http://host.docker.internal:18123/metrics",
    "probe": "http://blackbox:9115/probe?module=shop&target=http%3A%2F%2Fshop",
}
NEVER, BEFORE, NOW = "0001-01-01T00:00:00Z", "2026-11-28T10:00:00Z", "2026-11-28T10:00:09Z"


class Agent(Rig):
    """An agent's container: the targets that its API gives, one answer after another, the last one again."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.file = self.folder / "edge" / "agent" / "config" / "prometheus.yml"
        self.file.parent.mkdir(parents=True)
        self.file.write_text(CONFIG)
        self.answer(
            "exec",
            'case "$*" in\n'
            '*targets*) n=$(cat "$ANSWERS/n" 2> /dev/null || echo 1); cat "$ANSWERS/targets$n"\n'
            '[ ! -e "$ANSWERS/targets$((n + 1))" ] || echo $((n + 1)) > "$ANSWERS/n" ;;\n'
            f'*HUP*) cp "{self.file}" "$ANSWERS/read$(ls "$ANSWERS" | grep -c "^read")" ;;\n'
            '*wget*) shift 3; exec "$@" ;;\n'  # the container's shell, with the program below
            "esac",
        )
        wget = self.folder / "wget"
        wget.write_text(
            '#!/bin/sh\necho "read $4" >> "$ANSWERS/calls"\n'
            'case $4 in *broken*) echo "wget: server returned error: HTTP/1.1 500" >&2; exit 1 ;; esac\n'
        )
        wget.chmod(0o755)
        self.answer("restart", f'cp "{self.file}" "$ANSWERS/read$(ls "$ANSWERS" | grep -c "^read")"')

    def targets(self, *answers: list[tuple[str, str, str]]) -> None:
        """Each answer: (job, last scrape, error) of its targets."""
        for number, rows in enumerate(answers, 1):
            active = [
                {
                    "discoveredLabels": {"job": job},
                    "labels": {"job": job},
                    "scrapePool": job,
                    "scrapeUrl": URLS.get(job, f"http://{job}:1/metrics"),
                    "lastError": error,
                    "lastScrape": last,
                }
                for job, last, error in rows
            ]
            text = json.dumps({"data": {"activeTargets": active}}, separators=(",", ":"))
            (self.answers / f"targets{number}").write_text(text.replace("&", r"\u0026") + "\n")  # as Go does

    def scrape(self, what: str, **changes: str) -> subprocess.CompletedProcess[str]:
        given = {
            "PREFIX": "fw", "HOST": "web-1", "DIR": str(self.folder / "edge"), "FAST": "node shop",
            "OURS": "node cadvisor", "SCRAPES": "agent/config/prometheus.yml", "AGENT_PORT": "9090", "BRIEF": "2",
            "LONG": "1", "SCRAPE_WAIT": "20", "SLOW_TIMEOUT": "1", "OLDEST": "25", "NUMBERS": "",
            "JUDGED": "", "LOCKED": "", "GATEWAY": "10.213.77.1", "SUBNET": "10.213.77.0/24",
            **changes,
        }  # fmt: skip
        whole = script("pull", **given) + script("scrapes") + f"trap restore_scrapes EXIT\n{what}\necho at $scraped\n"
        return subprocess.run(
            ["/bin/sh", "-c", on_stdin(whole)], input=whole, capture_output=True, text=True, env=self.env, timeout=30
        )

    def read(self) -> list[str]:
        """The configurations that the agent read, in order."""
        return [path.read_text() for path in sorted(self.answers.glob("read*"))]


@pytest.fixture
def agent(tmp_path: Path) -> Agent:
    return Agent(tmp_path)


def _rows(last: str, error: str = "", shop: str = "") -> list[tuple[str, str, str]]:
    return [("node", last, error), ("cadvisor", NEVER, ""), ("shop", last, shop)]


def test_a_new_agent_scrapes_fast_jobs_briefly_and_has_its_configuration_back(agent: Agent) -> None:
    agent.targets(_rows(BEFORE), _rows(BEFORE), _rows(NOW))
    done = agent.scrape("scrape_first")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("at ")
    assert agent.read() == [BRIEF, CONFIG], "only the fast jobs are faster, and only for that time"
    assert agent.calls()[-1] == "restart fw-agent", "a reload would mark its series as gone until the next scrape"
    assert agent.file.read_text() == CONFIG
    left = {path.name for path in (agent.folder).iterdir() if path.name.startswith("edge.")}
    assert "edge.scrapes" not in left


LATE = "context deadline exceeded"


def _by_reads(agent: Agent, *answers: list[tuple[str, str, str]]) -> None:
    """The agent's targets by how many configurations it has read."""
    agent.targets(*answers)
    targets = 'cat "$ANSWERS/targets$(($(ls "$ANSWERS" | grep -c "^read") + 1))"'
    agent.answer(
        "exec",
        f'case "$*" in\n*targets*) {targets} ;;\n'
        f'*HUP*) cp "{agent.file}" "$ANSWERS/read$(ls "$ANSWERS" | grep -c "^read")" ;;\nesac',
    )


@pytest.mark.parametrize("late", [_rows(NOW, LATE), _rows(BEFORE), [("shop", NOW, "")]], ids=["error", "none", "job"])
def test_a_host_that_is_too_busy_for_brief_scrapes_has_longer_ones(
    agent: Agent, late: list[tuple[str, str, str]]
) -> None:
    _by_reads(agent, _rows(BEFORE), late, _rows(NOW), _rows(NOW))
    done = agent.scrape("scrape_first", LONG="1", SCRAPE_WAIT="1")
    assert done.returncode == 0, done.stderr
    assert agent.read() == [BRIEF, BRIEF.replace(": 2s", ": 1s"), CONFIG]


def test_what_is_refused_has_no_longer_ones(agent: Agent) -> None:
    rows = [("node", NOW, LATE), ("shop", NOW, ""), ("cadvisor", NOW, "connection refused")]
    _by_reads(agent, _rows(BEFORE), rows, _rows(NOW), _rows(NOW))
    done = agent.scrape("scrape_first", FAST="node shop cadvisor", SCRAPE_WAIT="1")
    assert done.returncode == 1
    assert agent.read() == [BRIEF.replace("1m", "2s").replace("20s", "2s"), CONFIG]


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        (_rows(NOW, "connection refused"), "job node: connection refused (http://node:1/metrics)"),
        (_rows(BEFORE), "job node: not scraped (http://node:1/metrics)"),
        (_rows(NEVER), "job node: not scraped (http://node:1/metrics)"),
        (_rows(NEVER_BY_VMAGENT), "job node: not scraped (http://node:1/metrics)"),
        ([("shop", NOW, "")], "job node: the agent does not know it"),
    ],
)
def test_a_job_of_ours_that_cannot_be_scraped_fails_with_the_scrapes_own_error(
    agent: Agent, rows: list[tuple[str, str, str]], reason: str
) -> None:
    agent.targets(_rows(BEFORE), rows)
    done = agent.scrape("scrape_first", SCRAPE_WAIT="1")
    assert done.returncode == 1
    assert reason.split(" (")[0] in done.stderr
    assert "host web-1: the agent cannot scrape what is named above" in done.stderr
    assert agent.file.read_text() == CONFIG, "and has its configuration back"
    assert agent.read()[-1] == CONFIG


def test_an_app_of_the_user_that_cannot_be_scraped_is_a_warning(agent: Agent) -> None:
    agent.targets(_rows(BEFORE), _rows(NOW, shop='no such host \\"shop\\"'))
    done = agent.scrape("scrape_first")
    assert done.returncode == 0, done.stderr
    assert "host web-1: warning: job shop cannot be scraped: no such host" in done.stderr


def test_a_run_that_is_stopped_gives_the_configuration_back(agent: Agent) -> None:
    agent.targets(_rows(BEFORE), _rows(BEFORE))
    done = agent.scrape('restore() { :; }; cp "$DIR/$SCRAPES" "$DIR.scrapes"; echo x > "$DIR/$SCRAPES"; exit 130')
    assert done.returncode == 130
    assert agent.file.read_text() == CONFIG


def test_a_slow_job_is_read_once(agent: Agent) -> None:
    agent.targets(_rows(NOW))
    assert agent.scrape("scraped=1; read_targets cadvisor").returncode == 0
    assert [call for call in agent.calls() if call.startswith("read ")] == ["read http://cadvisor:1/metrics"]


def test_a_url_with_several_parameters_is_read_as_it_is(agent: Agent) -> None:
    agent.targets([("probe", NOW, "")])
    assert agent.scrape("scraped=1; read_targets probe", OURS="probe").returncode == 0
    assert [call for call in agent.calls() if call.startswith("read ")] == [f"read {URLS['probe']}"]


def test_what_fails_costs_no_other_target(agent: Agent) -> None:
    agent.targets([("broken", NEVER, ""), ("cadvisor", NEVER, "")])
    done = agent.scrape("scraped=1; read_targets 'broken cadvisor'", OURS="broken cadvisor")
    assert done.returncode == 1
    assert agent.calls()[-2:] == ["read http://broken:1/metrics", "read http://cadvisor:1/metrics"]
    assert "cadvisor" not in done.stderr


def test_an_agent_that_runs_no_command_is_an_error(agent: Agent) -> None:
    agent.targets([("cadvisor", NEVER, "")])
    agent.answer(
        "exec", 'case "$*" in *targets*) cat "$ANSWERS/targets1" ;; *) echo "is not running" >&2; exit 1 ;; esac'
    )
    done = agent.scrape("scraped=1; read_targets cadvisor")
    assert done.returncode == 1
    assert "its agent's container cannot run a command" in done.stderr


def test_a_slow_job_that_cannot_be_read_is_named_with_the_reason(agent: Agent) -> None:
    agent.targets([("broken", NEVER, "")])
    done = agent.scrape("scraped=1; read_targets broken", OURS="broken")
    assert done.returncode == 1
    assert "job broken: server returned error: HTTP/1.1 500 (http://broken:1/metrics)" in done.stderr
    assert "host web-1: its agent cannot scrape what is named above" in done.stderr
