"""The story, part 5a: the doctor finds data for every panel and rule, and finds fault where there is one."""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass
from typing import Any

import pytest

from configs.dashboards import boards
from tests.fixtures.declared_empty import DISCARDS, ERRORS, LIMITS, SHOWN_BY
from tests.fixtures.full import full
from tests.integration.rig import docker, eventually
from tests.integration.story import Story

pytestmark = pytest.mark.xdist_group("story")
PUSH = "/loki/api/v1/push"


def _doctor(story: Story) -> tuple[int, dict[str, Any]]:
    """(exit code, report) of `make doctor JSON=1`."""
    done = story.rig.tool("doctor", "--json")
    assert "{" in done.stdout, done.stdout
    return done.returncode, json.loads(done.stdout[done.stdout.index("{\n") :])


@dataclass(frozen=True)
class Examined:
    """What the doctor said once everything had data, and how long it took."""

    code: int
    found: dict[str, Any]

    def declared_for(self, test: str) -> dict[str, list[str]]:
        """Place -> empty cases, of the declared empty queries that this test shows with data."""
        return {one["place"]: one["empty"] for one in self.found["queries"] if one["place"] in SHOWN_BY[test]}


def _strangers(story: Story, empty: list[str]) -> bool:
    """Only about containers of other tests on this machine: cAdvisor sees them too, and they come and go."""
    names = [re.search(r"container=([^,]+)", one) for one in empty]
    return bool(names) and all(name and not name[1].startswith(story.rig.prefix) for name in names)


@pytest.fixture(scope="module")
def examined(story: Story) -> Examined:
    """One examination, after an error line and a line that Loki discards. A container of another test that has just
    begun has no rate yet, and cAdvisor sees all of the machine's: the doctor asks again."""
    name = story.rig.container("failing")
    project = ("--label", "com.docker.compose.project=shop", "--label", "com.docker.compose.service=failing")
    says = f"while :; do echo level=error token={story.token}; sleep 1; done"
    story.rig.run(story.images["test-app"], "-c", says, options=("--name", name, *project, "--entrypoint", "sh"))
    quiet = ("--name", story.rig.container("quiet"), "--log-driver", "none", "--entrypoint", "sleep")
    story.rig.run(story.images["test-app"], "3600", options=quiet)
    old = time.time_ns() - 30 * 3600 * 10**9
    line = {"stream": {"env": "test", "host": "hub", "job": "by-hand"}, "values": [[str(old), "too old"]]}
    got = story.https("POST", PUSH, story.pusher(), json={"streams": [line]})
    assert got.status_code == 400, f"expected Loki to discard a line of yesterday: {got.status_code} {got.text}"
    eventually("an error line", lambda: story.lines(f'{{container="{name}"}} | level="error"'), 60)
    eventually("the discarded line's count", lambda: story.metrics("loki_discarded_samples_total > 0"), 60)
    return Examined(*_doctor(story))


def test_every_query_has_data_or_a_declared_reason(story: Story, examined: Examined) -> None:
    found = examined.found
    asked = {place.partition(" / ")[0] for place in (one["place"] for one in found["queries"]) if " / " in place}
    # A MongoDB cannot be had here: its board is checked by rendering, its alerts by promtool.
    boards_here = {board.name for board in boards(full())} - {"mongodb"}
    assert asked == boards_here, "a board that this stack has not is not proven by it"
    faults = [
        (one["place"], one["empty"] or one["error"]) for one in found["queries"] if one["state"] in ("EMPTY", "failed")
    ]
    wrong = [(place, empty) for place, empty in faults if not isinstance(empty, list) or not _strangers(story, empty)]
    assert not wrong, wrong
    others = [*found["unloaded"], *(said for host in found["hosts"] for said in host["wrong"])]
    assert found["faults"] == len(faults), others
    assert examined.code == (1 if faults else 0)
    counts = found["counts"]
    declared = [one["place"] for one in found["queries"] if one["state"] == "declared"]
    assert counts["declared"] == len(declared)
    print(f"declared empty: {counts['declared']} of {len(found['queries'])}: {declared}")
    assert counts["ok"] > 80
    by_limit = examined.declared_for(LIMITS)
    assert set(by_limit) == set(SHOWN_BY[LIMITS])
    assert not {place: empty for place, empty in by_limit.items() if "All" in empty}, "our own containers have limits"


