"""The story, second part: a changed setting reloads, a broken configuration is refused."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.custom import EXAMPLES
from tests.integration.rig import eventually
from tests.integration.story import Story
from tools.environment import pulumi_env
from tools.paths import CHECKOUT

pytestmark = pytest.mark.xdist_group("story")

# The project's own program, with a configuration of the agent or of the hub that promtool does not take.
BROKEN = """
import runpy
import sys

sys.path.insert(0, {checkout!r})
from configs.services import {module}

{module}.config = lambda *_: "scrape_configs: [{{job_name: node, scrape_every: 15s}}]\\n"
runpy.run_path({checkout!r} + "/__main__.py", run_name="__main__")
"""


def test_a_changed_scrape_interval_is_planned_as_one_update_and_the_gate(story: Story) -> None:
    story.rig.change({"hosts": {"hub": {"scrape": {"node": "5s"}}}})
    assert story.planned() == {"hub-project": "update", "hub-gate-hub": "update"}


def test_it_reloads_the_agent_and_no_container_is_new_or_restarted(story: Story) -> None:
    before = story.rig.started_all()
    said = story.rig.up()
    assert "~ 2 updated" in said, f"expected the edge's project and the gate:\n{said[:3000]}"
    after = story.rig.started_all()
    assert after == before, "a changed interval touched a container"
    assert "scrape_interval: 5s" in story.file("agent", "config", "prometheus.yml")


def test_the_change_is_noted_for_the_dashboards_with_what_was_changed(story: Story) -> None:
    stream = '{env="test",host="hub",job="fleetwatch-changes"}'
    lines = [line for one in story.lines(stream) for _, line in sorted(one["values"])]
    said, _, roles = lines[-1].partition(": ")
    assert said == "fleetwatch changed hub", lines
    assert "agent" in roles.split(", "), lines


def test_the_new_interval_is_in_effect(story: Story) -> None:
    def steps() -> list[float]:
        stamps = story.stamps('up{job="node",host="hub"}', "30s")
        found = [later - earlier for earlier, later in zip(stamps, stamps[1:], strict=False)]
        return found if len(found) >= 3 and all(4.5 < step < 5.5 for step in found[-3:]) else []

    eventually("four samples of the node exporter 5 s apart", steps, 60)


def test_own_files_are_previewed_and_reach_prometheus_loki_and_grafana(story: Story) -> None:
    """Those of docs/examples, beside the stack file; they are removed again, as the story has no data for them."""
    folder = shutil.copytree(EXAMPLES, story.rig.file.parent / story.rig.name)
    try:
        shown = story.rig.tool("pulumi", "preview", "--diff").stdout
        for text in ("ScrapeSlow", "payment declined by gateway"):
            assert text in shown, f"{text} is not in the preview:\n{shown[-3000:]}"
        story.rig.up()
        eventually("the rule", lambda: "shop" in _groups(story), 60)
        assert {rule["name"] for rule in _groups(story)["shop"]} == {"ScrapeSlow", "shop:scrape_duration_seconds:max"}
        loaded = 'loki_prometheus_rule_evaluation_failures_total{rule_group=~".*checkout.*"} == 0'
        eventually("Loki's rule", lambda: story.metrics(loaded), 90)
        (board,) = eventually("the board", lambda: story.grafana("search", query="Shop"), 60)
        assert (board["uid"], board["folderTitle"]) == ("shop", "Custom")
    finally:
        shutil.rmtree(folder)
    story.rig.up()
    assert "shop" not in _groups(story)


def _groups(story: Story) -> dict[str, list[dict[str, Any]]]:
    """Prometheus' rules by group."""
    found = story.grafana("datasources/proxy/uid/prometheus/api/v1/rules")["data"]["groups"]
    return {group["name"]: group["rules"] for group in found}


def _broken_up(story: Story, module: str, folder: Path) -> subprocess.CompletedProcess[str]:
    (folder / "Pulumi.yaml").write_text("name: fleetwatch\nruntime: python\n")
    (folder / "__main__.py").write_text(BROKEN.format(checkout=str(CHECKOUT), module=module))
    working = story.home / f"Pulumi.{story.rig.name}.yaml"
    argv = ["pulumi", "-C", str(folder), "up", "--yes", "--skip-preview", "--non-interactive"]
    return subprocess.run(
        [*argv, "--stack", story.rig.name, "--config-file", str(working)],
        env={**os.environ, **pulumi_env(story.home)},
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip


REJECTED = {
    "agent": r"host hub: \S+-agent: \S+ rejects its configuration \(output above\)\. Nothing was changed, what runs",
    "prometheus": r"-prometheus: \S+ rejects the new configuration \(output above\); the previous one stays",
}


@pytest.mark.parametrize("module", REJECTED)
def test_a_configuration_that_promtool_rejects_never_replaces_the_running_one(
    story: Story, module: str, tmp_path: Path
) -> None:
    def deployed() -> dict[str, bytes]:
        return {str(path): path.read_bytes() for path in story.files.rglob("*") if path.is_file()}

    before, files = story.rig.started_all(), deployed()
    done = _broken_up(story, module, tmp_path)
    said = done.stdout + done.stderr
    assert done.returncode != 0, f"a broken configuration was taken:\n{said[-3000:]}"
    assert "field scrape_every not found" in said, f"promtool's own words are missing:\n{said[-3000:]}"
    assert re.search(REJECTED[module], said), said[-3000:]
    assert deployed() == files, "files were replaced or left"
    assert story.rig.started_all() == before, "a rejected configuration touched a container"


def test_the_next_up_is_clean_and_the_old_interval_still_in_effect(story: Story) -> None:
    before = story.rig.started_all()
    story.rig.up()
    assert story.rig.started_all() == before
    assert set(story.rig.preview()) == {"same"}, story.planned()
    assert len(story.stamps('up{job="node",host="hub"}', "30s")) >= 5, "scrapes every 5 s stopped"
