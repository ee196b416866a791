"""Agents that restart while the hub is down, and the change from one metrics agent to the other.

One stack in this order: a Prometheus agent is stopped and killed in an outage, which loses what it held; the key
changes; vmagent is stopped in one outage and killed in another; the key changes back. A log agent restarts in each
outage. What is lost are scrapes that the application answered and that have no sample, and numbered lines that are
missing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from configs.services import promtail
from tests.integration import outage
from tests.integration.rig import Rig, docker, eventually, rig
from tools import setup

QUICK = {"agents": "2s", "node": "2s", "cadvisor": "2s", "hub": "2s"}
RECEIVED = 'up{job="shop"}'
AWAY = 40  # seconds of each outage
FLUSH = 8  # seconds that a kill costs at the most: five in memory, the block being sent, a scrape at each end
CONFIG = {"hub": {"outage_budget": "5m", "metrics_block": "1m"}, "hosts": {"hub": {"scrape": QUICK}}}


@pytest.fixture(scope="module")
def stack(chain: setup.ToolChain) -> Iterator[Rig]:
    image = {one.key: one.ref for one in chain.images}["test-app"]
    with rig("restarts", CONFIG) as made:
        TestRestarts.app = outage.start_app(made, image)
        made.up()
        outage.start_writer(made, image)
        eventually("samples of the application", lambda: len(outage.stamps(made, RECEIVED, "1m")) > 10)
        TestRestarts.began = time.time()
        sent = ("exec", made.container("promtail"), "ls", f"{promtail.DATA}/positions.yml.sent")
        eventually("Promtail's positions count as sent", lambda: docker(*sent, check=False), patience=150)
        yield made


def stopped(name: str) -> None:
    """The signal of a stop, then a start."""
    docker("restart", name)  # with the time that its definition gives it


def killed(name: str) -> None:
    docker("kill", name)
    docker("start", name)


@pytest.mark.long
@pytest.mark.xdist_group("restarts")
class TestRestarts:
    """One story, in this order."""

    app = ""
    began = 0.0

    def outage(self, stack: Rig, *events: Callable[[str], None]) -> list[float]:
        """The hub is down for AWAY seconds, in which both agents restart by each event. The scrapes that are lost."""
        left = outage.leave(stack)
        for number, event in enumerate(events, 1):
            outage.wait_out(left, AWAY * number / (len(events) + 1))
            for role in ("agent", "promtail"):
                event(stack.container(role))
        outage.wait_out(left, AWAY)
        back = outage.come_back(stack)
        return self.lost(stack, left - 5, back + 5)

    def lost(self, stack: Rig, since: float, until: float) -> list[float]:
        """Scrapes of that time that are missing once the backlog has arrived."""
        eventually("newer samples", lambda: outage.stamps(stack, RECEIVED, "1m")[-1] > until + 15, patience=180)
        answered = [at for at in outage.served(self.app, since) if at < until]
        assert len(answered) > 0.5 * (until - since), f"only {len(answered)} scrapes in {until - since:.0f} s"
        found = outage.lost(answered, outage.stamps(stack, RECEIVED, "10m"))
        for _ in range(10):  # a backlog that still arrives makes it less
            time.sleep(3)
            again = outage.lost(answered, outage.stamps(stack, RECEIVED, "10m"))
            if len(again) == len(found):
                break
            found = again
        return found

    def test_a_prometheus_agent_loses_what_it_held(self, stack: Rig) -> None:
        lost = self.outage(stack, stopped, killed)
        assert len(lost) > AWAY / 3, f"only {len(lost)} s are lost: docs/no-data-lost.md states more"

    def test_the_change_to_vmagent_loses_nothing(self, stack: Rig) -> None:
        since = time.time()
        stack.change({"hosts": {"hub": {"metrics": {"agent": "vmagent"}}}})
        said = stack.up()
        assert "out of support" in said
        assert "a Prometheus agent that restarts" not in said, "vmagent loses nothing by that"
        assert "vmagent" in docker("inspect", "-f", "{{.Config.Image}}", stack.container("agent"))
        lost = self.lost(stack, since - 5, time.time())
        assert not lost, f"{len(lost)} s"

    def test_the_labels_of_the_samples_are_the_same(self, stack: Rig) -> None:
        outage.stamps(stack, RECEIVED, "10m")  # fails if there is a second series
        assert not stack.hub.metrics('{exported_env!=""}'), "labels of targets that vmagent took for those of metrics"

    def test_vmagent_loses_nothing_by_a_stop(self, stack: Rig) -> None:
        lost = self.outage(stack, stopped)
        assert not lost, f"{len(lost)} s, from {lost[0]:.0f} to {lost[-1]:.0f}"

    def test_vmagent_loses_what_was_in_memory_by_a_kill(self, stack: Rig) -> None:
        lost = self.outage(stack, killed)
        assert len(lost) <= FLUSH, f"{len(lost)} s, from {lost[0]:.0f} to {lost[-1]:.0f}"

    def test_no_line_is_missing_or_twice(self, stack: Rig) -> None:
        name = stack.container("writer")
        last, counted = outage.all_numbers(stack, name, self.began)
        missing = sorted(set(range(min(counted), last + 1)) - set(counted))
        assert not missing, f"{len(missing)} of {last + 1} lines are missing: {missing}"
        assert max(counted.values()) == 1, f"twice: {sorted(n for n, times in counted.items() if times > 1)}"

    def test_doctor_finds_data_for_everything(self, stack: Rig) -> None:
        done = stack.tool("doctor")
        assert "Everything has data." in done.stdout, done.stdout[-4000:]

    def test_the_change_back_loses_nothing(self, stack: Rig) -> None:
        since = time.time()
        stack.change({"hosts": {"hub": {"metrics": {"agent": "prometheus"}}}})
        stack.up()
        assert "vmagent" not in docker("inspect", "-f", "{{.Config.Image}}", stack.container("agent"))
        lost = self.lost(stack, since - 5, time.time())
        assert not lost, f"{len(lost)} s"
