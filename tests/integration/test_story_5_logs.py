"""The story, fifth part: log filters, a log file of the user's, alerts and silences."""

from __future__ import annotations

import datetime
import json
import time

import pytest

from configs.rules import hosts
from tests.integration.rig import docker, eventually
from tests.integration.story import Story
from tests.rendered.rules_rig import settings_of

pytestmark = pytest.mark.xdist_group("story")


def _kinds(story: Story, token: str) -> set[str]:
    """Which of the talker's lines arrived, by their rest after the token."""
    streams = story.lines(f'{{host="hub"}} |= "token={token}"')
    lines = [line.split(f"token={token} ")[1] for stream in streams for _, line in stream["values"]]
    return {"n" if line.startswith("n=") else line for line in lines}


def test_lines_are_dropped_by_level_and_by_pattern_and_others_kept(story: Story) -> None:
    eventually("lines of the talker", lambda: _kinds(story, story.token), 60)
    assert _kinds(story, story.token) == {"n"}, "only the line that no filter names should be there"


@pytest.mark.parametrize("reason", ["level_debug", "pattern", "level_not_kept", "pattern_not_kept"])
def test_what_is_dropped_is_counted_by_its_reason(story: Story, reason: str) -> None:
    query = f'sum(logentry_dropped_lines_total{{host="hub",job="promtail",reason="{reason}"}})'
    found = eventually(f"a count of lines dropped as {reason}", lambda: story.metrics(query), 60)
    assert float(found[0]["value"][1]) > 0


def test_containers_of_other_compose_projects_are_left_out_but_ours_are_not(story: Story) -> None:
    name = story.talker("stranger", "elsewhere", f"stranger{story.token}")
    metric = f'container_memory_working_set_bytes{{container="{name}",compose_project="elsewhere"}}'
    eventually("a metric of the other project's container", lambda: story.metrics(metric), 60)
    after = time.time()
    newer = f'{{container="{story.rig.container("talker")}"}}'
    time.sleep(6)  # one more discovery of the log agent
    eventually("newer lines of the project that is shipped", lambda: story.lines(newer, after + 5), 60)
    assert not story.lines(f'{{container="{name}"}}'), "a container of another project is shipped"
    assert story.lines(f'{{container="{story.rig.container("caddy")}"}}'), "our own containers are always shipped"


def test_lines_of_containers_that_live_for_seconds_arrive_once(story: Story) -> None:
    """Without `--rm`; Promtail looks for new containers every 5 s."""
    token = f"short{story.token}"
    lives = [seconds for seconds in (0, 1, 3, 6, 9) for _ in range(3)]
    said = [f"level=warn token={token} n={number}" for number in range(len(lives))]
    options = ("--label", "com.docker.compose.project=shop", "--entrypoint", "sh")
    started: list[str] = []

    def arrived() -> list[str]:
        return [line for one in story.lines(f'{{host="hub"}} |= "token={token} "') for _, line in one["values"]]

    try:
        for line, seconds in zip(said, lives, strict=True):
            script = f"echo {line}; sleep {seconds}"
            started.append(story.rig.run(story.images["test-app"], "-c", script, options=options))
        eventually("the line of each container", lambda: set(arrived()) == set(said), 60)
        time.sleep(10)  # the log agent reads what has stopped again
        assert sorted(arrived()) == sorted(said)
    finally:
        docker("rm", "-f", "-v", *started, check=False)


@pytest.mark.parametrize("role", ["agent", "promtail"])
def test_a_container_of_an_edge_has_no_labels_of_compose(story: Story, role: str) -> None:
    """It has Compose's labels in Docker, but is no project of the user."""
    name = story.rig.container(role)
    matcher = f'{{container="{name}"}}'
    found = eventually(f"a metric of {role}", lambda: story.metrics(f"container_last_seen{matcher}"), 60)
    assert not [key for one in found for key in one["metric"] if key.startswith("compose_")]
    series = story.grafana("datasources/proxy/uid/loki/loki/api/v1/series", **{"match[]": matcher})["data"]
    assert series == [{"env": "test", "host": "hub", "job": "docker", "container": name}], "stream labels"


