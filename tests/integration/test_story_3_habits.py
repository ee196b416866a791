"""The story, third part: apps that demand credentials, answer oddly or are in odd places are read, or say why not."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.integration import habits
from tests.integration.rig import docker, eventually, free_ports
from tests.integration.story import Story

pytestmark = pytest.mark.xdist_group("story")


@dataclass(frozen=True)
class Read:
    """Two updates: `before` without the credentials, `after` with them."""

    found: dict[str, habits.Habit]
    before: str
    after: str
    agent: tuple[str, str]


@pytest.fixture(scope="module")
def read(story: Story, tmp_path_factory: pytest.TempPathFactory) -> Read:
    """The apps, added with one change; their secrets with another."""
    rig, folder = story.rig, tmp_path_factory.mktemp("certificates")
    for parent in (folder, *folder.parents[:2]):
        parent.chmod(0o755)
    made = habits.certificates(folder)
    found = habits.habits(made)
    (port,) = free_ports(1)
    net = rig.network("habits")
    apps = habits.start(story, net, made, found)
    habits.on_the_host(story, port)
    apps["host-app"] = {"target": f"host.docker.internal:{port}"}
    twin = habits.second_network(story, "html-app")
    known = rig.config["hosts"]["hub"].get("networks", [])
    rig.change({"hosts": {"hub": {"networks": [*known, net, twin], "apps": apps}}})
    _set(story, "tls-app", "tls.key", made.client_key)  # the settings demand it, as the password
    for name in ("login-app", "scaled-login-app"):
        _set(story, name, "basic_auth.password", "another")
    _set(story, "rare-app", "bearer_token", "another")
    before = rig.up_fails()  # targets are down
    agent = rig.started("agent")
    for name, habit in found.items():
        for place, value in habit.secrets.items():
            if place != "tls.key":
                _set(story, name, place, value)
    after = rig.up()
    return Read(found, before, after, agent)


def _set(story: Story, app: str, place: str, value: str) -> None:
    done = story.rig.tool("secret", f"hosts.hub.apps.{app}.{place}", stdin=value)
    assert done.returncode == 0, done.stdout


APPS = (
    "token-app", "login-app", "html-app", "bare-app", "json-app", "query-app", "slow-app", "tls-app", "trusting-app",
    "labels-app", "scaled-app", "host-app", "rare-app", "scaled-login-app", "stamped-app", "timed-app", "large-app",
    "wide-app",
)  # fmt: skip


@pytest.mark.parametrize("name", APPS)
def test_an_apps_metric_arrives(story: Story, read: Read, name: str) -> None:
    metric = name.replace("-", "_")
    wanted = 2 if name.startswith("scaled-") else 1
    query = f'count({metric}{{env="test",host="hub",job="{name}"}} == 1) == {wanted}'
    eventually(f"the metric of {name}", lambda: story.metrics(query), 90)


def test_without_its_credentials_an_update_says_why_an_app_cannot_be_read(read: Read) -> None:
    for name in ("token-app", "login-app"):
        pattern = rf"host hub: warning: job {name} cannot be scraped: .*401.* \(http://{name}:8000/metrics\)"
        assert re.search(pattern, read.before), read.before[-3000:]
        assert f"job {name} cannot" not in read.after
    for name in ("rare-app", "scaled-login-app"):
        found = re.findall(rf"host hub: warning: job {name} cannot be scraped: .*401.*", read.before)
        assert len(set(found)) == 1, f"expected one sentence about {name}: {found}\n{read.before[-3000:]}"
    assert "and 1 more of its targets" in read.before, "both containers of the scaled one refuse the password"
    assert "cannot be scraped" not in read.after, read.after[-3000:]


def test_new_credentials_restart_nothing(story: Story, read: Read) -> None:
    assert story.rig.started("agent") == read.agent


def test_a_name_on_two_of_the_agents_networks_is_reported(read: Read) -> None:
    assert "host hub: warning: the name html-app exists on the networks " in read.after


def test_labels_of_a_metric_are_kept_and_never_those_of_another_host(story: Story, read: Read) -> None:
    query = 'labels_app_labelled{host="hub",job="inner",exported_host="other",team="shop"}'
    eventually("the metric with its own job", lambda: story.metrics(query), 60)
    assert not story.metrics('labels_app_labelled{host="other"}')
    assert not story.metrics("labels_app_dropped"), "dropped by its name"


DAY = 86400


def test_timestamp_of_an_app_is_not_taken(story: Story, read: Read) -> None:
    habits.expose(story, "stamped-app", f"stamped_app_old 1 {int((time.time() - DAY) * 1000)}\n")
    query = 'time() - timestamp(stamped_app_old{host="hub",job="stamped-app"}) < 60'
    eventually("its sample, at the time of its scrape", lambda: story.metrics(query), 60)


def test_sample_that_is_too_old_is_reported_by_job_and_costs_no_other(story: Story, read: Read) -> None:
    """Where the stack file takes an app's timestamps."""
    habits.expose(story, "timed-app", f"timed_app_old 1 {int((time.time() - DAY) * 1000)}\n")
    found = eventually("the alert", lambda: story.metrics('ALERTS{alertname="SamplesTooOld"}'), 120, 2)
    assert [one["metric"]["job"] for one in found] == ["timed-app"], found
    assert story.metrics('time() - timestamp(timed_app{job="timed-app"}) < 30'), "its other samples arrive"
    assert not story.metrics('up{host="hub",job=~".+-app"} == 0')
    habits.expose(story, "timed-app", "")
    eventually("its end", lambda: not story.metrics('ALERTS{alertname="SamplesTooOld"}'), 120, 2)


def test_apps_over_their_limits_are_reported_and_cost_no_other(story: Story, read: Read) -> None:
    """One exposes too many samples, the other a sample with too many labels."""
    over = ["large-app", "wide-app"]
    habits.expose(story, "large-app", "".join(f'large_app_id{{id="{number}"}} 1\n' for number in range(100)))
    labels = ",".join(f'l{number}="1"' for number in range(10))
    habits.expose(story, "wide-app", f"wide_app_labels{{{labels}}} 1\n")

    def jobs(query: str) -> list[str]:
        return sorted(one["metric"]["job"] for one in story.metrics(query))

    fires = 'ALERTS{alertname="ScrapeRejected"}'
    eventually("both alerts", lambda: len(jobs(fires)) >= len(over), 120, 2)
    assert jobs(fires) == over
    assert jobs('up{host="hub",job=~".+-app"} == 0') == over
    assert not story.metrics('{__name__=~"large_app_id|wide_app_labels"}'), "all of the scrape or none"
    for app in over:
        habits.expose(story, app, "")
    eventually("they are read again", lambda: jobs('up{job=~"large-app|wide-app"} == 1') == over, 60)


def test_no_credential_is_outside_of_the_secret_files(story: Story, read: Read) -> None:
    needles = [value for habit in read.found.values() for value in habit.secrets.values()]
    needles = [needle.split("\n")[1] if "\n" in needle else needle for needle in needles]
    assert len(needles) == 5
    text = read.before + read.after + docker("inspect", story.rig.container("agent"))
    text += docker("logs", story.rig.container("agent"))
    kept = [path for path in story.rig.home.rglob("*") if path.is_file()]
    secret = [path for path in kept if path.parent.name == "secrets"]
    for path in kept:
        if path not in secret:
            text += path.read_bytes().decode(errors="replace")
    for needle in needles:
        assert needle not in text, "a credential is in the output, the state, a configuration or a log"
        assert any(needle in Path(path).read_text() for path in secret), "it is a file of the agent"
