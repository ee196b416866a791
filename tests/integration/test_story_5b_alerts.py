"""The story, between the fifth part and the last: components fail, and the receiver gets the documented alerts.

All at once and waited for together; then the agent itself. The job of TimescaleDB that fails is one of the stand-in for
it. The disk that is full is a small one, full since the story began: VolumeFull wants five minutes of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.fixtures.promises import keeps, promised
from tests.integration import databases
from tests.integration.rig import docker, eventually
from tests.integration.story import Story

pytestmark = pytest.mark.xdist_group("story")
LIMIT = "32m"
BROKEN = {
    # Its first process stays: only another one is killed, again and again.
    "hungry": "while :; do python3 -c 'x = b\"x\" * (200 << 20)'; sleep 5; done",
    "noisy": 'for n in $(seq 1500); do echo "level=error cannot reach the payment service n=$n"; done; sleep 600',
    # Longer than ten seconds: after less Docker waits ever longer before it starts it again, and cAdvisor, which is
    # asked every 15 s, would see it by chance.
    "flapping": "sleep 13",
}
OPTIONS = {"hungry": ("-m", LIMIT, "--memory-swap", LIMIT), "flapping": ("--restart", "always")}
SUMMARIES = {
    "ContainerDown": r"Container {victim} on hub is not running",
    "ContainerOutOfMemory": r"Container {hungry} on hub ran out of memory: \d+ OOM kills in 15 minutes",
    "ContainerRestarts": r"Container {flapping} on hub restarted \d+ times in 15 minutes",
    "LogErrors": r"{noisy} on hub logs \d+\.\d errors per second",
    "PostgresDown": r"PostgreSQL main on hub is unreachable",
    "TargetDown": r"Job node on hub is down: [\d.]+:9100 cannot be scraped",
    "TimescaleJobFailed": r"Job 1000 \(policy_compression of public\.metrics\) in database shop of server main on hub "
    r"failed",
    "VolumeFull": r"Volume {disk} on hub is 9\d\.\d+% full",
}
BREAK_A_JOB = """
DO $do$ BEGIN
    EXECUTE 'CREATE OR REPLACE VIEW timescaledb_information.job_stats AS '
        || replace(pg_get_viewdef('timescaledb_information.job_stats'::regclass), $$'Success'$$, $$'Failed'$$);
END $do$;
"""


def _start(story: Story, suffix: str, script: str) -> str:
    name = story.rig.container(suffix)
    labels = ("--label", "com.docker.compose.project=shop", "--label", f"com.docker.compose.service={suffix}")
    options = ("--name", name, *labels, *OPTIONS.get(suffix, ()), "--entrypoint", "sh")
    story.rig.run(story.images["test-app"], "-c", script, options=options)
    return name


@pytest.fixture(scope="module")
def broken(story: Story) -> Iterator[dict[str, str]]:
    """What is broken, by what it is called here; whole again at the end."""
    rig = story.rig
    names = {"victim": _start(story, "victim", "sleep 3600"), "disk": str(story.disk)}
    databases.psql(story, BREAK_A_JOB)
    failed = 'ALERTS{alertname="TimescaleJobFailed",alertstate="firing",job_id="1000"}'
    eventually("the failure of the job to be seen", lambda: story.metrics(failed), 90)
    # Each container's alert in a message of its own: cAdvisor sees those of other tests too, and what joins a message
    # that was sent already waits for five minutes.
    group_by = ["alertname", "host", "container", "job_id"]
    alerts = {"default": "sink", "thresholds": {"host_silent": "30s"}, "group_by": group_by}
    rig.change({"hub": {"alerts": alerts}, "hosts": {"hub": {"expected": [names["victim"]]}}})
    before = rig.started_all()
    story.sink.got.clear()
    rig.up()
    assert rig.started_all() == before, "receivers and rules are read without a restart"
    query = f'container_last_seen{{container="{names["victim"]}"}}'
    eventually("the victim to be seen", lambda: story.metrics(query), 60)
    _received(story, "TimescaleJobFailed", SUMMARIES["TimescaleJobFailed"])  # before its database is stopped
    stopped = [names["victim"], rig.container("db"), rig.container("node-exporter")]
    docker("stop", "-t", "2", *stopped)
    for suffix, script in BROKEN.items():
        names[suffix] = _start(story, suffix, script)
    try:
        yield names
    finally:
        docker("rm", "-f", "-v", *(names[suffix] for suffix in BROKEN if suffix in names), check=False)
        docker("start", *stopped)
        again = 'up{job="node",host="hub"} == 1 and on (host) pg_up{database="main"} == 1'
        eventually("what was stopped to answer again", lambda: story.metrics(again), 120)


def _received(story: Story, alert: str, words: str) -> dict[str, dict[str, str]]:
    """The first alert at the receiver with this summary."""

    def received() -> list[dict[str, dict[str, str]]]:
        alerts = [one for post in list(story.sink.got) for one in post["alerts"] if one["status"] == "firing"]
        named = [one for one in alerts if one["labels"]["alertname"] == alert]
        return [one for one in named if re.fullmatch(words, one["annotations"]["summary"])]

    return eventually(f"a message of {alert}: {words}", received, 300)[0]


def _promised(found: dict[str, dict[str, str]], alert: str) -> None:
    assert (found["labels"]["env"], found["labels"]["host"]) == ("test", "hub")
    assert found["annotations"]["runbook"].endswith(f"docs/runbooks/{alert}.md")
    summary = found["annotations"]["summary"]
    assert any(keeps(words, summary, found["labels"]) for words in promised(alert)), f"not in {alert}.md: {summary}"
    assert found["annotations"]["dashboard"].startswith("https://"), found["annotations"]


def test_alert_test_reaches_its_receiver_alone(story: Story) -> None:
    before = len(story.sink.got)
    done = story.rig.tool("alert-test", "sink")
    assert done.returncode == 0, done.stdout
    assert "webhook[0]  delivered, the resolved message too" in done.stdout
    sent = [post for post in story.sink.got[before:] if post["commonLabels"].get("alertname") == "ReceiverTest"]
    assert [post["status"] for post in sent] == ["firing", "resolved"]
    refused = story.rig.tool("alert-test", "nobody")
    assert refused.returncode == 1
    assert "RECEIVER=nobody: expected the name of a receiver that is deployed (" in refused.stdout


@pytest.mark.parametrize("alert", SUMMARIES)
def test_alert_reaches_its_receiver_with_the_summary_of_its_runbook(
    story: Story, broken: dict[str, str], alert: str
) -> None:
    if alert == "VolumeFull" and story.disk_refused:
        pytest.skip(story.disk_refused)
    words = SUMMARIES[alert].format(**{key: re.escape(name) for key, name in broken.items()})
    _promised(_received(story, alert, words), alert)


@pytest.mark.usefixtures("broken")
def test_stopped_agent_fires_host_silent(story: Story) -> None:
    """Last, because HostSilent suppresses the other alerts of the host."""
    docker("stop", "-t", "2", story.rig.container("agent"))
    try:
        _promised(_received(story, "HostSilent", "Host hub sends no data"), "HostSilent")
    finally:
        docker("start", story.rig.container("agent"))