def test_a_json_file_has_its_own_job_its_label_and_its_level(story: Story) -> None:
    file = story.rig.home / "logs" / "invoices.json"
    with file.open("a") as out:
        for severity in ("WARNING", "INFO"):
            out.write(json.dumps({"severity": severity, "message": f"invoice {story.token}"}) + "\n")
    query = f'{{job="billing"}} |= "{story.token}"'
    eventually("lines of the file", lambda: len([v for s in story.lines(query) for v in s["values"]]) == 2, 60)
    series = story.grafana("datasources/proxy/uid/loki/loki/api/v1/series", **{"match[]": '{job="billing"}'})["data"]
    assert series == [{"env": "test", "host": "hub", "job": "billing", "log_source": "invoices"}], "stream labels"
    warned = story.lines(f'{query} | level="warn" | filename="{file}"')
    assert len(warned) == 1, "the level is taken from the key `severity`, the file's name is structured metadata"


def test_sign_ins_and_pages_of_grafana_are_recorded_with_the_user(story: Story) -> None:
    """In a stream of their own, to which the filters of this stack do not apply."""
    user, _ = story.admin()
    wrong = {"user": user, "password": "wrong"}  # pragma: allowlist secret
    assert story.https("POST", "/login", json=wrong).status_code == 401
    assert story.https("GET", "/dashboards", story.admin()).status_code == 200
    stream = '{host="hub",job="fleetwatch-audit"} | json'
    eventually("a refused sign-in", lambda: story.lines(f'{stream} | path="/login" | status="401"'), 60)
    eventually("a page", lambda: story.lines(f'{stream} | path="/dashboards" | uname="{user}"'), 60)
    everything = f'{{container="{story.rig.container("grafana")}"}} |= "Request Completed"'
    kept = [line for one in story.lines(everything) for _, line in one["values"]]
    assert not [line for line in kept if "/api/datasources/proxy/uid/prometheus" in line], "queries are not recorded"


def test_lines_about_certificates_have_a_stream_of_their_own(story: Story) -> None:
    stream = '{host="hub",job="fleetwatch-certificates"} | json | msg=~"certificate obtained.*"'
    eventually("the line of the first certificate", lambda: story.lines(stream), 60)


def test_watchdog_reaches_its_receiver(story: Story) -> None:
    posts = eventually("a message of Alertmanager", lambda: story.sink.got, 120)
    alert = posts[0]["alerts"][0]
    assert posts[0]["receiver"] == "sink"
    assert alert["status"] == "firing"
    assert alert["labels"] == {"alertname": "Watchdog", "severity": "none", "env": "test", "host": "hub"}
    assert alert["annotations"]["summary"] == "Alerting works"
    assert "If its receiver stops getting it, alerting is broken." in alert["annotations"]["description"]
    assert all(a["labels"]["alertname"] == "Watchdog" for p in story.sink.got for a in p["alerts"]), "only the watchdog"


def test_an_alert_is_silenced_through_grafanas_data_source(story: Story) -> None:
    now = datetime.datetime.now(datetime.timezone.utc)
    silence = {
        "matchers": [{"name": "alertname", "value": "Watchdog", "isRegex": False, "isEqual": True}],
        "startsAt": now.isoformat(),
        "endsAt": (now + datetime.timedelta(seconds=90)).isoformat(),
        "createdBy": "test",
        "comment": "tried by a test",
    }
    path = "/api/datasources/proxy/uid/alertmanager/api/v2/silences"
    made = story.https("POST", path, story.admin(), json=silence)
    assert made.status_code == 200, made.text

    def state() -> str:
        alerts = story.plain("GET", "query", "/alertmanager/api/v2/alerts").json()
        found = [alert for alert in alerts if alert["labels"]["alertname"] == "Watchdog"]
        return str(found[0]["status"]["state"])

    eventually("the watchdog to be suppressed", lambda: state() == "suppressed", 30)


# The stand-in for TimescaleDB has a job that failed, and a line that is too old is pushed on purpose (5a).
ON_PURPOSE = {"TimescaleJobFailed", "LokiDiscards"}
# Another test fills a small disk of this machine (test_refused.py).
OF_THE_MACHINE = {rule.name for rule in hosts.group(settings_of()).rules} | {"VolumeFull"}


def test_only_the_watchdog_is_firing(story: Story) -> None:
    alerts = story.grafana("datasources/proxy/uid/prometheus/api/v1/alerts")["data"]["alerts"]
    # cAdvisor sees all of the machine's containers, also those that other tests break at this time.
    ours = [a for a in alerts if a["labels"].get("container", story.rig.prefix).startswith(story.rig.prefix)]
    firing = {alert["labels"]["alertname"] for alert in ours if alert["state"] == "firing"}
    # What is said of the machine is true of it, and no fault of the stack: other tests load it at the same time.
    assert firing - OF_THE_MACHINE - ON_PURPOSE == {"Watchdog"}, f"on a stack that is well: {ours}"