def test_error_line_appears_in_error_panels(examined: Examined) -> None:
    panels = examined.declared_for(ERRORS)
    assert panels
    assert not {place: empty for place, empty in panels.items() if "All" in empty}


def test_discarded_line_appears_in_its_panel(examined: Examined) -> None:
    panels = examined.declared_for(DISCARDS)
    assert panels
    assert not {place: empty for place, empty in panels.items() if empty}


def test_container_whose_lines_are_not_collected_is_named(story: Story, examined: Examined) -> None:
    name = story.rig.container("quiet")
    assert [one for one in examined.found["notes"] if f"container {name} are not collected: its log driver" in one]


def test_doctor_needs_a_bounded_number_of_requests(examined: Examined) -> None:
    assert examined.found["requests"] < 1200, "for one host with fourteen boards: 967"


def test_doctor_reports_what_each_host_sends(examined: Examined) -> None:
    (host,) = examined.found["hosts"]
    assert host["sample_age"] < 30
    assert host["line_age"] < 30
    assert host["streams"] >= 5
    assert {job for job, count in host["series"].items() if count} >= {"node", "cadvisor", "agent", "promtail", "shop"}
    low, high = host["clock"]
    assert low - 1 <= 0 <= high + 1, f"one machine, one clock: {host['clock']}"
    assert high - low <= 25, "no less precise than the longest interval and the way to the hub"


def test_doctor_prints_a_table(story: Story, examined: Examined) -> None:
    said = story.rig.tool("doctor").stdout
    assert "board containers" in said
    assert "Empty, as declared" in said
    if "Everything has data." not in said:
        place = said[said.index("EMPTY, and not declared so") : said.index("Empty, as declared")]
        names = re.findall(r"container=([^,;\s]+)", place)
        assert names, said[-3000:]
        assert not [name for name in names if name.startswith(story.rig.prefix)], said[-3000:]


def test_doctor_names_a_stopped_log_agent(story: Story, examined: Examined) -> None:
    name = story.rig.container("promtail")
    docker("stop", name)
    try:
        down = eventually("the doctor to find the log agent down", lambda: _down(story), 60, 3)
        assert any(f"{name}:" in sentence and "target down: job" in sentence for sentence in down), down
    finally:
        docker("start", name)


def _down(story: Story) -> list[str]:
    code, found = _doctor(story)
    wrong: list[str] = found["hosts"][0]["wrong"]
    return wrong if code == 1 else []


def test_doctor_names_a_stopped_agent(story: Story, examined: Examined) -> None:
    docker("stop", story.rig.container("agent"))
    try:
        wrong = eventually("the doctor to miss the host's metrics", lambda: _silent(story), 120, 5)
        assert f"`docker logs {story.rig.container('agent')}`" in wrong[0], "what to do is said"
    finally:
        docker("start", story.rig.container("agent"))


def _silent(story: Story) -> list[str]:
    return [sentence for sentence in _down(story) if sentence.startswith("hub: no metrics for")]


def test_unreachable_hub_is_one_message_and_exit_code_2(story: Story, examined: Examined) -> None:
    docker("stop", story.rig.container("caddy"))
    try:
        done = story.rig.tool("doctor")
        assert done.returncode == 2, done.stdout
        said = done.stdout.strip().splitlines()
        assert said[-1].startswith("fleetwatch: The hub does not answer at http://127.0.0.1:"), done.stdout
    finally:
        docker("start", story.rig.container("caddy"))
    after = time.time()
    eventually("data of the host again", lambda: _newest(story) > after, 120)


def _newest(story: Story) -> float:
    found = story.rig.hub.metrics('max(timestamp(up{job="promtail",host="hub"} == 1))')
    return float(found[0]["value"][1]) if found else 0.0
