"""The alerts about lines in a real Loki, with the rendered configuration and rules: promtool does not know LogQL.

What Loki tells Alertmanager comes to a small server of the test in its place; the story has the whole way.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from configs import names, rules
from configs.dashboards.hub import access, certificate
from configs.dashboards.model import Logs, Stat
from configs.services import loki
from configs.settings import load
from tests.fixtures.full import small
from tests.integration import hub_promtail
from tests.integration.hub_log_lines import (
    CADDY_SAYS,
    CANCELLED,
    CRAFTED,
    DROPPED,
    ELSEWHERE,
    EMERGENCY,
    FAILED,
    FORGED,
    GRAFANA,
    IN_AUDIT,
    NAMED,
    NO_DELETION,
    RENEWED,
    SECRET,
    STAY_ERRORS,
    caddy_says,
    grafana_line,
)
from tests.integration.hub_promtail import HubPromtail
from tests.integration.rig import docker, eventually
from tests.integration.story import Sink
from tools import setup

EVERY = "5s"  # instead of a minute, so that the test does not wait for it
SHOP = {"job": "docker", "compose_project": "shop", "compose_service": "api"}
# Lines within the five minutes that the rule looks at, the default threshold is 300 of them.
WRITTEN = {
    "loud": (SHOP | {"container": "loud"}, "error", 600),
    "fatal, from a file": ({"job": "billing"}, "fatal", 450),
    "few": (SHOP | {"container": "few"}, "error", 250),
    "no errors": (SHOP | {"container": "chatty"}, "info", 900),
    "muted": (SHOP | {"container": "muted"}, "error", 600),
    "with a threshold of its own": (SHOP | {"container": "known"}, "error", 600),
}
LOUD = "loud on hub logs 2.0 errors per second"
OWN = {"muted": {"mute": ["LogErrors"]}, "known": {"thresholds": {"log_errors": 5}}}


@dataclass
class Running:
    """A Loki on the gateway's side of a network, its folder of rules, and what it told."""

    url: str
    container: str
    rules: Path
    sink: Sink
    agent: HubPromtail
    limited: HubPromtail  # of a host with a limit of one stream

    def told(self, alert: str) -> dict[str, dict[str, str]]:
        """Labels of those of this name that fire, by what they say."""
        got = httpx.get(f"{self.url}/prometheus/api/v1/alerts", timeout=60, trust_env=False).json()
        firing = [one for one in got["data"]["alerts"] if one["state"] == "firing"]
        return {one["annotations"]["summary"]: one["labels"] for one in firing if one["labels"]["alertname"] == alert}

    def ask(self, expr: str, form: str = "") -> list[dict[str, Any]]:
        """What a panel gets."""
        url = f"{self.url}/loki/api/v1/query{form}"
        answer = httpx.get(url, params={"query": expr, "since": "7d"}, timeout=60, trust_env=False)
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()["data"]["result"]
        return found

    def discarded(self) -> list[str]:
        """Loki's counters of discarded lines."""
        counted = httpx.get(f"{self.url}/metrics", timeout=60, trust_env=False).text
        return [line for line in counted.splitlines() if line.startswith("loki_discarded_samples_total")]

    def push(self, labels: Mapping[str, str], level: str, count: int, line: str = "", ago: int = 0) -> None:
        now = time.time_ns() - ago * 10**9
        values = [[str(now - n * 1000), line or f"level={level} n={n}", {"level": level}] for n in range(count)]
        body = {"streams": [{"stream": {"env": "test", "host": "hub", **labels}, "values": values}]}
        answer = httpx.post(self.url + names.LOGS_PUSH, json=body, timeout=60, trust_env=False)
        assert answer.status_code == 204, answer.text


