"""The agent's own error for a target that is down, in `make status` and `make up`."""

from __future__ import annotations

import json
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tools import agent_targets, status
from tools.agent_targets import Unreadable

PASSWORD = "hunter22"  # pragma: allowlist secret


def _target(job: str, url: str, error: str, health: str = "down") -> dict[str, Any]:
    labels = {"job": job, "instance": url.split("/")[2], "host": "web-1", "env": "prod"}
    return {"labels": labels, "scrapePool": job, "scrapeUrl": url, "lastError": error, "health": health}


ANSWER = json.dumps(
    {
        "status": "success",
        "data": {
            "activeTargets": [
                _target("agent", "http://localhost:9090/metrics", "", "up"),
                _target(
                    "shop",
                    "http://shop:8000/metrics",
                    'Get "http://shop:8000/metrics": dial tcp: lookup shop: no such host',
                ),
                _target("pay", "http://pay:8000/metrics", "server returned HTTP status 500 Internal Server Error"),
            ]
        },
    }
)


def test_a_target_that_vmagent_has_not_scraped_yet_is_not_down() -> None:
    never = {**_target("shop", "http://shop:8000/metrics", ""), "lastScrape": "1970-01-01T00:00:00Z"}
    tried = {**_target("pay", "http://pay:8000/metrics", "refused"), "lastScrape": "2026-11-28T21:00:25.862Z"}
    found = agent_targets.parse(json.dumps({"data": {"activeTargets": [never, tried]}}))
    assert list(found) == [("pay", "pay:8000")]


def test_the_address_that_vmagent_repeats_is_shown_once() -> None:
    url = "http://shop:8000/metrics"
    error = f'cannot perform request to "{url}": Get "{url}": dial tcp 10.0.0.1:8000: connect: connection refused'
    found = agent_targets.parse(json.dumps({"data": {"activeTargets": [_target("shop", url, error)]}}))
    assert found["shop", "shop:8000"] == f"{url}: dial tcp 10.0.0.1:8000: connect: connection refused"


@pytest.fixture
def docker(tmp_path: Path) -> agent_targets.DockerOn:
    """A `docker` that answers `exec`; that of the host `dead` fails as SSH does."""
    (tmp_path / "answer").write_text(ANSWER)
    programs = {
        "docker": f'#!/bin/sh\necho "$@" > {tmp_path}/called\ncat {tmp_path}/answer\n',
        "dead": "#!/bin/sh\necho 'Warning: x' >&2\necho 'ssh: connect to host 10.0.0.9: timed out' >&2\nexit 255\n",
    }
    for name, script in programs.items():
        path = tmp_path / name
        path.write_text(script)
        path.chmod(path.stat().st_mode | stat.S_IXUSR)

    def on(host: str) -> Sequence[str]:
        return [str(tmp_path / ("dead" if host == "dead" else "docker"))]

    return on


def _row(host: str, job: str) -> status.Arrival:
    wrong = f"DOWN  host {host}, job {job}: 0 of 1 targets are up"
    return status.Arrival(host, job, "0/1 up", 3.0, None, wrong, down=True)


def test_a_target_that_is_down_is_shown_with_the_agents_error(docker: agent_targets.DockerOn, tmp_path: Path) -> None:
    assert status.explained([_row("web-1", "shop"), _row("web-1", "pay")], docker, "fw") == [
        "DOWN  host web-1, job shop: http://shop:8000/metrics: dial tcp: lookup shop: no such host",
        "DOWN  host web-1, job pay: http://pay:8000/metrics: server returned HTTP status 500 Internal Server Error",
    ]
    assert (tmp_path / "called").read_text().startswith("exec fw-agent ")


def test_a_dead_host_is_named_and_the_others_are_explained(docker: agent_targets.DockerOn) -> None:
    assert status.explained([_row("dead", "shop"), _row("web-1", "shop")], docker, "fw") == [
        "DOWN  host dead, job shop: 0 of 1 targets are up; the agent of dead does not answer: "
        "ssh: connect to host 10.0.0.9: timed out",
        "DOWN  host web-1, job shop: http://shop:8000/metrics: dial tcp: lookup shop: no such host",
    ]


def test_what_recovered_meanwhile_keeps_the_hubs_sentence(docker: agent_targets.DockerOn) -> None:
    row = _row("web-1", "caddy")
    assert status.explained([row], docker, "fw") == [row.wrong]


def test_without_a_target_down_no_host_is_contacted() -> None:
    row = status.Arrival("web-1", "shop", "-", None, None, "MISSING  host web-1, job shop: no sample newer than 60 s")
    assert status.explained([row], lambda host: pytest.fail(f"{host} is contacted"), "fw") == [row.wrong]


@pytest.mark.parametrize(
    ("url", "error"),
    [
        (f"http://user:{PASSWORD}@shop:8000/metrics", f'Get "http://user:{PASSWORD}@shop:8000/metrics": EOF'),
        (f"http://shop:8000/metrics?token={PASSWORD}", f'Get "http://shop:8000/metrics?token={PASSWORD}": EOF'),
        ("http://shop:8000/metrics", f"redirected to http://user:{PASSWORD}@other/: EOF"),
    ],
)
def test_no_secret_of_an_address_is_shown(url: str, error: str) -> None:
    answer = json.dumps({"data": {"activeTargets": [_target("shop", url, error)]}})
    (shown,) = agent_targets.parse(answer).values()
    assert PASSWORD not in shown
    assert shown.startswith("http://shop:8000/metrics: ")
    assert shown.endswith("EOF")


@pytest.mark.parametrize("answer", ["", "<html>", "[]", "{}", '{"data": {"activeTargets": [{}]}}'])
def test_another_answer_is_no_list_of_targets(answer: str) -> None:
    with pytest.raises(Unreadable, match="not the list of targets"):
        agent_targets.parse(answer)


def test_a_host_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agent_targets, "TIMEOUT", 0.2)
    with pytest.raises(Unreadable, match="no answer within"):
        agent_targets.errors_of(["sh", "-c", "sleep 5"], "fw")
