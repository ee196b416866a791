"""trial.sh for real, with a fake Docker: apps that a second agent scrapes once, and what is reported of them."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from configs.deploy import on_stdin, script
from tests.unit.test_deploy_scrapes import Agent

CONFIG = """\
# rendered
global:
  external_labels:
    env: x
  scrape_interval: 15s
scrape_configs:
- job_name: node
  scrape_interval: 15s
  static_configs:
  - targets:
    - job_name: decoy
- job_name: nightly
  scrape_interval: 5m
  scrape_timeout: 30s
  authorization:
    credentials_file: /run/secrets/fleetwatch/app-nightly-token
  static_configs:
  - targets:
    - nightly:8000
- job_name: 'scaled'
  scrape_interval: 10s
  scrape_timeout: 2s
  dns_sd_configs:
  - names:
    - scaled
remote_write:
- url: https://hub/api/v1/write
"""
JOBS = CONFIG.partition("- job_name: nightly")[2].partition("remote_write")[0]
TRIED = "scrape_configs:\n- job_name: nightly" + JOBS.replace(
    "scrape_interval: 5m\n  scrape_timeout: 30s", "scrape_interval: 3s\n  scrape_timeout: 3s"
).replace("scrape_interval: 10s", "scrape_interval: 2s")
NEVER, NOW = "0001-01-01T00:00:00Z", "2026-11-28T10:00:09Z"
REFUSED = "server returned HTTP status 401 Unauthorized"
LATE = 'Get "http://nightly:8000/m?key=hunter2": context deadline exceeded'
Row = tuple[str, str, str, str]


class Trial(Agent):
    """The container of a second agent: what it was given, and the targets that its API gives for each start of it."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.file.write_text(CONFIG)
        self.answer(
            "run",
            'cat > "$ANSWERS/given$(ls "$ANSWERS" | grep -c "^given")"; touch "$ANSWERS/runs"\n'
            'while [ -e "$ANSWERS/runs" ]; do sleep 0.1; done',
        )
        self.answer("rm", 'rm -f "$ANSWERS/runs"')
        self.answer("inspect", "echo true")
        self.answer("exec", '[ ! -e "$ANSWERS/runs" ] || cat "$ANSWERS/trial$(ls "$ANSWERS" | grep -c "^given")"')

    def finds(self, *starts: list[Row]) -> None:
        """Of each start: (job, address, last scrape, error) of its targets."""
        for number, rows in enumerate(starts, 1):
            active = [
                {
                    "discoveredLabels": {"job": job}, "scrapePool": job, "scrapeUrl": f"http://{address}/m?key=hunter2",
                    "lastError": error, "lastScrape": last,
                }
                for job, address, last, error in rows
            ]  # fmt: skip
            text = json.dumps({"data": {"activeTargets": active}}, separators=(",", ":"))
            (self.answers / f"trial{number}").write_text(text + "\n")

    def tries(self, tried: str = "nightly=30 scaled=2") -> subprocess.CompletedProcess[str]:
        given = {
            "PREFIX": "fw", "HOST": "web-1", "DIR": str(self.folder / "edge"), "FAST": "node", "OURS": "node",
            "SCRAPES": "agent/config/prometheus.yml", "AGENT_PORT": "9090", "GATEWAY": "10.213.77.1",
            "SUBNET": "10.213.77.0/24", "NUMBERS": "", "TRIED": tried, "TRIAL": "docker run fw-trial",
            "TRIAL_PORT": "9099", "TRIAL_BRIEF": "3", "TRIAL_LONG": "20", "TRIAL_START": "-4",
        }  # fmt: skip
        whole = script("pull", **given) + script("scrapes") + script("trial")
        whole += "trap end_trial EXIT\nset -eu\nbegin_trial\nsleep 0.2\nreport_trial\necho done\n"
        return subprocess.run(
            ["/bin/sh", "-c", on_stdin(whole)], input=whole, capture_output=True, text=True, env=self.env, timeout=60
        )

    def given(self) -> list[str]:
        """The configurations of the second agent, in order."""
        return [path.read_text() for path in sorted(self.answers.glob("given*"))]


@pytest.fixture
def trial(tmp_path: Path) -> Trial:
    return Trial(tmp_path)


def _fine(job: str) -> Row:
    return (job, f"{job}:8000", NOW, "")


def test_the_second_agent_has_the_apps_alone_sends_nothing_and_is_removed(trial: Trial) -> None:
    trial.finds([_fine("nightly"), _fine("scaled")])
    done = trial.tries()
    assert (done.returncode, done.stdout, done.stderr) == (0, "done\n", "")
    assert trial.given() == [TRIED]
    first, *_, last = trial.calls()
    assert first == last == "rm -f fw-trial", "also one that an update left which was killed"
    assert trial.file.read_text() == CONFIG, "the agent itself keeps its configuration"
    assert {path.name for path in trial.folder.iterdir() if path.name.startswith("edge.")} == set()


def test_the_scrapes_own_error_is_reported_once_for_each_app(trial: Trial) -> None:
    refused = [("scaled", f"10.0.0.{number}:8000", NOW, REFUSED) for number in (1, 2)]
    trial.finds([*refused, ("nightly", "nightly:8000", NOW, "tls: unknown certificate authority")])
    done = trial.tries()
    assert done.returncode == 0
    assert done.stderr.splitlines() == [
        f"host web-1: warning: job scaled cannot be scraped: {REFUSED} (http://10.0.0.1:8000/m, and 1 more of its "
        "targets)",
        "host web-1: warning: job nightly cannot be scraped: tls: unknown certificate authority "
        "(http://nightly:8000/m)",
    ]


@pytest.mark.parametrize("then", ["", REFUSED])
def test_an_app_that_needs_longer_has_its_own_timeout_in_a_second_trial(trial: Trial, then: str) -> None:
    trial.finds([("nightly", "nightly:8000", NOW, LATE), _fine("scaled")], [("nightly", "nightly:8000", NOW, then)])
    done = trial.tries()
    assert done.returncode == 0
    first, second = trial.given()
    assert first == TRIED
    assert "scrape_interval: 20s\n  scrape_timeout: 20s" in second, "at most TRIAL_LONG"
    assert "scaled" not in second
    assert "deadline" not in done.stderr
    assert (REFUSED in done.stderr) is bool(then)


def test_an_app_that_exceeds_its_own_short_timeout_is_not_tried_again(trial: Trial) -> None:
    trial.finds([("scaled", "scaled:8000", NOW, LATE)])
    done = trial.tries("scaled=2")
    assert len(trial.given()) == 1
    assert "warning: job scaled cannot be scraped: " in done.stderr
    assert "hunter2" not in done.stderr, "a query may hold a secret"


def test_a_name_without_an_address_is_a_warning(trial: Trial) -> None:
    trial.finds([_fine("nightly")])
    done = trial.tries()
    assert done.returncode == 0
    assert done.stderr.startswith(
        "host web-1: warning: job scaled cannot be scraped: the agent finds no target of it; "
    )
    assert "nightly" not in done.stderr


def test_a_second_agent_that_does_not_start_is_a_warning_with_the_reason(trial: Trial) -> None:
    trial.answer("run", 'echo "no space left on device" >&2; exit 125')
    trial.answer("inspect", "exit 1")
    done = trial.tries()
    assert done.returncode == 0
    assert "the apps nightly scaled were not tried" in done.stderr
    assert "no space left on device" in done.stderr


def test_a_host_without_such_apps_starts_nothing(trial: Trial) -> None:
    done = trial.tries("")
    assert (done.returncode, done.stdout) == (0, "done\n")
    assert trial.calls() == []