@pytest.fixture(scope="module")
def running(chain: setup.ToolChain, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    image, log_agent = (next(one.ref for one in chain.images if one.key == key) for key in ("loki", "promtail"))
    edges = {
        f"web-{number}": {
            "local": {"docker": f"unix:///run/web-{number}/docker.sock"}, "via": "vpc", "logs": {"max_streams": streams}
        }
        for number, streams in ((1, 2), (2, 1))
    }  # fmt: skip
    hub = {"alerts": {"containers": OWN, "thresholds": {"log_lines": 50}}}
    settings = load(small(env="test", hosts={"hub": hub, **edges}), "stacks/Pulumi.test.yaml")
    folder = tmp_path_factory.mktemp("loki")
    folder.chmod(0o755)  # the image's user is not ours
    name = f"fleetwatch-log-rules-{secrets.token_hex(4)}"
    label = ("--label", f"fleetwatch.test={name}")
    docker("network", "create", *label, name)
    sink = Sink(name)
    try:
        alertmanager = names.address(settings.prefix, "alertmanager", names.ALERTMANAGER_PORT)
        text = loki.config(settings)
        assert f"http://{alertmanager}" in text
        (folder / loki.LIVE).mkdir()
        (folder / loki.LIMITS).write_text(loki.host_limits(settings))
        (folder / "loki.yml").write_text(text.replace(f"http://{alertmanager}", sink.url))
        of_tenant = folder / loki.RULES / loki.TENANT
        of_tenant.mkdir(parents=True)
        for file, rule in rules.log_files(settings, "https://monitor.example.com").items():
            (of_tenant / file).write_text(rule.replace("interval: 1m", f"interval: {EVERY}"))
        rights = ("--read-only", "--tmpfs", "/tmp", "-v", loki.DATA, "--cap-drop", "ALL")
        mount = ("-v", f"{folder}:{loki.CONFIG}:ro")
        words = (*loki.command(), f"-ruler.poll-interval={EVERY}")
        container = docker("run", "-d", "--network", name, *label, *rights, *mount, image, *words).strip()
        address = docker("inspect", "-f", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", container).strip()
        url = f"http://{address}:{names.LOKI_PORT}"
        lines = tmp_path_factory.mktemp("lines")
        agent = hub_promtail.start(settings, url, log_agent, ("--network", name, *label), lines)
        lines = tmp_path_factory.mktemp("lines-of-web-2")
        limited = hub_promtail.start(settings, url, log_agent, ("--network", name, *label), lines, "web-2")
        made = Running(url, container, of_tenant, sink, agent, limited)
        try:
            ready = f"{made.url}/ready"
            eventually("Loki to be ready", lambda: httpx.get(ready, trust_env=False).status_code == 200, 90)
        except AssertionError as late:
            raise AssertionError(f"{late}\n{docker('logs', '--tail', '20', container)}") from None
        for labels, level, count in WRITTEN.values():
            made.push(labels, level, count)
        yield made
    finally:
        sink.shutdown()
        for found in docker("ps", "-aq", "--filter", f"label=fleetwatch.test={name}", check=False).split():
            docker("rm", "-f", "-v", found, check=False)
        docker("network", "rm", name, check=False)


def test_log_errors_fires_only_above_the_threshold(running: Running) -> None:
    def both() -> dict[str, dict[str, str]]:
        found = running.told("LogErrors")
        return found if len(found) >= 2 else {}

    found = eventually("both alerts", both, 120)
    time.sleep(6)  # one more evaluation: what must not come has had its time
    told = {"alertname": "LogErrors", "severity": "warning", "env": "test", "host": "hub"}
    assert both() == found == {
        LOUD: told | WRITTEN["loud"][0],
        "billing on hub logs 1.5 errors per second": told | {"job": "billing"},
    }  # fmt: skip


def _refused(count: int, job: str, reason: str) -> list[str]:
    """Lines of the hub's Prometheus, as Go's slog writes them. A label's value tries to pass for another host."""
    series = f'{{__name__="x", a="host=\\"evil\\"", env="test", host="web-1", job="{job}"}}'
    head = 'level=ERROR source=write_handler.go:383 msg="Out of order sample from remote write" component=web'
    more = f"err={json.dumps(reason)} series={json.dumps(series)} timestamp=1"
    return [f"time=2026-11-28T00:00:{number:02}.1Z {head} {more}" for number in range(count)]


def test_rejected_samples_are_reported_by_job(running: Running) -> None:
    prometheus = {"job": "docker", "container": "fleetwatch-prometheus"}
    for number, line in enumerate([*_refused(3, "shop", "too old sample"), *_refused(1, "cron", "out of bounds: x")]):
        running.push(prometheus, "error", 1, line, ago=number)
    running.push({"job": "docker", "container": "somebodys"}, "error", 1, _refused(1, "forged", "too old sample")[0])
    running.push(prometheus, "info", 1, 'level=INFO msg="other" q="Out of order sample from remote write"')
    text = "The hub rejected {} samples of job {} on web-1 in 15 minutes: {}"
    found = eventually("both alerts", lambda: len(t := running.told("SamplesRejected")) >= 2 and t, 60)
    labels = {"alertname": "SamplesRejected", "severity": "warning", "env": "test", "host": "web-1"}
    assert found == {
        text.format(3, "shop", "too old sample"): labels | {"job": "shop", "reason": "too old sample"},
        text.format(1, "cron", "out of bounds: x"): labels | {"job": "cron", "reason": "out of bounds: x"},
    }


def test_one_host_with_too_many_streams_costs_no_other_host_a_line(running: Running) -> None:
    """`web-1` has a limit of two streams. Of a push with more of them Loki stores the rest, and names the host."""
    streams = [{"env": "test", "host": "web-1", "container": name} for name in ("one", "two", "three")]
    streams.append({"env": "test", "host": "hub", "n": "1"})
    now = str(time.time_ns())
    pushed = [{"stream": labels, "values": [[now, "x"]]} for labels in streams]
    for sent in (pushed, pushed[::-1]):
        answer = httpx.post(running.url + names.LOGS_PUSH, json={"streams": sent}, timeout=60, trust_env=False)
        assert answer.status_code in (204, 429), answer.text
    assert answer.status_code == 204 or "stream limit" in answer.text
    stored = running.ask('sum by (container) (count_over_time({host="web-1"} [5m]))')
    assert len(stored) == 2, "the two streams that came first, and no third"
    assert running.ask('{host="hub",n="1"}', "_range"), "of the same push, another host's"
    discarded = running.discarded()
    assert [line for line in discarded if 'policy="web-1"' in line and 'reason="stream_limit"' in line], discarded
    assert not [line for line in discarded if 'policy="hub"' in line]


def test_noisy_container_is_named(running: Running) -> None:
    for _ in range(4):  # 4 x 4000 lines within five minutes are 53 per second
        running.push(SHOP | {"container": "noisy"}, "info", 4000)
    text = "noisy on hub writes 53 log lines per second"
    eventually("the alert", lambda: text in running.told("LogsNoisy"), 60)
    assert len(running.told("LogsNoisy")) == 1


def test_certificate_alert_fires_on_caddys_own_lines_only(running: Running) -> None:
    renewed = caddy_says("tls.renew", RENEWED, **NAMED)
    running.agent.write("somebodys-caddy", [FORGED] * 3)
    running.agent.write("fleetwatch-caddy", [*CRAFTED, f"no JSON: tls.renew {FAILED}", renewed])
    own = '{job="fleetwatch-certificates"}'
    eventually("Caddy's own line", lambda: running.ask(own, "_range"), 60)
    others = len(CRAFTED) + 1
    rest = f'sum(count_over_time({{container="fleetwatch-caddy",job="docker"}}[1h])) == {others}'
    eventually("the other lines", lambda: running.ask(rest), 60)
    time.sleep(11)  # two evaluations: an alert without a waiting time would have fired
    assert [line for one in running.ask(own, "_range") for _, line in one["values"]] == [renewed]
    assert running.told("CertificateExpires") == {}, "a stranger wrote these lines"
    failed = caddy_says("tls.renew", FAILED, **NAMED)
    running.agent.write("fleetwatch-caddy", [failed, failed, caddy_says("tls.cache.maintenance", EMERGENCY, **NAMED)])
    text = "Caddy could not renew the hub's certificate, 3 attempts failed within an hour"
    eventually("the alert", lambda: text in running.told("CertificateExpires"), 60)


def test_certificate_row_shows_age_failures_and_log(running: Running) -> None:
    """Of a hub with a prefix of its own, so that lines of other tests do not count."""
    settings = load(small(prefix="pages"), "stacks/Pulumi.test.yaml")
    age, failed, says = certificate.row(settings).panels
    assert isinstance(age, Stat)
    assert isinstance(failed, Stat)
    assert isinstance(says, Logs)
    assert running.ask(age.query.expr) == []
    assert running.ask(failed.query.expr)[0]["value"][1] == "0"
    for line, ago in CADDY_SAYS:
        of_tls = names.CERTIFICATES_JOB if line.split('"logger": "')[1].startswith("tls") else names.DOCKER_JOB
        running.push({"job": of_tls, "container": "pages-caddy"}, "info", 1, line, ago=ago)
    assert len(CADDY_SAYS) == 4 + len(CRAFTED)
    assert 3600 <= float(running.ask(age.query.expr)[0]["value"][1]) < 3700, "of the newest one"
    assert running.ask(failed.query.expr)[0]["value"][1] == "1"
    shown = " ".join(text for stream in running.ask(says.expr, "_range") for _, text in stream["values"])
    assert [line in shown for line, _ in CADDY_SAYS] == [True, True, True, False] + [False] * len(CRAFTED)


def test_access_row_shows_sign_ins_and_changes(running: Running) -> None:
    """And no query, no page's own requests, and no secret of a URL."""
    refused, shown = access.row(load(small(), "stacks/Pulumi.test.yaml")).panels
    assert isinstance(refused, Stat)
    assert isinstance(shown, Logs)
    running.agent.write("fleetwatch-grafana", [grafana_line(*one) for one in (*IN_AUDIT, *ELSEWHERE, *DROPPED)])
    running.agent.write("fleetwatch-grafana", [json.dumps({"logger": "x", "level": "info", "msg": "started"})])

    def lines(query: str) -> list[str]:
        return [line for stream in running.ask(query, "_range") for _, line in stream["values"]]

    eventually("the last line", lambda: [one for one in lines(GRAFANA) if "started" in one], 60)
    audit = lines('{job="fleetwatch-audit"}')
    assert len(audit) == len(IN_AUDIT)
    assert len(lines(GRAFANA)) == len(ELSEWHERE) + 1, "what Grafana logs by default stays where it was"
    assert SECRET not in str(audit) + str(lines(GRAFANA))
    assert "eve DELETE /api/users/7 200 from 203.0.113.9" in lines(shown.expr)
    assert "(not signed in) POST /login 401 from 203.0.113.9" in lines(shown.expr)
    assert running.ask(refused.query.expr)[0]["value"][1] == "1"


def test_loki_posts_alerts_in_alertmanager_v2_format(running: Running) -> None:
    def loud() -> list[dict[str, Any]]:
        """Of all posts: the first one may have other alerts alone."""
        assert all(isinstance(post, list) for post in running.sink.got), "version 2 of Alertmanager's API takes a list"
        return [one for post in running.sink.got for one in post if one["labels"].get("container") == "loud"]

    (alert, *_) = eventually("a post of Loki about the container", loud, 120)
    assert alert["annotations"]["summary"] == LOUD
    assert alert["annotations"]["dashboard"].endswith("/d/fleetwatch-logs?var-host=hub&var-container=loud")


def test_changed_rules_are_reloaded_without_a_restart(running: Running) -> None:
    since = docker("inspect", "-f", "{{.State.StartedAt}}", running.container)
    file = running.rules / "log-lines.yml"
    changed = file.with_suffix(".new")
    changed.write_text(file.read_text().replace("> 1.0", "> 1.8"))
    changed.rename(file)  # as files are put into place on a host
    eventually("the lower one to end", lambda: list(running.told("LogErrors")) == [LOUD], 120)
    assert docker("inspect", "-f", "{{.State.StartedAt}}", running.container) == since


def test_rules_cannot_be_changed_through_the_api(running: Running) -> None:
    group = json.dumps({"name": "mine", "rules": []})
    answer = httpx.post(f"{running.url}/loki/api/v1/rules/mine", content=group, timeout=60, trust_env=False)
    assert answer.status_code >= 400
    assert "unsupported" in answer.text


def test_cancelled_queries_are_no_errors(running: Running) -> None:
    """Promtail's pipeline of the hub's containers gives them the level info. What a line quotes decides nothing."""
    running.agent.write("fleetwatch-loki", NO_DELETION)
    for container, line in (*CANCELLED, *STAY_ERRORS):
        running.agent.write(f"fleetwatch-{container}", [line])
    of_hub = '{job="docker",container=~"fleetwatch-(caddy|grafana|loki|prometheus)"}'

    def levels() -> dict[str, str]:
        found = running.ask(of_hub, "_range")
        return {line: stream["stream"].get("level", "") for stream in found for _, line in stream["values"]}

    wanted = {line: "info" for _, line in CANCELLED} | {line: "error" for _, line in STAY_ERRORS}
    eventually("every line", lambda: wanted.keys() <= levels().keys(), 60)
    found = levels()
    assert {line: level for line, level in found.items() if line in wanted} == wanted
    assert not set(NO_DELETION) & set(found), "two lines for every part of a query, about nothing"


def test_a_stream_over_the_limit_does_not_stop_promtails_queue(running: Running) -> None:
    """`web-2` has a limit of one stream. For the second one Promtail gets a 429, and goes on with the first."""

    def lines(container: str) -> list[str]:
        found = running.ask(f'{{host="web-2",container="{container}"}}', "_range")
        return [line for stream in found for _, line in stream["values"]]

    running.limited.write("somebodys-caddy", ["first"])
    eventually("the first stream", lambda: lines("somebodys-caddy"), 60)
    running.limited.write("fleetwatch-caddy", ["over the limit"])
    eventually("Loki to discard", lambda: [one for one in running.discarded() if 'policy="web-2"' in one], 60)
    running.limited.write("somebodys-caddy", ["second"])
    eventually("a line after that", lambda: "second" in lines("somebodys-caddy"), 60)
    assert lines("fleetwatch-caddy") == []
