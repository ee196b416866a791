"""The story, last part: killed services come back; `down` keeps data and passwords until it is told otherwise."""

from __future__ import annotations

import re
import time

import pytest

from tests.integration.rig import docker, eventually
from tests.integration.story import Story

pytestmark = pytest.mark.xdist_group("story")


def kill_main_process(story: Story, role: str) -> None:
    """End the service's process from outside, as the kernel would; `docker kill` would count as a wish to stop."""
    pid = docker("inspect", "-f", "{{.State.Pid}}", story.rig.container(role)).strip()
    label = f"fleetwatch.test={story.rig.prefix}"
    words = ("run", "--rm", "--label", label, "--pid", "host", "--user", "0", "--entrypoint", "sh")
    docker(*words, story.images["test-app"], "-c", f"kill -9 {pid}")


def _data_since(story: Story, moment: float) -> bool:
    """Whether the hub has a sample and a line of the talker that are newer than `moment`."""
    newest = story.metrics('max(timestamp(up{job="agent",host="hub"}))')
    lines = story.lines(f'{{container="{story.rig.container("talker")}"}}', moment)
    return bool(lines) and bool(newest) and float(newest[0]["value"][1]) > moment


@pytest.mark.parametrize("role", ["agent", "loki", "caddy", "promtail", "prometheus"])
def test_a_killed_service_comes_back_by_itself_and_data_goes_on(story: Story, role: str) -> None:
    before = story.rig.started(role)  # the agent was reloaded before: that is no wish to stop either
    kill_main_process(story, role)
    killed = time.time()

    def again() -> bool:
        running = docker("inspect", "-f", "{{.State.Running}}", story.rig.container(role)).strip() == "true"
        return running and story.rig.started(role)[1] != before[1]

    eventually(f"{role} to run again", again, 60)
    assert story.rig.started(role)[0] == before[0], "it is the same container"
    eventually(f"data from after the kill of {role}", lambda: _data_since(story, killed + 1), 120)


def _numbers(story: Story) -> list[int]:
    """The numbers of the talker's lines, in order, of the first minute or so of the story."""
    query = f'{{container="{story.rig.container("talker")}"}} |= "{story.token}"'
    streams = story.rig.hub.logs(query, story.begun, time.time(), 40, forward=True)
    return sorted(int(re.findall(r"n=(\d+)", line)[0]) for stream in streams for _, line in stream["values"])


def test_down_without_a_terminal_keeps_data_and_passwords(story: Story) -> None:
    password, pusher, numbers = story.admin(), story.pusher(), _numbers(story)
    assert len(numbers) == 40, f"the talker's first lines: {numbers}"
    volumes = story.rig.left()["volume"]
    done = story.rig.tool("down", stdin="")
    assert done.returncode == 0, done.stdout[-6000:]
    assert "are kept" in done.stdout, "it is not said that data is kept"
    left = story.rig.left()
    assert left == {"container": [], "network": [], "volume": volumes}, f"left after down: {left}"
    assert not story.files.exists() or not any(p.is_file() for p in story.files.rglob("*")), "deployed files are left"

    story.rig.up()
    assert story.admin() == password, "Grafana's password changed"
    assert story.pusher() == pusher, "the host's password changed"
    assert story.grafana("org")["name"], "Grafana does not let the admin in with the same password"
    assert _numbers(story) == numbers, "lines from before are gone"
    old = story.rig.hub.metrics('up{job="agent",host="hub"}', at=story.arrived)
    assert old, "samples from before are gone"
    assert set(story.rig.preview()) == {"same"}, story.planned()


def test_down_with_yes_leaves_no_container_network_volume_or_file(story: Story) -> None:
    done = story.rig.tool("down", "--yes", stdin="")
    assert done.returncode == 0, done.stdout[-6000:]
    left = story.rig.left()
    assert left == {"container": [], "network": [], "volume": []}, f"left after down --yes: {left}"
    assert not (story.rig.home / "state").exists(), "files of the state are left"


def test_status_and_password_after_that_say_that_there_is_nothing(story: Story) -> None:
    for command in ("status", "password"):
        done = story.rig.tool(command)
        assert done.returncode == 1, f"{command} succeeds without a stack"
        assert "There is no stack" in done.stdout, done.stdout
        assert "Traceback (most recent" not in done.stdout
