"""The story, first part: `up` from nothing, data of a container that the test starts, and nothing left to change."""

from __future__ import annotations

import re
import socket
import ssl
import subprocess
import time

import pytest

from tests.integration.rig import docker, eventually
from tests.integration.story import NAME, Story
from tools.paths import CHECKOUT

pytestmark = pytest.mark.xdist_group("story")
JOBS = ("node", "cadvisor", "agent", "promtail", "prometheus", "loki", "grafana", "caddy", "alertmanager")


@pytest.mark.parametrize("job", JOBS)
def test_up_ends_with_a_table_in_which_every_job_has_a_fresh_sample(story: Story, job: str) -> None:
    table = story.first_up[story.first_up.index("What has arrived") :]
    row = re.search(rf"^\s+hub\s+{job}\s+1/1 up\s+(\d+) s\s", table, re.MULTILINE)
    assert row, f"no row of job {job} with a target that is up and a sample:\n{table}"
    assert int(row[1]) < 60, f"the sample of {job} was {row[1]} s old"


def test_up_ends_with_a_table_in_which_log_lines_are_fresh_and_says_where_to_look(story: Story) -> None:
    row = re.search(r"^\s+hub\s+docker \(logs\)\s+-\s+-\s+(\d+) s$", story.first_up, re.MULTILINE)
    assert row, f"no log line of the host:\n{story.first_up[-3000:]}"
    assert int(row[1]) < 60, "the newest log line was old"
    assert f"https://{NAME}:{story.rig.ports['https']}" in story.first_up, "the address of Grafana is not said"
    assert "MISSING" not in story.first_up


def test_samples_at_the_hub_are_as_young_as_the_table_says(story: Story) -> None:
    now = time.time()
    newest = {s["metric"]["job"]: float(s["value"][1]) for s in story.rig.hub.metrics("max by (job) (timestamp(up))")}
    assert set(JOBS) <= set(newest), f"jobs without any sample: {set(JOBS) - set(newest)}"
    assert all(now - newest[job] < 60 for job in JOBS), f"old samples: {newest}, now {now}"
    down = story.rig.hub.metrics("up == 0")
    assert not down, f"targets that cannot be scraped: {down}"


def _marks(story: Story) -> list[str]:
    """The lines by which dashboards mark changes."""
    return sorted(line for one in story.lines('{host="hub",job="fleetwatch-changes"}') for _, line in one["values"])


def test_a_second_up_changes_no_file_of_the_checkout_and_no_container(story: Story) -> None:
    asked = ["git", "-c", "safe.directory=*", "status", "--porcelain"]
    before = subprocess.run(asked, cwd=CHECKOUT, capture_output=True, text=True, check=True).stdout
    running, begun, marked = story.rig.started_all(), time.monotonic(), _marks(story)
    story.rig.up()
    after = subprocess.run(asked, cwd=CHECKOUT, capture_output=True, text=True, check=True).stdout
    assert set(after.splitlines()) <= set(before.splitlines()), "the checkout is changed by an `up`"
    assert story.rig.started_all() == running, "an `up` without a change touched a container"
    assert _marks(story) == marked, "the dashboards mark a change that there was not"
    assert marked, "the first `up` is not marked"
    assert time.monotonic() - begun < 60, "a second `up` should take seconds"


def test_the_door_speaks_tls_1_3_with_a_certificate_of_its_own_ca(story: Story) -> None:
    at, trusting = ("127.0.0.1", story.rig.ports["https"]), story.tls()
    with socket.create_connection(at, 10) as raw, trusting.wrap_socket(raw, server_hostname=NAME) as door:
        assert door.version() == "TLSv1.3"
    stranger = ssl.create_default_context()
    with socket.create_connection(at, 10) as raw, pytest.raises(ssl.SSLCertVerificationError):
        stranger.wrap_socket(raw, server_hostname=NAME)


def test_grafana_lets_the_admin_in_by_its_login_page_and_has_the_three_data_sources(story: Story) -> None:
    user, password = story.admin()
    login = story.https("POST", "/login", json={"user": user, "password": password})
    assert login.status_code == 200, login.text
    assert "grafana_session" in login.cookies, "the log-in gives no session"
    cookie = {"Cookie": f"grafana_session={login.cookies['grafana_session']}"}
    got = story.https("GET", "/api/datasources", headers=cookie)
    assert got.status_code == 200, got.text
    found = {source["uid"]: (source["name"], source["type"]) for source in got.json()}
    wanted = ("Prometheus", "Loki", "Alertmanager")
    assert found == {name.lower(): (name, name.lower()) for name in wanted}


def test_a_metric_of_a_container_that_the_test_starts_arrives(story: Story) -> None:
    name = story.talker("talker", "shop", story.token)
    wanted = {"env": "test", "host": "hub", "container": name, "compose_project": "shop", "compose_service": "talker"}
    query = f'container_memory_working_set_bytes{{container="{name}"}}'
    series = eventually("a metric of the test's container", lambda: story.metrics(query), 60)
    assert len(series) == 1, f"expected one series of the container, got {series}"
    assert wanted.items() <= series[0]["metric"].items(), series[0]["metric"]
    assert float(series[0]["value"][1]) > 0, "a running container uses memory"


def test_a_log_line_with_the_tests_token_arrives_with_exactly_the_promised_labels(story: Story) -> None:
    name = story.rig.container("talker")
    query = f'{{container="{name}"}} |= "{story.token}"'
    streams = eventually("a log line of the test's container", lambda: story.lines(query), 60)
    assert any(story.token in line for _, line in streams[0]["values"])
    matcher = f'{{container="{name}"}}'
    series = story.grafana("datasources/proxy/uid/loki/loki/api/v1/series", **{"match[]": matcher})["data"]
    wanted = {"env": "test", "host": "hub", "job": "docker", "container": name}
    assert series == [{**wanted, "compose_project": "shop", "compose_service": "talker"}], "stream labels"
    leveled = story.lines(query + ' | level="warn" | stream="stdout"')
    assert leveled, "the level is not in the structured metadata"
    image = docker("image", "inspect", "-f", "{{.Id}}", story.images["test-app"]).removeprefix("sha256:")[:12]
    assert story.lines(query + f' | image="{image}"'), "nor is the image of the container"


def test_a_preview_after_that_shows_no_change(story: Story) -> None:
    summary = story.rig.preview()
    assert set(summary) == {"same"}, f"there is something to change: {summary}, {story.planned()}"


def test_a_refresh_finds_no_drift_and_a_preview_after_it_shows_no_change(story: Story) -> None:
    done = story.rig.tool("pulumi", "refresh", "--yes", "--skip-preview", "--diff")
    assert done.returncode == 0, done.stdout[-6000:]
    assert not re.search(r"^\s*~ \d+ updated", done.stdout, re.MULTILINE), f"drift:\n{done.stdout[-6000:]}"
    summary = story.rig.preview()
    assert set(summary) == {"same"}, f"after a refresh there is something to change: {summary}, {story.planned()}"
